"""The right to write to live collections: apart from apply's, numbered, and what a server allows to guard it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure

from migrator.errors import LeaseHeld, LeaseLost, TargetError, TargetUnavailable
from migrator.model.change.events import DocumentRef, Scope, TrackedChange, TrackedRow
from migrator.ports.sync_state import SyncState
from migrator.target import MongoTarget
from migrator.target.lease import HeldLease, Owner
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.leases.store import MongoLeaseStore
from migrator.target.mongo.leases.write_guard import has_transactions
from migrator.target.process import ProcessId, this_process
from tests.target.build import collection_plan, document, reject, run
from tests.target.sync.conftest import SCOPE, open_fast
from tests.target.sync.test_state import TAGS, position, reach

Look = Database[dict[str, Any]]


def test_sync_and_apply_do_not_wait_for_each_other(live: MongoTarget) -> None:
    with live.sync_lease("sync") as sync, live.lease("apply") as apply:
        sync.check()
        apply.check()
        with pytest.raises(LeaseHeld, match="sync is running"), live.sync_lease("sync"):
            pass
        with pytest.raises(LeaseHeld, match="apply is running"), live.lease("apply"):
            pass


def test_the_owner_for_people(live: MongoTarget, database: Look) -> None:
    assert live.sync_lease_owner() is None
    with live.sync_lease("sync"):
        owner = live.sync_lease_owner()
        assert owner is not None
        assert owner.startswith(f"sync: process {this_process().pid} on ")
        # As seen from another machine: it counts.
        database["_migrator_leases"].update_one({"_id": "sync"}, {"$set": {"process.machine": "another"}})
        assert live.sync_lease_owner() == owner
    assert live.sync_lease_owner() is None
    gone = Owner("abc", ProcessId("far", "another", 7, "1"), "sync", "2024-05-01")
    assert MongoLeaseStore(live._session, "sync").take(gone, None)
    assert live.sync_lease_owner() is None
    assert MongoLeaseStore(live._session, "sync").take(
        replace(gone, process=replace(this_process(), born="1")), MongoLeaseStore(live._session, "sync").read()
    )
    assert live.sync_lease_owner() is None


def test_numbers_grow(live: MongoTarget) -> None:
    numbers = []
    for take in (live.sync_lease, live.lease, live.sync_lease):
        with take("x") as lease:
            numbers.append(lease.number)
            assert not lease.held.inherited
    assert numbers == sorted(set(numbers))


def test_one_that_was_overtaken_before_it_counted(live: MongoTarget, database: Look, monkeypatch: Any) -> None:
    """Its number would be the higher one."""
    original = MongoLeaseStore.number

    def overtaken(self: MongoLeaseStore, token: str) -> int:
        database["_migrator_leases"].update_one({"_id": "sync"}, {"$set": {"token": "of another"}})
        return original(self, token)

    monkeypatch.setattr(MongoLeaseStore, "number", overtaken)
    with pytest.raises(LeaseLost), live.sync_lease("sync"):
        pass


@pytest.fixture
def two(live: MongoTarget, mongodb_url: str, database: Look, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A holding that was lost without its knowing, and the next one."""
    with ExitStack() as open_:
        late = open_.enter_context(live.sync_lease("sync"))
        database["_migrator_leases"].delete_one({"_id": "sync"})
        successor = open_.enter_context(closing(open_fast(mongodb_url)))
        mine = open_.enter_context(successor.sync_lease("sync"))
        assert mine.number > late.number
        monkeypatch.setattr(HeldLease, "check", lambda self: None)
        yield (live, late), (successor, mine)


CHANGES: dict[str, Callable[[SyncState], object]] = {
    "save": lambda state: state.positions.save([SCOPE], position(1)),
    "save tracked": lambda state: state.positions.save([], position(1), [TrackedChange(SCOPE, TAGS, ((b"1",),), ())]),
    "mark": lambda state: state.dirty.mark(SCOPE, [reach(b"1")]),
    "settle": lambda state: state.dirty.settle(SCOPE, state.dirty.oldest(SCOPE, 1)),
    "advance": lambda state: state.dirty.advance(SCOPE, state.dirty.oldest(SCOPE, 1)[0], (b"1",), 1),
    "put": lambda state: state.tracked.put(SCOPE, [TrackedRow(TAGS, (b"1",), {"tag": b"late"})]),
    "load": lambda state: state.tracked.load(SCOPE, [TrackedRow(TAGS, (b"2",), {"tag": b"late"})]),
    "load again": lambda state: state.tracked.load(SCOPE, [TrackedRow(TAGS, (b"1",), {"tag": b"late"})]),
    "drop": lambda state: state.tracked.remove(SCOPE, TAGS, [(b"1",)]),
    "drop table": lambda state: state.tracked.remove_table(SCOPE, TAGS),
    "note": lambda state: state.rejected.record(SCOPE, [(b"1",)], [reject(1)], conflict=True),
    "clear": lambda state: state.rejected.clear(SCOPE, [(b"1",)]),
    "forget copied": lambda state: state.rejected.forget_copied(SCOPE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_late_owner_changes_nothing_in_the_state(two: Any, database: Look, change: str) -> None:
    (target, late), (successor, mine) = two
    state = successor.sync_state(mine)
    state.dirty.mark(SCOPE, [DocumentRef("orders", "rows", ())])
    state.tracked.put(SCOPE, [TrackedRow(TAGS, (b"1",), {"tag": b"red"})])
    state.rejected.record(SCOPE, [(b"1",)], [replace(reject(1), reason="newer")], conflict=False)
    state.positions.save([SCOPE], position(2))

    def everything() -> list[Any]:
        names = [each for each in sorted(database.list_collection_names()) if each != "_migrator_leases"]
        content = [(name, list(database[name].find({"_id": {"$ne": "marks"}}).sort("_id"))) for name in names]
        return [each for each in content if each[1]]

    before = everything()
    with pytest.raises(LeaseLost):
        CHANGES[change](target.sync_state(late))
    assert everything() == before
    CHANGES[change](successor.sync_state(mine))
    assert everything() != before


def test_what_a_successor_saw_of_the_rejected_stays_true(two: Any) -> None:
    """It looks once, before its first write: nothing may be recorded after that check."""
    (target, late), (successor, mine) = two
    assert not successor.sync_state(mine).rejected.any(SCOPE)
    with pytest.raises(LeaseLost):
        target.sync_state(late).rejected.record(SCOPE, [(b"1",)], [reject(1)], conflict=False)
    assert not successor.sync_state(mine).rejected.any(SCOPE)


@pytest.mark.parametrize("staged", [False, True], ids=["live", "staged"])
def test_a_late_owner_writes_no_document(two: Any, database: Look, staged: bool) -> None:
    successor, mine = two[1]
    scope = SCOPE
    if staged:
        scope = Scope("99999999", "orders")
        successor.state(mine).begin(run(collection_plan(), run_id=scope.run))
        successor.publisher(mine).prepare(scope.run, collection_plan())
    old, new = (each.documents(scope, lease, staged=staged) for each, lease in two)
    # Before the next one's first write nothing is lost by it.
    old.write([document(1, n=1)], [])
    new.write([document(1, n=2)], [])
    with pytest.raises(LeaseLost):
        old.write([document(1, n=3)], [])
    name = f"orders__migrator_99999999_{mine.number}" if staged else "orders"
    assert [each["n"] for each in database[name].find()] == [2]


def test_nobody_writes_while_a_collection_is_replaced(live: MongoTarget, database: Look) -> None:
    with live.sync_lease("sync") as lease:
        orders = live.documents(SCOPE, lease, staged=False)
        orders.write([document(1, n=1)], [])
        found = database["_migrator_collections"].find_one({"_id": "orders"})
        assert found is not None
        database["_migrator_collections"].update_one({"_id": "orders"}, {"$set": {"intent": "noted"}})
        with pytest.raises(TargetUnavailable, match="about to replace"):
            orders.write([document(1, n=2)], [])
        database["_migrator_collections"].update_one({"_id": "orders"}, {"$unset": {"intent": ""}})
        orders.write([document(1, n=3)], [])
        assert [each["n"] for each in database.orders.find()] == [3]


class Answering(Session):
    """A server whose transactions end with an error."""

    def __init__(self, session: Session, error: Exception | None) -> None:
        super().__init__(session.url, 0.1)
        self.error = error

    @property
    def database(self) -> Any:
        if self.error is not None:
            raise self.error
        return super().database


@pytest.mark.parametrize(
    ("error", "can"),
    [
        (None, True),
        (OperationFailure("Transaction numbers are only allowed on a replica set member or mongos", 20), False),
        (OperationFailure("no such command", 59), False),
        (ConfigurationError("Sessions are not supported by this MongoDB deployment"), False),
        (OperationFailure("not authorized", 13), TargetError),
        (OperationFailure("not primary", 10107), TargetUnavailable),
    ],
)
def test_transactions_are_tried(live: MongoTarget, error: Exception | None, can: Any) -> None:
    with closing(Answering(live._session, error)) as session:
        if isinstance(can, bool):
            assert has_transactions(session) is can
        else:
            with pytest.raises(can):
                has_transactions(session)


@pytest.mark.slow
@pytest.mark.needs_mongodb("an election")
def test_a_primary_that_steps_down_in_the_middle(live: MongoTarget, database: Look) -> None:
    with live.sync_lease("sync") as lease:
        orders = live.documents(SCOPE, lease, staged=False)
        orders.write([document(1, n=1)], [])
        with suppress(ConnectionFailure):
            database.client.admin.command("replSetStepDown", 1, secondaryCatchUpPeriodSecs=0, force=True)
        orders.write([document(1, n=2)], [])
        assert database.orders.find_one({"_id": 1}) == {"_id": 1, "n": 2}
