from __future__ import annotations

import time
from dataclasses import replace

import pytest

from migrator.errors import SyncBlocked
from migrator.model.change.events import Commit
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected_raw
from tests.source.binlog.conftest import Follow
from tests.source.conftest import Execute
from tests.source.reading import raw

KEPT = 100_000


def test_how_far_a_position_lags(source: MySQLSource, execute: Execute, follow: Follow, mysql_product: str) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY)", f"SET GLOBAL binlog_expire_logs_seconds = {KEPT}")
    followed = follow("t")
    execute("INSERT INTO t VALUES (1)")
    end = followed.until_quiet()[-1]
    assert isinstance(end, Commit)
    status = source.log_status(end.position)
    assert (status.transactions, status.bytes, status.expires_in) == (0, 0, KEPT)
    assert (status.end.file, status.end.offset) == (end.position.file, end.position.offset)
    execute("INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (3)", "FLUSH BINARY LOGS", "INSERT INTO t VALUES (4)")
    time.sleep(2)
    status = source.log_status(end.position)
    assert status.transactions == 3
    files = {row[0]: int(row[1] or 0) for row in raw(source, "SHOW BINARY LOGS")}
    assert status.bytes == files[end.position.file.encode()] - end.position.offset + status.end.offset
    assert status.expires_in is not None
    assert KEPT - 30 < status.expires_in <= KEPT - 1
    execute("SET GLOBAL binlog_expire_logs_seconds = 0")
    if mysql_product == "MySQL":
        execute("SET GLOBAL binlog_expire_logs_auto_purge = OFF")
    assert source.log_status(end.position).expires_in is None
    if mysql_product == "MySQL":
        execute("SET GLOBAL binlog_expire_logs_auto_purge = ON")


def test_a_file_that_is_gone_has_no_time_left(source: MySQLSource, execute: Execute) -> None:
    execute(f"SET GLOBAL binlog_expire_logs_seconds = {KEPT}")
    position = source.position()
    assert position is not None
    status = source.log_status(replace(position, file="binlog.000000"))
    assert (status.bytes, status.expires_in) == (None, 0)


def test_the_status_of_another_server_is_refused(source: MySQLSource) -> None:
    position = source.position()
    assert position is not None
    with pytest.raises(SyncBlocked, match="of server another"):
        source.log_status(replace(position, server=replace(position.server, uuid="another")))


def test_what_can_be_followed(source: MySQLSource, execute: Execute, mysql_product: str) -> None:
    source.require_followable()
    compression = "log_bin_compress" if mysql_product == "MariaDB" else "binlog_transaction_compression"
    try:
        execute(f"SET GLOBAL {compression} = ON")
        source.require_followable()
        execute("SET GLOBAL binlog_row_image = 'MINIMAL'", "SET GLOBAL binlog_format = 'MIXED'")
        with pytest.raises(SyncBlocked, match="binlog_row_image: MINIMAL") as caught:
            source.require_followable()
    finally:
        execute(
            f"SET GLOBAL {compression} = OFF",
            "SET GLOBAL binlog_row_image = 'FULL'",
            "SET GLOBAL binlog_format = 'ROW'",
        )
    assert "binlog_format: MIXED" in caught.value.what
    assert "binlog_format = 'ROW'" in caught.value.hint
    assert "binlog_row_image = 'FULL'" in caught.value.hint
    assert compression not in caught.value.what


def test_prepared_transactions_are_seen(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY)")
    with connected_raw(source.url) as connection, connection.cursor() as cursor:
        for statement in ("XA START 'x'", "INSERT INTO t VALUES (1)", "XA END 'x'", "XA PREPARE 'x'"):
            cursor.execute(statement)
    try:
        with pytest.raises(SyncBlocked, match="XA transaction prepared"):
            source.require_followable()
    finally:
        execute("XA ROLLBACK 'x'")


def test_whether_cascades_are_logged(source: MySQLSource, mysql_product: str) -> None:
    assert source.cascades_are_logged() == (mysql_product == "MySQL" and source.identity().version >= "9.6")
