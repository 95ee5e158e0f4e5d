"""An apply in this process that can be stopped between any two commands to MongoDB, as SIGSTOP stops a real one.

Its threads stand where a command is about to be sent: after every look that came before it. What wakes them is the
test, at a moment of another apply. Hundreds of such moments are tried in the time that one real process needs.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import pymongo
import pytest
from pymongo import monitoring

from migrator.copy import apply as apply_module
from migrator.copy.chunk_worker import CopyEndpoints
from migrator.copy.options import ApplyOptions
from migrator.model.plan.plan import Plan
from migrator.source import open_source
from migrator.target import MongoTarget
from migrator.target.lease import Timing
from migrator.target.mongo.leases.store import LEASES
from migrator.target.url import MongoUrl, parse_target_url
from migrator.waits import SILENT_WAITS
from migrator.workers.pool import Factory, Outcome

SECONDS = 60.0
# `group`: all threads of the process stop. `worker`: one thread stops, and the others die as after `kill -9`.
Mode = Literal["group", "worker"]


class Killed(BaseException):
    """What ends a thread of a process that is killed."""


class Commands(monitoring.CommandListener):
    """Counts commands, and calls `before(n)` in the thread that is about to send the nth.

    What keeps or waits for a lease comes as often as there is time, so it has the number of the command before.
    """

    def __init__(self, before: Callable[[int], None]) -> None:
        self._before = before
        self._lock = threading.Lock()
        self.count = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        is_of_leases = event.command.get(event.command_name) == LEASES
        with self._lock:
            self.count += not is_of_leases
            number = self.count
        self._before(number)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


class Gate:
    """Where the threads of one apply stop: at its nth command."""

    def __init__(self, stop_at: int, mode: Mode) -> None:
        self._stop_at = stop_at
        self._mode = mode
        self._lock = threading.Lock()
        self._opened = threading.Event()
        self.closed = threading.Event()

    def __call__(self, number: int) -> None:
        if number < self._stop_at or self._opened.is_set():
            return
        with self._lock:
            is_first = not self.closed.is_set()
            self.closed.set()
        if self._mode == "worker" and not is_first:
            raise Killed
        assert self._opened.wait(SECONDS), "nobody woke it"

    def open(self) -> None:
        self._opened.set()


class InlinePool:
    """Implements what apply uses of migrator.workers.pool.Pool, with threads that nobody ends: a late one finishes."""

    def __init__(self, factory: Factory, size: int) -> None:
        self._handlers = [factory(SILENT_WAITS) for _ in range(size)]
        self._busy: dict[int, Any] = {}
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

    @property
    def idle(self) -> Sequence[int]:
        return [number for number in range(len(self._handlers)) if number not in self._busy]

    @property
    def busy(self) -> int:
        return len(self._busy)

    @property
    def tasks(self) -> Sequence[Any]:
        return list(self._busy.values())

    waiting = ""

    def submit(self, worker: int, task: Any) -> None:
        self._busy[worker] = task
        threading.Thread(target=self._work, args=(worker, task), name="worker", daemon=True).start()

    def results(self, seconds: float) -> list[Outcome]:
        try:
            outcome = self._outcomes.get(timeout=seconds)
        except queue.Empty:
            return []
        del self._busy[outcome.worker]
        return [outcome]

    def close(self) -> None: ...

    def _work(self, worker: int, task: Any) -> None:
        try:
            outcome = Outcome(worker, task, self._handlers[worker](task))
        except Killed:
            return
        except Exception as error:
            outcome = Outcome(worker, task, error=error)
        self._outcomes.put(outcome)


class Deaf:
    """An observer that hears nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None


def target(url: str, timing: Timing, listener: monitoring.CommandListener) -> MongoTarget:
    parsed = parse_target_url(url)
    assert isinstance(parsed, MongoUrl)
    made = MongoTarget(parsed, timing, retry_seconds=3.0)
    # The session would open its own client when first used.
    made._session.__dict__["client"] = pymongo.MongoClient(parsed.uri, tz_aware=True, event_listeners=[listener])
    return made


def run_apply(
    plan: Plan, source: str, url: str, timing: Timing, listener: monitoring.CommandListener, observer: Any = None
) -> None:
    """Raises what `apply` raises."""
    ends = CopyEndpoints(lambda: open_source(source), lambda _: target(url, timing, listener))
    apply_module.apply(plan, ends, ApplyOptions(workers=2, retry_seconds=3.0), observer or Deaf())


@contextmanager
def in_background(work: Callable[[], None]) -> Iterator[Callable[[], BaseException | None]]:
    """Runs `work` in a thread; gives a function that waits for its end and returns what it raised."""
    raised: list[BaseException | None] = [None]

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised[0] = error

    thread = threading.Thread(target=run, name="late apply", daemon=True)
    thread.start()

    def ended() -> BaseException | None:
        thread.join(SECONDS)
        assert not thread.is_alive(), "it did not end"
        return raised[0]

    yield ended
    ended()


def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers become threads."""
    monkeypatch.setattr(apply_module, "_pool", lambda stack, factory, size: InlinePool(factory, size))
