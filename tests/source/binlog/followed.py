"""A log reader over a database of the tests, and the words to look at what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from migrator.model.change.coordinates import log_coordinates
from migrator.model.change.events import CaughtUp, Commit, LogEvent, Rows, Statement, TableName, Truncate, Watch
from migrator.model.change.position import Position
from migrator.source import MySQLSource
from migrator.source.binlog.positions.log_start import read_end
from migrator.source.connection.connect import connected

Columns = Mapping[str, tuple[str, ...]]


def watches_of(source: MySQLSource, tables: Iterable[str], columns: Columns) -> dict[TableName, Watch]:
    """Tables of the source's database; all of their columns, or those in `columns`."""
    schema = source.schema()
    found = {}
    for name in tables:
        table = schema.table(source.url.database, name)
        assert table is not None, name
        wanted = columns.get(name) or tuple(column.name for column in table.columns)
        found[table.schema, name] = Watch(table, wanted)
    return found


class Followed:
    """What a reader says, from where it was opened on."""

    def __init__(self, source: MySQLSource, watches: Mapping[TableName, Watch], position: Position | None) -> None:
        start = position or source.position()
        assert start is not None
        self.source = source
        self.start = start
        self._context = source.follow(start, watches)
        self.reader = self._context.__enter__()
        self._events = self.reader.events()

    def close(self) -> None:
        self._context.__exit__(None, None, None)

    def next(self) -> LogEvent:
        return next(self._events)

    def transactions(self) -> Iterator[list[LogEvent]]:
        """Until where the log ends now, whole; those of other databases, which other tests write to, are left out."""
        with connected(self.source.url) as connection:
            end = read_end(connection, self.start.server)
        found: list[LogEvent] = []
        for event in self._events:
            if isinstance(event, CaughtUp):
                assert not found
                return
            found.append(event)
            if isinstance(event, Commit):
                if any(self._is_own(one) for one in found):
                    yield found
                found = []
                reached = self.reader.reached
                if log_coordinates(reached.file, reached.offset) >= log_coordinates(end.file, end.offset):
                    return

    def until_quiet(self) -> list[LogEvent]:
        """The events of `transactions`, one after the other."""
        return [event for transaction in self.transactions() for event in transaction]

    def _is_own(self, event: LogEvent) -> bool:
        if isinstance(event, Statement):
            return event.database == self.source.url.database
        return isinstance(event, (Rows, Truncate))

    def until(self, kind: type[LogEvent]) -> LogEvent:
        for event in self._events:
            if isinstance(event, kind):
                return event
        raise AssertionError("the stream ended")

    def until_end(self) -> None:
        """Until the stream fails."""
        for _ in self._events:
            pass

    def changes(self) -> list[tuple[str, object, object]]:
        """Table, before and after of every row until the log's end."""
        return changes_in(self.until_quiet())


def changes_in(events: Sequence[LogEvent]) -> list[tuple[str, object, object]]:
    return [
        (event.table[1], change.before, change.after)
        for event in events
        if isinstance(event, Rows)
        for change in event.changes
    ]


def commits_in(events: Sequence[LogEvent]) -> list[Commit]:
    return [event for event in events if isinstance(event, Commit)]
