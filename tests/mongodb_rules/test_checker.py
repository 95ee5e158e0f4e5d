"""What MongoDB refuses is refused, by a genuine server and by the stand-in with the checker in front of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from pymongo import InsertOne, MongoClient, ReplaceOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, ExecutionTimeout, OperationFailure, WriteError

from tests.mongodb_rules.documents import Index, refusal

POINT = {"type": "Point", "coordinates": [13.4, 52.5]}
CROSSED = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
SPHERE = {"addresses.location": "2dsphere"}

# Index keys, index options, a document that MongoDB refuses, the code.
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], int]] = {
    "null next to a point": (SPHERE, {}, {"addresses": [{"location": None}, {"location": POINT}]}, 16755),
    "latitude": ({"at": "2dsphere"}, {}, {"at": {"type": "Point", "coordinates": [10, 95]}}, 16755),
    "text for a place": ({"at": "2dsphere"}, {}, {"at": "Berlin"}, 16755),
    "polygon that crosses itself": ({"at": "2dsphere"}, {}, {"at": CROSSED}, 16755),
    "list of points": ({"at": "2dsphere"}, {}, {"at": [POINT, POINT]}, 16755),
    "two arrays": ({"a": 1, "b": 1}, {}, {"a": [1], "b": [2]}, 171),
    "two arrays in documents": ({"a.x": 1, "b.y": 1}, {}, {"a": [{"x": 1}], "b": [{"y": 1}]}, 171),
    "hashed array": ({"a": "hashed"}, {}, {"a": [1]}, 16766),
    "hashed through an array": ({"a.b": "hashed"}, {}, {"a": [{"b": 1}]}, 16766),
    "unknown language": ({"t": "text"}, {}, {"t": "x", "language": "klingon"}, 17262),
    "language that is no text": ({"t": "text"}, {}, {"t": "x", "language": 5}, 17261),
    "language further down": ({"t.u": "text"}, {}, {"t": {"u": "x", "language": "klingon"}}, 17262),
    "number as field name": ({"a.0": 1}, {}, {"a": [{"0": 1}]}, 16746),
}
TAKEN: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "only null": (SPHERE, {}, {"addresses": [{"location": None}, {"location": None}]}),
    "left out": (SPHERE, {}, {"addresses": [{}, {"location": POINT}]}),
    "nothing": (SPHERE, {}, {}),
    "legacy pair": ({"at": "2dsphere"}, {}, {"at": [13.4, 52.5]}),
    "one array, twice": ({"a.x": 1, "a.y": 1}, {}, {"a": [{"x": 1, "y": 2}]}),
    "array and scalar": ({"a": 1, "b": 1}, {}, {"a": [1], "b": 2}),
    "arrays that a partial index leaves out": (
        {"a": 1, "b": 1},
        {"partialFilterExpression": {"c": {"$exists": True}}},
        {"a": [1], "b": [2]},
    ),
    "known language": ({"t": "text"}, {}, {"t": "x", "language": "german"}),
    "number as place": ({"a.0": 1}, {}, {"a": [1, 2]}),
}


@pytest.fixture
def things(mongodb_url: str) -> Iterator[Collection[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client.get_default_database()["things"]


@pytest.mark.parametrize("case", REFUSED)
def test_the_rule(case: str) -> None:
    """Without a server, since the stand-in can't build every kind of index."""
    keys, options, document, code = REFUSED[case]
    found = refusal(document, [Index({"key": keys, "name": "one", **options})])
    assert found is not None
    assert found.code == code


@pytest.mark.parametrize("case", TAKEN)
def test_what_the_rule_lets_pass(case: str) -> None:
    keys, options, document = TAKEN[case]
    assert refusal(document, [Index({"key": keys, "name": "one", **options})]) is None


def _cases(cases: Mapping[str, tuple[Any, ...]]) -> list[Any]:
    """The stand-in has neither text nor hashed indexes."""
    marks = [pytest.mark.needs_mongodb("text and hashed indexes")]
    special = {name for name, case in cases.items() if "text" in str(case[0]) or "hashed" in str(case[0])}
    return [pytest.param(name, marks=marks if name in special else ()) for name in cases]


@pytest.mark.parametrize("case", _cases(REFUSED))
def test_documents_that_an_index_refuses(things: Collection[dict[str, Any]], case: str) -> None:
    keys, options, document, code = REFUSED[case]
    things.create_index(list(keys.items()), name="one", **options)
    with pytest.raises(WriteError) as caught:
        things.insert_one({"_id": 1, **document})
    assert caught.value.code == code
    assert things.count_documents({}) == 0
    with pytest.raises(WriteError) as caught:
        things.replace_one({"_id": 1}, document, upsert=True)
    assert caught.value.code == code
    with pytest.raises(OperationFailure) as failed:
        things.find_one_and_replace({"_id": 1}, document, upsert=True)
    assert failed.value.code == code
    # The same index over a document that is there.
    things.drop_index("one")
    things.insert_one(document)
    with pytest.raises(OperationFailure) as failed:
        things.create_index(list(keys.items()), name="one", **options)
    assert failed.value.code == code
    assert list(things.index_information()) == ["_id_"]


@pytest.mark.parametrize("case", _cases(TAKEN))
def test_documents_that_an_index_takes(things: Collection[dict[str, Any]], case: str) -> None:
    keys, options, document = TAKEN[case]
    things.create_index(list(keys.items()), **options)
    things.insert_one(dict(document))
    things.replace_one({"_id": 1}, document, upsert=True)
    assert things.count_documents({}) == 2


def test_the_others_of_a_batch_are_written(things: Collection[dict[str, Any]]) -> None:
    things.create_index([("a", 1), ("b", 1)])
    bad = {"a": [1], "b": [1]}
    with pytest.raises(BulkWriteError) as caught:
        things.insert_many([{"_id": 1}, {"_id": 2, **bad}, {"_id": 1}, {"_id": 4}], ordered=False)
    assert [(each["index"], each["code"]) for each in caught.value.details["writeErrors"]] == [(1, 171), (2, 11000)]
    assert caught.value.details["nInserted"] == 2
    with pytest.raises(BulkWriteError) as caught:
        things.insert_many([{"_id": 5}, {"_id": 6, **bad}, {"_id": 7}], ordered=True)
    assert [(each["index"], each["code"]) for each in caught.value.details["writeErrors"]] == [(1, 171)]
    documents: dict[int, dict[str, Any]] = {8: bad, 9: {"a": 1}}
    writes = [ReplaceOne({"_id": key}, each, upsert=True) for key, each in documents.items()]
    with pytest.raises(BulkWriteError) as caught:
        things.bulk_write(writes, ordered=False)
    assert [(each["index"], each["code"]) for each in caught.value.details["writeErrors"]] == [(0, 171)]
    assert [(each["index"], each["_id"]) for each in caught.value.details["upserted"]] == [(1, 9)]
    with pytest.raises(BulkWriteError) as caught:
        things.bulk_write(writes[:1], ordered=False)
    assert [(each["index"], each["code"]) for each in caught.value.details["writeErrors"]] == [(0, 171)]
    assert sorted(each["_id"] for each in things.find()) == [1, 4, 5, 9]


@pytest.mark.parametrize("ordered", [True, False])
def test_a_refused_document_ends_its_transaction(things: Collection[dict[str, Any]], ordered: bool) -> None:
    things.create_index([("a", 1), ("b", 1)])
    with things.database.client.start_session() as session:
        session.start_transaction()
        things.insert_one({"_id": 1}, session=session)
        writes = [InsertOne[dict[str, Any]]({"_id": 2, "a": [1], "b": [1]}), InsertOne[dict[str, Any]]({"_id": 3})]
        with pytest.raises(BulkWriteError) as caught:
            things.bulk_write(writes, ordered=ordered, session=session)
        assert [each["code"] for each in caught.value.details["writeErrors"]] == [171]
        session.abort_transaction()
    assert things.count_documents({}) == 0


INDEXES: dict[str, tuple[list[tuple[list[tuple[str, Any]], dict[str, Any]]], int]] = {
    "same keys, other options": ([([("a", 1)], {}), ([("a", 1)], {"name": "other", "unique": True})], 85),
    "same name, other keys": ([([("a", 1)], {"name": "one"}), ([("b", 1)], {"name": "one"})], 86),
    "two text indexes": ([([("a", "text")], {}), ([("b", "text")], {})], 85),
    "condition with $exists: false": ([([("a", 1)], {"partialFilterExpression": {"b": {"$exists": False}}})], 67),
    "condition with $ne": ([([("a", 1)], {"partialFilterExpression": {"b": {"$ne": 1}}})], 67),
    "unique and hashed": ([([("a", "hashed")], {"unique": True})], 16764),
}


@pytest.mark.parametrize("case", _cases(INDEXES))
def test_indexes_that_are_refused(things: Collection[dict[str, Any]], case: str, mongodb_is_before_5: bool) -> None:
    every, code = INDEXES[case]
    if case == "same keys, other options" and not mongodb_is_before_5:
        pytest.skip("MongoDB 5.0 and later builds both")
    *first, (keys, options) = every
    for one, others in first:
        things.create_index(one, **others)
    with pytest.raises(OperationFailure) as caught:
        things.create_index(keys, **options)
    assert caught.value.code == code


def test_indexes_that_are_taken(things: Collection[dict[str, Any]]) -> None:
    things.create_index([("a", 1)])
    things.create_index([("a", 1)])
    things.create_index([("a", 1)], name="en", collation={"locale": "en", "strength": 2})
    things.create_index([("b", 1)], partialFilterExpression={"b": {"$type": "string"}, "c": {"$gt": 5}})
    assert len(things.index_information()) == 4


def test_64_indexes(things: Collection[dict[str, Any]]) -> None:
    for number in range(63):
        things.create_index([(f"f{number}", 1)])
    with pytest.raises(OperationFailure) as caught:
        things.create_index([("more", 1)])
    assert caught.value.code == 67


def test_dollar_names_in_replacements(things: Collection[dict[str, Any]], mongodb_is_before_5: bool) -> None:
    if not mongodb_is_before_5:
        pytest.skip("MongoDB 5.0 and later takes them")
    document = {"attributes": [{"$x": 1}]}
    things.insert_one({"_id": 1, **document})
    for replace in (
        lambda: things.replace_one({"_id": 1}, document),
        lambda: things.find_one_and_replace({"_id": 1}, document),
    ):
        with pytest.raises(OperationFailure) as caught:
            replace()
        assert caught.value.code == 52
    things.replace_one({"_id": 1}, {"other": {"$ref": "x", "$id": 1}})


def _while_held(things: Collection[dict[str, Any]], work: Callable[[], object]) -> tuple[bool, bool]:
    """Whether `work` was done while another session's transaction held the collection, and after it."""
    done = threading.Event()

    def run() -> None:
        work()
        done.set()

    with things.database.client.start_session() as session:
        session.start_transaction()
        things.insert_one({"_id": "held"}, session=session)
        thread = threading.Thread(target=run)
        thread.start()
        meanwhile = done.wait(1)
        session.commit_transaction()
        thread.join(30)
    return meanwhile, done.is_set()


@pytest.mark.parametrize("what", ["drop", "rename", "rename over", "index", "drop database"])
def test_definitions_wait_for_open_transactions(things: Collection[dict[str, Any]], what: str) -> None:
    things.insert_one({"_id": 1})
    other = things.database["other"]
    other.insert_one({"_id": 1})
    work: dict[str, Callable[[], object]] = {
        "drop": things.drop,
        "rename": lambda: things.rename("renamed"),
        "rename over": lambda: other.rename("things", dropTarget=True),
        "index": lambda: things.create_index("a"),
        "drop database": lambda: things.database.client.drop_database(things.database.name),
    }
    assert _while_held(things, work[what]) == (False, True)


def test_a_definition_with_a_time_limit(things: Collection[dict[str, Any]]) -> None:
    things.insert_one({"_id": 1})
    with things.database.client.start_session() as session:
        session.start_transaction()
        things.insert_one({"_id": 2}, session=session)
        with pytest.raises(ExecutionTimeout):
            things.database.command("drop", "things", maxTimeMS=300)
        session.abort_transaction()
    things.drop()
    assert things.count_documents({}) == 0


def test_indexes_are_known_after_renames(things: Collection[dict[str, Any]]) -> None:
    bad = {"a": [1], "b": [1]}
    things.create_index([("a", 1), ("b", 1)])
    with pytest.raises(WriteError):
        things.insert_one(dict(bad))
    things.rename("renamed")
    things.insert_one(dict(bad))
    with pytest.raises(WriteError):
        things.database["renamed"].insert_one(dict(bad))
    things.rename("renamed", dropTarget=True)
    things.database["renamed"].insert_one(dict(bad))
