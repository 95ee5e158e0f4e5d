"""Whether a sync is running and how far it is: a difference that it will remove is none."""

from __future__ import annotations

import time

from migrator.model.change.coordinates import is_before
from migrator.model.change.events import Scope, SyncReport
from migrator.model.change.position import Position
from migrator.ports.sync import SyncTarget
from migrator.ports.sync_state import SyncState

# A sync notes how it is doing every second or so.
_SILENT = 15.0
_POLL_SECONDS = 0.3


class SyncMonitor:
    """The sync that runs during a verify."""

    def __init__(self, target: SyncTarget | None) -> None:
        self._target = target
        self._state: SyncState | None = None if target is None else target.sync_state()
        self._report: SyncReport | None = None
        self._reported_at = 0.0
        self._polled_at = 0.0
        # None before it was asked for.
        self._alive: bool | None = None

    @property
    def is_running(self) -> bool:
        """A sync is at work."""
        self._poll()
        return bool(self._alive)

    def serves(self, scope: Scope) -> bool:
        """That sync writes to this very collection."""
        return self.is_running and self._report is not None and self._report.serving.get(scope.collection) == scope.run

    def has_passed(self, scope: Scope, position: Position) -> bool:
        """Everything logged before `position` is in the documents: it was read, and nothing that was read waits.

        The position is looked at before what waits: what was put off on the way to it was recorded before it was saved.
        """
        self._poll()
        if self._report is None or self._report.position is None or self._state is None:
            return False
        return not is_before(self._report.position, position) and not self._state.dirty.count([scope])

    def _poll(self) -> None:
        if self._alive is None:
            self._alive = self._is_owner()
        if self._state is None or not self._alive or time.monotonic() - self._polled_at < _POLL_SECONDS:
            return
        report = self._state.reports.last()
        self._polled_at = time.monotonic()
        if report is not None and (self._report is None or report.at != self._report.at):
            self._reported_at = self._polled_at
        self._report = report
        if report is not None and report.state == "stopped":
            self._alive = False
        elif self._polled_at - self._reported_at > _SILENT:
            self._alive = self._is_owner()

    def _is_owner(self) -> bool:
        """The one that has the lease is the one that reports."""
        if self._target is None or self._state is None:
            return False
        owner = self._target.sync_lease_owner()
        self._report = self._state.reports.last()
        self._polled_at = self._reported_at = time.monotonic()
        return owner is not None and self._report is not None and self._report.owner == owner
