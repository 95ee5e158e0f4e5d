"""What sync remembers: positions, dirty reaches, tracked rows, rejected documents, pauses, the last report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from pymongo.database import Database

from migrator.errors import TargetError
from migrator.model.change.events import DirtyEntry, DocumentRef, Scope, SyncReport, TrackedChange, TrackedRow
from migrator.model.change.position import Position
from migrator.model.plan.chunk import Rejected
from migrator.model.plan.plan import CollectionPlan
from migrator.ports.sync_state import SyncState
from migrator.target import MongoTarget
from tests.target.build import SERVER, chunk, collection_plan, reject, result, run
from tests.target.sync.conftest import RUN, SCOPE, publish

Look = Database[dict[str, Any]]
ITEMS = Scope(RUN, "items")
TAGS = ("shop", "order_tags")


def position(n: int) -> Position:
    return Position(SERVER, f"0-1-{n}", "log.000001", n, "log")


def reach(*values: bytes, node: str = "orders.items", kind: Any = "parent") -> DocumentRef:
    return DocumentRef(node, kind, values)


def test_positions(state: SyncState) -> None:
    assert state.positions.load([SCOPE, ITEMS]) == {}
    state.positions.save([SCOPE], position(1))
    assert state.positions.load([SCOPE, ITEMS]) == {SCOPE: position(1)}
    state.positions.save([SCOPE, ITEMS], position(2))
    state.positions.save([], position(9))
    other = Scope("99999999", "orders")
    state.positions.save([other], position(5))
    assert state.positions.load([SCOPE, ITEMS, other]) == {SCOPE: position(2), ITEMS: position(2), other: position(5)}
    assert state.positions.load([]) == {}


def test_dirty_oldest_first_and_of_one_scope(state: SyncState) -> None:
    refs = [reach(b"%d" % n) for n in (5, 3, 9)]
    state.dirty.mark(SCOPE, refs)
    state.dirty.mark(ITEMS, [reach(b"5")])
    assert [each.ref for each in state.dirty.oldest(SCOPE, 10)] == refs
    assert [each.ref for each in state.dirty.oldest(SCOPE, 2)] == refs[:2]
    assert state.dirty.oldest(SCOPE, 0) == []
    assert (state.dirty.count([SCOPE]), state.dirty.count([SCOPE, ITEMS]), state.dirty.count([])) == (3, 4, 0)
    assert state.dirty.oldest(SCOPE, 1)[0].after is None
    state.dirty.settle(SCOPE, state.dirty.oldest(SCOPE, 2))
    assert [each.ref for each in state.dirty.oldest(SCOPE, 10)] == refs[2:]
    assert state.dirty.count([ITEMS]) == 1
    state.dirty.settle(SCOPE, [])
    state.dirty.mark(SCOPE, [])


def test_reaches_of_all_kinds_and_sizes(state: SyncState) -> None:
    refs = [
        DocumentRef("orders", "rows", ()),
        DocumentRef("orders", "documents", ()),
        DocumentRef("orders", "key", (b"a", b"b")),
        DocumentRef("orders", "key", (b"ab", b"")),
        DocumentRef("orders", "key", (b"", b"ab")),
        DocumentRef("orders", "key", (b"A", b"b")),
        DocumentRef("orders", "key", (b"\x00\xff" * 4000,)),
        DocumentRef("orders", "key", (b"\x00\xff" * 4000 + b"x",)),
        DocumentRef("orders", "child", (b"a", b"b")),
    ]
    state.dirty.mark(SCOPE, iter(refs))
    assert [each.ref for each in state.dirty.oldest(SCOPE, 100)] == refs
    state.dirty.mark(SCOPE, refs)
    assert state.dirty.count([SCOPE]) == len(refs)


def test_progress_inside_a_reach(state: SyncState) -> None:
    state.dirty.mark(SCOPE, [reach(b"1")])
    (entry,) = state.dirty.oldest(SCOPE, 1)
    state.dirty.advance(SCOPE, entry, (b"7", b"x"), 1)
    (further,) = state.dirty.oldest(SCOPE, 1)
    assert further == DirtyEntry(entry.ref, (b"7", b"x"), entry.mark, 1)
    state.dirty.advance(SCOPE, entry, (b"9", b"x"), 1)
    assert state.dirty.oldest(SCOPE, 1)[0].after == (b"9", b"x")
    state.dirty.settle(SCOPE, [further])
    assert state.dirty.oldest(SCOPE, 1) == []


def test_noted_again_meanwhile(state: SyncState) -> None:
    state.dirty.mark(SCOPE, [reach(b"1"), reach(b"2")])
    first, second = state.dirty.oldest(SCOPE, 2)
    state.dirty.advance(SCOPE, first, (b"7",), 1)
    state.dirty.mark(SCOPE, [reach(b"1")])
    other, again = state.dirty.oldest(SCOPE, 2)
    assert (other, again.ref) == (second, first.ref)
    assert again.mark > first.mark
    assert again.after is None
    state.dirty.advance(SCOPE, first, (b"8",), 1)
    state.dirty.settle(SCOPE, [first])
    assert state.dirty.oldest(SCOPE, 2) == [second, again]
    state.dirty.settle(SCOPE, [again, second])
    assert state.dirty.oldest(SCOPE, 2) == []
    # A settled one may come back, and the old entry is still not it.
    state.dirty.mark(SCOPE, [reach(b"1")])
    state.dirty.settle(SCOPE, [first, again])
    assert state.dirty.count([SCOPE]) == 1


@pytest.mark.slow
def test_many_reaches(state: SyncState) -> None:
    state.dirty.mark(SCOPE, (reach(b"%d" % n) for n in range(100_000)))
    assert state.dirty.count([SCOPE]) == 100_000
    assert [each.ref.values for each in state.dirty.oldest(SCOPE, 3)] == [(b"0",), (b"1",), (b"2",)]


def tag(n: int, order: bytes | None, tag: bytes | None = b"red", table: Any = TAGS) -> TrackedRow:
    return TrackedRow(table, (b"%d" % n,), {"order_id": order, "tag": tag})


def test_tracked_rows(state: SyncState) -> None:
    rows = [tag(1, b"10"), tag(2, b"10", b"Red"), tag(3, None, b"blue"), tag(4, b"11", None)]
    state.tracked.put(SCOPE, rows)
    state.tracked.put(Scope("99999999", "orders"), [tag(1, b"10", b"other run")])
    state.tracked.put(SCOPE, [tag(1, b"10", b"other table", ("shop", "item_tags"))])

    def asked(columns: list[str], *values: Any, limit: int = 10) -> list[int]:
        return sorted(int(row.key[0]) for row in state.tracked.find(SCOPE, TAGS, columns, values, limit))

    assert asked(["order_id"], (b"10",)) == [1, 2]
    assert asked(["order_id"], (b"10",), (b"11",), (b"12",)) == [1, 2, 4]
    assert asked(["tag"], (b"red",)) == [1]
    assert asked(["tag"], (b"Red",), (b"RED",), (b"red ",)) == [2]
    assert asked(["order_id", "tag"], (b"10", b"red"), (b"11", b"red")) == [1]
    assert asked(["tag", "order_id"], (b"red", b"10")) == [1]
    assert len(asked(["order_id"], (b"10",), (b"11",), limit=2)) == 2
    assert asked(["order_id"]) == []
    assert state.tracked.find(SCOPE, TAGS, ["tag"], [(b"blue",)], 1) == [rows[2]]
    state.tracked.put(SCOPE, [tag(1, b"11"), tag(5, b"10"), tag(5, b"11")])
    assert asked(["order_id"], (b"11",)) == [1, 4, 5]
    state.tracked.remove(SCOPE, TAGS, [(b"1",), (b"77",)])
    assert asked(["order_id"], (b"11",)) == [4, 5]
    state.tracked.remove_table(SCOPE, TAGS)
    assert asked(["order_id"], (b"11",)) == []
    assert len(state.tracked.find(SCOPE, ("shop", "item_tags"), ["order_id"], [(b"10",)], 5)) == 1
    assert len(state.tracked.find(Scope("99999999", "orders"), TAGS, ["order_id"], [(b"10",)], 5)) == 1
    state.tracked.put(SCOPE, [])
    assert asked(["order_id"], *((b"%d" % n,) for n in range(3000))) == []


def test_positions_and_tracked_rows_in_one_call(state: SyncState) -> None:
    other = ("shop", "item_tags")
    state.tracked.put(SCOPE, [tag(1, b"10"), tag(2, b"10"), tag(3, b"10")])
    changed = TrackedChange(SCOPE, TAGS, ((b"1",), (b"77",)), (tag(2, b"11"), tag(4, b"11")))
    elsewhere = TrackedChange(ITEMS, other, (), (tag(1, b"10", b"x", other),))
    state.positions.save([SCOPE, ITEMS], position(1), [changed, elsewhere])

    def asked(scope: Scope, table: Any, order: bytes) -> list[int]:
        return sorted(int(row.key[0]) for row in state.tracked.find(scope, table, ["order_id"], [(order,)], 9))

    assert state.positions.load([SCOPE, ITEMS]) == {SCOPE: position(1), ITEMS: position(1)}
    assert asked(SCOPE, TAGS, b"10") == [3]
    assert asked(SCOPE, TAGS, b"11") == [2, 4]
    assert asked(ITEMS, other, b"10") == [1]
    state.positions.save([], position(2), [TrackedChange(SCOPE, TAGS, ((b"4",),), ())])
    assert state.positions.load([SCOPE]) == {SCOPE: position(1)}
    assert asked(SCOPE, TAGS, b"11") == [2]


def test_more_tracked_rows_than_one_transaction_takes(state: SyncState) -> None:
    rows = tuple(tag(number, b"10") for number in range(7001))
    state.positions.save([SCOPE], position(1), [TrackedChange(SCOPE, TAGS, (), rows)])
    assert len(state.tracked.find(SCOPE, TAGS, ["order_id"], [(b"10",)], 9000)) == 7001
    state.positions.save([SCOPE], position(2), [TrackedChange(SCOPE, TAGS, tuple(row.key for row in rows), ())])
    assert state.tracked.find(SCOPE, TAGS, ["order_id"], [(b"10",)], 1) == []
    assert state.positions.load([SCOPE]) == {SCOPE: position(2)}


def test_tracked_rows_that_are_loaded(state: SyncState, database: Look) -> None:
    state.tracked.load(SCOPE, [tag(1, b"10"), tag(2, b"10", b"Red")])
    (name,) = [each for each in database.list_collection_names() if each.startswith("_migrator_tracked_")]
    assert [list(index["key"]) for index in database[name].list_indexes()] == [["_id"]]
    assert len(state.tracked.find(SCOPE, TAGS, ["order_id"], [(b"10",)], 5)) == 2
    # One of them is there, another is not: what is loaded last counts.
    state.tracked.load(SCOPE, [tag(2, b"11"), tag(3, b"11"), tag(4, b"11", None, ("shop", "item_tags"))])
    assert sorted(row.key for row in state.tracked.find(SCOPE, TAGS, ["order_id"], [(b"11",)], 5)) == [(b"2",), (b"3",)]
    assert len(state.tracked.find(SCOPE, ("shop", "item_tags"), ["order_id"], [(b"11",)], 5)) == 1
    assert len(state.tracked.find(SCOPE, TAGS, ["order_id"], [(b"10",)], 5)) == 1


def test_tracked_rows_of_odd_names_and_bytes(state: SyncState) -> None:
    table = ("sh.op", "$t.%2E")
    row = TrackedRow(table, (b"\x00\xff", b"x" * 5000), {"a.b": b"\x00\xff", "$c%2E": b"\xfe" * 3000, "é": None})
    state.tracked.put(SCOPE, [row])
    assert state.tracked.find(SCOPE, table, ["a.b"], [(b"\x00\xff",)], 1) == [row]
    assert state.tracked.find(SCOPE, table, ["$c%2E"], [(b"\xfe" * 3000,)], 1) == [row]
    assert state.tracked.find(SCOPE, ("sh", "op.$t.%2E"), ["a.b"], [(b"\x00\xff",)], 1) == []


def test_tracked_rows_are_found_by_an_index(state: SyncState, database: Look) -> None:
    state.tracked.put(SCOPE, [tag(1, b"10")])
    state.tracked.find(SCOPE, TAGS, ["order_id", "tag"], [(b"10", b"red")], 1)
    (name,) = [each for each in database.list_collection_names() if each.startswith("_migrator_tracked_")]
    keys = [list(index["key"]) for index in database[name].list_indexes()]
    assert sorted(keys) == sorted([["_id"], ["values.order_id"], ["values.tag"], ["values.order_id", "values.tag"]])


def copy_rejects(target: MongoTarget, plan: CollectionPlan, rejects: Sequence[Rejected]) -> None:
    """A copy whose one chunk is done, and of which nothing but these came."""
    state = target.state()
    state.begin(run(plan))
    target.publisher().prepare(RUN, plan)
    state.add_chunks([chunk(0)])
    writer = target.writer()
    writer.start(chunk(0))
    writer.finish(result(chunk(0), 0, len(rejects)), rejects)


def test_rejected_documents_are_counted_with_those_of_the_copy(target: MongoTarget) -> None:
    plan = collection_plan()
    state = target.state()
    copy_rejects(target, plan, [reject(1), reject(1), reject(2)])
    state.all_planned(RUN, "orders")
    target.publisher().publish(RUN, plan)
    state.finish(RUN, "done")
    sync = target.sync_state()

    def counts() -> tuple[int, int, list[str]]:
        kept = state.rejected(RUN, 10)
        assert state.count_rejected(RUN) == len(kept)
        return len(kept), target.inspect(["orders"])[0].rejected, [each.document for each in kept]

    assert counts() == (3, 3, ["1", "1", "2"])
    sync.rejected.record(SCOPE, [(b"1",), (b"3",)], [reject(1), reject(3)], conflict=False)
    assert counts() == (3, 3, ["2", "1", "3"])
    sync.rejected.record(SCOPE, [(b"3",)], [replace(reject(3), reason="another"), reject(3)], conflict=False)
    assert counts() == (4, 4, ["2", "1", "3", "3"])
    sync.rejected.clear(SCOPE, [(b"2",), (b"3",), (b"99",)])
    assert counts() == (1, 1, ["1"])
    sync.rejected.clear(Scope(RUN, "items"), [(b"1",)])
    assert counts() == (1, 1, ["1"])
    with pytest.raises(ValueError, match="no reason for 7"):
        sync.rejected.record(SCOPE, [(b"7",)], [reject(1)], conflict=False)
    sync.rejected.clear(SCOPE, [])


def test_rejected_documents_are_listed_and_those_of_the_copy_forgotten(target: MongoTarget) -> None:
    state = target.sync_state()
    copy_rejects(target, collection_plan(), [reject(1), reject(2)])
    long = [(b"x" * 300 + b"%d" % number,) for number in range(3)]
    cut = "x" * 197 + "..."
    state.rejected.record(
        SCOPE, [(b"2",), (b"",)], [reject(2), reject(2), replace(reject(1), document="")], conflict=False
    )
    for key in long:
        state.rejected.record(SCOPE, [key], [replace(reject(1), document=cut)], conflict=True)
    assert state.rejected.keys(SCOPE, None, 9) == [("", (b"",)), ("2", (b"2",)), *((cut, key) for key in long)]
    assert state.rejected.keys(SCOPE, "", 9)[0] == ("2", (b"2",))
    assert state.rejected.keys(SCOPE, "", 2) == [("2", (b"2",))]
    assert state.rejected.keys(SCOPE, "2", 2) == [(cut, key) for key in long]
    assert state.rejected.keys(SCOPE, cut, 2) == []
    assert state.rejected.keys(ITEMS, None, 9) == []
    state.rejected.forget_copied(ITEMS)
    assert target.state().count_rejected(RUN) == 7
    state.rejected.forget_copied(SCOPE)
    assert sorted({each.document for each in target.state().rejected(RUN, 9)}) == ["", "2", cut]


def test_conflicts_are_tried_in_turn(state: SyncState) -> None:
    def note(*keys: int, conflict: bool = True) -> None:
        noted = [(b"%d" % key,) for key in keys]
        state.rejected.record(SCOPE, noted, [reject(key) for key in keys for _ in range(2)], conflict=conflict)

    note(1, 2)
    note(3)
    note(4, conflict=False)
    assert state.rejected.conflicting(SCOPE, 9) == [(b"1",), (b"2",), (b"3",)]
    assert state.rejected.conflicting(SCOPE, 1) == [(b"1",)]
    assert state.rejected.conflicting(ITEMS, 9) == []
    note(1)
    assert state.rejected.conflicting(SCOPE, 9) == [(b"2",), (b"3",), (b"1",)]
    state.rejected.clear(SCOPE, [(b"2",)])
    note(3, conflict=False)
    assert state.rejected.conflicting(SCOPE, 9) == [(b"1",)]


def test_keys_that_read_the_same(target: MongoTarget) -> None:
    state = target.sync_state()
    one, other = (b"x" * 300 + b"1",), (b"x" * 300 + b"2",)
    text = "x" * 197 + "..."
    state.rejected.record(SCOPE, [one], [replace(reject(1), document=text)], conflict=True)
    state.rejected.record(SCOPE, [other], [replace(reject(1), document=text)], conflict=True)
    assert state.rejected.conflicting(SCOPE, 5) == [one, other]
    state.rejected.clear(SCOPE, [one])
    assert state.rejected.conflicting(SCOPE, 5) == [other]


def test_pauses(state: SyncState) -> None:
    state.pauses.ask("orders", RUN)
    state.pauses.ask("items", RUN)
    state.pauses.ask("orders", "99999999")
    assert state.pauses.asked() == {"orders": "99999999", "items": RUN}
    state.pauses.withdraw("orders", RUN)
    state.pauses.withdraw("items", RUN)
    assert state.pauses.asked() == {"orders": "99999999"}


def test_the_last_report(state: SyncState) -> None:
    assert state.reports.last() is None
    report = SyncReport("process 7", "2024-05-01", "2024-05-02", {"orders": RUN}, position(3), lag_seconds=1.5, dirty=2)
    state.reports.save(report)
    report = replace(report, at="2024-05-03", position=None, error="log purged", state="stopped")
    state.reports.save(report)
    assert state.reports.last() == report


def test_the_mapping_as_it_was_applied(live: MongoTarget) -> None:
    state = live.sync_state()
    assert (
        state.collections.mapping(SCOPE) == collection_plan(indexes=state.collections.mapping(SCOPE).indexes).collection
    )
    with pytest.raises(TargetError, match=f"no run {RUN} with a collection items"):
        state.collections.mapping(ITEMS)
    with pytest.raises(TargetError, match="no run 12345678"):
        state.collections.mapping(Scope("12345678", "orders"))


def test_what_is_live(live: MongoTarget, database: Look) -> None:
    state = live.sync_state()
    assert state.collections.published() == {"orders": RUN}
    publish(live, "22222222", "items")
    database.theirs.insert_one({"_id": 1})
    live.publisher().alter(collection_plan("theirs", action="adopt"))
    live.publisher().sample("orders", [])
    assert state.collections.published() == {"orders": RUN, "items": "22222222"}
    publish(live, "33333333", "orders")
    assert state.collections.published() == {"orders": "33333333", "items": "22222222"}
    # Made again by somebody: not what apply made.
    database.items.drop()
    database.items.insert_one({"_id": 1})
    assert state.collections.published() == {"orders": "33333333"}


def store_each(state: SyncState, scope: Scope) -> None:
    state.positions.save([scope], position(1))
    state.dirty.mark(scope, [reach(b"1")])
    state.tracked.put(scope, [tag(1, b"10")])


def stored_counts(state: SyncState, scope: Scope) -> tuple[int, int, int]:
    tracked = state.tracked.find(scope, TAGS, ["order_id"], [(b"10",)], 5)
    return len(state.positions.load([scope])), state.dirty.count([scope]), len(tracked)


def test_finished_runs_are_forgotten(live: MongoTarget) -> None:
    state = live.sync_state()
    store_each(state, SCOPE)
    coming = Scope("99999999", "orders")
    plan = collection_plan(action="rebuild")
    live.state().begin(run(plan, run_id=coming.run))
    store_each(state, coming)
    state.pauses.ask("orders", coming.run)
    with live.lease("apply"):
        pass
    assert stored_counts(state, SCOPE) == (1, 1, 1)
    assert stored_counts(state, coming) == (1, 1, 1)
    assert state.pauses.asked() == {"orders": coming.run}
    live.state().finish(coming.run, "abandoned")
    assert stored_counts(state, coming) == (0, 0, 0)
    assert state.pauses.asked() == {}
    assert stored_counts(state, SCOPE) == (1, 1, 1)
    publish(live, "88888888")
    assert stored_counts(state, SCOPE) == (0, 0, 0)


def test_a_run_stays_for_the_collections_that_are_still_its_own(live: MongoTarget) -> None:
    publish(live, "22222222", "items")
    items = Scope("22222222", "items")
    state = live.sync_state()
    store_each(state, items)
    store_each(state, replace(items, collection="orders"))
    publish(live, "88888888", "orders")
    assert stored_counts(state, items) == (1, 1, 1)
    assert stored_counts(state, replace(items, collection="orders")) == (0, 0, 0)
