"""Documents that the target refuses: rejected one by one, tried again when they change, and too many of them are an
error."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from pymongo import MongoClient

from migrator import api
from migrator.copy.chunk_worker import ChunkHandler
from migrator.copy.options import ApplyOptions
from migrator.documents.refusal_streak import ENOUGH
from migrator.errors import ExitCode, TargetError
from migrator.model.plan.chunk import Chunk, KeyRange
from migrator.model.plan.run import Run
from migrator.model.report.verify import Selection
from migrator.planning.planner import PlanOptions
from migrator.verify.outcome import VerifyOptions
from tests.sync.premises.world import Heard, World
from tests.target.refusing import Refusing, before_5, install

SECRET = "Zsecretz"
GEO_TEXT = f'Can\'t extract geo keys: {{ _id: 3, name: "{SECRET}" }}'
MAPPING = "collection: t\nfrom: t\n"


def numbers(*ids: int, lat: int = 0) -> str:
    return f"INSERT INTO t VALUES {', '.join(f'({n}, {lat})' for n in ids)}"


@pytest.fixture
def places(world: World) -> World:
    """A hundred and fifty rows, all of them fine."""
    world.sql("CREATE TABLE t (id INT PRIMARY KEY, lat INT NOT NULL)", numbers(*range(1, 151)))
    world.mapping(MAPPING)
    return world


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    """It refuses latitudes above 90."""
    made = Refusing(16755, GEO_TEXT, lambda kind, found: bool((found.get("lat") or 0) > 90))
    install(monkeypatch, made)
    return made


class Verifying(Heard):
    def looked(self, *_: Any) -> None: ...


def rejected(world: World) -> dict[str, dict[str, Any]]:
    with MongoClient[dict[str, Any]](world.target) as client:
        found = client.get_default_database()["_migrator_rejected"].find()
        return {each["rejected"]["document"]: each["rejected"] for each in found}


@pytest.mark.slow
def test_sync_goes_on_and_tries_again_when_the_row_changes(places: World, server: Refusing) -> None:
    places.apply()
    places.sql("UPDATE t SET lat = 95 WHERE id = 3", "UPDATE t SET lat = 5 WHERE id = 4", numbers(200, lat=99))
    places.sync()
    assert set(places.found("t")) == {*range(1, 151)} - {3}
    assert places.found("t")[4]["lat"] == 5
    assert sorted(rejected(places)) == ["200", "3"]
    why = rejected(places)["3"]
    assert "2dsphere" in why["reason"]
    assert SECRET not in why["reason"]
    assert SECRET in why["said"]
    places.sql("UPDATE t SET lat = 6 WHERE id = 3", "DELETE FROM t WHERE id = 200")
    places.sync()
    assert rejected(places) == {}
    assert places.disagreements() == []


def test_few_documents_that_are_refused_all_the_time_stop_nothing(places: World, server: Refusing) -> None:
    places.apply()
    for n in range(5):
        places.sql(f"UPDATE t SET lat = {95 + n} WHERE id <= 40")
        places.sync()
    assert len(rejected(places)) == 40


@pytest.mark.slow
def test_sync_stops_where_nearly_everything_is_refused(places: World, server: Refusing) -> None:
    places.apply()
    places.sql(f"UPDATE t SET lat = 95 WHERE id <= {ENOUGH + 20}")
    for _ in range(2):
        with pytest.raises(TargetError, match=f"{ENOUGH + 20} documents in a row") as stopped:
            places.sync()
        assert stopped.value.exit_code == ExitCode.TARGET
        assert SECRET not in str(stopped.value)
        assert SECRET in stopped.value.said
        # What would have been lost is there.
        assert len(places.found("t")) == 150
    places.sql("UPDATE t SET lat = 9")
    places.sync()
    assert places.disagreements() == []


@pytest.mark.slow
def test_those_that_are_rejected_already_stop_nothing(places: World, server: Refusing) -> None:
    """In small portions they came; all of them are tried again at once."""
    places.apply()
    for n in range(0, 150, 50):
        places.sql(f"UPDATE t SET lat = 95 WHERE id > {n} AND id <= {n + 50}", numbers(1000 + n))
        places.sync()
    assert len(rejected(places)) == 150
    places.sql("UPDATE t SET lat = 96 WHERE id <= 150")
    places.sync()
    assert len(rejected(places)) == 150
    places.sql("UPDATE t SET lat = 1")
    places.sync()
    assert places.disagreements() == []


def test_apply_stops_where_nearly_everything_is_refused(places: World, server: Refusing) -> None:
    """As a worker process does it, but in this one, where the fault is."""
    places.sql("UPDATE t SET lat = 95 WHERE id > 2")
    plan = api.make_plan(places.source, places.target, places.files, PlanOptions())
    ends = api.ends(places.source, places.target, 5)
    run = Run("0a1b2c3d", plan, None, "2024-05-01T10:00:00")
    chunk = Chunk(run.id, "t", 0, KeyRange(None, None), 1)
    with closing(ends.open_target()) as target, target.lease("apply"):
        target.state().begin(run)
        target.publisher().prepare(run.id, plan.collections[0])
        target.state().add_chunks([chunk])
        with pytest.raises(TargetError, match="148 documents in a row"):
            ChunkHandler(plan, ends, 5)(chunk)
        assert target.state().pending(run.id, "t")


@pytest.mark.slow
def test_repair_goes_on_past_what_is_refused(places: World, server: Refusing) -> None:
    places.apply()
    with MongoClient[dict[str, Any]](places.target) as client:
        client.get_default_database().t.update_many({"_id": {"$in": [5, 6]}}, {"$set": {"lat": -1}})
    server.refuses = lambda kind, found: found.get("_id") == 5
    options = VerifyOptions(Selection((), None, ()), ApplyOptions(workers=1, retry_seconds=5), repair=True)
    api.verify(places.source, places.target, places.files, options, Verifying())
    assert 5 not in places.found("t")
    assert places.found("t")[6]["lat"] == 0
    assert sorted(rejected(places)) == ["5"]


def test_names_with_a_dollar_are_kept_in_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a server that takes them in inserts only."""
    install(monkeypatch, before_5())
    world.sql(
        "CREATE TABLE t (id INT PRIMARY KEY, extra JSON NOT NULL, n INT NOT NULL)",
        """INSERT INTO t VALUES (1, '{"$x": 1}', 0), (2, '{"a": [{"$y": 2}]}', 0), (3, '{"a": "$x"}', 0)""",
    )
    world.mapping(MAPPING)
    world.apply()
    assert set(world.found("t")) == {1, 2, 3}
    world.sql("UPDATE t SET n = n + 1")
    world.sync()
    assert rejected(world) == {}
    assert world.disagreements() == []
