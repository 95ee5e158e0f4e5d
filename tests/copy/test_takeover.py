"""One apply at a time: a second one is refused, a dead or stopped one is followed, a late one does no harm."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.project import Project, Running

BUSY = 9
pytestmark = pytest.mark.slow


def test_two_at_once(project: Project) -> None:
    first = project.start_copying()
    first_pid = first.process.pid
    with first.workers_stopped():
        second = project.apply()
    assert second.code == BUSY, second
    assert f"process {first_pid} on {os.uname().nodename}" in second.err
    ended = first.end()
    assert ended.code == 0, ended
    assert len(project.documents()) == 600


def stop_without_the_lock(project: Project, running: Running) -> None:
    """One that sleeps in the middle of a write to the state keeps it locked, and the others are told so."""
    while True:
        running.signal_all(signal.SIGSTOP)
        time.sleep(0.1)
        if not project.state_is_locked():
            return
        running.signal_all(signal.SIGCONT)
        time.sleep(0.02)


def test_one_that_slept_too_long(project: Project) -> None:
    files = project.into(f"file:{project.folder / 'dump'}")
    files.settings("chunk_rows: 1\nretry_seconds: 4\n")
    first = files.start_copying()
    stop_without_the_lock(files, first)
    second = files.apply()
    assert second.code == 0, second
    assert len(files.documents()) == 600
    files.sql("INSERT INTO accounts VALUES (601, 'late', 0)")
    first.signal_all(signal.SIGCONT)
    ended = first.end()
    assert ended.code == BUSY, ended
    assert "another process" in ended.err
    documents = files.documents()
    assert len(documents) == 600
    assert "Nothing to do" in files.here("apply").out


def test_one_whose_parent_alone_slept(project: Project) -> None:
    """Its workers finish what they were at; nobody counts it."""
    first = project.start_copying()
    first.signal(signal.SIGSTOP)
    second = project.start_apply()
    second.says("resuming run")
    first.signal(signal.SIGCONT)
    ended = first.end()
    assert ended.code == BUSY, ended
    assert second.end().code == 0
    assert len(project.documents()) == 600
    # What a late worker may have left next to the live collections is removed by the next one.
    project.apply_here("--replace", "accounts")
    assert [name for name in project.collections() if "__migrator_" in name] == []


def test_rows_that_were_deleted_while_one_slept_stay_deleted(project: Project) -> None:
    """Its workers wake with batches of rows in their hands that are gone by now."""
    project.settings("chunk_rows: 30\nretry_seconds: 4\n")
    first = project.start_copying()
    first.signal_all(signal.SIGSTOP)
    project.sql("DELETE FROM entries WHERE account_id % 3 = 0", "DELETE FROM accounts WHERE id % 3 = 0")
    second = project.start_apply()
    second.says("resuming run")
    first.signal_all(signal.SIGCONT)
    assert first.end().code == BUSY
    assert second.end().code == 0
    assert set(project.documents()) == {key for key in range(1, 601) if key % 3}
    verified = project.run("verify")
    assert verified.code == 0, verified
