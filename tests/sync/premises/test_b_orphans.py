"""Rows whose parents do not exist: documents follow the rows as they are, whatever foreign keys promise.

`SET foreign_key_checks = 0` makes orphans on any server, and a server may leave some by itself where transactions with
cascades meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest

from migrator import api
from migrator.copy.options import ApplyOptions
from migrator.model.report.verify import Selection
from migrator.verify.outcome import VerifyOptions
from tests.sync import running
from tests.sync.premises.orphans import (
    KINDS,
    MAPPINGS,
    OFF,
    ON,
    PARENTS,
    SCHEMA,
    Statements,
    execute,
    lost_rows,
    orphans,
    related_rows,
)
from tests.sync.premises.world import World
from tests.verify.test_histories import Silent

pytestmark = pytest.mark.slow


@pytest.fixture
def tables(world: World) -> World:
    """Rows that refer to each other, and rows that refer to nothing, in every table; not copied yet."""
    world.sql(*SCHEMA, *related_rows(), *lost_rows())
    for mapping in MAPPINGS:
        world.mapping(mapping)
    return world


def agree(world: World) -> None:
    assert world.disagreements() == []


def test_every_kind_of_orphan_is_in_the_rows(tables: World) -> None:
    """Without them, nothing here would be tested."""
    with tables.connected() as connection:
        found = orphans(connection)
    assert [place for place, count in found.items() if not count] == []


def test_before_a_copy(tables: World) -> None:
    tables.apply()
    agree(tables)
    tables.sync()
    agree(tables)
    assert_verified(tables)


def _gone(table: str) -> Iterator[str]:
    """All rows of a table, one after another in the log."""
    for number in (1, 2, 3):
        yield f"DELETE FROM {table} WHERE {KINDS[table].key[0]} = {number}"


def _back(table: str) -> list[str]:
    return [each for each in related_rows() if each.startswith((OFF, f"INSERT INTO {table} ", f"UPDATE {table} "))]


@pytest.mark.parametrize("table", PARENTS)
def test_parents_that_go_come_back_and_go_again(tables: World, table: str) -> None:
    """Without cascades they leave orphans. Back again, they are the parents of the same rows, and take them along when
    they go with cascades."""
    tables.apply()
    tables.sync()
    tables.sql(OFF, *_gone(table))
    tables.sync()
    agree(tables)
    with tables.connected() as connection:
        left = orphans(connection)
    assert any(
        left[f"{child}.{','.join(columns)}"] >= (1 if child == table else 3)
        for child, kind in KINDS.items()
        for columns, parent, _ in kind.parents
        if parent == table
    )
    tables.sql(*_back(table))
    tables.sync()
    agree(tables)
    tables.sql(ON, *_gone(table))
    tables.sync()
    agree(tables)
    tables.sql(*_back(table))
    tables.sync()
    agree(tables)
    # What went and came within one batch.
    tables.sql(OFF, *_gone(table), *_back(table), ON, *_gone(table))
    tables.sync()
    agree(tables)
    assert_verified(tables)


@pytest.mark.parametrize("seed", range(2))
def test_a_history_with_orphans(tables: World, seed: int) -> None:
    statements = Statements(seed)
    with tables.connected() as connection:
        assert execute(connection, statements.some(100)) > 30
        tables.apply()
        agree(tables)
        for number in range(8):
            execute(connection, statements.some(1 if number < 4 else 60))
            tables.sync()
            agree(tables)
    assert_verified(tables)


def test_writers_with_and_without_foreign_keys_next_to_a_sync(tables: World) -> None:
    """Three at once, whose cascades meet."""
    tables.apply()

    def write(seed: int) -> None:
        with tables.connected() as connection:
            changed.append(execute(connection, Statements(seed).some(500)))

    for start in (100, 200):
        changed: list[int] = []
        writers = [Thread(target=write, args=(start + number,)) for number in range(3)]
        for writer in writers:
            writer.start()
        running.follow_while(tables.source, tables.target, lambda ws=writers: any(w.is_alive() for w in ws))
        for writer in writers:
            writer.join()
        assert len(changed) == 3
        assert min(changed) > 100
        tables.sync()
        agree(tables)
    with tables.connected() as connection:
        assert sum(orphans(connection).values())
    assert_verified(tables)


def assert_verified(world: World) -> None:
    """Both looks agree, whatever orphans there are."""
    options = VerifyOptions(Selection(), ApplyOptions(workers=1, restart=True))
    report = api.verify(world.source, world.target, world.files, options, Silent())
    assert report.clean, report
    assert api.independent_look(world.source, world.target, options, Silent()).different == ()
