"""What a copy has to remember of the source's rows (DESIGN premise B): its moment is before the first chunk, the work
of it beside the chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.changes.cascades import Tracked
from migrator.changes.resolve import Resolver
from migrator.errors import SourceUnavailable
from migrator.model.change import Scope, TableName, TrackedRow
from migrator.model.position import Position
from migrator.run.beside import IsOver
from migrator.run.remember import Moment, remember
from migrator.run.retry import retrying
from migrator.run.sync_ports import FollowedSource, SyncState
from migrator.run.tracking import Tracker


@dataclass(frozen=True, slots=True)
class Part:
    """What is remembered for one collection."""

    scope: Scope
    tables: Sequence[Tracked]
    tracker: Tracker
    resolver: Resolver


class Memory:
    """All rows that some collections need, as of the moment when this is made.

    Attributes:
        is_late: that moment was lost with its connection, and a later one taken.
    """

    def __init__(self, parts: Sequence[Part], source: FollowedSource, state: SyncState, retry_seconds: float) -> None:
        self.is_late = self._is_begun = False
        self._parts = parts
        self._tables = _together(parts)
        self._source = source
        self._state = state
        self._retrying = retrying(retry_seconds)
        self._moment = self._retrying(lambda: Moment(source))

    @property
    def tables(self) -> list[str]:
        """Names, for people."""
        return [each.table[1] for each in self._tables]

    @property
    def scopes(self) -> list[Scope]:
        return [part.scope for part in self._parts]

    @property
    def position(self) -> Position | None:
        """See Moment."""
        return self._moment.position

    def fill(self, is_over: IsOver) -> None:
        """Returns when every row is in the state, or when `is_over` says so before: then nothing is noted of it.

        Where the moment is lost with its connection, a later one serves if every document is made anew from snapshots
        behind it: in between, cascades may have gone unseen.
        """
        self._is_begun = True
        try:
            self._moment.remember(self._tables, self._load, is_over)
        except SourceUnavailable:
            if not is_over():
                self._begin_later(is_over)
        finally:
            # A snapshot that stays open holds back ALTER TABLE, and the server's purge of old row versions.
            self._moment.close()
        if not is_over():
            for part in self._parts:
                self._state.note_tracked_tables(part.scope, {each.table: each.columns for each in part.tables})

    def close(self) -> None:
        """For a memory that was never filled; what has begun closes by itself, in its own thread."""
        if not self._is_begun:
            self._moment.close()

    def _begin_later(self, is_over: IsOver) -> None:
        self.is_late = True
        position = self._retrying(lambda: remember(self._source, self._tables, self._load, is_over))
        for part in self._parts:
            self._state.mark_dirty(part.scope, part.resolver.everything())
        if position is not None:
            self._state.save([part.scope for part in self._parts], position)

    def _load(self, rows: Sequence[TrackedRow]) -> None:
        for part in self._parts:
            if any(each.table == rows[0].table for each in part.tables):
                self._retrying(part.tracker.load, rows)


def _together(parts: Sequence[Part]) -> list[Tracked]:
    """Every table once, with the columns that any part needs."""
    found: dict[TableName, Tracked] = {}
    for each in [each for part in parts for each in part.tables]:
        before = found.get(each.table, each)
        found[each.table] = Tracked(each.table, each.key, tuple(dict.fromkeys((*before.columns, *each.columns))))
    return list(found.values())
