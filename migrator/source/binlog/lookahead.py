"""Whether definitions that are gone now were there when a statement was logged: the log itself tells, further on."""

from __future__ import annotations

import threading

from sqlalchemy import Connection

from migrator.errors import SourceUnavailable
from migrator.model.places import place_of
from migrator.model.position import ServerIdentity
from migrator.source.binlog import packets, wording
from migrator.source.binlog.compressed import plain_query
from migrator.source.binlog.cursor import Cursor
from migrator.source.binlog.packets import Corrupt, Event, Kind, parse_event
from migrator.source.binlog.places import LONGEST_OFFSET, LogStart, read_end
from migrator.source.binlog.stream import open_stream
from migrator.source.failure import translated
from migrator.source.url import SourceUrl


class Lookahead:
    """Reads the log once, however often it is asked, over a connection of its own.

    Attributes:
        _clear: from the first place to the second nothing was removed.
    """

    def __init__(self, url: SourceUrl, server: ServerIdentity, control: Connection) -> None:
        self._url = url
        self._server = server
        self._control = control
        self._clear: tuple[tuple[int, int], Cursor] | None = None
        self._stopping = threading.Event()

    def removed_since(self, file: str, offset: int) -> str:
        """The first statement between a place and the log's present end that may have removed definitions; "" for none.

        What was created since may be there too early, and is of no harm: who asks sees more than there was.

        Raises:
            SourceUnavailable: when the connection is lost, or `interrupt` was called.
        """
        with translated(self._url):
            end = read_end(self._control, self._server)
        first, start = place_of(file, offset), Cursor(file, offset)
        if self._clear is not None:
            since, until = self._clear
            if since <= first and not start.is_at_least(until.file, until.offset):
                first, start = since, until
        if start.offset > LONGEST_OFFSET:
            return f"what follows {start}, which can't be asked for"
        found = self._read(start, end.file, end.offset)
        if not found:
            self._clear = first, Cursor(end.file, end.offset)
        return found

    def interrupt(self) -> None:
        """From another thread: `removed_since` ends with SourceUnavailable."""
        self._stopping.set()

    def _read(self, start: Cursor, file: str, offset: int) -> str:
        if start.is_at_least(file, offset):
            return ""
        checksum = packets.CHECKSUM_BYTES
        with open_stream(self._url, self._server, LogStart(None, start.file, start.offset)) as stream:
            cursor = Cursor(start.file, start.offset)
            while not cursor.is_at_least(file, offset):
                if self._stopping.is_set():
                    raise SourceUnavailable("reading the change log was ended", where=self._url.place)
                data = stream.next()
                event = parse_event(data, checksum)
                cursor.pass_by(event)
                match event.kind:
                    case Kind.FORMAT_DESCRIPTION:
                        checksum = packets.checksum_bytes(data)
                    case Kind.QUERY | Kind.MARIADB_QUERY_COMPRESSED:
                        text = _text(event)
                        if wording.removes_definitions(text):
                            return " ".join(text.split())[:200]
        return ""


def _text(event: Event) -> str:
    if event.kind == Kind.QUERY:
        return packets.query(event.body).text
    try:
        return packets.query(plain_query(event.body)).text
    except Corrupt:
        # The reader stops at it when it gets there; until then it may be anything.
        return "ALTER TABLE"
