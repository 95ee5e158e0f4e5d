"""What `status` says of a collection that a sync rebuilds after ALTER TABLE or TRUNCATE, and the phases of that."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from itertools import groupby
from typing import Any

import pytest
from rich.console import Console

from migrator import api
from migrator.cli.output import status as status_output
from migrator.cli.output.watch import gist
from migrator.errors import SyncBlocked
from migrator.model.change.events import DirtyEntry
from migrator.model.report.status import CollectionStatus, Status
from migrator.ports.sync import RootKeyReader
from migrator.sync import dirty_queue
from migrator.sync.dirty_queue import DirtyQueue
from migrator.sync.rebuild import Rebuilt
from migrator.target.mongo.sync_state.dirty import MongoDirtyRefs
from tests.sync.premises.world import World

PIECE = 50
COUNT = 4 * PIECE
NUMBERS = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(1, COUNT + 1))
TABLES = (
    "CREATE TABLE items (id INT PRIMARY KEY, n INT NOT NULL, code INT NOT NULL)",
    f"INSERT INTO items SELECT n, n, n FROM ({NUMBERS}) s",
)
UNIQUE = "collection: items\nfrom: items\nindexes: [{keys: {n: 1}, unique: true}, {keys: {code: 1}, unique: true}]\n"


class _Ended(SyncBlocked):
    """Ends a sync in the middle."""


@pytest.fixture
def items(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A collection in step, of which a sync rebuilds `PIECE` documents at a time."""
    monkeypatch.setattr(dirty_queue, "KEYS_AT_ONCE", PIECE)
    world.sql(*TABLES)
    world.mapping(UNIQUE)
    world.apply()
    world.sync()
    return world


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], None]], None]:
    """Has a function called before each piece of a rebuild, with its number."""

    def before_each(look: Callable[[int], None]) -> None:
        step, done = DirtyQueue.step, 0

        async def counted(self: DirtyQueue, snapshot: RootKeyReader) -> Rebuilt | None:
            nonlocal done
            look(done)
            done += 1
            return await step(self, snapshot)

        monkeypatch.setattr(DirtyQueue, "step", counted)

    return before_each


def collection(status: Status) -> CollectionStatus:
    (found,) = status.collections
    return found


def text(status: Status) -> str:
    console = Console(file=StringIO(), width=80)
    for part in status_output.as_text(status):
        console.print(part)
    shown = console.file
    assert isinstance(shown, StringIO)
    return shown.getvalue()


def test_a_rebuild_says_why_since_when_and_how_far_it_is(
    items: World, pieces: Callable[[Callable[[int], None]], None]
) -> None:
    seen: list[Status] = []

    def look(number: int) -> None:
        seen.append(api.status(items.target))
        if number == 7:
            raise _Ended("enough of it")

    pieces(look)
    items.sql("ALTER TABLE items MODIFY n BIGINT NOT NULL")
    with pytest.raises(SyncBlocked, match="enough of it"):
        items.sync()
    rebuilds = [collection(each).rebuild for each in seen]
    assert all(each is not None for each in rebuilds)
    told = [[(part.of, part.done, part.total) for part in each.passes] for each in rebuilds if each is not None]
    rejected, rows = ("rejected", 0, None), ("rows", 0, COUNT)
    assert told == [
        *([("documents", done, COUNT), rejected, rows] for done in (0, 50, 100, 150, 200)),
        [rejected, rows],
        [rows],
        [("rows", PIECE, COUNT)],
    ]
    half = seen[2]
    found = collection(half).rebuild
    assert found is not None
    assert found.why.endswith("items.n was int(11), and is bigint(20)") or found.why.endswith(
        "n was int, and is bigint"
    )
    assert found.since is not None
    assert found.since <= half.at
    assert found.seconds is not None
    assert 0 <= found.seconds < 30
    # For programs the same, and what was there before.
    facts = json.loads(status_output.as_json(half))["collections"][0]
    assert facts["rebuild"] == {
        "why": found.why,
        "since": found.since,
        "seconds": found.seconds,
        "passes": [
            {"of": "documents", "done": 100, "total": COUNT},
            {"of": "rejected", "done": 0, "total": None},
            {"of": "rows", "done": 0, "total": COUNT},
        ],
    }
    assert (facts["dirty"], facts["following"], facts["copying"]) == (3, True, None)
    # No sync is at work now.
    left = api.status(items.target)
    assert collection(left).state == "waits-for-sync"
    said = text(left)
    assert "waits for sync to rebuild it" in said
    assert "3 waiting" not in said
    assert f"rebuild    items, since {status_output.moment(found.since)}, " in said
    assert f"because {found.why}" in " ".join(said.split())
    assert "50 of about 200 rows done" in said
    assert "100 of about 200 documents done, then all rejected documents, then all rows" in " ".join(text(half).split())
    assert gist(left)["collection items"] == f"waits for sync to rebuild it: {found.why}"


def test_it_is_over_when_it_is_done(items: World) -> None:
    items.sql("ALTER TABLE items MODIFY n BIGINT NOT NULL")
    items.sync()
    found = collection(api.status(items.target))
    assert (found.rebuild, found.dirty) == (None, 0)
    assert "rebuild" not in text(api.status(items.target))


def test_while_a_sync_is_at_work_it_is_being_rebuilt(
    items: World, pieces: Callable[[Callable[[int], None]], None]
) -> None:
    """Also one that was just started, of which it is not known how far it is."""
    seen: list[Status] = []
    pieces(lambda _: seen.append(api.status(items.target)))
    items.sql("ALTER TABLE items MODIFY n BIGINT NOT NULL")
    items.sync()
    found = [collection(each) for each in seen]
    states = {(each.state, status_output.state_words(each)) for each in found if each.rebuild is not None}
    assert states == {("catching-up", "being rebuilt")}
    assert {each.sync.state for each in seen if each.sync is not None} == {"unknown"}


def test_a_table_that_was_emptied(items: World, pieces: Callable[[Callable[[int], None]], None]) -> None:
    seen: list[CollectionStatus] = []
    pieces(lambda _: seen.append(collection(api.status(items.target))))
    items.sql("TRUNCATE items")
    items.sync()
    first = seen[0].rebuild
    assert first is not None
    assert [part.of for part in first.passes] == ["documents", "rejected"]
    assert first.why.endswith("items was emptied by TRUNCATE")


def test_entries_of_an_earlier_version(
    items: World, pieces: Callable[[Callable[[int], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They say neither since when nor why, nor how far they are."""

    def look(number: int) -> None:
        if number == 1:
            raise _Ended("enough of it")

    pieces(look)
    items.sql("ALTER TABLE items MODIFY n BIGINT NOT NULL")
    with pytest.raises(SyncBlocked, match="enough of it"):
        items.sync()
    wide = MongoDirtyRefs.wide

    def old(self: MongoDirtyRefs, scope: Any) -> list[DirtyEntry]:
        return [DirtyEntry(each.ref, each.after, each.mark) for each in wide(self, scope)]

    monkeypatch.setattr(MongoDirtyRefs, "wide", old)
    found = collection(api.status(items.target)).rebuild
    assert found is not None
    assert (found.why, found.since, found.seconds) == ("", None, None)
    assert "rebuild    items\n" in "\n".join(line.rstrip() for line in text(api.status(items.target)).splitlines())


def test_indexes_of_a_renewal_are_a_phase(items: World) -> None:
    items.sql("ALTER TABLE items MODIFY n INT NULL, MODIFY code INT NULL")
    _, heard = items.sync()
    phases = [str(phase) for phase, _ in groupby(each.phase for each in heard.doings)]
    begin = phases.index("building index 1 of 2 of items")
    assert phases[begin : begin + 4] == [
        "building index 1 of 2 of items",
        "catching up",
        "building index 2 of 2 of items",
        "catching up",
    ]
