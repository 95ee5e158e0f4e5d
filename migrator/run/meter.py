"""What a sync says of itself: how far it is, how fast, how much time the log leaves it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from migrator.model.change import LogStatus, SyncReport
from migrator.run.follow import Progress

REPORT_EVERY = 1.0
LOG_STATUS_EVERY = 5.0
_RATE_OVER = 10.0

State = Literal["catching-up", "following", "standby", "stopped"]


class Meter:
    """Turns progress into reports."""

    def __init__(self, owner: str) -> None:
        self.serving: Mapping[str, str] = {}
        self.log: LogStatus | None = None
        self.dirty = 0
        self._owner = owner
        self._started = _iso(time.time())
        self._progress = Progress()
        self._changes_before = self._documents_before = 0
        self._changes: deque[tuple[float, int]] = deque()
        self._reported_at = self._log_asked_at = float("-inf")

    def begin(self) -> None:
        """Another follower counts from zero: what was counted so far stays."""
        self._changes_before += self._progress.changes
        self._documents_before += _touched(self._progress)
        self._progress = Progress(self._progress.position, self._progress.committed_at)

    def take(self, progress: Progress) -> None:
        self._progress = progress

    def due(self) -> bool:
        """Whether it is time for a report."""
        return time.monotonic() - self._reported_at >= REPORT_EVERY

    def log_due(self) -> bool:
        """Whether it is time to ask the source about its log again."""
        if time.monotonic() - self._log_asked_at < LOG_STATUS_EVERY:
            return False
        self._log_asked_at = time.monotonic()
        return True

    def report(self, state: State, error: str = "") -> SyncReport:
        self._reported_at = time.monotonic()
        progress = self._progress
        changes = self._changes_before + progress.changes
        committed = progress.committed_at
        lag = 0.0 if progress.quiet or not committed else max(0.0, time.time() - committed)
        return SyncReport(
            owner=self._owner,
            started=self._started,
            at=_iso(time.time()),
            serving=dict(self.serving),
            position=progress.position,
            logged_at=_iso(committed) if committed else "",
            lag_seconds=round(lag, 1),
            lag_transactions=0 if progress.quiet else (self.log.transactions if self.log else None),
            expires_in=self.log.expires_in if self.log else None,
            dirty=self.dirty,
            changes=changes,
            documents=self._documents_before + _touched(progress),
            rate=round(self._rate(changes), 1),
            state=state,
            error=error,
        )

    def _rate(self, changes: int) -> float:
        now = time.monotonic()
        self._changes.append((now, changes))
        while self._changes[0][0] < now - _RATE_OVER and len(self._changes) > 1:
            self._changes.popleft()
        since, before = self._changes[0]
        return (changes - before) / (now - since) if now > since else 0.0


def _touched(progress: Progress) -> int:
    return progress.rebuilt.written + progress.rebuilt.deleted


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
