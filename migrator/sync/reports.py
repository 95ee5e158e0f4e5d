"""Reports of a sync: about every second, in the middle of a long batch and of a wait, too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import TracebackType

from migrator.errors import MigratorError
from migrator.model.change.events import SyncReport
from migrator.sync.progress_meter import REPORT_EVERY, Meter
from migrator.workers.announcer import Announcer

Tell = Callable[[SyncReport], None]

# The work's own thread, which knows more, comes first while it goes on.
_LATE = 1.5 * REPORT_EVERY
_PATIENCE = 5.0
_NOTED = "the target to take a report"


class Reports:
    """Tells the state and observers, one report after the other, for the length of a block.

    A report says how it stands when it is made: while a batch lasts, the lag grows.
    """

    def __init__(self, meter: Meter, note: Tell, tell: Tell, announcer: Announcer) -> None:
        """
        Args:
            note: into the state.
            tell: an observer.
            announcer: hears of a target that takes its time.
        """
        self._announcer = announcer
        self._meter = meter
        self._note = note
        self._tell = tell
        # Who makes a report notes it before the next one is made: an older one must not come last.
        self._turn = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="migrator-report", daemon=True)

    def __enter__(self) -> Reports:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join(_PATIENCE)

    def now(self) -> SyncReport:
        """One at once."""
        with self._announcer.waiting(_NOTED), self._turn:
            return self._make()

    def serving(self, serving: Mapping[str, str]) -> SyncReport:
        """One with other collections, of which nothing is known yet."""
        with self._announcer.waiting(_NOTED), self._turn:
            self._meter.begin()
            self._meter.serving = serving
            return self._make()

    def last(self, error: str = "") -> SyncReport:
        """The last one, after which none comes."""
        self._ending.set()
        with self._announcer.waiting(_NOTED), self._turn:
            return self._make(stopped=True, error=error)

    def _make(self, *, stopped: bool = False, error: str = "") -> SyncReport:
        report = self._meter.report(stopped=stopped, error=error)
        self._note(report)
        self._tell(report)
        return report

    def _run(self) -> None:
        while not self._ending.wait(REPORT_EVERY / 4):
            with self._turn:
                if self._ending.is_set() or self._meter.age < _LATE:
                    continue
                try:
                    self._make()
                except MigratorError:
                    # The next report is tried all the same, and one of the work's own thread raises it.
                    continue
