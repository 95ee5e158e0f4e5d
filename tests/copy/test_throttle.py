"""Sparing the source: pauses are told, and end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from migrator.copy import throttle
from migrator.copy.options import ApplyOptions
from migrator.copy.throttle import Throttle
from migrator.errors import SourceError, SourceUnavailable
from migrator.model.change.position import Load
from tests.project import Project


class Said:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def paused(self, reason: str) -> None:
        self.lines.append(reason)

    def continued(self) -> None:
        self.lines.append("on")


def loads(*found: Load | Exception) -> Iterator[Load]:
    for each in found:
        if isinstance(each, Exception):
            raise each
        yield each


def holding(monkeypatch: pytest.MonkeyPatch, options: ApplyOptions, *found: Load) -> tuple[list[bool], list[str]]:
    monkeypatch.setattr(throttle, "_POLL_SECONDS", 0.0)
    said, answers = Said(), loads(*found)
    one = Throttle(options, lambda: next(answers), said)  # type: ignore[arg-type]
    return [one.holding for _ in found], said.lines


def test_pauses_are_told_once_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    options = ApplyOptions(max_threads_running=3, max_replica_lag=5)
    found = (Load(4, 0), Load(9, 0), Load(3, 0), Load(1, 6), Load(1, math.inf), Load(1, None))
    held, lines = holding(monkeypatch, options, *found)
    assert held == [True, True, False, True, True, False]
    assert lines == ["Threads_running is 4, above 3", "on", "the replica is 6 s behind, above 5 s", "on"]


def test_a_replica_that_does_not_replicate(monkeypatch: pytest.MonkeyPatch) -> None:
    assert holding(monkeypatch, ApplyOptions(max_replica_lag=5), Load(1, math.inf)) == (
        [True],
        ["the replica does not replicate"],
    )


def test_a_lost_connection_is_tried_again() -> None:
    answers: list[Load | Exception] = [SourceUnavailable("gone"), Load(1, None)]

    def load() -> Load:
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    assert not Throttle(ApplyOptions(max_threads_running=1), load, Said()).holding  # type: ignore[arg-type]
    assert answers == []


def test_what_can_not_be_asked_is_an_error() -> None:
    def load() -> Load:
        raise SourceError("the watched server is not a replica")

    with pytest.raises(SourceError, match="not a replica"):
        _ = Throttle(ApplyOptions(max_replica_lag=1), load, Said()).holding  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_busy_server(project: Project) -> None:
    # More than what a server that others use as well, and its own threads, come to.
    limit = 20
    with ExitStack() as stack:
        sleepers = [stack.enter_context(project.connect()) for _ in range(limit + 1)]
        for connection in sleepers:
            connection._execute_command(3, "SELECT SLEEP(300)")  # type: ignore[attr-defined]
        running = project.start_apply("--max-threads-running", str(limit))
        running.says("paused: Threads_running is")
        assert project.chunks_done() == 0
        project.sql(*(f"KILL QUERY {connection.thread_id()}" for connection in sleepers))
        running.says("going on")
        ended = running.end()
    assert ended.code == 0, ended
    assert len(project.documents()) == 600
