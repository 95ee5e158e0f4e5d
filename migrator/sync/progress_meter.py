"""The report of a sync: its progress and rate, and the time until the log expires."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime

from migrator.model.change.events import LogStatus, SyncPhase, SyncReport
from migrator.sync.follower import Progress

REPORT_EVERY = 1.0
LOG_STATUS_EVERY = 5.0
_RATE_OVER = 10.0
# The log's end is seen about every second, and reported every second.
_JUST_NOW = 2.5
# Under a load without pause the end is never seen; who is no further from it than a batch or two follows all the same.
_CLOSE = 3.0


class Meter:
    """Turns progress into reports."""

    def __init__(self, owner: str) -> None:
        self.serving: Mapping[str, str] = {}
        self.dirty = 0
        self._owner = owner
        self._started = _iso(time.time())
        self._progress = Progress()
        self._log: LogStatus | None = None
        self._clock_ahead = 0.0
        self._changes_before = self._documents_before = 0
        self._changes: deque[tuple[float, int]] = deque()
        self._reported_at = self._log_asked_at = float("-inf")

    def begin(self) -> None:
        """Another follower, perhaps from an earlier position: nothing is known of it yet, but what was counted so far
        stays."""
        self._changes_before += self._progress.changes
        self._documents_before += _touched(self._progress)
        self._progress = Progress()
        self._log = None
        self._log_asked_at = float("-inf")
        self.dirty = 0

    def take(self, progress: Progress) -> None:
        self._progress = progress

    @property
    def age(self) -> float:
        """Seconds since the last report."""
        return time.monotonic() - self._reported_at

    def log_due(self) -> bool:
        """Whether it is time to ask the source about its log again."""
        if time.monotonic() - self._log_asked_at < LOG_STATUS_EVERY:
            return False
        self._log_asked_at = time.monotonic()
        return True

    def log(self, found: LogStatus) -> None:
        """What the source has just said."""
        self._log = found
        self._clock_ahead = found.clock - time.time()

    def report(self, *, stopped: bool = False, error: str = "") -> SyncReport:
        """How it stands now."""
        self._reported_at = time.monotonic()
        progress, log = self._progress, self._log
        changes = self._changes_before + progress.changes
        lag = self._lag()
        return SyncReport(
            owner=self._owner,
            started=self._started,
            at=_iso(time.time()),
            serving=dict(self.serving),
            position=progress.position,
            logged_at=_iso(progress.committed_at) if progress.committed_at else "",
            lag_seconds=None if lag is None else round(lag, 1),
            lag_transactions=0 if progress.caught_up and not lag else (log.transactions if log else None),
            expires_in=log.expires_in if log else None,
            dirty=self.dirty,
            changes=changes,
            documents=self._documents_before + _touched(progress),
            rate=round(self._rate(changes), 1),
            state="stopped" if stopped else _state(progress, lag),
            error=error,
        )

    def _lag(self) -> float | None:
        """Since when there may be something that is not done; None as long as nobody knows."""
        progress = self._progress
        known = []
        if progress.caught_up_at:
            idle = time.monotonic() - progress.caught_up_at
            known.append(0.0 if progress.caught_up and idle < _JUST_NOW else idle)
        if progress.done_at:
            known.append(max(0.0, time.time() + self._clock_ahead - progress.done_at))
        return min(known, default=None)

    def _rate(self, changes: int) -> float:
        now = time.monotonic()
        self._changes.append((now, changes))
        while self._changes[0][0] < now - _RATE_OVER and len(self._changes) > 1:
            self._changes.popleft()
        since, before = self._changes[0]
        return (changes - before) / (now - since) if now > since else 0.0


def _state(progress: Progress, lag: float | None) -> SyncPhase:
    if lag is None:
        return "unknown"
    return "following" if lag <= _CLOSE and not progress.waiting else "catching-up"


def _touched(progress: Progress) -> int:
    return progress.rebuilt.written + progress.rebuilt.deleted


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
