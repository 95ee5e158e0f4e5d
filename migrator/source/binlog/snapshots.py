"""Snapshots that contain every event already read (premise A).

The log is readable before the engine commits (edge case 46), so a new snapshot may lack what was read:
- MariaDB: a consistent snapshot knows its place in the log (Binlog_snapshot_*); another is taken until far enough;
- MySQL with GTIDs: the connection waits until the engine has executed the transactions, then takes the snapshot;
- MySQL without: it waits for the lock of the row that was changed last. Engine commits have the log's order
  (binlog_order_commits), so all before are done too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial

import asyncmy

from migrator.errors import MigratorError, SourceUnavailable
from migrator.model.change.coordinates import log_coordinates
from migrator.model.change.position import Position, ServerIdentity
from migrator.source.binlog.rows.last_changed_row import LastChangedRow, PositionWithRow
from migrator.source.connection.connect import open_stream
from migrator.source.connection.failure import translated
from migrator.source.connection.identity import IDENTITY_QUERY, identity_of, require_same_server
from migrator.source.connection.url import SourceUrl
from migrator.source.log_position import SNAPSHOT_STATUS
from migrator.source.rows.snapshot import SnapshotReader
from migrator.source.sql.statements import Templates, locking_read

ENGINE_WAIT = 60  # seconds for the engine to commit what was logged
_BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.1


# Begins a snapshot on a connection.
Begin = Callable[[asyncmy.Connection], Awaitable[None]]


class SnapshotSource:
    """Implements ports.sync.Snapshots."""

    def __init__(self, url: SourceUrl, server: ServerIdentity, templates: Templates) -> None:
        self._url = url
        self._server = server
        self._templates = templates
        self._connection: asyncmy.Connection | None = None

    def at_least(self, reached: Position) -> AbstractAsyncContextManager[SnapshotReader]:
        """Implements Snapshots.at_least; the reader is a new object every time, since memories are keyed by it."""
        return self._snapshot(partial(_begin_after, reached=reached, url=self._url))

    async def position(self) -> Position | None:
        """Implements Snapshots.position: MariaDB knows the place that belongs to a consistent snapshot."""
        if self._connection is None or self._server.flavor != "mariadb":
            return None
        with translated(self._url):
            file, offset = await _snapshot_coordinates(self._connection)
            if not file:
                return None
            ((gtid,),) = await _ask(self._connection, f"SELECT BINLOG_GTID_POS('{file}', {offset})")
        return Position(self._server, bytes(gtid or b"").decode(), file, offset, "mariadb-snapshot")

    def now(self) -> AbstractAsyncContextManager[SnapshotReader]:
        """Implements Snapshots.now."""
        return self._snapshot(_begin)

    @asynccontextmanager
    async def _snapshot(self, begin: Begin) -> AsyncIterator[SnapshotReader]:
        connection = await self._connected()
        try:
            with translated(self._url):
                await begin(connection)
            yield SnapshotReader(connection, self._url, self._templates)
            with translated(self._url):
                await _run(connection, "ROLLBACK")
        except BaseException:
            # Whatever it was: the connection may be in the middle of a result. The next snapshot gets a new one.
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(OSError):
                connection.close()

    async def _connected(self) -> asyncmy.Connection:
        if self._connection is None:
            connection = await open_stream(self._url)
            try:
                with translated(self._url):
                    rows = await _ask(connection, IDENTITY_QUERY)
                    found = identity_of((str(name, "utf-8"), str(value, "utf-8")) for name, value in rows)
                    require_same_server(found, self._server, self._url)
                    if self._server.flavor == "mysql":
                        await _run(connection, f"SET SESSION innodb_lock_wait_timeout = {ENGINE_WAIT}")
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


@asynccontextmanager
async def open_snapshots(url: SourceUrl, server: ServerIdentity, templates: Templates) -> AsyncIterator[SnapshotSource]:
    """Snapshots of `server`; the connection is opened with the first one."""
    source = SnapshotSource(url, server, templates)
    try:
        yield source
    finally:
        source.close()


async def _begin(connection: asyncmy.Connection) -> None:
    await _run(connection, _BEGIN)


async def _begin_after(connection: asyncmy.Connection, reached: Position, url: SourceUrl) -> None:
    if reached.server.flavor == "mariadb":
        await _retry_until(connection, reached, url)
        return
    if isinstance(reached, PositionWithRow):
        if reached.touched is not None:
            await _wait_for_lock(connection, reached.touched)
    elif reached.gtid:
        await _wait_for_gtids(connection, reached.gtid, url)
    await _begin(connection)


async def _retry_until(connection: asyncmy.Connection, reached: Position, url: SourceUrl) -> None:
    wanted = log_coordinates(reached.file, reached.offset)
    deadline, pause = time.monotonic() + ENGINE_WAIT, _FIRST_PAUSE
    while True:
        await _begin(connection)
        if log_coordinates(*await _snapshot_coordinates(connection)) >= wanted:
            return
        await _run(connection, "ROLLBACK")
        if time.monotonic() > deadline:
            raise _too_slow(url)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _snapshot_coordinates(connection: asyncmy.Connection) -> tuple[str, int]:
    """File and offset of the log where a consistent snapshot of MariaDB stands; no file where there is no log."""
    status = {bytes(name).lower(): bytes(value) for name, value in await _ask(connection, SNAPSHOT_STATUS)}
    return status[b"binlog_snapshot_file"].decode(), int(status[b"binlog_snapshot_position"] or 0)


async def _wait_for_gtids(connection: asyncmy.Connection, gtids: str, url: SourceUrl) -> None:
    rows = await _ask(connection, f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{gtids}', {ENGINE_WAIT})")
    if rows[0][0] != b"0":
        raise _too_slow(url)


async def _wait_for_lock(connection: asyncmy.Connection, touched: LastChangedRow) -> None:
    # In autocommit: the lock is given back at once. Error 1205, when it isn't had in time, is a SourceUnavailable.
    await _ask(connection, locking_read(touched.table, touched.columns, touched.key))


def _too_slow(url: SourceUrl) -> MigratorError:
    return SourceUnavailable(
        f"the server has logged a transaction and not committed it for {ENGINE_WAIT} seconds",
        where=url.place,
        hint="Semi-synchronous replication may wait for a replica: look at SHOW FULL PROCESSLIST.",
    )


async def _run(connection: asyncmy.Connection, statement: str) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute(statement)


async def _ask(connection: asyncmy.Connection, statement: str) -> list[tuple[bytes, ...]]:
    async with connection.cursor() as cursor:
        await cursor.execute(statement)
        return list(await cursor.fetchall())
