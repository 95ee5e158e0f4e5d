"""Phases and waits of real commands, where they are told: lines, events, and what `status` reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from sqlalchemy.engine import make_url

from dev.servers.model import Server
from dev.servers.probe import connect_mysql
from tests.project import ACCOUNTS, Project, bank
from tests.sync.premises.world import World
from tests.waiting import until

INDEXED = f"{ACCOUNTS}indexes:\n  - {{keys: {{owner: 1}}}}\n  - {{keys: {{balance: 1}}}}\n"
TREE = (
    "CREATE TABLE parents (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE tags (id INT PRIMARY KEY, parent_id INT, label VARCHAR(20),"
    " FOREIGN KEY (parent_id) REFERENCES parents (id) ON DELETE CASCADE)",
    "INSERT INTO parents VALUES (1, 'a'), (2, 'b')",
    "INSERT INTO tags VALUES (10, 1, 'x'), (11, 2, 'y')",
)
TAGS = "collection: tags\nfrom: tags\nindexes:\n  - {keys: {label: 1}}\n  - {keys: {parent_id: 1}}\n"


@pytest.mark.needs_mariadb("cascades are not in its log")
def test_phases_come_in_their_order(mysql_url: str, mongodb_url: str, tmp_path: Path) -> None:
    world = World(mysql_url, mongodb_url, tmp_path / "mappings")
    world.sql(*TREE)
    world.mapping(TAGS)
    heard = world.apply()
    phases = [str(phase) for phase, _ in groupby(each.phase for each in heard.doings)]
    # A start that takes less than a second is told to nobody.
    assert [phase for phase in phases if phase != "starting"] == [
        "recording cascade keys",
        "copying",
        "catching up",
        "publishing tags",
        "building index 1 of 2 of tags",
        "publishing tags",
        "building index 2 of 2 of tags",
        "publishing tags",
    ]
    assert any(each.beside is not None and each.beside.name == "recording-keys" for each in heard.doings)


@pytest.mark.slow
def test_phases_as_plain_lines_and_as_events(project: Project) -> None:
    project.mapping("accounts", INDEXED)
    ended = project.apply()
    assert ended.code == 0, ended
    said = ended.err.splitlines()
    assert [line for line in said if line in ("copying", "catching up", "accounts is live")] == [
        "copying",
        "catching up",
        "accounts is live",
    ]
    project.sql("UPDATE accounts SET balance = 1 WHERE id = 1")
    ended = project.apply("--replace", "accounts", "--log-format", "json")
    events = [json.loads(line) for line in ended.err.splitlines()]
    phases = [each for each in events if each["event"] == "phase"]
    assert [each["phase"] for each in phases][:2] == ["copying", "catching-up"]
    assert all(each["command"] == "apply" and each["text"] and each["phase_seconds"] >= 0 for each in phases)


@pytest.mark.slow
def test_a_lock_on_a_table_is_named(project: Project) -> None:
    plan = project.run("plan", "--out", "plan.json")
    assert plan.code == 0, plan
    with project.connect() as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES accounts WRITE")
        running = project.start_apply("plan.json")
        running.says("aiting for table metadata lock")
        found = json.loads(project.here("status", "--json").out)["apply"]
        assert found["waiting"]["seconds"] > 3
        assert "aiting for table metadata lock" in found["waiting"]["detail"]
        assert "\nwaiting    for " in project.here("status").out
    assert running.end().code == 0
    (line, *_) = (line for line in running.err.splitlines() if "metadata lock" in line)
    assert re.search(r": waiting for .* \(connection \d+ is waiting for table metadata lock, for \d+ s\), for ", line)


@pytest.mark.slow
def test_a_lock_that_holds_up_a_plan(project: Project) -> None:
    with project.connect() as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES accounts WRITE")
        running = project.start("plan")
        running.says("planning: ")
        running.says("aiting for table metadata lock")
    assert running.end().code == 0


@pytest.mark.slow
def test_a_lease_of_another_machine_that_is_waited_for(project: Project) -> None:
    with MongoClient[dict[str, Any]](project.target) as client:
        process = {"host": "far", "machine": "another", "pid": 1, "born": "1"}
        held = {"_id": "target", "token": "t", "process": process, "purpose": "apply", "since": "then", "beat": 7}
        client.get_default_database()["_migrator_leases"].insert_one(held)
    ended = project.apply()
    assert ended.code == 0, ended
    assert "starting: waiting for the lease of the target" in ended.err


@pytest.fixture
def own(
    mysql_server_factory: Callable[[], Server], mongodb_url: str, tmp_path: Path
) -> Iterator[tuple[Server, Project]]:
    """The bank on a server of its own."""
    server = mysql_server_factory()
    with connect_mysql(server.url) as connection:
        connection.cursor().execute("CREATE DATABASE bank")
    url = make_url(server.url).set(database="bank").render_as_string(hide_password=False)
    for project in bank(Project(tmp_path, url, mongodb_url)):
        project.settings("chunk_rows: 10\nretry_seconds: 60\n")
        yield server, project


@pytest.mark.slow
def test_a_source_that_went_away_is_waited_for_by_workers(own: tuple[Server, Project]) -> None:
    server, project = own
    running = project.start_copying()
    server.kill()
    running.says("waiting for another try, after: ")
    server.start()
    assert running.end().code == 0
    assert len(project.documents()) == 600


@pytest.mark.slow
def test_a_source_that_went_away_is_waited_for_by_sync(own: tuple[Server, Project]) -> None:
    server, project = own
    assert project.apply().code == 0
    running = project.start("sync")
    running.says("following")
    server.kill()
    running.says("waiting for another try, after: ")
    found = json.loads(project.here("status", "--json").out)["sync"]
    assert found["work"]["waiting"]["what"].startswith("another try, after: ")
    # All that was logged until it went away is done, and what it says of that grows older.
    assert found["lag_seconds"] is None or found["lag_seconds"] > 2
    server.start()
    until(lambda: json.loads(project.here("status", "--json").out)["sync"]["lag_seconds"] == 0, "the end")
    running.kill()
