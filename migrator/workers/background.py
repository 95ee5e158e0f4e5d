"""A thread of apply's own process, which has little to do while its workers copy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from migrator.errors import MigratorError
from migrator.workers.interrupt import uninterrupted

# Work that looks now and then whether it is to end early.
IsOver = Callable[[], bool]
Work = Callable[[IsOver], None]

_POLL_SECONDS = 0.5


class BackgroundThread:
    """Does `first` to its end, then `second` until the block is left; the block's end waits for `first`.

    A block that is left by an exception ends both.

    Attributes:
        fault: what ended `second`, which nobody needs to go on.
    """

    def __init__(self, first: Work, second: Work) -> None:
        self.fault: MigratorError | None = None
        self._first = first
        self._second = second
        self._failure: BaseException | None = None
        self._first_done = threading.Event()
        self._given_up = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="migrator-background", daemon=True)

    def check(self) -> None:
        """Raises what ended `first`."""
        if self._failure is not None:
            raise self._failure

    def wait_for_first(self, seconds: float) -> bool:
        """Whether it has come to its end within `seconds`."""
        return self._first_done.wait(seconds)

    def __enter__(self) -> BackgroundThread:
        try:
            with uninterrupted():
                self._thread.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # In pieces: a wait without end would not hear Ctrl-C everywhere.
            while kind is None and not self._first_done.wait(_POLL_SECONDS):
                pass
        finally:
            self._end()
        if kind is None:
            self.check()

    def _end(self) -> None:
        if not self._first_done.is_set():
            self._given_up.set()
        self._ending.set()
        # After another Ctrl-C the thread is left, and ends with the process.
        while self._thread.is_alive():
            self._thread.join(_POLL_SECONDS)

    def _run(self) -> None:
        try:
            self._first(self._given_up.is_set)
        except BaseException as failure:
            self._failure = failure
            return
        finally:
            self._first_done.set()
        if self._given_up.is_set():
            return
        try:
            self._second(self._ending.is_set)
        except MigratorError as fault:
            self.fault = fault


def nothing(_: IsOver) -> None:
    """For a side that has no work."""


def no_check() -> None:
    """For work with nothing in the background, so that nothing can have failed."""
