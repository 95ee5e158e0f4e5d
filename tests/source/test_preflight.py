"""Preflight on a real server; what must not be done to a shared server is injected into what was read from it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from migrator.model.report.check import Check
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import SourceUrl
from migrator.source.preflight import checks as preflight
from migrator.source.preflight.server_facts import ServerFacts, read_facts
from tests.source.build import table
from tests.source.conftest import Execute


def named(checks: list[Check], name: str) -> list[Check]:
    return [check for check in checks if check.name == name]


@pytest.fixture
def account(stranger: SourceUrl, execute: Execute) -> SourceUrl:
    """An account that may log in, see the fresh database's t and nothing else."""
    execute("CREATE TABLE t (id INT PRIMARY KEY)", f"GRANT SELECT ON `{stranger.database}`.t TO '{stranger.user}'@'%'")
    return stranger


def test_nothing_blocks_a_server_made_for_development(source: MySQLSource) -> None:
    checks = list(preflight.checks(source.url))
    assert [check for check in checks if check.status == "blocked"] == []
    expected = ("reachable", "version", "same server", "privileges", "time zone", "character sets", "clock")
    assert {check.name for check in checks} >= {*expected, "log_bin", "max_allowed_packet"}
    assert all(check.side == "source" and check.text for check in checks)
    assert all(check.fix for check in checks if check.status != "ok")


def test_no_way_in_is_one_line_without_the_password(source: MySQLSource) -> None:
    (check,) = preflight.checks(replace(source.url, port=1, password="secret-word"))
    assert (check.status, check.name) == ("blocked", "reachable")
    assert source.url.host in check.text
    assert "host and port" in check.fix
    assert "secret-word" not in check.text + check.fix


def test_an_account_that_may_not_use_the_database_is_told_what_to_grant(stranger: SourceUrl) -> None:
    (check,) = preflight.checks(stranger)
    assert (check.status, check.name) == ("blocked", "reachable")
    assert check.fix.startswith("GRANT SELECT ON `")
    assert f"TO '{stranger.user}'@'%';" in check.fix


def test_an_account_for_one_table_is_told_what_to_grant(account: SourceUrl, execute: Execute) -> None:
    checks = list(preflight.checks(account))
    select, sync, files = named(checks, "privileges")
    assert (select.status, sync.status, files.status) == ("warning", "warning", "warning")
    assert "only 1 of its tables" in select.text
    assert f"TO '{account.user}'@'%';" in select.fix
    assert "REPLICATION SLAVE" in sync.fix
    assert "secret-word" not in "".join(check.text + check.fix for check in checks)
    # What is printed is what helps.
    for check in (select, sync, files):
        execute(*check.fix.splitlines())
    assert [check.status for check in named(list(preflight.checks(account)), "privileges")] == ["ok", "ok", "ok"]


def test_a_database_that_may_not_be_read_blocks(account: SourceUrl, execute: Execute, second_database: str) -> None:
    url = replace(account, databases=(account.database, second_database))
    select = named(list(preflight.checks(url)), "privileges")[:2]
    assert [check.status for check in select] == ["warning", "blocked"]
    assert second_database.replace("_", "\\_") in select[1].fix


def test_privileges_of_an_active_role_count_and_others_are_named(account: SourceUrl, execute: Execute) -> None:
    role = f"r{secrets.token_hex(4)}"
    with connected(account) as connection:
        mariadb = read_identity(connection).flavor == "mariadb"
    execute(f"CREATE ROLE `{role}`", f"GRANT SELECT ON `{account.database}`.* TO `{role}`")
    try:
        execute(f"GRANT `{role}` TO '{account.user}'@'%'")
        inactive = named(list(preflight.checks(account)), "privileges")[0]
        assert inactive.status == "warning"
        assert role in inactive.fix
        to, for_ = ("", " FOR") if mariadb else (" TO", "")
        execute(f"SET DEFAULT ROLE `{role}`{to}{for_} '{account.user}'@'%'")
        assert named(list(preflight.checks(account)), "privileges")[0].status == "ok"
    finally:
        execute(f"DROP ROLE `{role}`")


def test_plan_names_the_privileges_that_sync_lacks(account: SourceUrl) -> None:
    finding = preflight.findings(account)[0]
    assert (finding.severity, finding.code) == ("warning", "privileges")
    assert finding.fix.startswith("GRANT ")


@pytest.mark.needs_mariadb("foreign keys whose rules are hidden from an account with SELECT alone")
@pytest.mark.parametrize("scope", ["*", "tags"])
def test_cascades_are_seen_by_accounts_that_may_only_select(account: SourceUrl, execute: Execute, scope: str) -> None:
    execute(*SHOP, f"GRANT SELECT ON `{account.database}`.{scope} TO '{account.user}'@'%'")
    tags = table(MySQLSource(account).schema(), "tags")
    assert [key.name for key in tags.foreign_keys if key.cascades] == ["g"]
    (check,) = named(list(preflight.checks(account)), "cascades")
    # All of them, since one may be any.
    count = 4 if scope == "*" else 1
    assert check.text.startswith(f"{count} foreign key")
    assert f"of {count} the account may not see" in check.text


def test_a_prepared_transaction_is_found(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY)")
    name = secrets.token_hex(4)
    with connected(source.url) as connection:
        for statement in ("START '{}'", "END '{}'", "PREPARE '{}'"):
            connection.exec_driver_sql(f"XA {statement.format(name)}")
            if statement.startswith("START"):
                connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        try:
            assert "xa" in {finding.code for finding in preflight.findings(source.url)}
        finally:
            connection.exec_driver_sql(f"XA ROLLBACK '{name}'")


def inject(monkeypatch: pytest.MonkeyPatch, **change: Any) -> None:
    """Changes what is read from the server; `variables` are merged."""

    def read(connection: Any) -> ServerFacts:
        facts = read_facts(connection)
        merged = change | {"variables": dict(facts.variables) | change.get("variables", {})}
        return replace(facts, **merged)

    monkeypatch.setattr(preflight, "read_facts", read)


def test_a_version_of_mysql_that_is_named_by_year_and_month(
    source: MySQLSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(source.url) as connection:
        server = replace(read_identity(connection), flavor="mysql", version="26.7.0")
    triggers = {"innodb_native_foreign_keys": "OFF", "enable_cascade_triggers": "ON"}
    inject(monkeypatch, server=server, variables=triggers)
    checks = list(preflight.checks(source.url))
    (version,) = named(checks, "version")
    assert (version.status, version.text) == ("ok", "MySQL 26.7.0")
    (cascades,) = named(checks, "cascades")
    assert cascades.status == "ok"
    assert "enable_cascade_triggers" in cascades.text


def test_without_a_log_there_is_one_finding(source: MySQLSource, monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, variables={"log_bin": "OFF", "binlog_format": "STATEMENT"})
    (finding,) = preflight.findings(source.url)
    assert (finding.severity, finding.code) == ("warning", "no-change-log")
    assert "sync" in finding.text
    checks = list(preflight.checks(source.url))
    assert [check.status for check in named(checks, "log_bin")] == ["warning"]
    assert named(checks, "binlog_format") == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"variables": {"binlog_format": "STATEMENT"}}, "binlog-format"),
        ({"variables": {"binlog_row_image": "MINIMAL"}}, "binlog-row-image"),
        (
            {"variables": {"log_slave_updates": "OFF", "log_replica_updates": "OFF"}, "is_replica": True},
            "log-replica-updates",
        ),
        ({"session_logs": False}, "sql-log-bin"),
        ({"filters": "only shop"}, "binlog-do-db"),
    ],
)
def test_settings_become_findings_and_checks(
    source: MySQLSource, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], code: str
) -> None:
    inject(monkeypatch, **change)
    (finding,) = preflight.findings(source.url)
    assert (finding.severity, finding.code) == ("warning", code)
    assert finding.fix
    (check,) = [check for check in preflight.checks(source.url) if check.status != "ok"]
    assert check.name.replace("_", "-") == code


def test_a_zone_that_is_not_utc_and_a_small_packet(source: MySQLSource, monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, variables={"time_zone": "Europe/Berlin", "max_allowed_packet": "1048576"})
    found = {check.name: check for check in preflight.checks(source.url) if check.status != "ok"}
    assert set(found) == {"time zone", "max_allowed_packet"}
    assert "datetime_zone" in found["time zone"].fix


def test_connections_that_reach_different_servers_block(source: MySQLSource, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count()

    def spread(connection: Any) -> Any:
        return replace(read_identity(connection), uuid=f"server-{next(numbers) % 2}")

    monkeypatch.setattr(preflight, "read_identity", spread)
    (check,) = named(list(preflight.checks(source.url)), "same server")
    assert check.status == "blocked"
    assert "server-0, server-1" in check.text


def test_unusual_character_sets_are_named(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9) CHARACTER SET sjis, b VARCHAR(9) CHARACTER SET latin1)")
    (check,) = named(list(preflight.checks(source.url)), "character sets")
    assert check.status == "warning"
    assert f"{source.url.database}.t.a (sjis)" in check.text
    assert "t.b" not in check.text


SHOP = (
    "CREATE TABLE groups_ (id INT PRIMARY KEY)",
    "CREATE TABLE tags (id INT PRIMARY KEY, group_id INT, CONSTRAINT g FOREIGN KEY (group_id) REFERENCES groups_ (id)"
    " ON DELETE CASCADE)",
    "CREATE TABLE orders (id INT PRIMARY KEY)",
    "CREATE TABLE items (id INT PRIMARY KEY, order_id INT, CONSTRAINT o FOREIGN KEY (order_id) REFERENCES orders (id)"
    " ON DELETE CASCADE)",
    "CREATE TABLE order_tags (order_id INT, tag_id INT, PRIMARY KEY (order_id, tag_id), CONSTRAINT lo FOREIGN KEY"
    " (order_id) REFERENCES orders (id), CONSTRAINT lt FOREIGN KEY (tag_id) REFERENCES tags (id) ON DELETE CASCADE)",
)
