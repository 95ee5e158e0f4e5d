from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dev.servers.model import Server
from migrator.errors import SourceError, SourceUnavailable
from migrator.model.change.position import Position
from migrator.model.serialize import from_json, to_json
from migrator.source import MySQLSource, open_source
from migrator.source.connection.connect import connected
from migrator.source.connection.identity import identity_of, read_identity
from migrator.source.connection.url import SourceUrl
from migrator.source.log_position import log_end, position
from migrator.source.rows import shared_snapshot
from tests.source.conftest import Execute
from tests.source.reading import raw


def ask(source: MySQLSource, sql: str) -> Any:
    with connected(source.url) as connection:
        return connection.exec_driver_sql(sql).scalar()


def logs_changes(source: MySQLSource) -> bool:
    return bool(ask(source, "SELECT @@GLOBAL.log_bin"))


def test_identity_names_the_server(source: MySQLSource, mysql_product: str) -> None:
    found = source.identity()
    assert found.flavor == mysql_product.lower()
    assert ask(source, "SELECT VERSION()").startswith(found.version)
    assert found == MySQLSource(source.url).identity()
    if mysql_product == "MySQL":
        assert found.uuid == ask(source, "SELECT @@server_uuid")
    else:
        assert found.uuid.startswith(f"mariadb-{found.server_id}-")


def test_mariadb_without_server_uid_is_named_by_its_place() -> None:
    variables = {"version": "10.2.44-MariaDB", "server_id": "5", "hostname": "a", "port": "3306", "datadir": "/data/"}
    here, there = identity_of(variables.items()), identity_of((variables | {"port": "3307"}).items())
    assert here.version == "10.2.44"
    assert here.uuid.startswith("mariadb-5-")
    assert here.uuid != there.uuid


def test_position_is_one_that_later_snapshots_contain(
    source: MySQLSource, execute: Execute, mysql_product: str
) -> None:
    if not logs_changes(source):
        assert source.position() is None
        return
    execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    before = source.position()
    assert before is not None
    assert from_json(Position, to_json(before)) == before
    assert before.server == source.identity()
    execute("INSERT INTO t VALUES (2)")
    after = source.position()
    assert after is not None
    assert before.file
    if mysql_product == "MariaDB":
        assert before.how == "mariadb-snapshot"
        assert (before.file, before.offset) < (after.file, after.offset)
        assert before.gtid
        assert before.gtid != after.gtid
    elif before.how == "gtid-executed":
        assert before.offset == 4
        assert ask(source, f"SELECT GTID_SUBSET('{before.gtid}', '{after.gtid}')") == 1
        assert ask(source, f"SELECT GTID_SUBSET('{after.gtid}', '{before.gtid}')") == 0
    else:
        assert (before.how, before.gtid, before.offset) == ("log-file-start", "", 4)


@pytest.mark.needs_mariadb("a session knows the id of its last transaction")
def test_position_is_before_a_transaction_that_has_not_committed(source: MySQLSource, execute: Execute) -> None:
    if not logs_changes(source):
        pytest.skip("this server writes no log")

    def number(gtid: object) -> int:
        return int(str(gtid).split("-")[-1])

    execute("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB")
    with connected(source.url) as writer:
        writer.exec_driver_sql("START TRANSACTION")
        writer.exec_driver_sql("INSERT INTO t VALUES (1)")
        during = source.position()
        writer.exec_driver_sql("COMMIT")
        own = writer.exec_driver_sql("SELECT @@last_gtid").scalar()
    after = source.position()
    assert during is not None
    assert after is not None
    assert number(during.gtid) < number(own) <= number(after.gtid)


def test_an_account_that_may_only_read_can_copy(source: MySQLSource, reader: SourceUrl) -> None:
    found = position(reader)
    whole = source.position()
    if found is not None:
        assert whole is not None
        assert (found.how, found.server) == (whole.how, whole.server)


@pytest.mark.slow
@pytest.mark.needs_mysql("GTIDs that can be turned off")
def test_without_gtid_it_is_the_beginning_of_the_current_log_file(mysql_server_factory: Callable[[], Server]) -> None:
    alone = open_source(f"{mysql_server_factory().url.rstrip('/')}/mysql")
    if alone.identity().flavor != "mysql":
        pytest.skip("no private MySQL server can be started here")
    with connected(alone.url) as connection:
        for mode in ("ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"):
            connection.exec_driver_sql(f"SET GLOBAL gtid_mode = {mode}")
        connection.exec_driver_sql("FLUSH BINARY LOGS")
        connection.exec_driver_sql("CREATE DATABASE written")
    first = alone.position()
    assert first is not None
    assert (first.how, first.gtid, first.offset) == ("log-file-start", "", 4)
    with connected(alone.url) as connection:
        connection.exec_driver_sql("FLUSH BINARY LOGS")
    second = alone.position()
    assert second is not None
    assert (second.file > first.file, second.offset) == (True, 4)


def test_writes_wait_until_the_moment_is_released(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY)")
    done: list[float] = []

    def write() -> None:
        execute("INSERT INTO t VALUES (1)")
        done.append(time.monotonic())

    with source.hold_shared_snapshot() as held:
        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.2)
        seen = raw(source, "SELECT COUNT(*) FROM t")
        released = time.monotonic()
        held.release()
        held.release()
        writer.join(10)
    assert seen == [(b"0",)]
    assert done
    assert done[0] >= released
    if logs_changes(source):
        assert held.position is not None
        assert held.position.how == "global-lock"
        assert held.position.offset > 4
    else:
        assert held.position is None


def test_the_end_of_the_block_releases_too(source: MySQLSource, execute: Execute) -> None:
    with pytest.raises(RuntimeError, match="elsewhere"), source.hold_shared_snapshot():
        raise RuntimeError("elsewhere")
    execute("CREATE TABLE t (id INT PRIMARY KEY)")


def test_a_missing_privilege_is_named(reader: SourceUrl) -> None:
    with (
        pytest.raises(SourceError, match="FLUSH TABLES WITH READ LOCK") as caught,
        shared_snapshot.hold_shared_snapshot(reader),
    ):
        pass
    assert "RELOAD" in caught.value.hint


def test_a_long_statement_does_not_hold_up_writers_for_long(
    source: MySQLSource, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_snapshot, "LOCK_WAIT", 1)
    execute("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB")
    with connected(source.url) as other:
        other.exec_driver_sql("LOCK TABLES t WRITE")
        with pytest.raises(SourceUnavailable, match="long statement"), source.hold_shared_snapshot():
            pass


def test_load(source: MySQLSource) -> None:
    found = source.load()
    assert found.threads_running >= 1
    assert found.replica_lag is None
    with pytest.raises(SourceError, match="not a replica"):
        MySQLSource(replace(source.url, replica=source.url)).load()


@pytest.mark.needs_mariadb("a session knows the id of its last transaction")
def test_snapshots_contain_all_up_to_a_position_taken_among_writers(source: MySQLSource, execute: Execute) -> None:
    """Premise A, in sequence: position, then snapshot, while others commit all the time."""
    if not logs_changes(source):
        pytest.skip("this server writes no log")
    execute("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, writer INT) ENGINE=InnoDB")
    stop = threading.Event()
    committed: dict[int, int] = {}  # id of a row: number of its transaction in the log

    def number(gtid: object) -> int:
        return int(str(gtid).split(",")[0].split("-")[-1])

    def write(writer: int) -> None:
        with connected(source.url) as connection:
            while not stop.is_set():
                connection.exec_driver_sql("INSERT INTO t (writer) VALUES (%s)", (writer,))
                connection.exec_driver_sql("COMMIT")
                row, gtid = connection.exec_driver_sql("SELECT LAST_INSERT_ID(), @@last_gtid").one()
                committed[row] = number(gtid)

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for writer in writers:
        writer.start()
    looks: list[tuple[int, set[int], set[int]]] = []
    try:
        until = time.monotonic() + 1.5
        while time.monotonic() < until or len(looks) < 3 or len(committed) < 20:
            known = set(committed)
            found = source.position()
            assert found is not None
            snapshot = {int(row[0] or 0) for row in raw(source, "SELECT id FROM t")}
            looks.append((number(found.gtid), known, snapshot))
    finally:
        stop.set()
        for writer in writers:
            writer.join(10)
    for place, known, snapshot in looks:
        logged = {row for row, at in committed.items() if at <= place}
        assert logged <= snapshot, "an event before the position is in no later snapshot"
        # And the position isn't just an old one: what was committed before it was asked for is before it.
        assert known <= logged


@pytest.mark.needs_mariadb("place and GTID are told by two statements")
def test_the_logs_end_is_of_one_moment(source: MySQLSource, execute: Execute) -> None:
    """A pair of place and GTID that the log never had would look like a log that was reset."""
    if not logs_changes(source):
        pytest.skip("the server writes no log")
    execute("CREATE TABLE busy (id INT AUTO_INCREMENT PRIMARY KEY)")
    done = threading.Event()

    def write() -> None:
        with connected(source.url) as connection:
            while not done.is_set():
                connection.exec_driver_sql("INSERT INTO busy VALUES (NULL)")
                connection.commit()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        with connected(source.url) as connection:
            server = read_identity(connection)
            for _ in range(150):
                file, offset, gtid = log_end(connection, server)
                exact = connection.exec_driver_sql("SELECT BINLOG_GTID_POS(%s, %s)", (file, offset)).scalar()
                assert set(gtid.split(",")) == set(str(exact).split(","))
    finally:
        done.set()
        for writer in writers:
            writer.join()
