"""Where the log can't be followed from a position without losing something, that is said, with the way out."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from dev.servers.model import Server
from migrator.errors import SourceUnavailable, SyncBlocked
from migrator.model.change.events import CaughtUp, Commit, Rows
from migrator.model.change.position import Position
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected
from tests.source.binlog.conftest import Follow
from tests.source.binlog.followed import changes_in
from tests.source.binlog.processes import kill_dumps, resident
from tests.source.conftest import Execute
from tests.waiting import purge_log


def insert(execute: Execute, *numbers: int) -> None:
    for number in numbers:
        execute(f"INSERT INTO t VALUES ({number})")


def position_after(follow: Follow, execute: Execute, *numbers: int) -> Position:
    """A position from the log, after some inserts."""
    followed = follow("t")
    insert(execute, *numbers)
    end = followed.until_quiet()[-1]
    assert isinstance(end, Commit)
    return end.position


def flush(execute: Execute) -> None:
    execute("FLUSH BINARY LOGS")


def reset(execute: Execute, mysql_product: str) -> None:
    execute("RESET MASTER" if mysql_product == "MariaDB" else "RESET BINARY LOGS AND GTIDS")


@pytest.fixture(autouse=True)
def t(execute: Execute) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY)")


def test_a_purged_log_blocks(mysql_server: str, execute: Execute, follow: Follow) -> None:
    position = position_after(follow, execute, 1)
    insert(execute, 2)
    flush(execute)
    purge_log(mysql_server)
    with pytest.raises(SyncBlocked, match="purged") as caught:
        follow("t", position=position)
    assert "migrator apply" in caught.value.hint


def test_a_purged_file_whose_transactions_were_read_does_not(
    mysql_server: str, execute: Execute, follow: Follow
) -> None:
    position = position_after(follow, execute, 1)
    flush(execute)
    purge_log(mysql_server)
    followed = follow("t", position=position)
    insert(execute, 2)
    assert [after for _, _, after in followed.changes()] == [(b"2",)]


@pytest.mark.parametrize("later", [0, 1, 20])
def test_a_reset_log_blocks(execute: Execute, follow: Follow, mysql_product: str, later: int) -> None:
    """Also when as much was written since as there was before."""
    position = position_after(follow, execute, 1, 2, 3)
    reset(execute, mysql_product)
    insert(execute, *range(10, 10 + later))
    with pytest.raises(SyncBlocked, match=r"reset|purged") as caught:
        follow("t", position=position)
    assert "migrator apply" in caught.value.hint


def test_another_server_blocks(execute: Execute, follow: Follow) -> None:
    position = position_after(follow, execute, 1)
    elsewhere = replace(position, server=replace(position.server, uuid="another"))
    with pytest.raises(SyncBlocked, match="of server another"):
        follow("t", position=elsewhere)


def test_a_lost_connection_is_told_and_nothing_is_lost_or_read_twice(
    source: MySQLSource, execute: Execute, follow: Follow
) -> None:
    followed = follow("t")
    insert(execute, 1)
    (events,) = followed.transactions()
    end = events[-1]
    assert isinstance(end, Commit)
    kill_dumps(source)
    insert(execute, 2)
    with pytest.raises(SourceUnavailable):
        followed.until_end()
    again = follow("t", position=end.position)
    assert [after for _, _, after in again.changes()] == [(b"2",)]


def test_a_restarted_server_is_followed_from_the_last_commit(
    source: MySQLSource, execute: Execute, follow: Follow, private_server: Server
) -> None:
    followed = follow("t")
    insert(execute, 1)
    (events,) = followed.transactions()
    private_server.kill()
    with pytest.raises(SourceUnavailable):
        followed.until_end()
    private_server.start()
    insert(execute, 2)
    end = events[-1]
    assert isinstance(end, Commit)
    again = follow("t", position=end.position)
    assert [after for _, _, after in again.changes()] == [(b"2",)]


def test_a_quiet_log_moves_with_its_files(execute: Execute, follow: Follow) -> None:
    """Edge case 42: the position follows, or the log would expire under it."""
    followed = follow("t")
    insert(execute, 1)
    first = followed.until(CaughtUp)
    flush(execute)
    second = followed.until(CaughtUp)
    assert isinstance(first, CaughtUp)
    assert isinstance(second, CaughtUp)
    assert first.position.gtid == second.position.gtid
    assert second.position.file > first.position.file
    insert(execute, 2)
    again = follow("t", position=second.position)
    assert [after for _, _, after in again.changes()] == [(b"2",)]


def test_quiet_comes_about_every_second(follow: Follow) -> None:
    followed = follow("t")
    followed.until(CaughtUp)
    start = time.monotonic()
    followed.until(CaughtUp)
    followed.until(CaughtUp)
    assert 0.5 < time.monotonic() - start < 5


def test_checksums_are_those_of_each_file(execute: Execute, follow: Follow) -> None:
    """A file keeps its own when the setting changes."""
    position = position_after(follow, execute, 1)
    for number, algorithm in ((2, "NONE"), (4, "CRC32"), (6, "NONE"), (8, "CRC32")):
        insert(execute, number)
        execute(f"SET GLOBAL binlog_checksum = {algorithm}", "CREATE TABLE u (id INT) COMMENT 'xyz'", "DROP TABLE u")
        insert(execute, number + 1)
        if algorithm == "NONE":
            again = follow("t", position=position)
            assert changes_in(again.until_quiet())[-1][2] == (b"%d" % (number + 1),)
    again = follow("t", position=position)
    assert [after for _, _, after in again.changes()] == [(b"%d" % number,) for number in range(2, 10)]


@pytest.mark.usefixtures("mysql")
def test_partial_json_blocks(execute: Execute, follow: Follow) -> None:
    execute("CREATE TABLE j (id INT PRIMARY KEY, doc JSON)", 'INSERT INTO j VALUES (1, \'{"a": 1, "b": "long text"}\')')
    followed = follow("j", columns={"j": ("id",)})
    with connected(followed.source.url) as connection:
        connection.exec_driver_sql("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'")
        connection.exec_driver_sql("UPDATE j SET doc = JSON_SET(doc, '$.a', 2)")
    with pytest.raises(SyncBlocked, match="PARTIAL_JSON"):
        followed.until_quiet()


@pytest.mark.usefixtures("mysql")
def test_a_server_without_gtids_is_followed_by_place(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    execute(*(f"SET GLOBAL gtid_mode = {mode}" for mode in ("ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF")))
    try:
        followed = follow("t")
        assert followed.start.how == "log-file-start"
        insert(execute, 1, 2)
        events = followed.until_quiet()
        assert changes_in(events)[-2:] == [("t", None, (b"1",)), ("t", None, (b"2",))]
        end = events[-1]
        assert isinstance(end, Commit)
        assert not end.position.gtid
        insert(execute, 3)
        again = follow("t", position=end.position)
        assert changes_in(again.until_quiet()) == [("t", None, (b"3",))]
        beyond = replace(end.position, offset=end.position.offset + 10**9)
        with pytest.raises(SyncBlocked, match="reset or restored"):
            follow("t", position=beyond)
        gone = replace(end.position, file="binlog.999999")
        with pytest.raises(SyncBlocked, match="purged or reset"):
            follow("t", position=gone)
    finally:
        execute(*(f"SET GLOBAL gtid_mode = {mode}" for mode in ("OFF_PERMISSIVE", "ON_PERMISSIVE", "ON")))


@pytest.mark.usefixtures("mysql")
def test_tagged_gtids(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    """Edge case 40: since 8.3 a GTID may have a tag, and then the position is followed by its place."""
    followed = follow("t")
    with connected(source.url) as connection:
        for number in range(1, 300):
            connection.exec_driver_sql(
                "SET SESSION gtid_next = 'AUTOMATIC:blue'" if number % 3 else "SET SESSION gtid_next = AUTOMATIC"
            )
            connection.exec_driver_sql(f"INSERT INTO t VALUES ({number})")
        executed = str(connection.exec_driver_sql("SELECT @@GLOBAL.gtid_executed").scalar()).replace("\n", "")
    events = followed.until_quiet()
    end = events[-1]
    assert isinstance(end, Commit)
    assert ":blue:" in end.position.gtid
    with connected(source.url) as connection:
        for one, other in ((executed, end.position.gtid), (end.position.gtid, executed)):
            assert connection.exec_driver_sql(f"SELECT GTID_SUBSET('{one}', '{other}')").scalar() == 1
    insert(execute, 1000)
    again = follow("t", position=end.position)
    assert changes_in(again.until_quiet()) == [("t", None, (b"1000",))]


@pytest.mark.usefixtures("mariadb")
def test_several_domains(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    followed = follow("t")
    with connected(source.url) as connection:
        for number in range(1, 10):
            connection.exec_driver_sql(f"SET SESSION gtid_domain_id = {number % 3}")
            connection.exec_driver_sql(f"INSERT INTO t VALUES ({number})")
        wanted = str(connection.exec_driver_sql("SELECT @@GLOBAL.gtid_binlog_pos").scalar())
    events = followed.until_quiet()
    end = events[-1]
    assert isinstance(end, Commit)
    assert set(end.position.gtid.split(",")) == set(wanted.split(","))
    for commit in (event for event in events if isinstance(event, Commit)):
        again = follow("t", position=commit.position)
        rows = [after for _, _, after in changes_in(again.until_quiet())]
        done = [event for event in events[: events.index(commit)] if isinstance(event, Rows)]
        assert rows == [(b"%d" % number,) for number in range(len(done) + 1, 10)]


def test_names_in_the_log_outlive_a_change_of_the_table(execute: Execute, follow: Follow) -> None:
    """Edge case 36, with the metadata that MySQL writes by default it can't be determined what is what."""
    execute("CREATE TABLE c (id INT PRIMARY KEY, n INT)")
    position = position_after(follow, execute, 1)
    execute("INSERT INTO c VALUES (7, 8)", "ALTER TABLE c ADD COLUMN first_one INT FIRST")
    followed = follow("c", position=position, columns={"c": ("id",)})
    assert [after for _, _, after in followed.changes()] == [(b"7",)]
    full = "FULL"
    less = "NO_LOG" if followed.start.server.flavor == "mariadb" else "MINIMAL"
    execute(f"SET GLOBAL binlog_row_metadata = '{less}'")
    try:
        position = position_after(follow, execute, 2)
        execute("INSERT INTO c VALUES (1, 9, 10)")
        assert [after for _, _, after in follow("c", position=position, columns={"c": ("id",)}).changes()] == [(b"9",)]
        execute("ALTER TABLE c MODIFY n BIGINT")
        with pytest.raises(SyncBlocked, match="another type") as caught:
            follow("c", position=position, columns={"c": ("id",)}).until_quiet()
        assert "binlog_row_metadata" in caught.value.hint
        execute("ALTER TABLE c DROP COLUMN first_one")
        with pytest.raises(SyncBlocked, match="3 columns, the table 2"):
            follow("c", position=position, columns={"c": ("id",)}).until_quiet()
    finally:
        execute(f"SET GLOBAL binlog_row_metadata = '{full}'")


@pytest.mark.slow
def test_a_huge_transaction_streams(execute: Execute, follow: Follow) -> None:
    """Edge case 39: rows come while it is read, and memory holds some of them."""
    execute(
        "CREATE TABLE big (id INT PRIMARY KEY AUTO_INCREMENT, pad VARCHAR(200))",
        "INSERT INTO big (pad) VALUES (REPEAT('x', 200))",
    )
    for _ in range(17):
        execute("INSERT INTO big (pad) SELECT pad FROM big")
    followed = follow("big", columns={"big": ("id",)})
    followed.until_quiet()
    execute("UPDATE big SET pad = REPEAT('y', 200)")
    before = resident()
    count, most, start = 0, before, time.monotonic()
    while not isinstance(event := followed.next(), Commit):
        assert isinstance(event, Rows)
        assert len(event.changes) <= 1000
        count += len(event.changes)
        most = max(most, resident())
    seconds = time.monotonic() - start
    assert count == 2**17
    print(f"{count / seconds:,.0f} rows/s")
    assert most - before < 20 << 20
