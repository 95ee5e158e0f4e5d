"""Reads the change log in a thread of its own, so that reading goes on while documents are rebuilt."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from migrator.model.change.events import LogEvent, RowChange, Rows, Statement, TableName, Watch
from migrator.model.change.position import Position
from migrator.ports.sync import FollowedSource, LogReader

# What waits may take about so much memory (rule 7): thousands of changes, so that a batch is never short of them
# because transactions are small.
_LIMIT_BYTES = 16 << 20
_EVENT_BYTES = 500
_CHANGE_BYTES = 200
_VALUE_BYTES = 40
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An event that was read.

    Attributes:
        reached: what a snapshot must contain to be later than it (premise A).
        at: when it was read, by this process's monotonic clock.
    """

    event: LogEvent
    reached: Position
    at: float


class _EventBuffer:
    """Events between two threads, bounded by the memory that they take; one may always wait, however large."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._found: deque[tuple[QueuedEvent | Exception, int]] = deque()
        self._changed = threading.Condition()

    def put(self, found: QueuedEvent | Exception, seconds: float) -> bool:
        """False when there was no room in time."""
        size = _size(found.event) if isinstance(found, QueuedEvent) else 0
        with self._changed:
            if not self._changed.wait_for(lambda: self._bytes < self._limit, seconds):
                return False
            self._found.append((found, size))
            self._bytes += size
            if len(self._found) == 1:
                self._changed.notify()
        return True

    def get(self, seconds: float) -> QueuedEvent | Exception | None:
        """None when none came in time."""
        with self._changed:
            if not self._found and not self._changed.wait_for(lambda: self._found, seconds):
                return None
            found, size = self._found.popleft()
            full = self._bytes >= self._limit
            self._bytes -= size
            if full and self._bytes < self._limit:
                self._changed.notify()
            return found


def _size(event: LogEvent) -> int:
    """About what an event takes in memory."""
    if not isinstance(event, Rows):
        return _EVENT_BYTES
    return _EVENT_BYTES + sum(_size_of(change) for change in event.changes)


def _size_of(change: RowChange) -> int:
    values = [value for row in (change.before, change.after) if row is not None for value in row if value is not None]
    return _CHANGE_BYTES + _VALUE_BYTES * len(values) + sum(map(len, values))


class LogQueue:
    """The log from a position on. Closing it ends the thread and the connection."""

    def __init__(self, source: FollowedSource, position: Position, watches: Mapping[TableName, Watch]) -> None:
        self._waiting = _EventBuffer(_LIMIT_BYTES)
        self._ending = threading.Event()
        self._go_on = threading.Event()
        self._stack = ExitStack()
        self._reader: LogReader = self._stack.enter_context(source.follow(position, watches))
        self._thread = threading.Thread(target=self._read, name="migrator-log", daemon=True)
        self._thread.start()

    def take(self, seconds: float) -> QueuedEvent | None:
        """The next event, None when none came in time.

        Raises:
            SyncBlocked, SourceUnavailable: what ended the reading, after the events before it were taken.
        """
        found = self._waiting.get(seconds)
        if isinstance(found, Exception):
            raise found
        return found

    def watch(self, watches: Mapping[TableName, Watch]) -> None:
        """Answers a Statement: the tables as they are now. Nothing after the statement is read before."""
        self._reader.watch(watches)
        self.resume()

    def resume(self) -> None:
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
                self._put(QueuedEvent(event, self._reader.reached, time.monotonic()))
                if isinstance(event, Statement):
                    # What follows may look different: the tables are read again first (edge case 53).
                    self._go_on.wait()
                    self._go_on.clear()
                if self._ending.is_set():
                    return
        except Exception as error:
            # Raised by `take`, in the thread that can act on it. After `close` nobody listens.
            self._put(error)

    def _put(self, found: QueuedEvent | Exception) -> None:
        while not self._ending.is_set() and not self._waiting.put(found, _POLL_SECONDS):
            pass
