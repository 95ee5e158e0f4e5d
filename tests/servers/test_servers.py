"""The servers of demo and tests: they answer, survive a kill, and never outlive whoever started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pymongo import WriteConcern

from dev.servers import discover, packages
from dev.servers.guard import Guard
from dev.servers.model import Server, Unavailable
from dev.servers.mysql import LocalMysql, find_programs
from dev.servers.probe import connect_mongodb, connect_mysql, identify_mongodb
from dev.servers.process import RESERVED_PORTS, Folder, Process, free_port
from dev.servers.secantus import Secantus
from dev.servers.session import to_stderr

pytestmark = pytest.mark.slow
# What only this acknowledges is on the disk.
MAJORITY = WriteConcern("majority", j=True)

STARTS_A_SERVER = """
import sys, time
from dev.servers.secantus import Secantus, install
server = Secantus(install(print))
print("pid", server.pid, server._folder.path, flush=True)
time.sleep(600)
"""


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def test_mysql_has_what_a_sync_needs(mysql_server_factory: Callable[[], Server]) -> None:
    server = mysql_server_factory()
    with connect_mysql(server.url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@log_bin, @@binlog_format, @@binlog_row_image, @@binlog_row_metadata, @@server_id")
        assert cursor.fetchone() == (1, "ROW", "FULL", "FULL", 1)


def test_mysql_keeps_its_data_and_url_when_killed(mysql_server_factory: Callable[[], Server]) -> None:
    server = mysql_server_factory()
    with connect_mysql(server.url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE kept")
    server.kill()
    with pytest.raises(Exception, match=r"Can't connect|Lost connection"):
        connect_mysql(server.url, timeout=1)
    server.start()
    with connect_mysql(server.url) as connection, connection.cursor() as cursor:
        assert cursor.execute("SHOW DATABASES LIKE 'kept'") == 1
    server.stop()
    server.stop()


def test_mysql_servers_leave_each_others_temporary_tables_alone(mysql_server_factory: Callable[[], Server]) -> None:
    with connect_mysql(mysql_server_factory().url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE busy")
        cursor.execute("CREATE TEMPORARY TABLE busy.work (a INT) ENGINE = MyISAM")
        mysql_server_factory()
        cursor.execute("DROP TEMPORARY TABLE busy.work")


def test_mongodb_keeps_its_data_and_url_when_killed(mongod_factory: Callable[[], Server]) -> None:
    server = mongod_factory()
    with connect_mongodb(server.url) as client:
        client["kept"]["things"].with_options(write_concern=MAJORITY).insert_one({"_id": 1})
    server.kill()
    server.start()
    with connect_mongodb(server.url) as client:
        assert client["kept"]["things"].count_documents({}) == 1


def test_a_stopped_server_leaves_nothing(secantusd: Path) -> None:
    server = Secantus(secantusd)
    pid, folder = server.pid, server._folder.path
    server.stop()
    server.stop()
    assert not Path(f"/proc/{pid}").exists()
    assert not folder.exists()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_with_the_process_that_started_it(secantusd: Path, end: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", STARTS_A_SERVER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "MIGRATOR_TEST_SECANTUSD": str(secantusd)},
    )
    with owner, owner.stdout as output:  # type: ignore[union-attr]
        _, pid, folder = output.readline().split()
        os.kill(int(pid), 0)
        owner.send_signal(end)
    assert eventually(lambda: not Path(f"/proc/{pid}").exists())
    assert eventually(lambda: not Path(folder).exists())


def test_run_passes_the_exit_code_and_stops_the_command_when_terminated(mysql_server: str, mongodb_server: str) -> None:
    environment = {**os.environ, "MIGRATOR_TEST_MYSQL_URL": mysql_server, "MIGRATOR_TEST_MONGODB_URL": mongodb_server}
    run = [sys.executable, "-m", "dev.servers", "run", "--", "sh", "-c"]
    assert subprocess.run([*run, "exit 7"], env=environment, check=False).returncode == 7

    running = subprocess.Popen([*run, "echo $$; exec sleep 600"], env=environment, stdout=subprocess.PIPE, text=True)
    with running, running.stdout as output:  # type: ignore[union-attr]
        pid = int(output.readline())
        running.terminate()
        assert running.wait(20) == 128 + signal.SIGTERM
    assert not Path(f"/proc/{pid}").exists()


def test_a_guard_is_released_while_a_forked_child_holds_its_pipe(tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.mkdir()
    guard = Guard()
    guard.folder(left)
    child = os.fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    try:
        guard.release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert not left.exists()


def test_a_server_that_fails_shows_the_end_of_its_log() -> None:
    folder = Folder("broken")
    server = Process(["sh", "-c", "echo disk is on fire >&2; exit 3"], folder, lambda: 1 / 0)
    with pytest.raises(Unavailable, match=r"(?s)ended with 3 while starting.*disk is on fire"):
        server.start()
    server.stop()
    assert not folder.path.exists()


def test_a_program_that_is_missing_is_said() -> None:
    folder = Folder("missing")
    server = Process(["/nonexistent/mysqld"], folder, lambda: None)
    with pytest.raises(Unavailable, match="/nonexistent/mysqld can't be run: No such file"):
        server.start()
    server.stop()


def test_two_local_servers_live_side_by_side() -> None:
    try:
        programs = find_programs()
    except Unavailable as reason:
        pytest.skip(f"needs MySQL or MariaDB on this machine: {reason}")
    one, other = LocalMysql(programs), LocalMysql(programs)
    try:
        assert one.port != other.port
        assert {one.port, other.port}.isdisjoint(RESERVED_PORTS)
    finally:
        one.stop()
        other.stop()


def test_a_given_server_that_does_not_answer_is_an_error_without_its_password() -> None:
    port = free_port()
    for look, url in (
        (discover.mysql, f"mysql://root:s3cret@127.0.0.1:{port}"),
        (discover.mongodb, f"mongodb://root:s3cret@127.0.0.1:{port}/?directConnection=true"),
    ):
        variable = "MIGRATOR_TEST_MYSQL_URL" if url.startswith("mysql") else "MIGRATOR_TEST_MONGODB_URL"
        with pytest.raises(Unavailable, match=f"given by {variable} does not answer") as caught:
            look(to_stderr, {variable: url})
        assert "s3cret" not in str(caught.value)


def test_a_given_server_is_left_alone(mongodb_server: str) -> None:
    server = discover.mongodb(to_stderr, {"MIGRATOR_TEST_MONGODB_URL": mongodb_server})
    with pytest.raises(RuntimeError, match="belongs to you"):
        server.kill()
    server.stop()
    assert identify_mongodb(mongodb_server)


def test_without_root_the_packages_to_install_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(packages.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(Unavailable, match="sudo apt-get install -y --no-install-recommends mariadb-server-core"):
        packages.install_mariadb(to_stderr)
