"""Single documents of a live collection: replaced, deleted, refused, and in each other's way."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from pymongo.database import Database

from migrator.errors import LeaseLost, TargetError
from migrator.model.change.events import Scope, WriteOutcome
from migrator.model.plan.chunk import Document
from migrator.ports.sync import Documents
from migrator.target import MongoTarget, open_sync_target
from migrator.target.mongo.leases import write_guard
from migrator.target.mongo.leases.write_guard import TimeLimitedWrites
from migrator.target.mongo.writing import bulk
from tests.target.build import collection_plan, document, run
from tests.target.sync.conftest import SCOPE, publish

Look = Database[dict[str, Any]]


@pytest.fixture(params=["transactions", "none"])
def orders(request: pytest.FixtureRequest, live: MongoTarget, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The live collection as sync writes to it, on a server with and on one without transactions."""
    if request.param == "none":
        monkeypatch.setattr(write_guard, "has_transactions", lambda session: False)
    with live.sync_lease("sync") as lease:
        documents = live.documents(SCOPE, lease, staged=False)
        assert isinstance(documents._guard, TimeLimitedWrites) == (request.param == "none")
        yield documents


def found(database: Look) -> dict[Any, Any]:
    return {each["_id"]: each.get("n") for each in database.orders.find()}


def ids(*keys: Any) -> list[bytes]:
    return [bson.encode({"_id": key}) for key in keys]


def test_replaces_inserts_and_deletes(orders: Documents, database: Look) -> None:
    database.orders.insert_many([{"_id": 1, "n": 1, "old": True}, {"_id": 2, "n": 2}])
    for _ in range(2):
        assert orders.write([document(1, n=10), document(3, n=3)], ids(2, 99)) == WriteOutcome()
        assert list(database.orders.find().sort("_id")) == [{"_id": 1, "n": 10}, {"_id": 3, "n": 3}]
    assert orders.write([], []) == WriteOutcome()
    # Both at once: what is there is what counts.
    assert orders.write([document(1, n=11)], ids(1)) == WriteOutcome()
    assert found(database) == {1: 11, 3: 3}


def test_values_may_be_swapped(orders: Documents, database: Look) -> None:
    database.orders.insert_many([{"_id": 1, "n": 1}, {"_id": 2, "n": 2}, {"_id": 3, "n": 3}])
    assert orders.write([document(1, n=2), document(2, n=3), document(3, n=1), document(4, n=4)], []) == WriteOutcome()
    assert found(database) == {1: 2, 2: 3, 3: 1, 4: 4}


def test_a_value_may_pass_from_a_deleted_document(orders: Documents, database: Look) -> None:
    database.orders.insert_many([{"_id": "abc", "n": 1}])
    assert orders.write([Document((b"ABC",), bson.encode({"_id": "ABC", "n": 1}))], ids("abc")) == WriteOutcome()
    assert found(database) == {"ABC": 1}


def test_another_document_has_the_value(orders: Documents, database: Look) -> None:
    database.orders.insert_many([{"_id": 1, "n": 1}, {"_id": 2, "n": 2}, {"_id": 3, "n": 3}])
    outcome = orders.write([document(1, n=2), document(3, n=1), document(4, n=4)], [])
    (conflict,) = outcome.conflicts
    assert (conflict.key, conflict.other) == ((b"1",), bson.encode({"_id": 2}))
    assert "unique" in conflict.reason
    assert outcome.refused == ()
    # The old version of 1 is not kept, 3 has its value, and what is no part of the call stays.
    assert found(database) == {2: 2, 3: 1, 4: 4}


def test_the_same_value_twice_in_one_call(orders: Documents, database: Look) -> None:
    outcome = orders.write([document(1, n=7), document(2, n=7)], [])
    assert len(outcome.conflicts) == 1
    assert len(found(database)) == 1
    assert outcome.conflicts[0].other == bson.encode({"_id": next(iter(found(database)))})


def test_refused_for_good(orders: Documents, database: Look) -> None:
    bad = Document((b"bad",), bson.encode({"_id": {"$a": 1}}))
    large = Document((b"5",), bson.encode({"_id": 5, "x": "x" * 17_000_000}))
    database.orders.insert_one({"_id": 5, "n": 5})
    writes = [document(1, n=1), bad, document(2, n=2), large, document(3, n=2), document(4, n=4)]
    outcome = orders.write(writes, ids(9))
    assert {key for key, _ in outcome.refused} == {(b"bad",), (b"5",)}
    assert [conflict.key for conflict in outcome.conflicts] in ([(b"2",)], [(b"3",)])
    assert found(database).keys() in ({1, 2, 4, 5}, {1, 3, 4, 5})


@pytest.mark.parametrize("told", [True, False], ids=["pattern told", "not told"])
@pytest.mark.parametrize(
    ("keys", "options", "there", "comes"),
    [
        (["b.x", "c"], {}, {"b": {"x": "p"}, "c": 1.0}, {"b": {"x": "p", "y": 2}, "c": 1}),
        (["b.x", "c"], {}, {"c": 1}, {"b": {"y": 2}, "c": 1}),
        (["t"], {}, {"t": ["p", "q"]}, {"t": ["r", "q"]}),
        (["i.k"], {}, {"i": [{"k": 1}, {"k": 2}]}, {"i": [{"k": 3}, {"k": 2}]}),
        (["s"], {"partialFilterExpression": {"s": {"$type": "string"}}}, {"s": "p"}, {"s": "p"}),
        (["d"], {}, {"d": {"a": 1, "b": [1]}}, {"d": {"a": 1, "b": [1]}}),
    ],
)
def test_the_other_is_found(
    orders: Documents, database: Look, monkeypatch: Any, keys: Any, options: Any, there: Any, comes: Any, told: bool
) -> None:
    if not told:
        failure = bulk.Failure
        monkeypatch.setattr(bulk, "Failure", lambda code, text, pattern, info: failure(code, text, {}, info))
    database.orders.create_index([(key, 1) for key in keys], unique=True, **options)
    database.orders.insert_many([{"_id": 9, "n": 9, **{key.split(".")[0]: "other" for key in keys}}])
    database.orders.insert_one({"_id": "there", "n": 8, **there})
    (conflict,) = orders.write([document(1, n=1, **comes)], []).conflicts
    assert conflict.other == bson.encode({"_id": "there"})


def test_many_refused_among_many(orders: Documents, database: Look) -> None:
    database.orders.insert_many([{"_id": -n, "n": n} for n in range(0, 1500, 100) if n])
    writes = [document(n, n=n) for n in range(1, 1500)]
    outcome = orders.write(writes, [])
    assert sorted(int(each.key[0]) for each in outcome.conflicts) == [n for n in range(0, 1500, 100) if n]
    assert all(each.other == ids(-int(each.key[0]))[0] for each in outcome.conflicts)
    assert database.orders.count_documents({}) == 1499


@pytest.mark.parametrize(
    "key",
    [{"a": 1, "b": "x"}, {"a": bson.Int64(1)}, bson.Binary(b"\x00\xff"), bson.Decimal128("1.5"), "é", bson.ObjectId()],
)
def test_every_kind_of_id(orders: Documents, database: Look, key: Any) -> None:
    for n in (1, 2):
        assert orders.write([Document((b"1",), bson.encode({"_id": key, "n": n}))], []) == WriteOutcome()
    assert [each["n"] for each in database.orders.find()] == [2]
    assert orders.ids(None, 5) == ids(key)
    assert orders.ids(ids(key)[0], 5) == []
    assert orders.write([], ids(key)) == WriteOutcome()
    assert database.orders.count_documents({}) == 0


def test_ids_in_order_through_all_types(orders: Documents, database: Look) -> None:
    keys = [None, 1, 2, bson.Int64(1 << 40), "A", "a", {"a": 1}, bson.Binary(b"x"), bson.ObjectId(), True]
    database.orders.insert_many([{"_id": key, "n": n} for n, key in enumerate(keys)])
    seen: list[bytes] = []
    while some := orders.ids(seen[-1] if seen else None, 3):
        assert len(some) <= 3
        seen += some
    assert seen == [bson.encode({"_id": each["_id"]}) for each in database.orders.find({}, {"_id": 1}).sort("_id")]
    assert len(seen) == len(keys)
    assert orders.ids(None, 0) == []


def test_next_to_the_live_one(live: MongoTarget, database: Look) -> None:
    plan = collection_plan(action="rebuild")
    with live.lease("apply") as lease:
        live.state(lease).begin(run(plan, run_id="99999999"))
        live.publisher(lease).prepare("99999999", plan)
        staged = live.documents(Scope("99999999", "orders"), lease, staged=True)
        assert staged.write([document(1, n=1)], []) == WriteOutcome()
        assert database[f"orders__migrator_99999999_{lease.number}"].count_documents({}) == 1
        assert database.orders.count_documents({}) == 0
        # It has no position for that.
        assert live.sync_state().positions.load([Scope("99999999", "orders")]) == {}


def test_a_replaced_collection_is_not_written_to(live: MongoTarget, database: Look) -> None:
    with live.sync_lease("sync") as lease:
        old = live.documents(SCOPE, lease, staged=False)
        assert old.write([document(1, n=1)], []) == WriteOutcome()
        publish(live, "99999999")
        with pytest.raises(LeaseLost, match="another run has replaced"):
            old.write([document(2, n=2)], [])
        assert database.orders.count_documents({}) == 0
        new = live.documents(Scope("99999999", "orders"), lease, staged=False)
        assert new.write([document(2, n=2)], []) == WriteOutcome()


def test_only_leases_of_this_target(live: MongoTarget) -> None:
    class Other:
        def check(self) -> None: ...

    with pytest.raises(TypeError):
        live.documents(SCOPE, Other(), staged=False)


def test_a_folder_cannot_be_kept_in_step(tmp_path: Any) -> None:
    with pytest.raises(TargetError, match="a folder of files can't be kept in step"):
        open_sync_target(f"file:{tmp_path}")
