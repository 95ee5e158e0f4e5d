"""Reports the progress of an apply's catch-up, and whether it will not end at this rate."""

from __future__ import annotations

import time
from collections.abc import Sequence

from migrator.copy.catch_up_trend import CatchUp, Trend, TrendSample
from migrator.copy.options import Observer
from migrator.model.change.events import Scope
from migrator.ports.sync import FollowedSource
from migrator.ports.sync_state import DirtyRefs
from migrator.sync.follower import Progress

_REPORT_EVERY = 1.0
# The source and the target are asked for what is left.
_ASK_EVERY = 5.0
_WARN_EVERY = 300.0


class CatchUpWatch:
    """Looks at a follower's progress between its batches."""

    def __init__(self, source: FollowedSource, dirty: DirtyRefs, scopes: Sequence[Scope], observer: Observer) -> None:
        self._source = source
        self._stored = dirty
        self._scopes = scopes
        self._observer = observer
        self._started = time.monotonic()
        self._trend = Trend(self._started)
        self._reported = self._asked = float("-inf")
        self._warned = float("-inf")
        self._bytes_left: int | None = None
        self._dirty = 0
        self._clock_ahead = 0.0

    def look(self, progress: Progress) -> None:
        """Reports about once a second; says at most every few minutes that the end does not come nearer."""
        now = time.monotonic()
        if now - self._reported < _REPORT_EVERY:
            return
        self._reported = now
        if now - self._asked >= _ASK_EVERY:
            self._asked = now
            self._ask(progress)
        rebuilt = progress.rebuilt
        report = self._trend.add(
            TrendSample(
                at=now,
                changes=progress.changes,
                documents=rebuilt.written + rebuilt.deleted,
                # By the source's clock, which stamped its commits; what it said of it last is a little off.
                logged=max(0.0, time.time() + self._clock_ahead - progress.committed_at)
                if progress.committed_at
                else None,
                bytes_left=self._bytes_left,
                dirty=self._dirty,
            )
        )
        self._observer.catching_up(report)
        if report.growing and now - self._warned >= _WARN_EVERY:
            self._warned = now
            self._observer.note(endless(report))

    def _ask(self, progress: Progress) -> None:
        if progress.position is not None:
            log = self._source.log_status(progress.position)
            self._bytes_left, self._clock_ahead = log.bytes, log.clock - time.time()
        self._dirty = self._stored.count(self._scopes) if progress.waiting else 0


def endless(report: CatchUp) -> str:
    """What to say when the end does not come nearer."""
    return (
        f"at this rate it will not catch up: {' and '.join(report.growing)} did not become less in the last minute "
        f"({report.changes_rate:,.0f} changes a second are read, {report.documents_rate:,.0f} documents written). "
        "What helps: fewer writes at the source for a while (a batch job, an import), fewer collections at a time "
        "(--collection), a shorter way to both servers. Nothing is lost and nothing goes live meanwhile; after Ctrl-C "
        "the same apply goes on here."
    )
