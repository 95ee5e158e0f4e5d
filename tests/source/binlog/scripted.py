"""A reader over events that are given, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from migrator.model.change.events import TableName, Watch
from migrator.model.change.position import Position, ServerIdentity
from migrator.source.binlog.events.packets import Query
from migrator.source.binlog.positions.cursor import Cursor
from migrator.source.binlog.positions.gtids import NoGtids
from migrator.source.binlog.reader import BinlogReader

SERVER = ServerIdentity("mysql", "8.4.0", "u", 1)


class Scripted:
    """A stream of given events."""

    file, offset = "binlog.000001", 4

    def __init__(self, events: Iterable[bytes]) -> None:
        self._events = iter(events)

    def next(self) -> bytes:
        return next(self._events)

    def rest(self) -> Iterator[bytes]:
        return iter(())


class NoStatements:
    """Nothing was logged as text."""

    def way_to_watched(self, query: Query, watches: Mapping[TableName, Watch], cursor: Cursor) -> str:
        raise AssertionError(query.text)

    def forget(self) -> None: ...

    def interrupt(self) -> None: ...


def reader(*events: bytes) -> BinlogReader:
    """Watches nothing."""
    found = BinlogReader(
        Scripted(events),  # type: ignore[arg-type]
        SERVER,
        Position(SERVER, "", "binlog.000001", 4, "log"),
        NoGtids(),
        ended=lambda file, offset: True,
        charsets=lambda watches: {},
        text_statements=NoStatements(),
    )
    found.watch({})
    return found
