"""Announces what a command is doing: one port for bars, lines, logs, metrics and the record that `status` reads.

The worker announces which phase begins, and wraps waits in `waiting`. A thread notifies the listeners again about every
second, so that a waiting worker does not have to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Protocol

from migrator.errors import MigratorError
from migrator.model.report.activity import Activity, Command, Phase, Wait
from migrator.waits import Building

_TELL_EVERY = 1.0
# What takes less is no wait.
_SHORT = 1.0
# A wait of so many seconds is asked about, and again after so many.
_ASK_AFTER = 2.5
_ASK_EVERY = 2.0
# How long an end waits for its thread.
_PATIENCE = 2.0

# Whoever had it and did not give it back may live on another machine, which takes ten seconds to find out.
LEASE = "the lease of the target: the process that had it may still be running"

# Says more about a wait: how far an index is, which lock is awaited; "" for nothing. May take its time, and may raise
# MigratorError: then no more is asked.
Ask = Callable[[], str]


class ActivityListener(Protocol):
    """Is told what a command is doing."""

    def doing(self, activity: Activity) -> None:
        """At every change, and about once a second; from any thread, never concurrently. Must not block."""
        ...


class Announcer(Protocol):
    """What those are handed who work."""

    def enter(self, phase: Phase) -> None:
        """This is being done from now on."""
        ...

    def in_background(self, phase: Phase) -> AbstractContextManager[None]:
        """This is done at the same time, for the length of the block."""
        ...

    def waiting(self, what: str, ask: Ask | None = None) -> AbstractContextManager[None]:
        """Nothing goes on for the length of the block, in which `what` is waited for; that completes "waiting for"."""
        ...


class SilentAnnouncer:
    """Implements Announcer where nobody listens."""

    def enter(self, phase: Phase) -> None:
        """Nobody listens."""

    def in_background(self, phase: Phase) -> AbstractContextManager[None]:
        return nullcontext()

    def waiting(self, what: str, ask: Ask | None = None) -> AbstractContextManager[None]:
        return nullcontext()


SILENT: Announcer = SilentAnnouncer()


@dataclass(slots=True, eq=False)
class _OpenedWait:
    what: str
    since: float
    ask: Ask | None
    is_asked: bool = False
    is_over: bool = False
    detail: str = ""


class Announcements:
    """Implements Announcer: notifies listeners for the length of a block."""

    def __init__(self, command: Command, *listeners: ActivityListener) -> None:
        self._command = command
        self._listeners = list(listeners)
        self._lock = threading.RLock()
        self._phase = Phase("starting")
        self._entered = time.monotonic()
        self._background: list[Phase] = []
        self._waits: list[_OpenedWait] = []
        self._failure: Exception | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="migrator-announce", daemon=True)

    def __enter__(self) -> Announcements:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join(_PATIENCE)

    def enter(self, phase: Phase) -> None:
        with self._lock:
            if phase == self._phase:
                return
            # Another step of the same phase: that goes on.
            if replace(phase, what="") != replace(self._phase, what=""):
                self._entered = time.monotonic()
            self._phase = phase
            self._tell()
        self._raise_failure()

    @contextmanager
    def in_background(self, phase: Phase) -> Iterator[None]:
        with self._lock:
            self._background.append(phase)
            self._tell()
        try:
            yield
        finally:
            with self._lock:
                self._background.remove(phase)
                self._tell()

    @contextmanager
    def waiting(self, what: str, ask: Ask | None = None) -> Iterator[None]:
        wait = _OpenedWait(what, time.monotonic(), ask)
        with self._lock:
            self._waits.append(wait)
        try:
            yield
        finally:
            wait.is_over = True
            with self._lock:
                self._waits.remove(wait)
                if time.monotonic() - wait.since >= _SHORT:
                    self._tell()

    @contextmanager
    def also(self, listener: ActivityListener) -> Iterator[None]:
        """Another listener for the length of the block, which is also told how the block ended."""
        with self._lock:
            self._listeners.append(listener)
            listener.doing(self._activity())
        ended = "done"
        try:
            yield
        except BaseException as error:
            ended = error.what if isinstance(error, MigratorError) else "stopped by the user"
            if not isinstance(error, MigratorError | KeyboardInterrupt):
                ended = f"unexpected {type(error).__name__}"
            raise
        finally:
            with self._lock:
                self._listeners.remove(listener)
                listener.doing(replace(self._activity(), waiting=None, ended=ended))

    def _activity(self) -> Activity:
        now = time.monotonic()
        # The innermost wait says most.
        waits = (wait for wait in reversed(self._waits) if now - wait.since >= _SHORT)
        wait = next(waits, None)
        return Activity(
            command=self._command,
            phase=self._phase,
            seconds=round(now - self._entered, 1),
            beside=self._background[-1] if self._background else None,
            waiting=None if wait is None else Wait(wait.what, round(now - wait.since, 1), wait.detail),
        )

    def _tell(self) -> None:
        activity = self._activity()
        for each in self._listeners:
            each.doing(activity)

    def _run(self) -> None:
        try:
            while not self._ending.wait(_TELL_EVERY):
                with self._lock:
                    self._tell()
                    for wait in self._waits:
                        if wait.ask is not None and not wait.is_asked and time.monotonic() - wait.since > _ASK_AFTER:
                            wait.is_asked = True
                            threading.Thread(target=self._keep_asking, args=(wait, wait.ask), daemon=True).start()
        except Exception as failure:
            # Raised where somebody can act on it: a reader of what is printed may have gone away.
            self._failure = failure

    def _keep_asking(self, wait: _OpenedWait, ask: Ask) -> None:
        """In a thread of its own: who is asked may not answer, either."""
        while not wait.is_over:
            try:
                wait.detail = ask()
            except MigratorError:
                # The account may not ask, or nobody answers: the wait is told without it.
                wait.detail = ""
                return
            self._ending.wait(_ASK_EVERY)
            if self._ending.is_set():
                return

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure


class OpenWait:
    """A wait that ends somewhere else than it begins; over at the end of a block at the latest."""

    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer
        self._what = ""
        self._stack = ExitStack()

    def __enter__(self) -> OpenWait:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def begin(self, what: str, ask: Ask | None = None) -> None:
        """Of what is waited for already, the wait goes on."""
        if what != self._what:
            self.end()
            self._what = what
            self._stack.enter_context(self._announcer.waiting(what, ask))

    def end(self) -> None:
        """Something goes on."""
        self._what = ""
        self._stack.close()


def index_building(announcer: Announcer, collection: str, ask: Ask, afterwards: Phase) -> Building:
    """Says which index of a collection is built, and asks the target how far it is; `afterwards` comes after each."""

    @contextmanager
    def building(number: int, count: int, index: str) -> Iterator[None]:
        announcer.enter(Phase("building-index", collection, number, count))
        with announcer.waiting(f"the target to build {index}", ask):
            yield
        announcer.enter(afterwards)

    return building
