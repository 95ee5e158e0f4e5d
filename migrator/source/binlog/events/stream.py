"""The server's log as a stream of events over one connection.

mysql-replication opens it: heartbeats, checksums, and the dump commands of both servers, with GTIDs or by file and
offset. Its events are not used, for they lose what must not be lost: bytes of values (edge cases 3, 4, 5, 13, 16),
statements with status variables that it doesn't know, whole tables with a type that it doesn't know, offsets beyond
4 GB; and it reconnects by itself, to a position that may be in the middle of a transaction (edge case 35). So events
are read from its connection as packets, and a lost connection ends the stream.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pymysql.err import MySQLError
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import RotateEvent

from migrator.errors import LogLost, SourceError, SourceUnavailable, SyncBlocked
from migrator.model.change.position import ServerIdentity
from migrator.source.binlog.events.packets import Kind, kind_of
from migrator.source.binlog.positions.log_start import AGAIN, LogStart, require_position_server
from migrator.source.connection.connect import force_close, interrupt, open_blocking
from migrator.source.connection.driver import DriverConnection
from migrator.source.connection.failure import error_code, translate
from migrator.source.connection.identity import IDENTITY_QUERY, identity_of
from migrator.source.connection.url import SourceUrl

HEARTBEAT = 0.5  # seconds without events after which the server says that it is there
_SILENCE = 30  # seconds without even that: the connection is lost

_FATAL_READING = 1236  # ER_MASTER_FATAL_ERROR_READING_BINLOG: purged, reset, or unreadable
_LOWEST_ID = 1 << 31
_END = b"\xfe"  # instead of an event: the server ends the stream
PIECE_BYTES = 1 << 20  # so much of a long event is read at a time

# What it says at every start and reconnect concerns its own decoding.
logging.getLogger("pymysqlreplication").addHandler(logging.NullHandler())
logging.getLogger("pymysqlreplication").propagate = False


class LogStream:
    """Raw events: each the bytes of a packet after its OK byte. Blocking."""

    def __init__(self, connection: DriverConnection, url: SourceUrl, file: str, offset: int) -> None:
        self._connection = connection
        self._url = url
        self._rest: Iterator[bytes] = iter(())
        self.file = file
        self.offset = offset

    def next(self) -> bytes:
        """The next event; a heartbeat comes when there is none for HEARTBEAT seconds.

        Of a TRANSACTION_PAYLOAD event, which may be a gigabyte, only the beginning: `rest` has the others.

        Raises:
            SyncBlocked: when the server can't go on from here.
            SourceUnavailable: when the connection is lost, or this stream's replication id is used by another one.
        """
        for _ in self._rest:  # what nobody wanted of the event before
            pass
        pieces = self._pieces()
        first = next(pieces, b"")
        if first[:1] == _END:
            raise SourceUnavailable("the server ended the stream of its change log", where=self._url.place)
        if kind_of(first[1:]) == Kind.TRANSACTION_PAYLOAD:
            self._rest = pieces
            return first[1:]
        return b"".join((first[1:], *pieces))

    def rest(self) -> Iterator[bytes]:
        """What follows of the event that `next` gave the beginning of, some at a time; raises as `next` does."""
        return self._rest

    def _pieces(self) -> Iterator[bytes]:
        try:
            yield from self._connection.packet_pieces(PIECE_BYTES)
        except MySQLError as error:
            raise dump_failure(error, self._url) from error
        except OSError as error:
            raise translate(error, self._url) from error

    def interrupt(self) -> None:
        """From another thread: `next` ends with SourceUnavailable."""
        interrupt(self._connection)


@contextmanager
def open_stream(url: SourceUrl, server: ServerIdentity, start: LogStart) -> Iterator[LogStream]:
    """A stream from `start` on, over a new connection, which must have reached `server` (premise A).

    Raises:
        SyncBlocked: when the server no longer has that place, or is another one.
        SourceError, SourceUnavailable: when there is no way in.
    """
    opened: list[DriverConnection] = []

    def connect(**settings: Any) -> DriverConnection:
        if len(opened) == 2:
            # It lost the connection before the first event, and would try for ever.
            raise SourceUnavailable("the connection was lost while the change log was opened", where=url.place)
        wanted = {name: settings[name] for name in ("cursorclass",) if name in settings}
        connection = open_blocking(url, read_timeout=_SILENCE, **wanted)
        opened.append(connection)
        if len(opened) == 1:
            with connection.cursor() as cursor:
                # Files may have checksums when the server writes none now; the library looks only at that.
                cursor.execute("SET @master_binlog_checksum = 'CRC32'")
                cursor.execute(IDENTITY_QUERY)
                require_position_server(identity_of((str(a), str(b)) for a, b in cursor.fetchall()), server, url)
        return connection

    library = BinLogStreamReader(
        connection_settings={},
        server_id=replication_id(server),
        blocking=True,
        resume_stream=True,
        only_events=[RotateEvent],
        slave_heartbeat=HEARTBEAT,
        pymysql_wrapper=connect,
        enable_logging=False,
        auto_position=start.gtids,
        log_file=start.file,
        log_pos=start.offset,
        is_mariadb=start.gtids is not None and server.flavor == "mariadb",
    )
    try:
        try:
            first = library.fetchone()
        except (MySQLError, OSError, RuntimeError) as error:
            raise dump_failure(error, url) from error
        if first is None:
            raise SourceUnavailable("the server ended the stream of its change log", where=url.place)
        yield LogStream(opened[0], url, first.next_binlog, first.position)
    finally:
        for connection in opened:
            with suppress(MySQLError, OSError):
                # Without a farewell: the server sends events and would not listen.
                force_close(connection)


def replication_id(server: ServerIdentity) -> int:
    """A number by which the server tells its replicas apart; it ends the stream of another one with the same.

    Random from the upper half of the 32 bits: people number their replicas from the lower end.
    """
    while True:
        number = _LOWEST_ID + secrets.randbelow(_LOWEST_ID)
        if number != server.server_id:
            return number


def dump_failure(error: Exception, url: SourceUrl) -> SourceError | SyncBlocked:
    """What ended a stream, or kept it from being opened."""
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    if error_code(error) != _FATAL_READING:
        return translate(error, url)
    if "same server_uuid/server_id" in text or "same server_id" in text:
        return SourceUnavailable(f"another replica has the same id: {text}", where=url.place)
    return LogLost(f"the server can't give its change log from there on: {text} (1236)", where=url.place, hint=AGAIN)
