"""The background thread of a copy: one work to its end, then another for as long as the block lasts."""

from __future__ import annotations

import threading

import pytest

from migrator.errors import SyncBlocked, TargetUnavailable
from migrator.workers.background import BackgroundThread, IsOver, nothing
from tests.waiting import until

SECONDS = 30


class Stop(Exception):
    """Ends a block."""


class Work:
    """Goes on until it is told that it is over, or let go."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.let_go, self.ended = threading.Event(), threading.Event(), threading.Event()
        self.was_over = False
        self._error = error

    def __call__(self, is_over: IsOver) -> None:
        self.begun.set()
        until(lambda: is_over() or self.let_go.is_set(), "the end of the work", SECONDS)
        self.was_over = is_over()
        if self._error is not None:
            raise self._error
        self.ended.set()


def stop_once(begun: threading.Event) -> None:
    assert begun.wait(SECONDS)
    raise Stop


def looked_at(background: BackgroundThread, first: Work) -> None:
    background.check()
    first.let_go.set()
    assert background.wait_for_first(SECONDS)
    with pytest.raises(TargetUnavailable, match="gone"):
        background.check()


def test_the_block_waits_for_the_first_and_ends_the_second() -> None:
    first, second = Work(), Work()
    with BackgroundThread(first, second) as background:
        assert first.begun.wait(SECONDS)
        assert not background.wait_for_first(0)
        assert not second.begun.is_set()
        threading.Timer(0.2, first.let_go.set).start()
    assert (first.was_over, second.was_over) == (False, True)
    assert second.ended.is_set()
    assert background.fault is None


def test_a_block_that_fails_ends_the_first_and_begins_no_second() -> None:
    first, second = Work(), Work()
    with pytest.raises(Stop), BackgroundThread(first, second):
        stop_once(first.begun)
    assert first.was_over
    assert not second.begun.is_set()


def test_one_that_fails_once_the_first_is_done_ends_the_second() -> None:
    second = Work()
    with pytest.raises(Stop), BackgroundThread(nothing, second):
        stop_once(second.begun)
    assert second.ended.is_set()


def test_what_ended_the_first_is_raised_by_a_look_and_by_the_end() -> None:
    first, second = Work(TargetUnavailable("gone")), Work()
    with pytest.raises(TargetUnavailable, match="gone"), BackgroundThread(first, second) as background:
        looked_at(background, first)
    assert not second.begun.is_set()


def test_what_ended_the_second_is_kept() -> None:
    second = Work(SyncBlocked("no log"))
    second.let_go.set()
    with BackgroundThread(nothing, second) as background:
        assert second.begun.wait(SECONDS)
        until(lambda: background.fault, "the fault", SECONDS)
        background.check()
    assert background.fault is not None
    assert background.fault.what == "no log"
