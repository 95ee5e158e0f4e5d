"""Catches up, and prints the seconds since the first change was read; 0 when there was none.

    python -m benchmarks.timed_sync SOURCE TARGET MAPPINGS

What start and end of a process take is not in them.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from migrator import api
from migrator.model.change.events import Rows, SyncReport
from migrator.model.mapping.policies import Policies
from migrator.model.report.activity import Activity
from migrator.planning.planner import MappingFiles
from migrator.sync import follower
from migrator.sync.log_queue import LogQueue, QueuedEvent
from migrator.sync.sync import SyncOptions
from migrator.workers.interrupt import StopRequest

PREFIX = "seconds since the first change: "


class Timed(LogQueue):
    """Notes when the first change of a row was taken."""

    began: float | None = None

    def take(self, seconds: float) -> QueuedEvent | None:
        found = super().take(seconds)
        if Timed.began is None and found is not None and isinstance(found.event, Rows):
            Timed.began = time.perf_counter()
        return found


class Quiet:
    """Implements migrator.sync.sync.SyncObserver."""

    def reported(self, report: SyncReport) -> None:
        """Not shown."""

    def doing(self, activity: Activity) -> None:
        """Not shown."""

    def note(self, text: str) -> None:
        print(text)


def main(source: str, target: str, mappings: str) -> None:
    follower.Intake = Timed  # type: ignore[misc]
    options = SyncOptions(until_caught_up=True)
    api.sync(source, target, MappingFiles(Path(mappings), Policies()), options, Quiet(), StopRequest())
    print(f"{PREFIX}{0.0 if Timed.began is None else time.perf_counter() - Timed.began:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
