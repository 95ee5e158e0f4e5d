"""Whether definitions that are gone now existed when a statement was logged: the log shows it further on."""

from __future__ import annotations

import threading

from sqlalchemy import Connection

from migrator.errors import LogLost, SourceUnavailable
from migrator.model.change.coordinates import log_coordinates
from migrator.model.change.position import ServerIdentity
from migrator.source.binlog.events import packets
from migrator.source.binlog.events.compressed import plain_query
from migrator.source.binlog.events.packets import Corrupt, Event, Kind, Query, parse_event
from migrator.source.binlog.events.stream import open_stream
from migrator.source.binlog.positions.cursor import Cursor
from migrator.source.binlog.positions.log_start import AGAIN, LONGEST_OFFSET, LogStart, read_end
from migrator.source.binlog.statements import statement_kinds
from migrator.source.connection.failure import translated
from migrator.source.connection.url import SourceUrl

_MOST_REMOVALS = 10_000


class Lookahead:
    """Reads the log once, however often it is asked, over a connection of its own."""

    def __init__(self, url: SourceUrl, server: ServerIdentity, control: Connection) -> None:
        self._url = url
        self._server = server
        self._control = control
        # From the first place to the second these statements removed definitions, each with the place after it.
        self._since: tuple[int, int] = (0, 0)
        self._until = Cursor("", 0)
        self._removals: list[tuple[Cursor, Query]] = []
        self._stopping = threading.Event()

    def removals_since(self, file: str, offset: int) -> list[Query]:
        """The statements between a place and the log's present end that may have removed definitions.

        What was created since may be there too early, and is of no harm: who asks sees more than there was.

        Raises:
            SourceUnavailable: when the connection is lost, or `interrupt` was called.
        """
        with translated(self._url):
            end = read_end(self._control, self._server)
        start = Cursor(file, offset)
        if not self._since <= log_coordinates(file, offset) or start.is_at_least(self._until.file, self._until.offset):
            self._since, self._until, self._removals = log_coordinates(file, offset), start, []
        self._read(end.file, end.offset)
        # Nobody asks for an earlier place again.
        self._since = log_coordinates(file, offset)
        self._removals = [(place, query) for place, query in self._removals if place.is_at_least(file, offset + 1)]
        return [query for _, query in self._removals]

    def interrupt(self) -> None:
        """From another thread: `removals_since` ends with SourceUnavailable."""
        self._stopping.set()

    def _read(self, file: str, offset: int) -> None:
        if self._until.is_at_least(file, offset):
            return
        if self._until.offset > LONGEST_OFFSET:
            raise self._blocked(f"the place {self._until}, beyond 4 GB, can't be asked for")
        checksum = packets.CHECKSUM_BYTES
        cursor = Cursor(self._until.file, self._until.offset)
        with open_stream(self._url, self._server, LogStart(None, cursor.file, cursor.offset)) as stream:
            while not cursor.is_at_least(file, offset):
                if self._stopping.is_set():
                    raise SourceUnavailable("reading the change log was ended", where=self._url.place)
                data = stream.next()
                event = parse_event(data, checksum)
                cursor.pass_by(event)
                if event.kind == Kind.FORMAT_DESCRIPTION:
                    checksum = packets.checksum_bytes(data)
                elif event.kind in (Kind.QUERY, Kind.MARIADB_QUERY_COMPRESSED):
                    query = self._query(event, cursor)
                    if statement_kinds.removes_definitions(query.text):
                        if len(self._removals) == _MOST_REMOVALS:
                            raise self._blocked(f"more than {_MOST_REMOVALS:,} statements on definitions follow")
                        self._removals.append((Cursor(cursor.file, cursor.offset), query))
        # Only now: after an error the same is read again.
        self._until = cursor

    def _query(self, event: Event, cursor: Cursor) -> Query:
        if event.kind == Kind.QUERY:
            return packets.query(event.body)
        try:
            return packets.query(plain_query(event.body))
        except Corrupt as error:
            raise self._blocked(f"a compressed event at {cursor} can't be read: {error}") from error

    def _blocked(self, what: str) -> LogLost:
        return LogLost(f"the change log can't be read ahead: {what}", where=self._url.place, hint=AGAIN)
