"""Documents that a server can't take: each is named with a reason and without values, and the others are written."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from migrator.errors import TargetError
from migrator.model.change.events import WriteOutcome
from migrator.model.plan.chunk import Document
from migrator.ports.sync import Documents
from migrator.target import MongoTarget
from migrator.target.mongo.leases import write_guard
from migrator.target.mongo.writing import dollar_names
from tests.target.build import chunk, collection_plan, document, result, run
from tests.target.refusing import Refusing, before_5, install
from tests.target.sync.conftest import RUN, SCOPE

Look = Database[dict[str, Any]]
SECRET = "Zsecretz"
GEO_TEXT = f'Can\'t extract geo keys: {{ _id: 3, name: "{SECRET}" }}'


@pytest.fixture(params=["transactions", "none"])
def transactions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the server has them."""
    if request.param == "none":
        monkeypatch.setattr(write_guard, "has_transactions", lambda session: False)
    return bool(request.param == "transactions")


@pytest.fixture
def orders(live: MongoTarget, transactions: bool) -> Any:
    with live.sync_lease("sync") as lease:
        yield live.documents(SCOPE, lease, staged=False)


def reasons(outcome: WriteOutcome) -> dict[int, str]:
    return {int(key[0]): why.reason for key, why in outcome.refused}


# --- any server, with the fault put in ----------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [False, True], ids=["by document", "whole commands"])
def test_all_others_are_written(
    orders: Documents, database: Look, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    database.orders.insert_many([{"_id": 99, "n": 99}, {"_id": 3, "n": 3}])
    bad = (3, 4, 11)
    install(monkeypatch, Refusing(16755, GEO_TEXT, lambda kind, found: found["_id"] in bad, whole))
    outcome = orders.write([document(n, n=n) for n in range(1, 12)], [bson.encode({"_id": 99})])
    assert sorted(reasons(outcome)) == [*bad]
    assert all("2dsphere" in why and SECRET not in why for why in reasons(outcome).values())
    assert all(SECRET in why.said and why.code == 16755 for _, why in outcome.refused)
    # The old version of what was refused is deleted by whoever records the refusal.
    assert sorted(each["_id"] for each in database.orders.find()) == sorted({*range(1, 12)} - {4, 11})


@pytest.mark.parametrize("whole", [False, True], ids=["by document", "whole commands"])
def test_the_deletes_take_place_when_everything_else_is_refused(
    orders: Documents, database: Look, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    database.orders.insert_many([{"_id": 98, "n": 98}, {"_id": 99, "n": 99}])
    install(monkeypatch, Refusing(171, "parallel arrays", lambda kind, found: True, whole))
    outcome = orders.write([document(1, n=1)], [bson.encode({"_id": key}) for key in (98, 99)])
    assert sorted(reasons(outcome)) == [1]
    assert database.orders.count_documents({}) == 0


def test_a_batch_of_nothing_else_is_not_sent_as_often_as_it_has_documents(
    orders: Documents, transactions: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Refusing(171, "parallel arrays", lambda kind, found: True)
    install(monkeypatch, server)
    count = 256
    outcome = orders.write([document(n, n=n) for n in range(count)], [])
    assert len(outcome.refused) == count
    # Each level of the halving sends every document once.
    assert sum(server.sent) <= count * 9


@pytest.mark.parametrize("code", [13, 26, 8000, 14031])
def test_what_the_server_says_of_itself_ends_the_work(
    orders: Documents, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    install(monkeypatch, Refusing(code, "no", lambda kind, found: True))
    with pytest.raises(TargetError):
        orders.write([document(1, n=1)], [])


# --- names with `$` in front, on a server that takes them in inserts only ------------------------------------------


def dollars(key: int, value: int, **more: Any) -> Document:
    return document(key, n=key, nested={"$x": value}, **more)


def values(database: Look) -> dict[Any, Any]:
    return {each["_id"]: each.get("nested", {}).get("$x") for each in database.orders.find()}


def test_such_a_document_is_deleted_and_inserted_in_a_transaction(
    orders: Documents, transactions: bool, database: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, before_5())
    database.orders.insert_many([{"_id": 1, "n": 1, "nested": {"$x": 0}}, {"_id": 4, "n": 4}])
    for value in (1, 2):
        outcome = orders.write([dollars(1, value), document(2, n=2), dollars(3, value)], [bson.encode({"_id": 4})])
        if transactions:
            assert outcome == WriteOutcome()
            assert values(database) == {1: value, 2: None, 3: value}
        else:
            assert sorted(reasons(outcome)) == [1, 3]
            assert all("`nested.$x`" in why for why in reasons(outcome).values())
            assert values(database) == {1: 0, 2: None}


def test_it_gives_up_its_unique_values_like_any_other(
    orders: Documents, transactions: bool, database: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not transactions:
        pytest.skip("such documents are rejected there")
    install(monkeypatch, before_5())
    database.orders.insert_many([{"_id": 1, "n": 1}, {"_id": 2, "n": 2}])
    swapped = [document(1, n=2, nested={"$x": 1}), document(2, n=1, nested={"$x": 2})]
    assert orders.write(swapped, []) == WriteOutcome()
    assert {each["_id"]: each["n"] for each in database.orders.find()} == {1: 2, 2: 1}
    taken = orders.write([document(3, n=1, nested={"$x": 3})], [])
    assert [(each.key, each.other) for each in taken.conflicts] == [((b"3",), bson.encode({"_id": 2}))]


@pytest.mark.parametrize("kind", ["replaced", "inserted"])
def test_a_failure_of_one_kind_keeps_none_of_the_other_out(
    orders: Documents, transactions: bool, database: Look, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A transaction that the first command ended takes no second one: it was tried again until the patience ended."""
    if not transactions:
        pytest.skip("such documents are rejected there")
    install(monkeypatch, before_5())
    database.orders.insert_one({"_id": 1, "n": 1})
    taken = document(2, n=1, **({"nested": {"$x": 2}} if kind == "inserted" else {}))
    outcome = orders.write([dollars(4, 4), taken, dollars(3, 3), document(5, n=5)], [])
    assert [each.key for each in outcome.conflicts] == [(b"2",)]
    assert values(database) == {1: None, 3: 3, 4: 4, 5: None}


def test_a_server_that_replaces_them_is_left_to_do_so(
    orders: Documents, database: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dollar_names, "replaceable", lambda session: True)
    seen = Refusing(1, "", lambda kind, found: kind == "insert")
    install(monkeypatch, seen)
    if orders.write([dollars(1, 1)], []) == WriteOutcome():
        assert values(database) == {1: 1}


@pytest.mark.parametrize("old", [True, False], ids=["replacements refused", "as the server is"])
def test_copy_and_sync_treat_them_alike(
    target: MongoTarget, transactions: bool, database: Look, monkeypatch: pytest.MonkeyPatch, old: bool
) -> None:
    """Also by a second attempt at a chunk, which finds the documents of the first."""
    if old:
        install(monkeypatch, before_5())
    plan = collection_plan(action="rebuild")
    state = target.state()
    state.begin(run(plan))
    target.publisher().prepare(RUN, plan)
    state.add_chunks([chunk(0)])
    state.all_planned(RUN, "orders")
    writer = target.writer()
    found = []
    for attempt in (1, 2):
        only = chunk(0, attempt=attempt)
        writer.start(only)
        refused = writer.write(only, [dollars(1, attempt), document(2, n=2)])
        found.append([key for key, _ in refused])
    writer.finish(result(only, 2), ())
    assert target.publisher().publish(RUN, plan) == ()
    state.finish(RUN, "done")
    assert found[0] == found[1]
    assert values(database) == ({2: None} if found[0] else {1: 2, 2: None})
    if transactions:
        assert found[0] == []
    with target.sync_lease("sync") as lease:
        outcome = target.documents(SCOPE, lease, staged=False).write([dollars(1, 7)], [])
    assert [key for key, _ in outcome.refused] == found[0]
    if not found[0]:
        assert values(database) == {1: 7, 2: None}


# --- MongoDB's own word -------------------------------------------------------------------------------------------

SQUARE_ACROSS = [[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]
POINT = {"type": "Point", "coordinates": [9.0, 47.0]}
INDEXES: list[tuple[str, list[tuple[str, Any]], dict[str, Any], dict[str, Any], str]] = [
    ("null in an array of points", [("a.at", "2dsphere")], {}, {"a": [{"at": POINT}, {"at": None}]}, "`a.at`"),
    ("latitude of 95", [("at", "2dsphere")], {}, {"at": {"type": "Point", "coordinates": [9.0, 95.0]}}, "`at`"),
    ("text for a point", [("at", "2dsphere")], {}, {"at": SECRET}, "`at`"),
    (
        "a polygon that crosses itself",
        [("at", "2dsphere")],
        {},
        {"at": {"type": "Polygon", "coordinates": [SQUARE_ACROSS]}},
        "`at`",
    ),
    ("two arrays", [("tags", 1), ("sizes", 1)], {}, {"tags": [SECRET], "sizes": [1]}, "`tags`"),
    ("a hashed array", [("tags", "hashed")], {}, {"tags": [SECRET]}, "`tags`"),
    ("an unknown language", [("text", "text")], {}, {"text": "a", "language": SECRET}, "`language`"),
    ("a language that is no text", [("text", "text")], {}, {"text": "a", "language": 5}, "`language`"),
    ("a number as field name", [("a.0", 1)], {}, {"a": [{"0": SECRET}]}, "`0`"),
    ("beyond a 2d index", [("at", "2d")], {}, {"at": [500, 500]}, "`at`"),
    ("no pair for a 2d index", [("at", "2d")], {}, {"at": [SECRET, SECRET]}, "`at`"),
]


@pytest.mark.needs_mongodb("index keys that a document can't have")
@pytest.mark.parametrize(
    ("keys", "options", "fields", "named"), [each[1:] for each in INDEXES], ids=[each[0] for each in INDEXES]
)
def test_a_document_that_an_index_cannot_take(
    orders: Documents, database: Look, keys: Any, options: Any, fields: Any, named: str
) -> None:
    database.orders.create_index(keys, **options)
    database.orders.insert_one({"_id": 2, "n": 2})
    writes = [document(1, n=1), document(2, n=2, name=SECRET, **fields), document(3, n=3)]
    outcome = orders.write(writes, [])
    ((key, why),) = outcome.refused
    assert key == (b"2",)
    assert named in why.reason
    assert SECRET not in why.reason
    assert database.orders.count_documents({"_id": {"$in": [1, 3]}}) == 2


@pytest.mark.needs_mongodb("a validator's word on fields")
def test_a_document_that_a_validator_refuses(orders: Documents, database: Look) -> None:
    schema = {"properties": {"customer": {"properties": {"age": {"bsonType": "int"}}}}}
    database.command("collMod", "orders", validator={"$jsonSchema": schema})
    outcome = orders.write([document(1, n=1), document(2, n=2, customer={"age": SECRET})], [])
    ((key, why),) = outcome.refused
    assert (key, why.code) == ((b"2",), 121)
    assert SECRET not in why.reason
    # Servers before 5.0 don't tell which field it is.
    version = database.client.server_info()["versionArray"][0]
    assert ("`customer.age`" in why.reason) == (version >= 5)


@pytest.mark.needs_mongodb("whether names with $ in front can be replaced")
def test_dollar_names_as_the_server_has_them(orders: Documents, transactions: bool, database: Look) -> None:
    database.orders.insert_one({"_id": 1, "n": 1, "nested": {"$x": 0}})
    outcome = orders.write([dollars(1, 1), dollars(2, 1)], [])
    version = database.client.server_info()["versionArray"][0]
    if transactions or version >= 5:
        assert outcome == WriteOutcome()
        assert values(database) == {1: 1, 2: 1}
    else:
        assert sorted(reasons(outcome)) == [1, 2]


def test_raw_documents_reach_the_server_as_they_are(orders: Documents, database: Look) -> None:
    raw = bson.encode({"_id": 1, "n": 1, "nested": {"$x": bson.Int64(1), "b": [{"$y": None}]}})
    if orders.write([Document((b"1",), raw)], []).refused:
        pytest.skip("a server without transactions and before MongoDB 5.0")
    found = (
        database.get_collection("orders")
        .with_options(bson.CodecOptions(document_class=RawBSONDocument))
        .find_one({"_id": 1})
    )
    assert found is not None
    assert bytes(found.raw) == raw  # type: ignore[attr-defined]
