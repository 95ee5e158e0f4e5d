"""Ctrl-C and SIGTERM at every stage, and the same command again afterwards."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from migrator.workers.interrupt import uninterrupted
from tests.project import Project
from tests.waiting import SECONDS, until

INTERRUPTED = 130
pytestmark = pytest.mark.slow


@contextmanager
def held_up(project: Project, table: str = "entries") -> Iterator[None]:
    """Readers of a table wait: what is under way stays under way."""
    with project.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLES {table} WRITE")
        yield
        cursor.execute("UNLOCK TABLES")


def waiting(project: Project) -> int:
    """How many sessions wait for the table that is held up."""
    with project.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM information_schema.processlist"
            " WHERE db = DATABASE() AND state LIKE 'Waiting for table%'"
        )
        (count,) = cursor.fetchone() or (0,)
        return int(count)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_chunks_under_way_are_finished(project: Project, number: signal.Signals) -> None:
    running = project.start_copying()
    with held_up(project):
        until(lambda: waiting(project) == 2, "both workers to be held up")
        before = project.chunks_done()
        running.signal_all(number)
        running.says("finishing the current chunks")
        time.sleep(0.5)
        assert running.process.poll() is None, "it does not wait for its workers"
    ended = running.end()
    assert ended.code == INTERRUPTED, ended
    assert "Run the same apply again to resume where it stopped." in ended.err
    assert project.chunks_done() == before + 2 < 60
    assert project.documents() == {}
    again = project.apply()
    assert again.code == 0, again
    assert "resuming run" in again.err
    assert len(project.documents()) == 600


def test_a_second_ctrl_c_stops_at_once(either: Project) -> None:
    # Into files, ten times larger chunks may be done before somebody looks.
    either.settings("chunk_rows: 1\nretry_seconds: 4\n")
    running = either.start_copying()
    with running.workers_stopped(unless=either.state_is_locked):
        running.signal_all(signal.SIGINT)
        running.says("finishing the current chunks")
        began = time.monotonic()
        running.signal_all(signal.SIGINT)
        ended = running.end()
        assert ended.code == INTERRUPTED, ended
        assert time.monotonic() - began < SECONDS / 2
    assert either.apply().code == 0
    assert len(either.documents()) == 600


def test_while_planning(project: Project) -> None:
    with held_up(project):
        running = project.start_apply()
        until(lambda: waiting(project) > 0, "the plan to be held up")
        running.signal_all(signal.SIGINT)
        ended = running.end()
    assert ended.code == INTERRUPTED, ended
    assert "stopped by the user" in ended.err
    assert project.apply().code == 0


def test_while_waiting_for_the_lease(project: Project) -> None:
    first = project.start_copying()
    first.signal(signal.SIGSTOP)
    second = project.start_apply()
    until(lambda: "Collections: 1 to create" in second.out, "the plan")
    time.sleep(0.5)
    second.signal_all(signal.SIGINT)
    ended = second.end()
    assert ended.code == INTERRUPTED, ended
    first.signal(signal.SIGCONT)
    assert first.end().code == 0
    assert len(project.documents()) == 600


def test_while_publishing(project: Project) -> None:
    names = [f"c{number}" for number in range(10)]
    for name in names:
        project.mapping(name, f"collection: {name}\nfrom: entries\nindexes:\n  - {{keys: {{text: 1}}}}\n")
    project.settings("retry_seconds: 4\n")
    running = project.start_apply()
    running.says("is live")
    running.signal_all(signal.SIGINT)
    ended = running.end()
    assert ended.code == INTERRUPTED, ended
    assert "Run the same apply again" in ended.err
    live = [name for name in names if project.listed(name)]
    assert len(live) < 10
    again = project.apply()
    assert again.code == 0, again
    assert [len(project.documents(name)) for name in names] == [600] * 10
    assert "Nothing to do." in project.here("apply").out


def test_at_any_moment(project: Project) -> None:
    """Often, at moments that shift: whatever it was doing, it ends as told and can be resumed."""
    codes = []
    for step in range(0, 7, 2):
        running = project.start_apply()
        running.says("run ")
        time.sleep(0.15 * step)
        running.signal_all(signal.SIGINT if step % 4 else signal.SIGTERM)
        ended = running.end()
        codes.append(ended.code)
        if "Done in" in ended.out:
            break  # and what the signal hit was the process going away
        assert ended.code == INTERRUPTED, ended
    assert codes[0] == INTERRUPTED
    final = project.apply()
    assert final.code == 0, final
    assert len(project.documents()) == 600


def test_a_signal_inside_a_step_comes_after_it() -> None:
    done = []

    def step() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            done.append("step")

    with pytest.raises(KeyboardInterrupt):
        step()
    assert done == ["step"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
