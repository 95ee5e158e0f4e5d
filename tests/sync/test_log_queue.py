"""The thread that reads the log goes ahead as far as memory allows, whatever the size of transactions."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from migrator.model.change.events import LogEvent, RowChange, Rows, TableName, Watch
from migrator.model.change.position import Position
from migrator.ports.sync import FollowedSource
from migrator.sync.log_queue import LogQueue
from tests.waiting import until


class Log:
    """Endless events of one kind, counted; both a source and its reader."""

    def __init__(self, event: LogEvent) -> None:
        self._event = event
        self._interrupted = threading.Event()
        self.reached = cast(Position, None)
        self.read = 0

    @contextmanager
    def follow(self, position: Position, watches: Mapping[TableName, Watch]) -> Iterator[Log]:
        yield self

    def events(self) -> Iterator[LogEvent]:
        while not self._interrupted.is_set():
            self.read += 1
            yield self._event

    def interrupt(self) -> None:
        self._interrupted.set()

    def stands(self) -> bool:
        before = self.read
        time.sleep(0.3)
        return self.read == before


def event(changes: int, value: bytes) -> Rows:
    return Rows(("shop", "t"), tuple(RowChange(None, (value,)) for _ in range(changes)))


def test_small_events_are_read_by_the_thousand_and_then_no_further() -> None:
    log = Log(event(1, b"1"))
    intake = LogQueue(cast(FollowedSource, log), cast(Position, None), {})
    try:
        until(log.stands, "the reader to wait")
        assert 5_000 < log.read < 100_000
        before = log.read
        for _ in range(before // 2):
            assert intake.take(1) is not None
        until(log.stands, "the reader to wait again")
        assert log.read >= before + before // 2 - 1
    finally:
        intake.close()


def test_large_values_are_not_piled_up() -> None:
    log = Log(event(1, b"x" * (5 << 20)))
    intake = LogQueue(cast(FollowedSource, log), cast(Position, None), {})
    try:
        until(log.stands, "the reader to wait")
        assert 2 <= log.read <= 6
    finally:
        intake.close()


def test_an_event_above_the_limit_passes() -> None:
    log = Log(event(3, b"x" * (20 << 20)))
    intake = LogQueue(cast(FollowedSource, log), cast(Position, None), {})
    try:
        for _ in range(3):
            assert intake.take(5) is not None
    finally:
        intake.close()
