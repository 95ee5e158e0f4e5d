"""`migrator` as a real process that can be watched, signalled and killed, and a bank whose money must add up."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import bson
import pymysql
import pytest
from click.testing import CliRunner
from pymongo import MongoClient
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from migrator.cli.main import main
from tests.waiting import SECONDS, until

ROOT = Path(__file__).parents[1]
ACCOUNTS = "collection: accounts\nfrom: accounts\nembed:\n  entries: {from: entries, many: true}\n"
BANK = (
    "CREATE TABLE accounts (id INT PRIMARY KEY, owner VARCHAR(60) NOT NULL, balance INT NOT NULL)",
    "CREATE TABLE entries (id INT PRIMARY KEY, account_id INT NOT NULL, text VARCHAR(40) NOT NULL,"
    " FOREIGN KEY (account_id) REFERENCES accounts (id))",
    "INSERT INTO accounts WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 600)"
    " SELECT id, CONCAT('owner ', id), 100 FROM n",
    "INSERT INTO entries SELECT id, id, CONCAT('first of ', id) FROM accounts",
)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Running:
    """A migrator at work, in a process group of its own as a shell makes one."""

    def __init__(self, arguments: tuple[str, ...], folder: Path, environment: dict[str, str]) -> None:
        self._arguments = arguments
        number = len(list(folder.glob("*.err")))
        self._out, self._err = folder / f"{number}.out", folder / f"{number}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "migrator", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def says(self, text: str, seconds: float = SECONDS) -> None:
        """Returns when `text` was said on stderr."""
        until(lambda: text in self.err or self.process.poll() is not None, f"{text!r} in:\n{self.err}", seconds)
        assert text in self.err, self.end()

    def signal_all(self, number: signal.Signals) -> None:
        """As a terminal or a service manager does: to the whole process group."""
        os.killpg(self.process.pid, number)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def workers(self) -> list[int]:
        """Process ids of this process group that read or write: children of the fork server."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            pid, parent, group = int(stat.parent.name), int(fields[1]), int(fields[2])
            if group == self.process.pid and parent not in (self.process.pid, os.getpid()) and fields[0] != "Z":
                found.append(pid)
        return [pid for pid in found if pid != self.process.pid]

    @contextmanager
    def workers_stopped(self, unless: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """The copy is stopped for the length of the block; see `stop_workers`."""
        pids = self.stop_workers(unless)
        yield
        _signal(pids, signal.SIGCONT)

    def stop_workers(self, unless: Callable[[], bool] = lambda: False) -> list[int]:
        """Stops the copy, again and elsewhere while `unless()` holds; the processes that are stopped."""
        pids = self.workers()
        while True:
            _signal(pids, signal.SIGSTOP)
            time.sleep(0.1)
            if not unless():
                return pids
            _signal(pids, signal.SIGCONT)
            time.sleep(0.02)

    def end(self, seconds: float = SECONDS) -> Ended:
        """Waits for its end; kills all of it when that doesn't come."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            code = 999
        ended = Ended(code, self.out, self.err)
        assert "Traceback" not in ended.err or "--debug" in self._arguments, ended
        return ended

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@dataclass(frozen=True)
class Project:
    """A folder with mappings, a source and a target."""

    folder: Path
    source: str
    target: str
    started: list[Running] = field(default_factory=list)

    def into(self, target: str) -> Project:
        return replace(self, target=target)

    @property
    def files(self) -> Path:
        return Path(self.target.removeprefix("file:"))

    def mapping(self, name: str, text: str) -> Path:
        file = self.folder / "mappings" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def settings(self, text: str) -> None:
        (self.folder / "migrator.yaml").write_text(text, encoding="utf-8")

    def start(self, *arguments: str) -> Running:
        environment = {
            **os.environ,
            "MIGRATOR_SOURCE": self.source,
            "MIGRATOR_TARGET": self.target,
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
        }
        running = Running(arguments, self.folder, environment)
        self.started.append(running)
        return running

    def here(self, *arguments: str) -> Ended:
        """The command in this process: quicker, and fine where nothing is signalled or killed."""
        own = {
            "MIGRATOR_SOURCE": self.source,
            "MIGRATOR_TARGET": self.target,
            "MIGRATOR_MAPPINGS": str(self.folder / "mappings"),
        }
        project = ("--config", str(self.folder / "migrator.yaml"))
        result = CliRunner().invoke(main, (*arguments, *project), env=own)
        return Ended(result.exit_code, result.stdout, result.stderr)

    def apply_here(self, *arguments: str) -> Ended:
        return self.here("apply", "--yes", "--workers", "1", *arguments)

    def run(self, *arguments: str, seconds: float = SECONDS) -> Ended:
        return self.start(*arguments).end(seconds)

    def apply(self, *arguments: str) -> Ended:
        return self.run("apply", "--yes", "--workers", "2", *arguments)

    def start_apply(self, *arguments: str) -> Running:
        return self.start("apply", "--yes", "--workers", "2", *arguments)

    def connect(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        connection = connect_mysql(self.source)
        connection.select_db(make_url(self.source).database or "")
        return connection

    def sql(self, *statements: str) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def start_copying(self, *arguments: str, more_than: int = 3) -> Running:
        """An apply in the middle of its copy."""
        before = self.chunks_done()
        running = self.start_apply(*arguments)
        until(lambda: running.workers() or running.process.poll() is not None, "workers")
        while True:
            # It goes on for a moment, and stands while it is looked at: a busy machine may take its time for that.
            assert running.process.poll() is None, running.end()
            with running.workers_stopped(unless=self.state_is_locked):
                if self.chunks_done() > before + more_than:
                    break
            time.sleep(0.02)
        return running

    def chunks_done(self) -> int:
        """Of all runs."""
        if self.target.startswith("file:"):
            path = self.files / ".migrator" / "state.sqlite3"
            if not path.exists():
                return 0
            with closing(sqlite3.connect(path)) as state:
                try:
                    (count,) = state.execute("SELECT count(*) FROM chunks WHERE done").fetchone()
                except sqlite3.OperationalError:
                    return 0
                return int(count)
        with MongoClient[dict[str, object]](self.target) as client:
            return client.get_default_database()["_migrator_chunks"].count_documents({"done": True})

    def state_is_locked(self) -> bool:
        """Whether a process is in the middle of a write to the state of a folder: no other can write to it then."""
        if not self.target.startswith("file:"):
            return False
        with closing(sqlite3.connect(self.files / ".migrator" / "state.sqlite3", timeout=0.2)) as state:
            try:
                state.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                return True
            state.execute("ROLLBACK")
            return False

    def collections(self) -> list[str]:
        with MongoClient[dict[str, object]](self.target) as client:
            return client.get_default_database().list_collection_names()

    def documents(self, name: str = "accounts") -> dict[object, dict[str, object]]:
        """By `_id`."""
        found = self.listed(name)
        assert len({str(each["_id"]) for each in found}) == len(found), "a document is there twice"
        return {each["_id"]: each for each in found}

    def listed(self, name: str) -> list[dict[str, object]]:
        if self.target.startswith("file:"):
            path = self.files / f"{name}.bson"
            return bson.decode_all(path.read_bytes()) if path.exists() else []
        with MongoClient[dict[str, object]](self.target) as client:
            return list(client.get_default_database()[name].find())


@pytest.fixture
def project(mysql_url: str, mongodb_url: str, tmp_path: Path) -> Iterator[Project]:
    """The bank in small chunks, 60 of them."""
    yield from bank(Project(tmp_path, mysql_url, mongodb_url))


def bank(project: Project) -> Iterator[Project]:
    project.mapping("accounts", ACCOUNTS)
    project.settings("chunk_rows: 10\nretry_seconds: 4\n")
    project.sql(*BANK)
    yield project
    for running in project.started:
        running.kill()


@pytest.fixture(params=["mongodb", "files"])
def either(request: pytest.FixtureRequest, project: Project) -> Project:
    """The bank into one kind of target and into the other."""
    return project if request.param == "mongodb" else project.into(f"file:{project.folder / 'dump'}")
