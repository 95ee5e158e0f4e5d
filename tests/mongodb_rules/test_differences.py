"""Each known difference between the stand-in and MongoDB, as docs/standin.md lists them.

On a genuine server these tests say what MongoDB does. On the stand-in, without the checker in front of it, they say how
it differs: a newer stand-in that behaves as MongoDB makes its test fail, and the page has to be changed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, OperationFailure
from pymongo.read_concern import ReadConcern

from dev.servers.model import Server
from dev.servers.session import Session
from tests.mongodb_rules.checked import CheckedSecantus
from tests.mongodb_rules.test_checker import REFUSED
from tests.standin import end_transactions

PAGE = Path(__file__).parents[2] / "docs" / "standin.md"
TAKEN = 0
Things = Collection[dict[str, Any]]


@pytest.fixture
def server(servers: Session) -> Server:
    return servers.mongodb()


@pytest.fixture
def things(server: Server) -> Iterator[Things]:
    """A collection of a database of its own, on the stand-in past the checker."""
    url = server.direct_url if isinstance(server, CheckedSecantus) else server.url
    with MongoClient[dict[str, Any]](url, socketTimeoutMS=30_000, retryReads=False, retryWrites=False) as client:
        database = client[f"t_{secrets.token_hex(4)}"]
        yield database.get_collection("things", write_concern=WriteConcern("majority", j=True))
        end_transactions(server)
        client.drop_database(database.name)


@pytest.fixture
def differs(mongodb_server_is_standin: bool) -> Callable[[object, object, object], None]:
    """Compares with what MongoDB does, or with what the stand-in is known to do."""

    def compare(found: object, mongodb: object, standin: object) -> None:
        if mongodb_server_is_standin:
            assert found == standin, "the stand-in has changed: change docs/standin.md and this test"
        else:
            assert found == mongodb

    return compare


Differs = Callable[[object, object, object], None]


def code(work: Callable[[], object]) -> int:
    """The error code with which the server refuses it; TAKEN when it doesn't."""
    try:
        work()
    except BulkWriteError as error:
        return int(error.details["writeErrors"][0]["code"])
    except OperationFailure as error:
        return int(error.code or -1)
    return TAKEN


@pytest.mark.parametrize("case", REFUSED)
def test_documents_that_an_index_refuses(things: Things, differs: Differs, case: str) -> None:
    keys, options, document, refused = REFUSED[case]
    built = code(lambda: things.create_index(list(keys.items()), **options))
    missing = bool({"text", "hashed"} & set(keys.values()))
    differs(built, TAKEN, 67 if missing else TAKEN)
    differs(code(lambda: things.insert_one(dict(document))), refused, TAKEN)


@pytest.mark.parametrize("values", [("A", "a"), ("é", "e")])
def test_collation_of_a_unique_index(things: Things, differs: Differs, values: tuple[str, str]) -> None:
    things.create_index("a", unique=True, collation={"locale": "en", "strength": 1})
    differs(code(lambda: things.insert_many([{"a": each} for each in values])), 11000, TAKEN)


def test_two_indexes_of_the_same_keys(things: Things, differs: Differs, mongodb_is_before_5: bool) -> None:
    things.create_index("a")
    found = code(lambda: things.create_index("a", name="other", unique=True))
    differs(found, 85 if mongodb_is_before_5 else TAKEN, TAKEN)


@pytest.mark.parametrize("condition", [{"a": {"$exists": False}}, {"a": {"$ne": 1}}, {"a": {"$regex": "x"}}])
def test_operators_in_the_condition_of_an_index(things: Things, differs: Differs, condition: dict[str, Any]) -> None:
    differs(code(lambda: things.create_index("a", partialFilterExpression=condition)), 67, TAKEN)


def test_more_than_64_indexes(things: Things, differs: Differs) -> None:
    for number in range(63):
        things.create_index(f"f{number}")
    differs(code(lambda: things.create_index("more")), 67, TAKEN)


def test_dollar_names_in_replacements(things: Things, differs: Differs, mongodb_is_before_5: bool) -> None:
    things.insert_one({"_id": 1, "a": {"$x": 1}})
    found = code(lambda: things.replace_one({"_id": 1}, {"a": {"$x": 2}}))
    differs(found, 52 if mongodb_is_before_5 else TAKEN, TAKEN)


def test_dollar_names_in_inserts(things: Things, differs: Differs, mongodb_is_before_5: bool) -> None:
    found = code(lambda: things.insert_one({"_id": 1, "$x": 1}))
    differs(found, 2 if mongodb_is_before_5 else TAKEN, TAKEN)


@pytest.mark.parametrize("what", ["drop", "createIndexes", "renameCollection"])
def test_definitions_and_open_transactions(things: Things, differs: Differs, what: str) -> None:
    things.insert_one({"_id": 1})
    database = things.database
    commands: dict[str, Callable[[], object]] = {
        "drop": lambda: database.command("drop", "things", maxTimeMS=500),
        "createIndexes": lambda: database.command(
            "createIndexes", "things", indexes=[{"key": {"a": 1}, "name": "a"}], maxTimeMS=500
        ),
        "renameCollection": lambda: database.client.admin.command(
            "renameCollection", f"{database.name}.things", to=f"{database.name}.other", maxTimeMS=500
        ),
    }
    with database.client.start_session() as session:
        session.start_transaction()
        things.with_options(write_concern=WriteConcern()).insert_one({"_id": 2}, session=session)
        differs(code(commands[what]), 50, TAKEN)
        session.abort_transaction()


def test_renamed_over_another_collection_it_stays_the_same(things: Things, differs: Differs) -> None:
    """MongoDB gives it another name; the stand-in copies the documents."""
    things.insert_one({"_id": 1})
    things.database["other"].insert_one({"_id": 2})

    def uuid(name: str) -> object:
        (found,) = things.database.list_collections(filter={"name": name})
        return found["info"]["uuid"]

    before = uuid("things")
    things.rename("other", dropTarget=True)
    differs(uuid("other") == before, True, False)


def test_who_holds_an_idle_transaction_is_told(things: Things, differs: Differs) -> None:
    things.insert_one({"_id": 1})
    with things.database.client.start_session() as session:
        session.start_transaction()
        things.with_options(write_concern=WriteConcern()).insert_one({"_id": 2}, session=session)
        stages: list[dict[str, Any]] = [
            {"$currentOp": {"allUsers": True, "idleSessions": True}},
            {"$match": {"transaction.parameters.txnNumber": {"$exists": True}}},
        ]
        found = [each["lsid"]["id"] for each in things.database.client.admin.aggregate(stages)]
        differs(session.session_id["id"] in found, True, False)
        session.abort_transaction()


def test_only_what_a_majority_has_is_sure_to_be_read(things: Things) -> None:
    """The stand-in has one state. On MongoDB a write that did not wait for the majority may be missing, for a while."""
    majority = things.with_options(read_concern=ReadConcern("majority"))
    for number in range(50):
        things.insert_one({"_id": number})
        assert majority.count_documents({"_id": number}) == 1


def test_a_unique_value_is_free_when_no_document_has_it(things: Things) -> None:
    """SecantusDB 0.6.0b17 was seen to keep one, in long histories; short ways to that are not known."""
    things.create_index("a", unique=True)
    things.insert_many([{"_id": 1, "a": 1}, {"_id": 2, "a": 2}])
    with things.database.client.start_session() as session:
        for commit in (False, True):
            session.start_transaction()
            within = things.with_options(write_concern=WriteConcern())
            within.delete_many({"_id": {"$in": [1, 2]}}, session=session)
            within.insert_many([{"_id": 1, "a": 2}, {"_id": 2, "a": 3}], session=session)
            if commit:
                session.commit_transaction()
            else:
                session.abort_transaction()
    things.insert_one({"_id": 3, "a": 1})
    assert {each["_id"]: each["a"] for each in things.find()} == {1: 2, 2: 3, 3: 1}


def test_every_difference_is_on_the_page() -> None:
    """And every test that the page names is here."""
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    here = {name for name in globals() if name.startswith("test_")} - {"test_every_difference_is_on_the_page"}
    assert named == here
