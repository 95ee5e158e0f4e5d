"""The process pool: results, errors, dead workers, dead parents."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
import warnings
from contextlib import closing
from pathlib import Path

import pytest

from migrator.errors import MigratorError, SourceError, Stopped
from migrator.waits import Waits
from migrator.workers.pool import Handler, Outcome, Pool


def doubling(_: Waits) -> Handler:
    def handle(task: int) -> int:
        if task < 0:
            raise SourceError("negative", where="here", hint="be positive")
        if task == 0:
            raise ZeroDivisionError("boom")
        return task * 2

    return handle


def failing(_: Waits) -> Handler:
    raise SourceError("wrong password", where="127.0.0.1:3306")


def waiting(_: Waits) -> Handler:
    def handle(seconds: float) -> int:
        time.sleep(seconds)
        return os.getpid()

    return handle


def results(pool: Pool) -> list[Outcome]:
    found = []
    while pool.busy:
        found += pool.results(10)
    return found


def test_every_task_is_answered() -> None:
    with closing(Pool(doubling, 2)) as pool:
        pool.wait_ready()
        pool.submit(0, 3)
        pool.submit(1, 4)
        assert pool.idle == []
        assert sorted(outcome.value for outcome in results(pool)) == [6, 8]
        assert pool.idle == [0, 1]


def test_errors_come_back_whole() -> None:
    with closing(Pool(doubling, 1)) as pool:
        pool.wait_ready()
        pool.submit(0, -1)
        (outcome,) = results(pool)
        assert isinstance(outcome.error, SourceError)
        assert (outcome.error.what, outcome.error.where, outcome.error.hint) == ("negative", "here", "be positive")
        pool.submit(0, 0)
        (outcome,) = results(pool)
        assert isinstance(outcome.error, MigratorError)
        assert "ZeroDivisionError: boom" in outcome.error.what


def test_a_worker_that_cannot_start_says_why() -> None:
    with closing(Pool(failing, 2)) as pool, pytest.raises(SourceError, match="wrong password"):
        pool.wait_ready()


def test_a_killed_worker_stops_the_work_and_blocks_nobody() -> None:
    with closing(Pool(waiting, 2)) as pool:
        pool.wait_ready()
        pool.submit(0, 0)
        (outcome,) = results(pool)
        pool.submit(0, 60)
        os.kill(outcome.value, signal.SIGKILL)
        with pytest.raises(Stopped, match="SIGKILL"):
            results(pool)


@pytest.mark.slow
def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    script = (
        "import sys, time\n"
        "from tests.workers.test_pool import waiting\n"
        "from migrator.workers.pool import Pool\n"
        "if __name__ == '__main__':\n"
        "    pool = Pool(waiting, 1); pool.wait_ready(); pool.submit(0, 0)\n"
        "    print(pool.results(10)[0].value, flush=True); pool.submit(0, 60); time.sleep(60)\n"
    )
    (tmp_path / "parent.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    command = [sys.executable, str(tmp_path / "parent.py")]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not _alive(worker):
            return
        time.sleep(0.1)
    pytest.fail(f"worker {worker} outlived its parent")


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def logging_and_warning(_: Waits) -> Handler:
    logging.getLogger("library").warning("while %s", "starting")

    def handle(task: int) -> int:
        logging.getLogger("library").error("task %d", task)
        logging.getLogger("library").info("nobody wants to know")
        warnings.warn("old", UserWarning, stacklevel=2)
        return task

    return handle


def test_what_libraries_log_in_a_worker_is_logged_by_the_parent(caplog: pytest.LogCaptureFixture) -> None:
    with closing(Pool(logging_and_warning, 1)) as pool:
        pool.wait_ready()
        pool.submit(0, 7)
        assert [outcome.value for outcome in results(pool)] == [7]
    found = [(record.name, record.levelname, record.getMessage()) for record in caplog.records]
    assert found[:2] == [("library", "WARNING", "while starting"), ("library", "ERROR", "task 7")]
    ((name, level, text),) = found[2:]
    assert (name, level) == ("py.warnings", "WARNING")
    assert "UserWarning: old" in text
