"""Records in the target what a command is doing, for `status`: in a thread, so that the work never waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from migrator.errors import MigratorError, Retryable
from migrator.model.report.activity import Activity

# How often a phase that goes on is recorded again: a sign of life.
NOTE_EVERY = 4.0
_PATIENCE = 5.0


class Recorder:
    """Implements migrator.workers.announcer.ActivityListener for the length of a block.

    Nobody needs the notes to go on: an account that may only read can verify all the same.
    """

    def __init__(self, note: Callable[[Activity], None], tell: Callable[[str], None]) -> None:
        """
        Args:
            note: into the target.
            tell: hears at the end why nothing could be recorded.
        """
        self._fault: MigratorError | None = None
        self._note = note
        self._tell = tell
        self._latest: Activity | None = None
        self._changed = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="migrator-record", daemon=True)

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The last word is recorded, too; a target that does not answer is not waited for."""
        self._ending.set()
        self._changed.set()
        self._thread.join(_PATIENCE)
        if self._fault is not None:
            self._tell(f"`migrator status` could not show what this did: {self._fault.what}")

    def doing(self, activity: Activity) -> None:
        before, self._latest = self._latest, activity
        if before is None or _gist(before) != _gist(activity):
            self._changed.set()

    def _run(self) -> None:
        while True:
            self._changed.wait(NOTE_EVERY)
            self._changed.clear()
            is_last = self._ending.is_set()
            try:
                if self._latest is not None:
                    self._note(self._latest)
            except Retryable:
                # The next note says the same and more.
                pass
            except MigratorError as fault:
                self._fault = fault
                return
            if is_last:
                return


def _gist(activity: Activity) -> tuple[object, ...]:
    """What is worth a note at once."""
    wait = activity.waiting
    return activity.phase, activity.beside, wait and (wait.what, wait.detail), activity.ended
