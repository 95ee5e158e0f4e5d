"""doctor's lines come as they are known, and a question that is never answered is a line."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from migrator.errors import SourceError
from migrator.model.report.check import Check
from migrator.workers.time_limit import answered

FIRST = Check("source", "ok", "reachable", "yes")


def test_a_line_comes_before_the_next_question_is_answered() -> None:
    go_on = threading.Event()

    def ask() -> Iterator[Check]:
        yield FIRST
        assert go_on.wait(60)
        yield Check("source", "ok", "version", "8.4")

    lines = answered("source", ask)
    assert next(lines) == FIRST
    go_on.set()
    assert [line.name for line in lines] == ["version"]


def test_what_is_not_answered_is_said_and_the_rest_left_out() -> None:
    never = threading.Event()

    def ask() -> Iterator[Check]:
        yield FIRST
        never.wait(60)
        yield FIRST

    found = list(answered("source", ask, 0.2))
    never.set()
    assert [(line.status, line.name) for line in found] == [("ok", "reachable"), ("blocked", "answers")]
    assert "what comes after `reachable`" in found[1].text


def test_what_cannot_be_asked_is_a_line_without_the_password() -> None:
    def ask() -> Iterator[Check]:
        raise SourceError("no way to mysql://root:secret@db/shop")

    (line,) = answered("source", ask)
    assert (line.status, line.name) == ("blocked", "reachable")
    assert "secret" not in line.text


def test_a_fault_of_its_own_is_raised() -> None:
    def ask() -> Iterator[Check]:
        yield FIRST
        raise ZeroDivisionError

    lines = answered("source", ask)
    next(lines)
    with pytest.raises(ZeroDivisionError):
        next(lines)
