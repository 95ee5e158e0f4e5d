"""Keeps Ctrl-C and SIGTERM out of steps that must not be half done, or makes them a request to stop after the step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from migrator.workers.signals import handled_by, handlers


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A signal that comes inside the block is handled when the block ends. For steps that take no time.

    Python runs signal handlers in the main thread only, so elsewhere there is nothing to keep out.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    before = handlers()
    try:
        with handled_by(lambda number, frame: came.append((number, frame)), before):
            yield
    finally:
        for which, frame in came[:1]:
            late = before[signal.Signals(which)]
            if callable(late):
                late(which, frame)
            elif late == signal.SIG_DFL:
                signal.raise_signal(which)


class StopRequest:
    """Whether somebody asked to stop; by Ctrl-C or SIGTERM while `listening`, or by a call."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._heeded = False

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def ask(self) -> None:
        self._asked.set()

    def heed(self) -> None:
        """From now on the work looks at `asked`; before, a signal interrupts it."""
        self._heeded = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """After `heed`, the first signal requests a stop; any other signal interrupts at once. Elsewhere than in the
        main thread, does nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        before = handlers()

        def hear(number: int, frame: FrameType | None) -> None:
            if self._heeded and not self.asked:
                self.ask()
                return
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)
            raise KeyboardInterrupt

        with handled_by(hear, before):
            yield
