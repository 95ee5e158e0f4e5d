"""Premise A: the log can be read before the engine commits.

Semi-synchronous replication that waits for a replica after the log was synced, where there is none, holds that window
open for as long as its timeout: the log has delivered an UPDATE with its end, and new snapshots still read the old row.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from migrator.errors import SourceUnavailable
from migrator.model.change.coordinates import is_before
from migrator.model.change.events import Commit, Rows, Statement
from migrator.model.change.position import Position
from migrator.model.plan.chunk import KeyRange
from migrator.source import MySQLSource
from migrator.source.binlog import snapshots
from migrator.source.rows.snapshot import SnapshotReader
from tests.source.binlog.conftest import Follow
from tests.source.build import node, table
from tests.source.conftest import Execute
from tests.source.reading import roots

WINDOW = 4  # seconds
Slow = Callable[[str], Any]

pytestmark = pytest.mark.slow


@pytest.fixture
def slow_commit(source: MySQLSource, execute: Execute, mysql_product: str) -> Iterator[Slow]:
    """Runs a statement whose transaction is logged WINDOW seconds before the engine commits it."""
    word = "master" if mysql_product == "MariaDB" else "source"
    if mysql_product == "MySQL":
        execute("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
    execute(
        f"SET GLOBAL rpl_semi_sync_{word}_wait_point = 'AFTER_SYNC'",
        f"SET GLOBAL rpl_semi_sync_{word}_timeout = {WINDOW * 1000}",
        f"SET GLOBAL rpl_semi_sync_{word}_wait_no_{'slave' if word == 'master' else 'replica'} = ON",
    )

    @contextmanager
    def run(statement: str) -> Iterator[threading.Thread]:
        execute(f"SET GLOBAL rpl_semi_sync_{word}_enabled = ON")
        thread = threading.Thread(target=execute, args=(statement,))
        thread.start()
        yield thread
        thread.join()
        execute(f"SET GLOBAL rpl_semi_sync_{word}_enabled = OFF")

    yield run
    execute(f"SET GLOBAL rpl_semi_sync_{word}_enabled = OFF")
    if mysql_product == "MySQL":
        execute("UNINSTALL PLUGIN rpl_semi_sync_source")


@pytest.fixture(params=["gtid", "no gtid"])
def numbering(request: pytest.FixtureRequest, execute: Execute, mysql_product: str) -> Iterator[str]:
    """Whether the server has GTIDs; MariaDB always has."""
    if request.param == "gtid":
        yield "gtid"
        return
    if mysql_product == "MariaDB":
        pytest.skip("MariaDB always has GTIDs")
    execute(*(f"SET GLOBAL gtid_mode = {mode}" for mode in ("ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF")))
    yield "no gtid"
    execute(*(f"SET GLOBAL gtid_mode = {mode}" for mode in ("OFF_PERMISSIVE", "ON_PERMISSIVE", "ON")))


def values(source: MySQLSource, reached: Position) -> list[Any]:
    async def run() -> list[Any]:
        async with source.snapshots() as opened, opened.at_least(reached) as reader:
            return await _values(source, reader)

    return asyncio.run(run())


async def _values(source: MySQLSource, reader: SnapshotReader) -> list[Any]:
    root = node(table(source.schema(), "t"))
    return [row[-1] for row in await reader.roots(root, KeyRange(), 10)]


def plain_values(source: MySQLSource) -> list[Any]:
    return [row[-1] for row in roots(source, node(table(source.schema(), "t")), KeyRange())]


CHANGES = {
    "insert": ("INSERT INTO t VALUES (3, 'new')", [b"old", b"other"], [b"old", b"other", b"new"]),
    "update": ("UPDATE t SET v = 'new' WHERE id = 1", [b"old", b"other"], [b"new", b"other"]),
    "delete": ("DELETE FROM t WHERE id = 1", [b"old", b"other"], [b"other"]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seen", [Rows, Commit])
def test_a_snapshot_waits_for_what_was_read(
    source: MySQLSource,
    execute: Execute,
    follow: Follow,
    slow_commit: Slow,
    numbering: str,
    change: str,
    seen: type[Any],
) -> None:
    statement, before, after = CHANGES[change]
    execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9))", "INSERT INTO t VALUES (1, 'old'), (2, 'other')")
    followed = follow("t", columns={"t": ("v",)})
    followed.until_quiet()
    with slow_commit(statement) as writer:
        followed.until(seen)
        # The log has it, the engine doesn't: a snapshot taken without the rule reads the past.
        assert plain_values(source) == before
        assert writer.is_alive()
        assert values(source, followed.reader.reached) == after


def test_without_the_rule_the_past_is_read(
    source: MySQLSource,
    execute: Execute,
    follow: Follow,
    slow_commit: Slow,
    numbering: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rule taken out of at_least: it is what the test above rests on."""

    async def begin_at_once(connection: Any, reached: Position, url: Any) -> None:
        await snapshots._run(connection, snapshots._BEGIN)

    execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9))", "INSERT INTO t VALUES (1, 'old')")
    followed = follow("t")
    followed.until_quiet()
    with slow_commit("UPDATE t SET v = 'new' WHERE id = 1"):
        followed.until(Commit)
        with monkeypatch.context() as patch:
            patch.setattr(snapshots, "_begin_after", begin_at_once)
            assert values(source, followed.reader.reached) == [b"old"]
        assert values(source, followed.reader.reached) == [b"new"]


def test_a_reader_opened_in_the_window_knows_what_to_wait_for(
    source: MySQLSource, execute: Execute, follow: Follow, slow_commit: Slow, numbering: str
) -> None:
    """A sync that died in the window and was started again at once: nothing comes after its position."""
    execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9))", "INSERT INTO t VALUES (1, 'old')")
    followed = follow("t")
    followed.until_quiet()
    with slow_commit("UPDATE t SET v = 'new' WHERE id = 1"):
        end = followed.until(Commit)
        assert isinstance(end, Commit)
        again = follow("t", position=end.position)
        assert again.until_quiet() == []
        assert values(source, again.reader.reached) == [b"new"]


def test_the_snapshot_gives_up_after_a_while(
    source: MySQLSource, execute: Execute, follow: Follow, slow_commit: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "ENGINE_WAIT", 1)
    execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9))")
    followed = follow("t")
    followed.until_quiet()
    with slow_commit("INSERT INTO t VALUES (1, 'new')") as writer:
        followed.until(Commit)
        with pytest.raises(SourceUnavailable):
            values(source, followed.reader.reached)
        assert writer.is_alive()
    assert values(source, followed.reader.reached) == [b"new"]


ALTERED = {
    "ALTER TABLE t MODIFY v VARCHAR(20)": "varchar(20)",
    "ALTER TABLE t MODIFY v VARCHAR(9) CHARACTER SET latin1, ALGORITHM = COPY": "varchar(9)",
    "RENAME TABLE t TO s, u TO t": "text",
}


@pytest.mark.parametrize("statement", ALTERED)
def test_definitions_are_those_after_a_statement_that_was_read(
    source: MySQLSource, execute: Execute, follow: Follow, slow_commit: Slow, numbering: str, statement: str
) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9))", "CREATE TABLE u (id INT PRIMARY KEY, v TEXT)")
    followed = follow("t", columns={"t": ("v",)})
    followed.until_quiet()
    name = (source.url.database, "t")
    with slow_commit(statement) as writer:
        followed.until(Statement)
        assert writer.is_alive()
        found = source.definitions([name], [name])
        column = found.schema.by_name[name].by_name["v"]
        assert column.column_type == ALTERED[statement]
        assert found.end is not None
        assert not is_before(found.end, followed.reader.reached)
