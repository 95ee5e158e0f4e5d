"""Premise D through crashes: a sync dies before each write of a renewal and of the rebuild after it in turn."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pymongo
import pytest
from pymongo.collection import Collection
from pymongo.database import Database

from migrator.mapping.validator import validator
from migrator.model.change.events import DocumentRef, Scope
from migrator.model.mapping.tree import Collection as Mapping
from migrator.planning.planner import check
from migrator.source import open_source
from migrator.target.mongo.copy_state.collection_store import MongoCollectionStore
from migrator.target.mongo.leases import write_guard
from migrator.target.mongo.sync_state.live_collections import MongoLiveCollections
from migrator.target.mongo.sync_state.scope_documents import packed
from tests.sync.premises.test_d_altered import planned
from tests.sync.premises.world import World

pytestmark = pytest.mark.slow

TABLES = (
    "CREATE TABLE things (id INT PRIMARY KEY, code INT NULL UNIQUE, v VARCHAR(20) CHARACTER SET utf8mb4)",
    "INSERT INTO things VALUES (1, 10, 'x'), (2, NULL, 'y😀'), (3, NULL, NULL), (4, 40, 'z')",
)
MAPPING = """
collection: things
from: things
validator: true
indexes:
  - {keys: {code: 1}, unique: true}
"""
ALTER = "ALTER TABLE things MODIFY id BIGINT, MODIFY code BIGINT NULL, CONVERT TO CHARACTER SET latin1"
BACK = "ALTER TABLE things MODIFY id INT, MODIFY code INT NULL, CONVERT TO CHARACTER SET utf8mb4"


class Crash(BaseException):
    """The process dies here."""


class Writes:
    """Counts what a sync changes in its target; dies before one of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._fatal: int | None = None
        self._done = 0
        for name in ("insert_many", "bulk_write", "delete_many", "update_one", "drop_index"):
            monkeypatch.setattr(Collection, name, self._counted(getattr(Collection, name)))
        monkeypatch.setattr(Database, "command", self._counted(Database.command))

    def die_before(self, number: int | None) -> None:
        self._fatal, self._done = number, 0

    def _counted(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            # The lease is kept up by a thread of its own.
            if threading.current_thread() is threading.main_thread():
                if self._done == self._fatal:
                    raise Crash
                self._done += 1
            return write(*arguments, **named)

        return counted


@pytest.fixture
def things(world: World) -> World:
    world.sql(*TABLES)
    world.mapping(MAPPING)
    world.apply()
    world.sync()
    return world


def dies(world: World, writes: Writes, number: int) -> bool:
    """Whether a sync that is to die before so many writes does; one that does not has caught up."""
    writes.die_before(number)
    try:
        world.sync()
    except Crash:
        return True
    finally:
        writes.die_before(None)
    return False


def require_right(world: World) -> None:
    """Documents, validator, indexes and notes are of the tables as they are."""
    assert world.disagreements() == []
    assert planned(world) == {}
    (collection,) = check(open_source(world.source), world.files)
    with pymongo.MongoClient[dict[str, Any]](world.target) as client:
        database = client.get_default_database()
        (found,) = database.list_collections(filter={"name": "things"})
        assert found["options"]["validator"] == {"$jsonSchema": json.loads(validator(collection))}
        (index,) = [each for each in database["things"].list_indexes() if each["name"] == "code_1"]
        (_, types), *_ = collection.indexes[0].nullable
        assert index["partialFilterExpression"] == {"code": {"$type": list(types)}}


@pytest.fixture(params=[True, False], ids=["transactions", "none"])
def transactions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if not request.param:
        monkeypatch.setattr(write_guard, "has_transactions", lambda session: False)
    return bool(request.param)


def test_every_write_may_be_the_last(transactions: bool, things: World, monkeypatch: pytest.MonkeyPatch) -> None:
    things.sql("SET SESSION sql_mode = ''", ALTER)
    writes = Writes(monkeypatch)
    died = 0
    while dies(things, writes, died):
        died += 1
    assert died > 10
    require_right(things)


@pytest.mark.parametrize("number", range(0, 24, 3))
def test_altered_back_after_a_crash(things: World, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    things.sql("SET SESSION sql_mode = ''", ALTER)
    writes = Writes(monkeypatch)
    assert dies(things, writes, number)
    things.sql(BACK, "UPDATE things SET v = 'later' WHERE id = 1")
    things.sync()
    require_right(things)


def test_a_mutant_that_notes_the_columns_before_the_work(things: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash in between nobody knows of the documents that are to be built again."""
    monkeypatch.setattr(write_guard, "has_transactions", lambda session: False)

    def renewed_first(
        self: MongoLiveCollections, scope: Scope, mapping: Mapping, refs: Iterable[DocumentRef], why: str
    ) -> None:
        self._documents.change({scope: {"renewed": packed(mapping)}})
        raise Crash

    things.sql("ALTER TABLE things MODIFY code BIGINT NULL")
    with monkeypatch.context() as patch:
        patch.setattr(MongoLiveCollections, "renew", renewed_first)
        with pytest.raises(Crash):
            things.sync()
    things.sync()
    assert things.disagreements() != []


def test_a_mutant_that_leaves_the_validator_for_later(things: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents of the new types are refused."""
    monkeypatch.setattr(MongoCollectionStore, "set_validator", lambda *arguments: None)
    things.sql("ALTER TABLE things MODIFY code BIGINT NULL", "INSERT INTO things VALUES (5, 50, 'w')")
    things.sync()
    assert things.disagreements() != []
