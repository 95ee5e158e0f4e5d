"""Ctrl-C and SIGTERM: acknowledged at once, whatever the command waits for; the second one ends it within seconds.

What a signal does to the work is decided by its handlers. Python runs them between two instructions of the main
thread, not while that waits for an answer in C code. So a thread of its own is woken by the signal itself
(https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from migrator.errors import ExitCode

Say = Callable[[str], None]

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOPPING = "stopping after the current work; Ctrl-C again to stop now"
CUT_OFF = "ended while it waited for an answer; the next run repeats the interrupted work"
# After the second signal. Nothing is lost by it: it leaves what kill -9 leaves.
_LAST_SECONDS = 4.0
# A terminal that takes no text must not hold the work.
_ANSWER_SECONDS = 2.0


@contextmanager
def interruptible(say: Say) -> Iterator[None]:
    """Both signals raise KeyboardInterrupt inside the block, where nobody else handles them, and are answered by `say`.
    A signal that is ignored, as nohup has it, stays ignored. Elsewhere than in the main thread this does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    found = {number: handler for number, handler in handlers().items() if handler != signal.SIG_IGN}
    answered = threading.Event()

    def interrupt(_: int, __: FrameType | None) -> NoReturn:
        # What is said of the end shall come after it.
        answered.wait(_ANSWER_SECONDS)
        raise KeyboardInterrupt

    with _answering(say, answered), handled_by(interrupt, found):
        yield


def handlers() -> dict[signal.Signals, Any]:
    """What handles each of the two signals now; None for what was not installed from Python."""
    return {number: signal.getsignal(number) for number in SIGNALS}


@contextmanager
def handled_by(
    handler: Callable[[int, FrameType | None], object], before: Mapping[signal.Signals, Any]
) -> Iterator[None]:
    """`handler` takes the place of those in `before`, for the length of the block. Main thread only."""
    # A handler that was not installed from Python can't be put back.
    replaced = {number: each for number, each in before.items() if each is not None}
    try:
        for number in replaced:
            signal.signal(number, handler)
        yield
    finally:
        for number, each in replaced.items():
            signal.signal(number, each)


@contextmanager
def _answering(say: Say, answered: threading.Event) -> Iterator[None]:
    listening, told = socket.socketpair()
    told.setblocking(False)
    thread = threading.Thread(target=_answer, args=(listening, say, answered), name="migrator-signals", daemon=True)
    thread.start()
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        told.close()
        thread.join()
        listening.close()


def _answer(listening: socket.socket, say: Say, answered: threading.Event) -> None:
    """Until the other end is closed. Each byte is the number of a signal."""
    count, end = 0, None
    while True:
        left = None if end is None else max(0.0, end - time.monotonic())
        if not select.select([listening], [], [], left)[0]:
            say(CUT_OFF)
            os._exit(ExitCode.INTERRUPTED)
        numbers = listening.recv(64)
        if not numbers:
            return
        came = sum(number in SIGNALS for number in numbers)
        if came and not count:
            say(STOPPING)
            answered.set()
        count += came
        if count > 1 and end is None:
            end = time.monotonic() + _LAST_SECONDS
