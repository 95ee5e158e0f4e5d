"""A real `migrator sync`: started, watched, stopped, doubled, next to an apply; what it prints and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from dev.servers.model import Server
from dev.servers.probe import connect_mysql
from migrator import api
from migrator.errors import ExitCode, SyncBlocked
from migrator.generate.runtime.cached import name_of
from migrator.generate.runtime.sync.stores import open_store
from migrator.planning.planner import PlanOptions
from migrator.sync.sync import SyncOptions
from tests.sync.premises.world import Heard, World
from tests.waiting import SECONDS, purge_log, until

ROOT = Path(__file__).parents[2]
TABLES = (
    "CREATE TABLE parents (id INT PRIMARY KEY, name VARCHAR(20), born DATE NULL)",
    "CREATE TABLE children (id INT PRIMARY KEY, parent_id INT, name VARCHAR(20))",
    "INSERT INTO parents VALUES (1, 'a', NULL), (2, 'b', NULL)",
    "INSERT INTO children VALUES (10, 1, 'x'), (11, 2, 'y')",
)
PARENTS = """
collection: parents
from: parents
embed:
  children: {from: children, many: true, on: {id: parent_id}}
"""


class Process:
    """migrator at work, its output in files."""

    def __init__(self, world: World, name: str, *arguments: str) -> None:
        self._out, self._err = (world.folder.parent / f"{name}.{kind}" for kind in ("out", "err"))
        ends = ["--source", world.source, "--target", world.target, "--mappings", str(world.folder)]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "migrator", *arguments, *ends],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=world.folder.parent,
                env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
                start_new_session=True,
            )

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def says(self, text: str) -> None:
        until(lambda: text in self.err or self.process.poll() is not None, f"{text!r} in:\n{self.err}")
        assert text in self.err, self.err

    def end(self) -> int:
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return 999

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


Start = Callable[..., Process]


@pytest.fixture
def start(family: World) -> Iterator[Start]:
    """Starts migrator with some arguments."""
    started: list[Process] = []

    def begin(*arguments: str) -> Process:
        started.append(Process(family, str(len(started)), *arguments))
        return started[-1]

    yield begin
    for process in started:
        process.kill()


@pytest.fixture
def family(world: World) -> World:
    world.sql(*TABLES)
    world.mapping(PARENTS)
    world.apply()
    return world


def children(world: World, parent: int) -> list[str]:
    return [each["name"] for each in world.found("parents")[parent]["children"]]


@contextmanager
def at_work(start: Start, *arguments: str) -> Iterator[Process]:
    process = start("sync", *arguments)
    process.says("following")
    yield process
    process.process.send_signal(signal.SIGTERM)
    assert process.end() == ExitCode.OK, process.err


@pytest.mark.slow
def test_changes_arrive_until_it_is_told_to_stop(family: World, start: Start) -> None:
    with at_work(start) as process:
        family.sql("UPDATE children SET name = 'z' WHERE id = 10", "INSERT INTO parents VALUES (3, 'c', NULL)")
        until(lambda: 3 in family.found("parents") and children(family, 1) == ["z"], "the changes")
    assert "Stopped at" in process.err
    assert process.out == ""


@pytest.mark.slow
def test_it_goes_on_after_kill_9(family: World, start: Start) -> None:
    first = start("sync")
    first.says("following")
    family.sql("UPDATE children SET name = 'z' WHERE id = 10")
    first.kill()
    family.sql("DELETE FROM parents WHERE id = 2")
    last = start("sync", "--until-caught-up")
    assert last.end() == ExitCode.OK, last.err
    assert "caught up" in last.err
    assert family.disagreements() == []


@pytest.mark.slow
def test_a_second_one_waits_and_takes_over(family: World, start: Start) -> None:
    first = start("sync")
    first.says("following")
    second = start("sync")
    second.says("standby: sync is running on this target")
    refused = start("sync", "--until-caught-up")
    assert refused.end() == ExitCode.BUSY
    first.kill()
    second.says("following")
    family.sql("UPDATE children SET name = 'z' WHERE id = 10")
    until(lambda: children(family, 1) == ["z"], "the change")


@pytest.mark.slow
def test_a_collection_is_rebuilt_and_another_added_next_to_a_sync(family: World, start: Start) -> None:
    with at_work(start):
        family.sql("CREATE TABLE others (id INT PRIMARY KEY, n INT)", "INSERT INTO others VALUES (1, 1)")
        family.mapping("collection: others\nfrom: others\n")
        family.mapping(PARENTS.replace("from: parents", "from: parents\ncolumns: [id, name]"))
        assert start("apply", "--yes").end() == ExitCode.OK
        family.sql("UPDATE others SET n = 2", "UPDATE parents SET name = 'new' WHERE id = 1")
        until(lambda: family.found("others")[1]["n"] == 2, "the added collection's change")
        until(lambda: family.found("parents")[1]["name"] == "new", "the rebuilt collection's change")
        assert "born" not in family.found("parents")[1]
    assert family.disagreements() == []


def test_another_mapping_than_the_one_that_was_applied_is_refused(family: World, start: Start) -> None:
    family.mapping(PARENTS.replace("from: parents", "from: parents\ncolumns: [id, name]"))
    process = start("sync", "--until-caught-up")
    assert process.end() == ExitCode.REFUSED
    assert "the mapping has changed since the collection was applied" in process.err


@pytest.mark.slow
def test_what_a_dry_run_prints_and_does(family: World, start: Start) -> None:
    family.sql("UPDATE children SET parent_id = 2 WHERE id = 10", "DELETE FROM parents WHERE id = 1")
    before = family.documents("parents")
    process = start("sync", "--dry-run")
    assert process.end() == ExitCode.OK, process.err
    assert set(process.out.splitlines()) == {"parents  1", "parents  2"}
    assert family.documents("parents") == before
    family.sync()
    assert family.disagreements() == []


@pytest.mark.slow
def test_files_cannot_be_kept_in_step(family: World, start: Start) -> None:
    process = start("sync", "--target", f"file:{family.folder.parent / 'dump'}")
    # The later flag wins, which is the harness's own.
    process.kill()
    code = subprocess.run(
        [sys.executable, "-m", "migrator", "sync", "--source", family.source, "--target", "file:dump"],
        cwd=family.folder.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert code.returncode == ExitCode.TARGET
    assert b"can't be kept in step" in code.stderr


@pytest.mark.slow
def test_status_of_a_sync_that_is_at_work_and_of_one_that_is_not(family: World, start: Start) -> None:
    with at_work(start) as process:
        shown = start("status")
        assert shown.end() == ExitCode.OK, shown.err
        assert "in step" in shown.out
        assert "sync       following, for " in shown.out
        assert f"process    {process.process.pid} on " in shown.out
        found = start("status", "--json")
        assert found.end() == ExitCode.OK
        facts = json.loads(found.out)
        (parents,) = facts["collections"]
        assert (parents["name"], parents["documents"], parents["rejected"]) == ("parents", 2, 0)
        assert facts["sync"]["state"] == "following"
        assert facts["sync"]["position"]["file"]
        assert facts["sync_owner"]
    shown = start("status")
    assert shown.end() == ExitCode.OK
    assert "not running" in shown.out


@pytest.mark.slow
def test_metrics_and_json_lines(family: World, start: Start) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with at_work(start, "--metrics", str(port), "--log-format", "json") as process:
        family.sql("UPDATE children SET name = 'z' WHERE id = 10")

        def read() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                return str(answer.read(), "utf-8")

        until(lambda: "migrator_sync_changes_total 1.0" in read(), "the counted change")
        assert 'migrator_sync_state{state="following"} 1.0' in read()
        lines = [json.loads(line) for line in process.err.splitlines()]
        assert {line["event"] for line in lines} >= {"progress"}
        assert all(line["time"] and line["level"] for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_the_cache_of_the_repositories_is_told(family: World, request: pytest.FixtureRequest, kind: str) -> None:
    """Also while it is down: then documents run out by themselves."""
    server: Server = request.getfixturevalue(f"{kind}_factory")()
    database = make_url(family.target).database or ""
    store = open_store(server.url)
    names = {key: name_of(database, "parents", key) for key in (1, 2)}
    for name in names.values():
        store.set(name, b"Vold", 60)
    family.sql("UPDATE children SET name = 'z' WHERE id = 10")
    options = SyncOptions(until_caught_up=True, seconds=60)
    api.sync(family.source, family.target, family.files, options, Heard(), None, server.url)
    assert set(store.get_many(list(names.values()))) == {names[2]}
    server.kill()
    family.sql("DELETE FROM parents WHERE id = 2")
    assert api.sync(family.source, family.target, family.files, options, Heard(), None, server.url).caught_up
    assert family.disagreements() == []


@pytest.mark.slow
def test_a_rejected_row_takes_its_document_away_until_it_fits(family: World) -> None:
    """Edge case 55."""
    family.sql("SET SESSION sql_mode = ''", "UPDATE parents SET born = '0000-00-00' WHERE id = 1")
    family.sync()
    assert set(family.found("parents")) == {2}
    status = json.loads(_status(family))
    assert status["collections"][0]["rejected"] == 1
    family.sql("UPDATE parents SET born = '2000-01-01' WHERE id = 1")
    family.sync()
    assert set(family.found("parents")) == {1, 2}
    assert json.loads(_status(family))["collections"][0]["rejected"] == 0
    assert family.disagreements() == []


def _status(world: World) -> str:
    found = subprocess.run(
        [sys.executable, "-m", "migrator", "status", "--json", "--source", world.source, "--target", world.target],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    return found.stdout.decode()


def test_a_true_duplicate_is_rejected_and_comes_when_the_other_goes(world: World) -> None:
    """A unique index that the source does not enforce."""
    world.sql("CREATE TABLE t (id INT PRIMARY KEY, code INT NOT NULL)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    world.mapping("collection: t\nfrom: t\nindexes:\n  - {keys: {code: 1}, unique: true}\n")
    world.apply()
    world.sql("INSERT INTO t VALUES (3, 2)")
    world.sync()
    assert set(world.found("t")) == {1, 2}
    world.sql("DELETE FROM t WHERE id = 2")
    world.sync()
    assert set(world.found("t")) == {1, 3}
    assert world.disagreements() == []


@pytest.mark.slow
def test_a_purged_log_stops_it_and_the_next_apply_copies_again(
    mysql_server_factory: Callable[[], Server], mongodb_url: str, tmp_path: Path
) -> None:
    """Edge case 41. The server is the test's own: nobody else's log is purged."""
    server = mysql_server_factory()
    name = "purged"
    with connect_mysql(server.url) as connection:
        connection.cursor().execute(f"CREATE DATABASE {name}")
    source = make_url(server.url).set(database=name).render_as_string(hide_password=False)
    world = World(source, mongodb_url, tmp_path / "mappings")
    world.sql(*TABLES)
    world.mapping(PARENTS)
    world.apply()
    world.sql("UPDATE children SET name = 'lost'", "FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
    purge_log(server.url)
    with pytest.raises(SyncBlocked, match="purged") as stopped:
        world.sync()
    assert stopped.value.exit_code == ExitCode.BLOCKED
    plan = api.make_plan(world.source, world.target, world.files, PlanOptions())
    (collection,) = plan.collections
    assert collection.action == "rebuild"
    assert "sync could not follow it any further" in collection.reasons[0]
    world.apply()
    world.sql("UPDATE children SET name = 'found'")
    world.sync()
    assert world.disagreements() == []
    (collection,) = api.make_plan(world.source, world.target, world.files, PlanOptions()).collections
    assert collection.action == "unchanged"
