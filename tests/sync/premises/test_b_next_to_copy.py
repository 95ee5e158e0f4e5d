"""Premise B during a copy: rows are read while chunks are copied, but as of a moment before the first chunk."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pymysql
import pytest
from pymongo import MongoClient

from migrator.copy import apply
from migrator.errors import Interrupted, PlanRefused
from migrator.model.change.events import TrackedRow
from migrator.model.plan.plan import CollectionPlan
from migrator.source.rows.snapshot import SnapshotReader
from migrator.sync.cascades.initial_load import InitialLoad
from migrator.target.publish import CollectionPublisher
from migrator.waits import Building
from migrator.workers.background import IsOver
from tests.sync.premises.test_b_cascades import BOOKS, PRODUCTS, TAGS
from tests.sync.premises.test_b_cascades import UNMAPPED as SHELVES
from tests.sync.premises.world import World
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.needs_mariadb("foreign keys whose cascades are not logged")]

SECONDS = 30
GONE = "DELETE FROM tags WHERE id = 1"


class Crash(BaseException):
    """The process dies here."""


def die(*_: object) -> None:
    raise Crash


@pytest.fixture
def tagged(world: World) -> World:
    world.sql(*TAGS)
    world.mapping(PRODUCTS)
    return world


def once_copied(monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> None:
    """Nothing is remembered before every chunk is copied and `then` has been done."""
    copied = threading.Event()
    copy, fill = apply.copy, InitialLoad.load

    def copy_first(*arguments: object) -> None:
        copy(*arguments)  # type: ignore[arg-type]
        copied.set()

    def fill_late(self: InitialLoad, is_over: IsOver) -> None:
        assert copied.wait(SECONDS)
        then()
        fill(self, is_over)

    monkeypatch.setattr(apply, "copy", copy_first)
    monkeypatch.setattr(InitialLoad, "load", fill_late)


def test_rows_that_go_before_they_are_read_are_remembered(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    once_copied(monkeypatch, lambda: tagged.sql(GONE))
    tagged.apply()
    tagged.sync()
    assert tagged.disagreements() == []


def test_in_a_later_moment_they_are_not(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant: the moment is that of the reading."""

    load = InitialLoad.load

    def take_again(self: InitialLoad, is_over: IsOver) -> None:
        self._taken.close()
        self.begin()
        load(self, is_over)

    monkeypatch.setattr(InitialLoad, "load", take_again)
    once_copied(monkeypatch, lambda: tagged.sql(GONE))
    tagged.apply()
    tagged.sync()
    assert tagged.disagreements() != []


def test_where_the_snapshot_is_lost_documents_are_made_again(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_it() -> None:
        tagged.sql(GONE)
        kill_snapshots(tagged)

    once_copied(monkeypatch, lose_it)
    tagged.apply()
    tagged.sync()
    assert tagged.disagreements() == []


def test_a_copy_that_died_before_all_was_recorded_starts_again(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        once_copied(patched, die)
        with pytest.raises(Crash):
            tagged.apply()
    tagged.sql(GONE)
    heard = tagged.apply()
    assert any("copying starts again" in note for note in heard.notes)
    tagged.sync()
    assert tagged.disagreements() == []


def test_one_that_had_remembered_all_goes_on(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(apply._Apply, "_publish", die)
        with pytest.raises(Crash):
            tagged.apply()
    tagged.sql(GONE)
    heard = tagged.apply()
    assert heard.notes == []
    tagged.sync()
    assert tagged.disagreements() == []


def test_one_that_died_in_its_first_chunk_starts_again_too(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an unfinished chunk wrote is there, and nothing but its parent's event would ever tell that it has to go."""
    tagged.sql(*SHELVES)
    tagged.mapping(BOOKS)
    with monkeypatch.context() as patched:
        once_copied(patched, die)
        with pytest.raises(Crash):
            tagged.apply()
    with MongoClient[Any](tagged.target) as client:
        # Written, and not noted as done.
        client.get_default_database()["_migrator_chunks"].update_many({}, {"$set": {"done": False}})
    tagged.sql("DELETE FROM shops WHERE id = 1")
    heard = tagged.apply()
    assert any("copying starts again" in note for note in heard.notes)
    tagged.sync()
    assert tagged.disagreements() == []


def test_a_collection_that_goes_live_later_has_a_memory_of_its_own(
    tagged: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the second one is being published a sync follows the first, and with it all that has to be remembered."""
    tagged.mapping(PRODUCTS.replace("collection: products", "collection: things"))
    publish, published = CollectionPublisher.publish, list[str]()

    def then_sync(self: CollectionPublisher, run: str, plan: CollectionPlan, building: Building) -> object:
        if published:
            tagged.sql(GONE)
            tagged.sync()
            assert tagged.found(published[0])[1]["tags"] == ["blue"]
        published.append(plan.collection.name)
        return publish(self, run, plan, building)

    monkeypatch.setattr(CollectionPublisher, "publish", then_sync)
    tagged.apply()
    tagged.sync()
    assert len(published) == 2
    assert tagged.disagreements() == []


def test_the_snapshot_ends_when_all_is_remembered(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise an ALTER TABLE would wait until the last chunk is copied, and with it everybody who uses the table."""
    copy = apply.copy

    def alter_meanwhile(*arguments: object) -> None:
        until(lambda: noted(tagged), "the note that all is remembered")
        tagged.sql("SET SESSION lock_wait_timeout = 5", "ALTER TABLE product_tags ADD COLUMN note VARCHAR(5)")
        copy(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(apply, "copy", alter_meanwhile)
    with pytest.raises(PlanRefused, match="altered"):
        tagged.apply()


def test_a_source_that_hangs_keeps_nobody_waiting(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, while the server sends nothing."""
    asked = threading.Event()

    async def hang(*_: object) -> AsyncIterator[list[TrackedRow]]:
        asked.set()
        await asyncio.sleep(1000)
        yield []

    def interrupt(*_: object) -> None:
        assert asked.wait(SECONDS)
        raise KeyboardInterrupt

    monkeypatch.setattr(SnapshotReader, "tracked_rows", hang)
    monkeypatch.setattr(apply, "copy", interrupt)
    began = time.monotonic()
    with pytest.raises(Interrupted):
        tagged.apply()
    assert time.monotonic() - began < SECONDS


def noted(world: World) -> bool:
    with MongoClient[dict[str, Any]](world.target) as client:
        return bool(client.get_default_database()["_migrator_sync"].find_one({"tracked": {"$exists": True}}))


def kill_snapshots(world: World) -> None:
    """Ends every other session that has the source's database as its own."""
    with world.connected() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
        for (number,) in cursor.fetchall():
            # It may have gone by itself.
            with suppress(pymysql.err.OperationalError):
                cursor.execute(f"KILL {number}")
