"""Reads the change log in a thread of its own, so that reading goes on while documents are rebuilt."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from migrator.model.change import LogEvent, Statement, TableName, Watch
from migrator.model.position import Position
from migrator.run.sync_ports import FollowedSource, LogReader

# Events that wait; each holds up to a thousand changes (DESIGN rule 7).
_WAITING = 64
_LOOK = 0.2


@dataclass(frozen=True, slots=True)
class Taken:
    """An event, and what a snapshot must contain to be later than it (DESIGN premise A)."""

    event: LogEvent
    reached: Position


class Intake:
    """The log from a position on. Closing it ends the thread and the connection."""

    def __init__(self, source: FollowedSource, position: Position, watches: Mapping[TableName, Watch]) -> None:
        self._queue: queue.Queue[Taken | Exception] = queue.Queue(_WAITING)
        self._ending = threading.Event()
        self._go_on = threading.Event()
        self._stack = ExitStack()
        self._reader: LogReader = self._stack.enter_context(source.follow(position, watches))
        self._thread = threading.Thread(target=self._read, name="migrator-log", daemon=True)
        self._thread.start()

    def take(self, seconds: float) -> Taken | None:
        """The next event, None when none came in time.

        Raises:
            SyncBlocked, SourceUnavailable: what ended the reading, after the events before it were taken.
        """
        try:
            found = self._queue.get(timeout=seconds) if seconds > 0 else self._queue.get_nowait()
        except queue.Empty:
            return None
        if isinstance(found, Exception):
            raise found
        return found

    def watch(self, watches: Mapping[TableName, Watch]) -> None:
        """Answers a Statement: the tables as they are now. Nothing behind the statement is read before."""
        self._reader.watch(watches)
        self.go_on()

    def go_on(self) -> None:
        """Answers a Statement that changed nothing."""
        self._go_on.set()

    def close(self) -> None:
        self._ending.set()
        self._go_on.set()
        # The connections are not closed under a thread that is using them.
        self._reader.interrupt()
        self._thread.join()
        self._stack.close()

    def _read(self) -> None:
        try:
            for event in self._reader.events():
                self._put(Taken(event, self._reader.reached))
                if isinstance(event, Statement):
                    # What follows may look different: the tables are read again first (EDGE_CASES 53).
                    self._go_on.wait()
                    self._go_on.clear()
                if self._ending.is_set():
                    return
        except Exception as error:
            # Raised by `take`, in the thread that can act on it. After `close` nobody listens.
            self._put(error)

    def _put(self, found: Taken | Exception) -> None:
        while not self._ending.is_set():
            try:
                self._queue.put(found, timeout=_LOOK)
            except queue.Full:
                continue
            return
