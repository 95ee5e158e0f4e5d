"""What a copy has to remember of the source's rows (DESIGN premise B): its moment is before the first chunk, the work
of it beside the chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migrator.changes.cascades import Tracked
from migrator.changes.resolve import Resolver
from migrator.errors import SourceUnavailable
from migrator.model.change import Scope
from migrator.run.beside import IsOver
from migrator.run.remember import Moment, remember
from migrator.run.retry import retrying
from migrator.run.sync_ports import FollowedSource, SyncState
from migrator.run.tracking import Tracker


class Memory:
    """All rows of some tables, as of the moment when this is made."""

    def __init__(
        self,
        run: str,
        tables: Sequence[Tracked],
        tracker: Tracker,
        source: FollowedSource,
        state: SyncState,
        resolvers: Mapping[Scope, Resolver],
        retry_seconds: float,
    ) -> None:
        self._run = run
        self._tables = tables
        self._tracker = tracker
        self._source = source
        self._state = state
        self._resolvers = resolvers
        self._retrying = retrying(retry_seconds)
        self._moment = self._retrying(lambda: Moment(source))

    def fill(self, is_over: IsOver) -> None:
        """Returns when every row is in the state, or when `is_over` says so before: then nothing is noted of it.

        Where the moment is lost with its connection, a later one serves if every document is made anew from snapshots
        behind it: in between, cascades may have gone unseen.
        """
        try:
            self._moment.remember(self._tables, self._tracker, is_over)
        except SourceUnavailable:
            self._retrying(lambda: remember(self._source, self._tables, self._tracker, is_over))
            for scope, resolver in self._resolvers.items():
                self._state.mark_dirty(scope, resolver.everything())
        if not is_over():
            self._state.note_tracked_tables(self._run, {each.table: each.columns for each in self._tables})

    def close(self) -> None:
        self._moment.close()
