"""Settings that the shared development servers must not be given: judged without a server."""

from __future__ import annotations

import pytest

from migrator.model.change.position import ServerIdentity
from migrator.source.preflight.log_settings import (
    cascades_are_logged,
    duration,
    expiry_seconds,
    log_bin,
    log_settings,
    replica_log,
)

MYSQL = ServerIdentity("mysql", "8.4.0", "uuid", 1)
MARIADB = ServerIdentity("mariadb", "10.11.1", "uuid", 1)
GOOD = {
    "log_bin": "ON",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_row_value_options": "",
    "binlog_expire_logs_seconds": "2592000",
}


@pytest.mark.parametrize(
    ("server", "change", "bad"),
    [
        (MYSQL, {}, []),
        (MYSQL, {"binlog_row_image": "NOBLOB"}, []),
        (MYSQL, {"binlog_format": "MIXED"}, ["binlog_format"]),
        (MYSQL, {"binlog_format": "STATEMENT", "binlog_row_image": "minimal"}, ["binlog_format", "binlog_row_image"]),
        (MYSQL, {"binlog_row_value_options": "PARTIAL_JSON"}, ["binlog_row_value_options"]),
        (MYSQL, {"binlog_transaction_compression": "ON"}, []),
        (MARIADB, {"log_bin_compress": "ON"}, []),
        (MYSQL, {"binlog_expire_logs_seconds": "3600"}, ["binlog_expire_logs_seconds"]),
        (MYSQL, {"binlog_expire_logs_seconds": "0"}, []),
        (MYSQL, {"binlog_expire_logs_seconds": "60", "binlog_expire_logs_auto_purge": "OFF"}, []),
        (MARIADB, {"binlog_expire_logs_seconds": "0", "expire_logs_days": "0.500000"}, ["binlog_expire_logs_seconds"]),
    ],
)
def test_what_sync_cant_work_with(server: ServerIdentity, change: dict[str, str], bad: list[str]) -> None:
    settings = list(log_settings(server, GOOD | change))
    assert [setting.name for setting in settings if not setting.good] == bad
    assert all(setting.fix for setting in settings if not setting.good)


def test_no_log() -> None:
    assert not log_bin({"log_bin": "OFF"}).good
    assert log_bin({"log_bin": "ON"}).good


def test_a_replica_must_log_what_it_replicates() -> None:
    off, on = {"log_slave_updates": "OFF"}, {"log_slave_updates": "OFF", "log_replica_updates": "ON"}
    assert replica_log(off, is_replica=False) is None
    found = replica_log(off, is_replica=True)
    assert found is not None
    assert not found.good
    found = replica_log(on, is_replica=True)
    assert found is not None
    assert found.good


@pytest.mark.parametrize(
    ("server", "variables", "logged"),
    [
        (MARIADB, {}, False),
        (MYSQL, {}, False),
        (MYSQL, {"innodb_native_foreign_keys": "ON"}, False),
        (MYSQL, {"innodb_native_foreign_keys": "OFF"}, True),
    ],
)
def test_where_cascades_are_logged(server: ServerIdentity, variables: dict[str, str], logged: bool) -> None:
    assert cascades_are_logged(server, variables) is logged


def test_expiry_and_its_text() -> None:
    assert expiry_seconds({"expire_logs_days": "1.5"}) == 129_600
    assert expiry_seconds({}) is None
    assert [duration(value) for value in (86_400, 129_600, 3_600, 5_400, 61, 1)] == [
        "1 day",
        "36 hours",
        "1 hour",
        "90 minutes",
        "61 seconds",
        "1 second",
    ]
