"""Premise C, for a copy: whatever a process sends after it lost the lease, its successor's result is the same.

The late process believes in its lease to the last (its `check` passes), as one that was stopped between look and write
does. So only what goes with the write itself can keep it from doing harm.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo import MongoClient

from migrator.errors import LeaseLost, MigratorError, TargetError
from migrator.model.mapping.tree import IndexSpec
from migrator.model.plan.chunk import Chunk
from migrator.model.plan.plan import CollectionPlan
from migrator.ports.copy import Lease, Target, Writer
from migrator.target import FilesTarget, MongoTarget
from migrator.target.lease import HeldLease, Timing
from migrator.target.mongo.leases import write_guard as mongo_fence
from migrator.target.record import Intent, Record
from migrator.target.url import MongoUrl, parse_target_url
from migrator.waits import silent_building
from tests.target.build import chunk, collection_plan, document, reject, result, run
from tests.target.conftest import Place

RUN = "0a1b2c3d"
PLAN = collection_plan(indexes=(IndexSpec("v_1", (("v", 1),)),), validator='{"bsonType": "object"}')
# One that never counts its lease up is taken for dead soon.
STOPPED = Timing(interval=1000, give_up=2000, expiry=0.15, poll=0.02)
SUCCESSOR = Timing(interval=0.1, give_up=5, expiry=0.15, poll=0.02)


@dataclass(frozen=True)
class Copier:
    """One process of a copy, with a worker's writer."""

    target: Target
    lease: Lease
    writer: Writer

    def chunk(self, number: int, attempt: int = 1) -> Chunk:
        return replace(chunk(number, attempt=attempt), holding=self.lease.number)

    def copy(self, number: int, attempt: int = 1) -> None:
        """Two documents, and one that is rejected."""
        one = self.chunk(number, attempt)
        self.writer.start(one)
        assert self.writer.write(one, [document(10 * number, v="new"), document(10 * number + 1, v="new")]) == []
        self.writer.finish(result(one, 2, rejected=1), [reject(10 * number + 2)])


@contextmanager
def copier(url: str, timing: Timing) -> Iterator[Copier]:
    parsed = parse_target_url(url)
    target = MongoTarget(parsed, timing, 5.0) if isinstance(parsed, MongoUrl) else FilesTarget(parsed, timing)
    with closing(target):
        lease = target.lease("apply")
        # Not given back: who is stopped does not do that.
        held = lease.__enter__()
        try:
            yield Copier(target, held, target.writer())
        finally:
            held.held.stop()


def begin(one: Copier) -> None:
    """Three chunks of four are planned: the first is done, the second half written."""
    state = one.target.state(one.lease)
    state.begin(run(PLAN))
    one.target.publisher(one.lease).prepare(RUN, PLAN)
    state.add_chunks([one.chunk(number) for number in range(3)])
    one.copy(0)
    half = one.chunk(1)
    one.writer.start(half)
    # Deleted rows: the successor does not see them any more.
    one.writer.write(half, [document(10, v="old"), document(11, v="old")])


def copying(one: Copier) -> None:
    state = one.target.state(one.lease)
    state.take_over(RUN)
    one.target.publisher(one.lease).take_over(RUN, PLAN)
    assert [(each.number, each.attempt) for each in state.pending(RUN, "orders")] == [(1, 2), (2, 1)]
    one.copy(1, attempt=2)


def copied(one: Copier) -> None:
    one.copy(2)
    state = one.target.state(one.lease)
    state.add_chunks([one.chunk(3)])
    one.copy(3)
    state.all_planned(RUN, "orders")


def published(one: Copier) -> None:
    publisher = one.target.publisher(one.lease)
    assert publisher.publish(RUN, PLAN) == ()
    one.target.state(one.lease).finish(RUN, "done")


STAGES = (copying, copied, published)


def write(late: Copier) -> None:
    late.writer.write(late.chunk(1), [document(12, v="deleted"), document(11, v="deleted")])


def remove(late: Copier) -> None:
    late.writer.remove(late.chunk(1), [bson.encode({"_id": 0}), bson.encode({"_id": 10})])


def swap(late: Copier) -> None:
    """The rename alone: the look before it is long ago."""
    place(late).swap(RUN, "orders", "")


def swap_what_is_left(late: Copier) -> None:
    """After a late worker's insert there is something to rename: nobody may come so far."""
    write(late)
    late.target.publisher(late.lease).publish(RUN, PLAN)


def place(late: Copier) -> Any:
    return late.target.publisher(late.lease)._place  # type: ignore[attr-defined]


def records(late: Copier) -> Any:
    return late.target.publisher(late.lease)._records  # type: ignore[attr-defined]


def intend(late: Copier) -> None:
    record = Record("orders", RUN, "late", "late", (), "")
    records(late).intend("orders", Intent(record, "before", late.lease.number))


LATE: dict[str, Callable[[Copier], object]] = {
    "write": write,
    "remove": remove,
    "finish": lambda late: late.writer.finish(result(late.chunk(1), 9, rejected=1), [reject(99)]),
    "finish without rejected": lambda late: late.writer.finish(result(late.chunk(1), 9), []),
    "start": lambda late: late.writer.start(late.chunk(2)),
    "start again": lambda late: late.writer.start(late.chunk(1, attempt=7)),
    "copy": lambda late: late.copy(2),
    "add chunks": lambda late: late.target.state(late.lease).add_chunks([chunk(3), chunk(4)]),
    "all planned": lambda late: late.target.state(late.lease).all_planned(RUN, "orders"),
    "begin": lambda late: late.target.state(late.lease).begin(run(PLAN, run_id="99999999")),
    "finish the run": lambda late: late.target.state(late.lease).finish(RUN, "done"),
    "abandon the run": lambda late: late.target.state(late.lease).finish(RUN, "abandoned"),
    "take over": lambda late: late.target.state(late.lease).take_over(RUN),
    "reset": lambda late: late.target.state(late.lease).reset(RUN, "orders"),
    "clean": lambda late: late.target.state(late.lease).clean(),
    "prepare": lambda late: late.target.publisher(late.lease).prepare(RUN, PLAN),
    "take over what was loaded": lambda late: late.target.publisher(late.lease).take_over(RUN, PLAN),
    "discard": lambda late: late.target.publisher(late.lease).discard(RUN, "orders"),
    "indexes and validator": lambda late: place(late).make_ready(RUN, PLAN, silent_building),
    "rename": swap,
    "rename what a late worker left": swap_what_is_left,
    "publish": lambda late: late.target.publisher(late.lease).publish(RUN, PLAN),
    "intend": intend,
    "settle": lambda late: records(late).settle("orders", Record("orders", "late", "late", "late", (), "")),
    "forget an intent": lambda late: records(late).forget_intent("orders"),
}


def outcome(place: Place, target: Target) -> Any:
    state = target.state()
    (found,) = target.inspect(["orders"])
    progress = state.progress(RUN)["orders"]
    return (
        place.look.documents("orders"),
        sorted(place.look.indexes("orders")),
        place.look.validator("orders"),
        target.publisher().published(),
        (found.owned, found.mapping_hash, found.index_specs, found.rejected),
        sorted(each.document for each in state.rejected(RUN, 99)),
        state.open_run(),
        # An intent keeps sync from writing.
        target.publisher()._records.unsettled(),  # type: ignore[attr-defined]
        (progress.planned, progress.chunks, progress.chunks_done, progress.last, progress.published),
    )


def expected(plan: CollectionPlan) -> Any:
    ids = [0, 1, 10, 11, 20, 21, 30, 31]
    return (
        [{"_id": each, "v": "new"} for each in ids],
        ["_id_", "v_1"],
        {"$jsonSchema": {"bsonType": "object"}},
        {"orders": RUN},
        (True, "m1", plan.collection.indexes, 4),
        ["12", "2", "22", "32"],
        None,
        [],
        (True, 4, 4, chunk(3).range, True),
    )


def play(place: Place, change: Callable[[Copier], object], when: int, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What there is in the end when `change` comes after so many of the successor's stages."""
    with copier(place.url, STOPPED) as late:
        begin(late)
        with copier(place.url, SUCCESSOR) as successor:
            assert successor.lease.number > late.lease.number
            with monkeypatch.context() as patch:
                patch.setattr(HeldLease, "check", lambda self: None)
                for number, stage in enumerate(STAGES, 1):
                    stage(successor)
                    if number == when:
                        # Whether it hears of it matters less than that nothing comes of it.
                        with suppress(MigratorError):
                            change(late)
            found = outcome(place, successor.target)
            successor.target.state(successor.lease).clean()
            assert place.look.names() == ["orders"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("when", [1, 2, 3], ids=[stage.__name__ for stage in STAGES])
@pytest.mark.parametrize("change", LATE)
def test_what_comes_late_changes_nothing(place: Place, change: str, when: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert play(place, LATE[change], when, monkeypatch) == expected(PLAN)


def test_a_late_process_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with copier(place.url, STOPPED) as late:
        begin(late)
        with copier(place.url, SUCCESSOR) as successor:
            copying(successor)
            monkeypatch.setattr(HeldLease, "check", lambda self: None)
            for each in ("finish", "start", "add chunks", "all planned", "begin", "abandon the run", "intend"):
                # A worker's TargetError becomes LeaseLost in the main process, which looks at the lease first.
                with pytest.raises(TargetError if each == "finish" and place.kind == "files" else LeaseLost):
                    LATE[each](late)


def test_one_that_died_before_the_first_chunk_leaves_nothing_to_take_over(place: Place) -> None:
    with copier(place.url, STOPPED) as first:
        first.target.state(first.lease).begin(run(PLAN))
        with copier(place.url, SUCCESSOR) as second, pytest.raises(MigratorError, match="what was loaded is gone"):
            second.target.publisher(second.lease).take_over(RUN, PLAN)


def test_several_take_overs_and_what_is_left_of_each(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was loaded is at the highest number, whatever earlier ones still write."""
    monkeypatch.setattr(HeldLease, "check", lambda self: None)
    with copier(place.url, STOPPED) as first:
        begin(first)
        with copier(place.url, STOPPED) as second:
            second.target.state(second.lease).take_over(RUN)
            second.target.publisher(second.lease).take_over(RUN, PLAN)
            with suppress(MigratorError):
                write(first)
            with copier(place.url, SUCCESSOR) as third:
                with suppress(MigratorError):
                    write(first)
                copying(third)
                with suppress(MigratorError):
                    write(first)
                for each in (first, second):
                    with suppress(MigratorError):
                        each.target.publisher(each.lease).take_over(RUN, PLAN)
                copied(third)
                published(third)
                assert outcome(place, third.target) == expected(PLAN)


def test_a_run_of_an_older_version_is_gone_on_with(place: Place) -> None:
    """It had no numbers of holdings: neither in names nor in the state."""
    target = place.target
    state, writer = target.state(), target.writer()
    state.begin(run(PLAN))
    target.publisher().prepare(RUN, PLAN)
    state.add_chunks([chunk(number) for number in range(3)])
    writer.start(chunk(0))
    writer.write(chunk(0), [document(0, v="new"), document(1, v="new")])
    writer.finish(result(chunk(0), 2, rejected=1), [reject(2)])
    writer.start(chunk(1))
    writer.close()
    _as_of_an_older_version(place)
    with copier(place.url, SUCCESSOR) as successor:
        copying(successor)
        copied(successor)
        published(successor)
        assert outcome(place, successor.target) == expected(PLAN)


def _as_of_an_older_version(place: Place) -> None:
    if place.kind == "mongodb":
        with MongoClient[Any](place.url) as client:
            chunks = client.get_default_database()["_migrator_chunks"]
            assert chunks.update_many({}, {"$unset": {"holding": ""}}).modified_count == 3
        return
    with closing(sqlite3.connect(Path(place.url.removeprefix("file:")) / ".migrator" / "state.sqlite3")) as state:
        state.execute("ALTER TABLE chunks DROP COLUMN holding")
        state.execute("DROP TABLE holdings")
        state.execute("PRAGMA user_version = 1")
        state.commit()


@pytest.mark.parametrize("place", ["mongodb"], indirect=True)
@pytest.mark.parametrize("change", ["write", "remove", "rename", "discard"])
def test_without_names_of_their_own_it_would(place: Place, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant: everybody loads under one name."""
    from migrator.model.collection_names import staged_name

    for module in ("copy_state.collection_store", "writing.chunk_writer"):
        monkeypatch.setattr(
            f"migrator.target.mongo.{module}.staged_name", lambda name, run_id, holding: staged_name(name, run_id, 0)
        )
    monkeypatch.setattr(
        "migrator.target.mongo.copy_state.collection_store.MongoCollectionStore.take_over",
        lambda self, run_id, name: True,
    )
    found: Any = None
    with suppress(MigratorError):
        found = play(place, LATE[change], 1, monkeypatch)
    assert found != expected(PLAN)


@pytest.mark.parametrize("place", ["mongodb"], indirect=True)
@pytest.mark.parametrize("change", ["add chunks", "begin", "abandon the run", "intend", "settle"])
def test_without_the_fence_it_would(place: Place, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant: the state is written by whoever wants to."""
    monkeypatch.setattr(mongo_fence.FencedWrites, "_mark", lambda self, session: True)
    found: Any = None
    with suppress(MigratorError, AssertionError):
        found = play(place, LATE[change], 3 if change in ("intend", "settle") else 1, monkeypatch)
    assert found != expected(PLAN)
