"""The rows that a copy has to track (premise B): as of a moment before the first chunk, and read while chunks are
copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migrator.changes.document_refs import Resolver
from migrator.errors import SourceUnavailable
from migrator.model.change.events import Scope, TrackedRow
from migrator.model.change.position import Position
from migrator.ports.sync import SyncableSource
from migrator.ports.sync_state import SyncState
from migrator.sync.cascades.row_snapshot import UNSEEN, RowSnapshot, TrackedCollection, load_tracked_rows, tables_of
from migrator.workers.announcer import Announcer
from migrator.workers.background import IsOver
from migrator.workers.retry import retrying


class InitialLoad:
    """All rows that some collections need, as of the moment of `begin`.

    Attributes:
        is_late: that moment was lost with its connection, and a later one taken.
    """

    def __init__(
        self,
        parts: Sequence[TrackedCollection],
        resolvers: Mapping[Scope, Resolver],
        source: SyncableSource,
        state: SyncState,
        retry_seconds: float,
        announcer: Announcer,
    ) -> None:
        self.is_late = self._is_loading = False
        self._parts = parts
        self._resolvers = resolvers
        self._source = source
        self._state = state
        self._retrying = retrying(retry_seconds, announcer)
        self._announcer = announcer
        self._snapshot: RowSnapshot | None = None

    def begin(self) -> None:
        """Takes the snapshot (premise B: before the first one from which documents are made)."""
        with self._announcer.waiting("a snapshot of the source", self._source.blocked):
            self._snapshot = self._retrying(lambda: RowSnapshot.take(self._source))

    @property
    def tables(self) -> list[str]:
        """Names, for people."""
        return [each.table[1] for each in tables_of(self._parts)]

    @property
    def scopes(self) -> list[Scope]:
        return [part.scope for part in self._parts]

    @property
    def position(self) -> Position | None:
        """See RowSnapshot."""
        return self._taken.position

    def load(self, is_over: IsOver) -> None:
        """Returns when every row is in the state, or when `is_over` says so before: then nothing is recorded of it.

        Where the moment is lost with its connection, a later one serves if every document is rebuilt from snapshots
        after it: in between, cascades may have gone unseen.
        """
        self._is_loading = True
        try:
            self._taken.load(self._parts, self._load, is_over)
        except SourceUnavailable:
            if not is_over():
                self._begin_later(is_over)
        finally:
            # A snapshot that stays open holds back ALTER TABLE, and the server's purge of old row versions.
            self._taken.close()
        if not is_over():
            for part in self._parts:
                self._state.tracked.add_tables(part.scope, part.columns)

    def close(self) -> None:
        """Closes the snapshot where `load` was never called; otherwise `load` closes it, in its own thread."""
        if self._snapshot is not None and not self._is_loading:
            self._snapshot.close()

    @property
    def _taken(self) -> RowSnapshot:
        assert self._snapshot is not None, "begin comes first"
        return self._snapshot

    def _begin_later(self, is_over: IsOver) -> None:
        self.is_late = True
        position = self._retrying(lambda: load_tracked_rows(self._source, self._parts, self._load, is_over))
        for part in self._parts:
            self._state.dirty.mark(part.scope, self._resolvers[part.scope].everything(), UNSEEN)
        if position is not None:
            self._state.positions.save(self.scopes, position)

    def _load(self, part: TrackedCollection, rows: Sequence[TrackedRow]) -> None:
        """Tried again by itself: the moment can't be taken again."""
        self._retrying(part.tracker.load, rows)
