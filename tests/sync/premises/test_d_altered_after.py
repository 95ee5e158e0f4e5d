"""Premise D: what other commands make of a table that was altered under a sync."""

from __future__ import annotations

from typing import Any

import pymongo
import pytest
from bson.raw_bson import RawBSONDocument

from migrator import api
from migrator.errors import SyncBlocked
from migrator.sync.dry_run import WouldChange
from tests.sync.premises.world import Heard, World
from tests.verify.test_histories import verified

pytestmark = pytest.mark.slow

TABLES = (
    "CREATE TABLE t (id INT PRIMARY KEY, a INT, v VARCHAR(20))",
    "CREATE TABLE u (id INT PRIMARY KEY, t_id INT, b INT)",
    "INSERT INTO t VALUES (1, 1, 'x'), (2, NULL, 'y'), (3, 3, '')",
    "INSERT INTO u VALUES (10, 1, 5), (11, 1, 6), (12, 2, NULL)",
)
MAPPING = """
collection: t
from: t
validator: true
embed: {us: {from: u, many: true, on: {id: t_id}}}
indexes: [{keys: {a: 1}}]
"""
OTHER = "collection: other\nfrom: u\ncolumns: [t_id]\n"
ALTERS = ("ALTER TABLE t MODIFY a BIGINT", "ALTER TABLE u MODIFY b BIGINT")


@pytest.fixture
def applied(world: World) -> World:
    """In step."""
    world.sql(*TABLES)
    world.mapping(MAPPING)
    world.mapping(OTHER)
    world.apply()
    world.sync()
    return world


def everything(world: World) -> dict[str, Any]:
    """All that is in the target: documents, state, indexes and validators."""
    with pymongo.MongoClient[RawBSONDocument](world.target, document_class=RawBSONDocument) as client:
        database = client.get_default_database()
        found: dict[str, Any] = {}
        for each in database.list_collections():
            name = each["name"]
            found[name] = sorted(document.raw for document in database[name].find())
            found[f"{name}, options"] = str(each["options"])
            found[f"{name}, indexes"] = sorted(str(index) for index in database[name].index_information().items())
        return found


def rehearsed(world: World) -> list[WouldChange]:
    told: list[WouldChange] = []
    api.sync_dry_run(world.source, world.target, told.append, lambda _: None, Heard(), 10.0)
    return told


def named(told: list[WouldChange]) -> set[tuple[str, str]]:
    """The documents that a dry run names."""
    return {(each.collection, key) for each in told for key in each.keys}


@pytest.mark.parametrize("alter", ALTERS)
def test_a_dry_run_tells_of_the_rebuild_and_does_nothing(applied: World, alter: str) -> None:
    before = everything(applied)
    applied.sql("UPDATE t SET v = 'before' WHERE id = 2", alter, "UPDATE t SET v = 'after', a = 7 WHERE id = 3")
    told = rehearsed(applied)
    searched = {each.collection for each in told if each.searched}
    # The other collection has no column that was altered.
    assert searched == {"t"}
    assert {key for each in told if each.collection == "t" for key in each.keys} >= {"2", "3"}
    assert everything(applied) == before
    # Once more it says the same, in one batch or several, and the sync does what it said.
    assert named(rehearsed(applied)) == named(told)
    applied.sync()
    assert applied.disagreements() == []
    assert rehearsed(applied) == []


def test_a_dry_run_of_what_stops_a_sync_stops(applied: World) -> None:
    before = everything(applied)
    applied.sql("ALTER TABLE t DROP COLUMN v")
    with pytest.raises(SyncBlocked, match="no longer fits"):
        rehearsed(applied)
    assert everything(applied) == before


@pytest.mark.parametrize("alter", ALTERS)
def test_verify_before_and_after_the_renewal(applied: World, alter: str) -> None:
    applied.sql(alter)
    # Sync has not read the statement yet: documents are right by the mapping as it was applied.
    early = verified(applied.source, applied.target)
    assert early.clean, early
    applied.sync()
    found = verified(applied.source, applied.target)
    assert found.clean, found
    assert applied.disagreements() == []


def test_verify_finds_what_is_of_the_old_type_after_a_renewal(applied: World) -> None:
    applied.sql(ALTERS[0])
    applied.sync()
    with pymongo.MongoClient[dict[str, Any]](applied.target) as client:
        # As an INT would have it.
        client.get_default_database()["t"].update_one({"_id": 1}, {"$set": {"a": 1}}, bypass_document_validation=True)
    found = verified(applied.source, applied.target)
    assert not found.clean
    assert verified(applied.source, applied.target, repair=True).clean
    assert applied.disagreements() == []
