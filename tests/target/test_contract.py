"""What every kind of target promises, tried on each of them."""

from __future__ import annotations

import json

import bson
import pytest

from migrator.errors import LeaseLost, NotOwned, PlanRefused, TargetError
from migrator.model.mapping.tree import IndexSpec
from migrator.model.plan.chunk import Chunk, Document, KeyRange
from migrator.model.plan.plan import CollectionPlan
from migrator.ports.copy import Target, Writer
from tests.target.build import chunk, collection_plan, document, reject, result, run
from tests.target.conftest import Place, Seer

NUMBER = IndexSpec("number_1", (("number", 1),), unique=True, nullable=(("number", ("string",)),))
PLACED = IndexSpec("customer.id_1_placed_-1", (("customer.id", 1), ("placed", -1)))
SHORT_LIVED = IndexSpec("placed_1", (("placed", 1),), expire_after_seconds=3600)
NAME = IndexSpec("name_1", (("name", 1),), collation="en")
VALIDATOR = json.dumps({"bsonType": "object", "required": ["_id"], "properties": {"_id": {"bsonType": "int"}}})


def load(target: Target, plan: CollectionPlan, documents: list[Document], run_id: str = "0a1b2c3d") -> None:
    """A run with one chunk, up to publishing."""
    state, name = target.state(), plan.collection.name
    state.begin(run(plan, run_id=run_id))
    target.publisher().prepare(run_id, plan)
    only = chunk(0, collection=name, run_id=run_id)
    state.add_chunks([only])
    state.all_planned(run_id, name)
    writer = target.writer()
    writer.start(only)
    assert writer.write(only, documents) == []
    writer.finish(result(only, len(documents)), ())
    writer.close()


def write_and_finish(writer: Writer, one: Chunk, documents: list[Document]) -> None:
    """One kind of target notices when it writes that it came late, the other when it finishes."""
    writer.write(one, documents)
    writer.finish(result(one, len(documents)), ())


def publish(target: Target, plan: CollectionPlan, documents: list[Document], run_id: str = "0a1b2c3d") -> None:
    load(target, plan, documents, run_id)
    assert target.publisher().publish(run_id, plan) == ()
    target.state().finish(run_id, "done")


def test_a_run_from_begin_to_finish(target: Target, look: Seer) -> None:
    plan = collection_plan(indexes=(NUMBER, PLACED, SHORT_LIVED, NAME), validator=VALIDATOR)
    state = target.state()
    assert state.open_run() is None
    begun = run(plan)
    state.begin(begun)
    assert state.open_run() == begun
    target.publisher().prepare(begun.id, plan)
    state.add_chunks([chunk(0), chunk(1)])
    state.all_planned(begun.id, "orders")
    writer = target.writer()
    for number in (1, 0):
        one = chunk(number)
        writer.start(one)
        assert writer.write(one, [document(number * 10 + n, number=f"n{number}{n}") for n in range(3)]) == []
        assert writer.write(one, [document(number * 10 + 5)]) == []
        writer.finish(result(one, 4), ())
    writer.close()
    assert "orders" not in look.names()
    assert target.publisher().publish(begun.id, plan) == ()
    assert [found["_id"] for found in look.documents("orders")] == [0, 1, 2, 5, 10, 11, 12, 15]
    found = look.indexes("orders")
    assert set(found) == {"_id_", *(index.name for index in plan.collection.indexes)}
    assert found["number_1"]["unique"] is True
    assert found["number_1"]["partialFilterExpression"] == {"number": {"$type": ["string"]}}
    assert list(found["customer.id_1_placed_-1"]["key"].items()) == [("customer.id", 1), ("placed", -1)]
    assert found["placed_1"]["expireAfterSeconds"] == 3600
    assert found["name_1"]["collation"]["locale"] == "en"
    assert look.validator("orders") == {"$jsonSchema": json.loads(VALIDATOR)}
    progress = state.progress(begun.id)["orders"]
    assert progress.published
    assert (progress.documents, progress.rows, progress.bytes) == (8, 24, 800)
    state.finish(begun.id, "done")
    assert state.open_run() is None
    assert look.names() == ["orders"]


def test_what_is_published_is_described(target: Target) -> None:
    (before,) = target.inspect(["orders"])
    assert not before.exists
    publish(target, collection_plan(indexes=(PLACED,), validator=VALIDATOR), [document(n) for n in range(7)])
    orders, other = target.inspect(["orders", "other"])
    assert (orders.name, orders.exists, orders.owned, orders.documents) == ("orders", True, True, 7)
    assert (orders.mapping_hash, orders.schema_fingerprint) == ("m1", "s1")
    assert orders.indexes == (PLACED.name,)
    assert orders.index_specs == (PLACED,)
    assert orders.validator == VALIDATOR
    assert orders.structure != before.structure
    assert other.structure == before.structure
    assert target.inspect(["orders"]) == (orders,)


def test_a_big_plan_is_kept(target: Target) -> None:
    wide = run(collection_plan(), created="é" * 5_000_000)
    target.state().begin(wide)
    assert target.state().open_run() == wide


def test_progress_and_pending(target: Target) -> None:
    state = target.state()
    state.begin(run(collection_plan("orders"), collection_plan("a.b c"), collection_plan("kept", action="unchanged")))
    first, second, third = chunk(0), chunk(1), chunk(2)
    state.add_chunks([first, second])
    state.add_chunks([second, third])
    state.add_chunks([chunk(0, collection="a.b c")])
    state.all_planned("0a1b2c3d", "a.b c")
    writer = target.writer()
    writer.start(first)
    writer.finish(result(first, 10, rejected=2), [reject(1), reject(2), reject(2)])
    writer.start(second)
    progress = state.progress("0a1b2c3d")
    assert set(progress) == {"orders", "a.b c", "kept"}
    orders = progress["orders"]
    assert (orders.planned, orders.chunks, orders.chunks_done, orders.last) == (False, 3, 1, third.range)
    assert (orders.documents, orders.rejected, orders.published) == (10, 2, False)
    assert progress["a.b c"].planned
    assert (progress["kept"].chunks, progress["kept"].last) == (0, None)
    assert state.pending("0a1b2c3d", "orders") == [chunk(1, attempt=2), chunk(2, attempt=1)]
    assert state.count_rejected("0a1b2c3d") == 3
    assert state.rejected("0a1b2c3d", 2) == [reject(1), reject(2)]
    assert state.progress("ffffffff") == {}


def test_chunks_of_finished_runs_do_not_pile_up(target: Target) -> None:
    load(target, collection_plan(), [document(1)])
    state = target.state()
    state.finish("0a1b2c3d", "abandoned")
    load(target, collection_plan(), [document(1)], run_id="11111111")
    assert state.progress("0a1b2c3d")["orders"].chunks == 0
    assert state.progress("11111111")["orders"].chunks == 1


def test_keys_of_any_bytes_survive(target: Target) -> None:
    state = target.state()
    state.begin(run(collection_plan()))
    odd = Chunk("0a1b2c3d", "orders", 0, KeyRange((b"\x00\xff", b""), (b"\xc3(", b"'")), 1)
    state.add_chunks([odd])
    assert state.pending("0a1b2c3d", "orders") == [odd]
    assert state.progress("0a1b2c3d")["orders"].last == odd.range


def test_a_later_attempt_replaces_what_an_earlier_one_wrote(target: Target, look: Seer) -> None:
    plan = collection_plan()
    state, publisher = target.state(), target.publisher()
    state.begin(run(plan))
    publisher.prepare("0a1b2c3d", plan)
    state.add_chunks([chunk(0)])
    crashed = target.writer()
    crashed.start(chunk(0))
    crashed.write(chunk(0), [document(1, v="old"), document(2, v="old"), document(3, v="old")])
    (again,) = state.pending("0a1b2c3d", "orders")
    assert again.attempt == 2
    writer = target.writer()
    writer.start(again)
    assert writer.write(again, [document(1, v="new"), document(4, v="new")]) == []
    writer.remove(again, [bson.encode({"_id": key}) for key in (2, 3, 99)])
    writer.finish(result(again, 2), ())
    publisher.publish("0a1b2c3d", plan)
    assert look.documents("orders") == [{"_id": 1, "v": "new"}, {"_id": 4, "v": "new"}]


def test_the_same_attempt_may_be_started_twice(target: Target) -> None:
    """As after an answer that was lost on the way."""
    state = target.state()
    state.begin(run(collection_plan()))
    state.add_chunks([chunk(0)])
    writer = target.writer()
    writer.start(chunk(0))
    writer.start(chunk(0))
    writer.finish(result(chunk(0), 0), ())


def test_a_late_worker_is_told_that_its_chunk_was_begun_again(target: Target, look: Seer) -> None:
    plan = collection_plan()
    state = target.state()
    state.begin(run(plan))
    target.publisher().prepare("0a1b2c3d", plan)
    state.add_chunks([chunk(0)])
    late, successor = target.writer(), target.writer()
    late.start(chunk(0))
    successor.start(chunk(0, attempt=2))
    successor.write(chunk(0, attempt=2), [document(1, v="new")])
    successor.finish(result(chunk(0, attempt=2), 1), [reject(7)])
    with pytest.raises(LeaseLost):
        write_and_finish(late, chunk(0), [document(1, v="old")])
    with pytest.raises(LeaseLost):
        target.writer().start(chunk(0, attempt=2))
    assert state.progress("0a1b2c3d")["orders"].chunks_done == 1
    assert state.count_rejected("0a1b2c3d") == 1
    target.publisher().publish("0a1b2c3d", plan)
    assert look.documents("orders") == [{"_id": 1, "v": "new"}]


def test_a_document_beyond_the_limit_is_refused_and_the_others_are_written(target: Target, look: Seer) -> None:
    plan = collection_plan()
    state = target.state()
    state.begin(run(plan))
    target.publisher().prepare("0a1b2c3d", plan)
    state.add_chunks([chunk(0)])
    writer = target.writer()
    writer.start(chunk(0))
    refused = writer.write(chunk(0), [document(1), document(2, text="x" * (1 << 24)), document(3)])
    assert [key for key, _ in refused] == [(b"2",)]
    assert "16777216" in refused[0][1].reason
    writer.finish(result(chunk(0), 2, rejected=1), [reject(2)])
    target.publisher().publish("0a1b2c3d", plan)
    assert [found["_id"] for found in look.documents("orders")] == [1, 3]


def test_reset_forgets_a_collection(target: Target, look: Seer) -> None:
    plan = collection_plan()
    load(target, plan, [document(1)])
    state = target.state()
    state.reset("0a1b2c3d", "orders")
    progress = state.progress("0a1b2c3d")["orders"]
    assert (progress.planned, progress.chunks, progress.last, progress.documents) == (False, 0, None, 0)
    assert state.pending("0a1b2c3d", "orders") == []
    target.publisher().prepare("0a1b2c3d", plan)
    state.add_chunks([chunk(0)])
    writer = target.writer()
    writer.start(chunk(0))
    writer.write(chunk(0), [document(2)])
    writer.finish(result(chunk(0), 1), ())
    target.publisher().publish("0a1b2c3d", plan)
    assert [found["_id"] for found in look.documents("orders")] == [2]


def test_an_empty_collection_is_published(target: Target, look: Seer) -> None:
    publish(target, collection_plan(indexes=(PLACED,)), [])
    assert look.documents("orders") == []
    assert PLACED.name in look.indexes("orders")


def test_publishing_twice_is_publishing_once(target: Target, look: Seer) -> None:
    plan = collection_plan()
    load(target, plan, [document(1)])
    publisher = target.publisher()
    assert publisher.publish("0a1b2c3d", plan) == ()
    assert publisher.publish("0a1b2c3d", plan) == ()
    assert look.documents("orders") == [{"_id": 1}]


def test_a_rebuild_takes_the_place_of_the_last_one(target: Target, look: Seer) -> None:
    publish(target, collection_plan(indexes=(PLACED,), validator=VALIDATOR), [document(1), document(2)])
    (before,) = target.inspect(["orders"])
    publish(target, collection_plan(action="rebuild", mapping_hash="m2"), [document(3)], run_id="11111111")
    (after,) = target.inspect(["orders"])
    assert look.documents("orders") == [{"_id": 3}]
    assert (after.owned, after.mapping_hash, after.validator, after.index_specs) == (True, "m2", "", ())
    assert look.validator("orders") is None
    assert before.structure != after.structure
    assert look.names() == ["orders"]


@pytest.mark.parametrize("action", ["create", "rebuild"])
def test_a_foreign_collection_is_not_overwritten(target: Target, look: Seer, action: str) -> None:
    plan = collection_plan(action=action)  # type: ignore[arg-type]
    load(target, plan, [document(1)])
    look.put("orders", [{"_id": "theirs"}])
    with pytest.raises(NotOwned, match="did not make it"):
        target.publisher().publish("0a1b2c3d", plan)
    assert look.documents("orders") == [{"_id": "theirs"}]
    # What was loaded is still there: replacing needs no second copy.
    target.publisher().publish("0a1b2c3d", collection_plan(action="replace"))
    assert look.documents("orders") == [{"_id": 1}]


def test_a_collection_made_again_by_others_is_theirs(target: Target, look: Seer) -> None:
    publish(target, collection_plan(), [document(1)])
    look.put("orders", [{"_id": "theirs"}])
    (found,) = target.inspect(["orders"])
    assert found.exists
    assert not found.owned
    assert found.mapping_hash == ""
    load(target, collection_plan(action="rebuild"), [document(2)], run_id="11111111")
    with pytest.raises(NotOwned):
        target.publisher().publish("11111111", collection_plan(action="rebuild"))


def test_alter_changes_indexes_and_validator_only(target: Target, look: Seer) -> None:
    publish(target, collection_plan(indexes=(PLACED, NAME)), [document(1)])
    plan = collection_plan(action="indexes", create=(SHORT_LIVED,), drop=(NAME.name, "not there"), validator=VALIDATOR)
    publisher = target.publisher()
    assert publisher.alter(plan) == ()
    assert publisher.alter(plan) == ()
    assert set(look.indexes("orders")) == {"_id_", PLACED.name, SHORT_LIVED.name}
    assert look.validator("orders") == {"$jsonSchema": json.loads(VALIDATOR)}
    (found,) = target.inspect(["orders"])
    assert found.owned
    assert found.index_specs == (PLACED, SHORT_LIVED)
    assert found.validator == VALIDATOR
    publisher.alter(collection_plan(action="indexes"))
    assert not look.validator("orders")
    assert look.documents("orders") == [{"_id": 1}]


def test_adopting_leaves_the_documents(target: Target, look: Seer) -> None:
    look.put("orders", [{"_id": "theirs"}])
    plan = collection_plan(action="adopt", create=(PLACED,), validator=VALIDATOR)
    assert target.publisher().alter(plan) == ()
    (found,) = target.inspect(["orders"])
    assert (found.owned, found.mapping_hash, found.index_specs) == (True, "m1", (PLACED,))
    assert look.documents("orders") == [{"_id": "theirs"}]
    assert PLACED.name in look.indexes("orders")
    # From now on it is rebuilt without asking.
    publish(target, collection_plan(action="rebuild"), [document(1)])
    assert look.documents("orders") == [{"_id": 1}]


def test_alter_leaves_foreign_collections_alone(target: Target, look: Seer) -> None:
    with pytest.raises(PlanRefused, match="gone"):
        target.publisher().alter(collection_plan(action="indexes"))
    look.put("orders", [{"_id": 1}])
    with pytest.raises(NotOwned):
        target.publisher().alter(collection_plan(action="indexes", create=(PLACED,)))
    assert PLACED.name not in look.documents("orders")


def test_discard_drops_what_was_loaded(target: Target, look: Seer) -> None:
    load(target, collection_plan(), [document(1)])
    target.publisher().discard("0a1b2c3d", "orders")
    assert look.names() == []
    with pytest.raises(TargetError, match="gone"):
        target.publisher().publish("0a1b2c3d", collection_plan())


def test_an_abandoned_run_leaves_nothing(target: Target, look: Seer) -> None:
    load(target, collection_plan(), [document(1)])
    target.state().finish("0a1b2c3d", "abandoned")
    assert look.names() == []
    assert target.state().open_run() is None


def test_a_trial_replaces_an_earlier_one_only(target: Target, look: Seer) -> None:
    publisher = target.publisher()
    assert publisher.sample("orders", [document(1).bson, document(2).bson]) == "orders__sample"
    assert publisher.sample("orders", [document(3).bson]) == "orders__sample"
    assert look.documents("orders__sample") == [{"_id": 3}]
    assert publisher.sample("orders", []) == "orders__sample"
    assert look.documents("orders__sample") == []
    look.put("users__sample", [{"_id": "theirs"}])
    with pytest.raises(NotOwned):
        publisher.sample("users", [document(1).bson])
    assert look.documents("users__sample") == [{"_id": "theirs"}]


def test_identity_and_checks_of_a_healthy_target(place: Place) -> None:
    identity = place.target.identity()
    assert identity.capabilities.kind == place.kind
    assert identity.capabilities.max_document_bytes == 1 << 24
    assert identity.capabilities.one_snapshot == (place.kind == "files")
    checks = list(place.target.checks())
    assert {check.side for check in checks} == {"target"}
    assert not [check for check in checks if check.status == "blocked"]
    assert "reachable" in {check.name for check in checks}
    assert place.look.names() == []
