"""Worker processes over pipes: one task at a time each, nothing shared, so a killed worker can't block the others."""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from logging.handlers import QueueHandler
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from migrator.errors import MigratorError, Stopped
from migrator.waits import Waits
from migrator.workers.garbage import spare_rows
from migrator.workers.interrupt import uninterrupted
from migrator.workers.log_capture import captured

# A worker's handler: built in the worker by a factory, called with one task at a time.
Handler = Callable[[Any], Any]
# What the factory is handed tells the parent what the worker waits for.
Factory = Callable[[Waits], Handler]
_READY = "ready"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker answered: `value`, or `error` when the task failed."""

    worker: int
    task: Any
    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class _WorkerWait:
    """What a worker waits for now, "" when it goes on."""

    what: str


class _WaitsToParent:
    """Implements migrator.waits.Waits in a worker."""

    def __init__(self, send: Callable[[object], None]) -> None:
        self._send = send

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        self._send(_WorkerWait(what))
        try:
            yield
        finally:
            self._send(_WorkerWait(""))


class _LogToParent(QueueHandler):
    """Hands what libraries log in a worker to the parent, which logs it as its own: several processes that write to one
    log would not agree on its format."""

    def __init__(self, send: Callable[[object], None]) -> None:
        super().__init__(queue.SimpleQueue())
        self.setLevel(logging.WARNING)
        self._send = send

    def enqueue(self, record: logging.LogRecord) -> None:
        self._send(record)


def warm_up(preload: Sequence[str]) -> None:
    """Starts the process that workers will be forked from, so that it imports `preload` while other work goes on.

    It ends with this process. Once it runs, another call does nothing.
    """
    forkserver.set_forkserver_preload(list(preload))
    # Starting this one unblocks the signal.
    resource_tracker.ensure_running()
    # Ctrl-C goes to the whole terminal group; the new process would end with a traceback as long as it imports.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Pool:
    """A fixed number of processes, each with a handler made by `factory(waits)` (which must be picklable).

    `preload` names the modules that workers need, to be imported once for all.
    The processes die with this one, however it dies: a late worker must not go on writing (premise C).
    """

    def __init__(self, factory: Factory, size: int, preload: Sequence[str] = ()) -> None:
        # One server process imports everything once; workers are its forks. Forking this process would copy the
        # connections and locks of its threads.
        warm_up(preload)
        context = multiprocessing.get_context("forkserver")
        self._processes: list[BaseProcess] = []
        self._pipes: list[Connection] = []
        self._busy: dict[int, Any] = {}
        self._waiting: dict[int, str] = {}
        try:
            for number in range(size):
                mine, theirs = context.Pipe()
                process = context.Process(target=_main, args=(theirs, factory), name=f"migrator-{number}", daemon=True)
                process.start()
                theirs.close()
                self._processes.append(process)
                self._pipes.append(mine)
        except BaseException:
            self.close()
            raise

    def wait_ready(self) -> None:
        """Returns when every worker has made its handler; raises the error of one that could not."""
        for pipe in self._pipes:
            while (outcome := self._receive(pipe)) is None:
                pass
            if isinstance(outcome.error, BaseException):
                raise outcome.error

    def everywhere(self, task: Any) -> None:
        """Has every worker do `task`; raises the first error. All must be idle."""
        for worker in self.idle:
            self.submit(worker, task)
        while self._busy:
            for outcome in self.results(1.0):
                if outcome.error is not None:
                    raise outcome.error

    @property
    def idle(self) -> Sequence[int]:
        return [number for number in range(len(self._pipes)) if number not in self._busy]

    @property
    def busy(self) -> int:
        return len(self._busy)

    @property
    def tasks(self) -> Sequence[Any]:
        """What workers are at."""
        return list(self._busy.values())

    @property
    def waiting(self) -> str:
        """What a worker waits for, as far as it says so; "" for nothing."""
        return next(filter(None, self._waiting.values()), "")

    def submit(self, worker: int, task: Any) -> None:
        """Gives an idle worker a task."""
        # A task recorded and never sent would be waited for forever.
        with uninterrupted():
            self._busy[worker] = task
            try:
                self._pipes[worker].send(task)
            except OSError:
                raise self._died(worker) from None

    def results(self, seconds: float) -> list[Outcome]:
        """What came in within `seconds`; empty when nothing did.

        Raises:
            Stopped: when a worker process died.
        """
        pipes = [self._pipes[number] for number in self._busy]
        outcomes = []
        for ready in wait(pipes, seconds):
            assert isinstance(ready, Connection)
            # So would an answer that was taken and not recorded.
            with uninterrupted():
                outcome = self._receive(ready)
                if outcome is not None:
                    del self._busy[outcome.worker]
                    outcomes.append(outcome)
        return outcomes

    def _receive(self, pipe: Connection) -> Outcome | None:
        """The answer of a worker; None when it sent what a library logged there, or what it waits for."""
        number = self._pipes.index(pipe)
        try:
            received = pipe.recv()
        except (EOFError, ConnectionResetError):
            raise self._died(number) from None
        if isinstance(received, logging.LogRecord):
            logging.getLogger(received.name).handle(received)
            return None
        if isinstance(received, _WorkerWait):
            self._waiting[number] = received.what
            return None
        value, error = received
        return Outcome(number, self._busy.get(number), value, error)

    def _died(self, number: int) -> Stopped:
        process = self._processes[number]
        process.join(5)
        code = process.exitcode
        how = f"by signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"with status {code}"
        return Stopped(
            f"a worker process ended {how}",
            where=f"process {process.pid}",
            hint="Nothing that was finished is lost: run the same apply again. Fewer --workers need less memory.",
        )

    def close(self) -> None:
        """Ends all workers at once; what they were at is done again by a later run."""
        with uninterrupted():
            for process in self._processes:
                process.kill()
            for pipe in self._pipes:
                pipe.close()
            for process in self._processes:
                process.join()


def _main(pipe: Connection, factory: Factory) -> None:
    # Ctrl-C goes to the whole terminal group, a service manager's SIGTERM to all of a service's processes; the parent
    # decides what they mean, and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    spare_rows()
    answers = _Answers(pipe)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, tasks), daemon=True).start()
    with captured(_LogToParent(answers.send)):
        _work(factory, tasks, answers)


def _work(factory: Factory, tasks: queue.SimpleQueue[Any], answers: _Answers) -> None:
    try:
        handler = factory(_WaitsToParent(answers.send))
    except Exception as error:
        answers.answer(None, error)
        return
    answers.answer(_READY, None)
    while True:
        task = tasks.get()
        try:
            value = handler(task)
        except Exception as error:
            answers.answer(None, error)
        else:
            answers.answer(value, None)


def _listen(pipe: Connection, tasks: queue.SimpleQueue[Any]) -> None:
    """Passes tasks on; ends the process as soon as the parent's end of the pipe is gone."""
    while True:
        try:
            tasks.put(pipe.recv())
        except (EOFError, OSError):
            os._exit(1)


class _Answers:
    """A worker's end of the pipe. Threads of libraries log, too."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def answer(self, value: Any, error: Exception | None) -> None:
        if error is not None and not isinstance(error, MigratorError):
            text = "".join(traceback.format_exception(error))
            error = MigratorError(f"unexpected {type(error).__name__}: {error}", hint=text)
        self.send((value, error))

    def send(self, what: object) -> None:
        """Ends the process when the parent's end is gone."""
        try:
            with self._lock:
                self._pipe.send(what)
        except OSError:
            os._exit(1)
