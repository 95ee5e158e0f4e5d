"""Premise B beside a copy: rows are read while chunks are, and yet as of a moment before the first of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import pymysql
import pytest

from migrator.run import apply, memory, remember
from migrator.run.beside import IsOver
from migrator.run.memory import Memory
from tests.sync.premises.test_b_cascades import PRODUCTS, TAGS
from tests.sync.premises.world import World

pytestmark = [pytest.mark.slow, pytest.mark.needs_mariadb("foreign keys whose cascades are not logged")]

SECONDS = 30
GONE = "DELETE FROM tags WHERE id = 1"


class Crash(BaseException):
    """The process dies here."""


@pytest.fixture
def tagged(world: World) -> World:
    world.sql(*TAGS)
    world.mapping(PRODUCTS)
    return world


def once_copied(monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> None:
    """Nothing is remembered before every chunk is copied and `then` has been done."""
    copied = threading.Event()
    copy, fill = apply.copy, Memory.fill

    def copy_first(*arguments: object) -> None:
        copy(*arguments)  # type: ignore[arg-type]
        copied.set()

    def fill_late(self: Memory, is_over: IsOver) -> None:
        assert copied.wait(SECONDS)
        then()
        fill(self, is_over)

    monkeypatch.setattr(apply, "copy", copy_first)
    monkeypatch.setattr(Memory, "fill", fill_late)


def test_rows_that_go_before_they_are_read_are_remembered(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    once_copied(monkeypatch, lambda: tagged.sql(GONE))
    tagged.apply()
    tagged.sync()
    assert tagged.disagreements() == []


def test_in_a_later_moment_they_are_not(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant: the moment is that of the reading."""

    class Later(remember.Moment):
        def remember(self, *arguments: object) -> None:
            self.close()
            remember.Moment.__init__(self, tagged_source)
            super().remember(*arguments)  # type: ignore[arg-type]

    def later(source: object) -> Later:
        nonlocal tagged_source
        tagged_source = source
        return Later(source)  # type: ignore[arg-type]

    tagged_source: object = None
    monkeypatch.setattr(memory, "Moment", later)
    once_copied(monkeypatch, lambda: tagged.sql(GONE))
    tagged.apply()
    tagged.sync()
    assert tagged.disagreements() != []


def test_where_the_moment_is_lost_every_document_is_made_anew(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_it() -> None:
        tagged.sql(GONE)
        kill_snapshots(tagged)

    once_copied(monkeypatch, lose_it)
    tagged.apply()
    tagged.sync()
    assert tagged.disagreements() == []


def test_a_copy_that_died_before_all_was_remembered_begins_anew(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:

        def die() -> None:
            raise Crash

        once_copied(patched, die)
        with pytest.raises(Crash):
            tagged.apply()
    tagged.sql(GONE)
    heard = tagged.apply()
    assert any("copying begins anew" in note for note in heard.notes)
    tagged.sync()
    assert tagged.disagreements() == []


def test_one_that_had_remembered_all_goes_on(tagged: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:

        def die(*_: object) -> None:
            raise Crash

        patched.setattr(apply._Apply, "_publish", die)
        with pytest.raises(Crash):
            tagged.apply()
    tagged.sql(GONE)
    heard = tagged.apply()
    assert heard.notes == []
    tagged.sync()
    assert tagged.disagreements() == []


def kill_snapshots(world: World) -> None:
    """Ends every other session that has the source's database as its own."""
    with world.connected() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
        for (number,) in cursor.fetchall():
            # It may have gone by itself.
            with suppress(pymysql.err.OperationalError):
                cursor.execute(f"KILL {number}")
