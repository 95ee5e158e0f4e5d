"""Servers and worker processes that die in the middle of a copy, and come back, or don't."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from dev.servers.model import Server
from dev.servers.probe import connect_mysql
from tests.project import Project, bank

RESUMABLE = 8
pytestmark = pytest.mark.slow
Factory = Callable[[], Server]


@contextmanager
def own_source(factory: Factory, target: str, folder: Path) -> Iterator[tuple[Server, Project]]:
    """The bank on a MySQL server that may be killed."""
    server = factory()
    with connect_mysql(server.url) as connection:
        connection.cursor().execute("CREATE DATABASE bank")
    url = make_url(server.url).set(database="bank").render_as_string(hide_password=False)
    for project in bank(Project(folder, url, target)):
        yield server, project


@pytest.fixture(params=["mongodb", "files"])
def target(request: pytest.FixtureRequest, mongodb_url: str, tmp_path: Path) -> str:
    return mongodb_url if request.param == "mongodb" else f"file:{tmp_path / 'dump'}"


def test_a_source_that_comes_back(mysql_server_factory: Factory, mongodb_url: str, tmp_path: Path) -> None:
    with own_source(mysql_server_factory, mongodb_url, tmp_path) as (server, project):
        project.settings("chunk_rows: 5\nretry_seconds: 30\n")
        running = project.start_copying()
        server.kill()
        time.sleep(2)
        assert running.process.poll() is None, running.end()
        server.start()
        ended = running.end()
        assert ended.code == 0, ended
        assert len(project.documents()) == 600


def test_a_source_that_stays_away(mysql_server_factory: Factory, target: str, tmp_path: Path) -> None:
    with own_source(mysql_server_factory, target, tmp_path) as (server, project):
        project.settings("chunk_rows: 1\nretry_seconds: 2\n")
        running = project.start_copying()
        server.kill()
        ended = running.end()
        assert ended.code == RESUMABLE, ended
        assert "run the same apply again" in ended.err.lower()
        password = make_url(server.url).password
        assert password
        assert password not in ended.err
        assert project.documents() == {}
        done = project.chunks_done()
        server.start()
        again = project.apply()
        assert again.code == 0, again
        assert "resuming run" in again.err, "nothing was written to the source in between"
        assert done > 3
        assert len(project.documents()) == 600


def test_files_begin_again_when_the_source_has_changed(mysql_server_factory: Factory, tmp_path: Path) -> None:
    with own_source(mysql_server_factory, f"file:{tmp_path / 'dump'}", tmp_path) as (_, project):
        project.settings("chunk_rows: 1\n")
        running = project.start_copying()
        running.kill()
        assert project.chunks_done() < 600
        project.sql("UPDATE accounts SET balance = balance - 7 WHERE id = 1")
        project.sql("UPDATE accounts SET balance = balance + 7 WHERE id = 600")
        again = project.apply()
        assert again.code == 0, again
        assert "starting the copy again" in again.err
        assert sum(int(str(each["balance"])) for each in project.documents().values()) == 60000


def test_a_target_that_comes_back(mysql_url: str, mongod_factory: Factory, tmp_path: Path) -> None:
    """Longer away than the lease lasts: nobody can have taken it over there."""
    server = mongod_factory()
    for project in bank(Project(tmp_path, mysql_url, database_of(server))):
        project.settings("chunk_rows: 5\nretry_seconds: 60\n")
        running = project.start_copying()
        server.kill()
        time.sleep(9)
        assert running.process.poll() is None, running.end()
        server.start()
        ended = running.end()
        assert ended.code == 0, ended
        assert len(project.documents()) == 600


def test_a_target_that_stays_away(mysql_url: str, mongod_factory: Factory, tmp_path: Path) -> None:
    server = mongod_factory()
    for project in bank(Project(tmp_path, mysql_url, database_of(server) + "&serverSelectionTimeoutMS=500")):
        project.settings("chunk_rows: 5\nretry_seconds: 1\n")
        running = project.start_copying()
        server.kill()
        ended = running.end(30)
        assert ended.code == RESUMABLE, ended
        server.start()
        again = project.apply()
        assert again.code == 0, again
        assert "resuming run" in again.err
        assert len(project.documents()) == 600


def database_of(server: Server) -> str:
    head, _, options = server.url.partition("?")
    return f"{head.rstrip('/')}/bank?{options}"


def test_a_killed_worker(project: Project) -> None:
    running = project.start_copying()
    workers = running.workers()
    assert workers
    os.kill(workers[-1], signal.SIGKILL)
    ended = running.end()
    assert ended.code == RESUMABLE, ended
    assert "SIGKILL" in ended.err
    assert "run the same apply again" in ended.err
    again = project.apply()
    assert again.code == 0, again
    assert len(project.documents()) == 600
