"""One moment of the whole server for several readers: for targets that no sync will repair."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from migrator.errors import SourceError, SourceUnavailable
from migrator.model.change.position import Position, ServerIdentity
from migrator.source.connection.connect import connected
from migrator.source.connection.failure import error_code, translate
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import SourceUrl
from migrator.source.log_position import log_end

LOCK_WAIT = 10  # seconds; while the lock is waited for, it already holds up writers
_DENIED = (1044, 1045, 1227)  # managed servers answer "access denied" without naming a privilege
_LOCK_WAIT_TIMEOUT = 1205


class SharedSnapshot:
    """Writes to the server are blocked until `release`. Implements ports.copy.Snapshot."""

    def __init__(self, connection: Connection, position: Position | None) -> None:
        self._connection = connection
        self._position = position
        self._held = True

    @property
    def position(self) -> Position | None:
        """Exactly the moment that the readers see; None when the server writes no log."""
        return self._position

    def release(self) -> None:
        """Lets the server write again; the readers keep their snapshots. May be called twice."""
        if self._held:
            self._connection.exec_driver_sql("UNLOCK TABLES")
            self._held = False


@contextmanager
def hold_shared_snapshot(url: SourceUrl) -> Iterator[SharedSnapshot]:
    """Blocks all writes from now until `release`, at the latest until the end of the block.

    Raises:
        SourceError: when the account lacks the privilege.
        SourceUnavailable: when a long statement keeps the lock from being had within LOCK_WAIT seconds.
    """
    with connected(url) as connection:
        server = read_identity(connection)
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {LOCK_WAIT}")
        try:
            connection.exec_driver_sql("FLUSH TABLES WITH READ LOCK")
        except DBAPIError as error:
            raise _explained(error, server, url) from error.orig
        moment = SharedSnapshot(connection, _position(connection, server))
        try:
            yield moment
        finally:
            moment.release()


def _position(connection: Connection, server: ServerIdentity) -> Position | None:
    """Premise A holds here whatever the server: with commits blocked, the log's end is what the engine has."""
    if not connection.exec_driver_sql("SELECT @@GLOBAL.log_bin").scalar():
        return None
    file, offset, gtid = log_end(connection, server)
    return Position(server, gtid, file, offset, "global-lock") if file else None


def _explained(error: DBAPIError, server: ServerIdentity, url: SourceUrl) -> SourceError:
    code = error_code(error)
    said = translate(error, url).what
    if code in _DENIED:
        names = "RELOAD" if server.flavor == "mariadb" else "RELOAD or FLUSH_TABLES"
        return SourceError(
            f"one moment for all readers needs FLUSH TABLES WITH READ LOCK: {said}",
            where=url.place,
            hint=f"Grant {names} to the account: GRANT RELOAD ON *.* TO <account>; managed servers may refuse it.",
        )
    if code == _LOCK_WAIT_TIMEOUT:
        return SourceUnavailable(
            f"a long statement kept FLUSH TABLES WITH READ LOCK from the server for {LOCK_WAIT} seconds",
            where=url.place,
            hint="Look at SHOW FULL PROCESSLIST, and try again when it is done.",
        )
    return translate(error, url)
