"""What a session begins with must not reach what is read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pymysql
import pytest

from dev.servers import discover
from dev.servers.session import Session
from migrator.source.connection import session_settings
from migrator.source.connection.connect import connected, connected_raw, open_stream
from migrator.source.connection.session_settings import (
    SETTINGS,
    Deviation,
    Reply,
    SessionRefused,
    SessionSetting,
    deviations,
    inquiry,
    require_results,
    server_of,
    setting_up,
    settings_of,
)
from migrator.source.connection.url import SourceUrl
from migrator.source.preflight import checks as preflight
from tests.source import hostile
from tests.source.hostile import NOT_GLOBAL, SESSION_ONLY, VALUES, HostileServer, assignments

SETTABLE = [setting for setting in SETTINGS if setting.value is not None]
RESTRICTED = SessionSetting("binlog_direct_non_transactional_updates", "1", "ON", "nothing may be read")


@pytest.fixture(scope="module")
def server(servers: Session) -> Iterator[HostileServer]:
    private = discover.private_mysql(servers.say)
    try:
        with hostile.hostile(private) as made:
            yield made
    finally:
        private.stop()


@pytest.fixture
def account(server: HostileServer) -> Iterator[SourceUrl]:
    with server.account("least") as url:
        yield url


def variables(url: SourceUrl) -> Iterator[dict[str, str]]:
    """SHOW SESSION VARIABLES, by each way to connect."""
    with connected(url) as engine:
        yield {str(name): str(value) for name, value in engine.exec_driver_sql(inquiry(SETTINGS))}
    with connected_raw(url) as raw, raw.cursor() as cursor:
        cursor.execute(inquiry(SETTINGS))
        yield {name.decode(): value.decode() for name, value in cursor.fetchall()}

    async def stream() -> dict[str, str]:
        connection = await open_stream(url)
        async with connection.cursor() as cursor:
            await cursor.execute(inquiry(SETTINGS))
            rows = await cursor.fetchall()
        await connection.ensure_closed()
        return {name.decode(): value.decode() for name, value in rows}

    yield asyncio.run(stream())


def test_every_setting_has_a_hostile_value() -> None:
    assert {setting.name for setting in SETTABLE} == VALUES.keys()


@pytest.mark.parametrize("way", ["globals", "init_connect"])
def test_no_connection_keeps_what_its_session_began_with(server: HostileServer, account: SourceUrl, way: str) -> None:
    bad = server.existing(VALUES)
    flavor, version = server_of(server.sql("SELECT VERSION()")[0][0])
    wanted = [setting for setting in settings_of(flavor, version) if setting.value is not None]
    assert {setting.name for setting in wanted} == bad.keys()
    if way == "globals":
        bad = {name: value for name, value in bad.items() if name not in (*SESSION_ONLY, *NOT_GLOBAL)}
    with server.globals(bad) if way == "globals" else server.init_connect(assignments(bad)):
        began = began_with(account, [name for name in bad if not name.startswith(("character_set", "collation"))])
        missed = [one for one in wanted if one.name in began and one.shown is not None and one.accepts(began[one.name])]
        assert missed == []
        for found in variables(account):
            assert {setting.name for setting in wanted} <= found.keys()
            assert deviations(wanted, found) == ()
        with connected(account) as connection:
            assert connection.exec_driver_sql("SELECT NOW() > '2020-01-01'").scalar() == 1


def began_with(url: SourceUrl, names: list[str]) -> dict[str, str]:
    """What a session has that nobody has set up."""
    found = {}
    with closing(pymysql.connect(host=url.host, port=url.port, user=url.user, password=url.password)) as connection:
        for name in names:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT @@SESSION.{name}")
                ((value,),) = cursor.fetchall()
            found[name] = str(value)
    return found


def test_a_transaction_that_init_connect_began_is_left(server: HostileServer, account: SourceUrl) -> None:
    server.sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with server.init_connect("START TRANSACTION WITH CONSISTENT SNAPSHOT"), connected(account) as connection:
        server.sql("INSERT INTO t VALUES (2)")
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar() == 2


@pytest.mark.parametrize("level", ["READ-UNCOMMITTED", "READ-COMMITTED", "SERIALIZABLE"])
def test_a_snapshot_is_one_whatever_the_servers_isolation(
    server: HostileServer, account: SourceUrl, level: str
) -> None:
    server.sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    bad = server.existing({"transaction_isolation": f"'{level}'", "tx_isolation": f"'{level}'"})
    with server.globals(bad), connected(account) as connection:
        connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        server.sql("INSERT INTO t VALUES (2)")
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM t").scalar() == 1


@pytest.fixture
def restricted(monkeypatch: pytest.MonkeyPatch) -> SessionSetting:
    """One more setting, which no plain account may set."""
    monkeypatch.setattr(session_settings, "SETTINGS", (*SETTINGS, RESTRICTED))
    return RESTRICTED


def test_nothing_is_read_with_a_setting_that_changes_results(account: SourceUrl, restricted: SessionSetting) -> None:
    with pytest.raises(SessionRefused, match=restricted.name) as caught, connected(account):
        pass
    assert "nothing may be read" in caught.value.what
    assert "1227" in caught.value.what or "rivilege" in caught.value.what
    with pytest.raises(SessionRefused, match=restricted.name), connected_raw(account):
        pass
    with pytest.raises(SessionRefused, match=restricted.name):
        asyncio.run(open_stream(account))
    (check,) = preflight.checks(account)
    assert (check.status, check.name) == ("blocked", "session settings")
    assert restricted.name in check.text
    assert check.fix


def test_the_others_are_set_all_the_same_and_doctor_warns(
    server: HostileServer, account: SourceUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    milder = replace(RESTRICTED, changes_results=False)
    unknown = replace(RESTRICTED, name="no_such_variable")
    monkeypatch.setattr(session_settings, "SETTINGS", (unknown, *SETTINGS[:20], milder, *SETTINGS[20:]))
    with server.globals({"sql_select_limit": "2", "autocommit": "0"}):
        wanted = settings_of(*server_of(server.sql("SELECT VERSION()")[0][0]))
        for found in variables(account):
            assert [one.setting for one in deviations(wanted, found)] == []
        checks = [check for check in preflight.checks(account) if check.name == "session settings"]
    assert [check.status for check in checks] == ["warning"]
    assert milder.name in checks[0].text
    assert milder.name in checks[0].fix


def test_doctor_says_that_all_is_set(server: HostileServer, account: SourceUrl) -> None:
    with server.globals({"sql_select_limit": "2", "max_join_size": "1"}):
        checks = [check for check in preflight.checks(account) if check.name == "session settings"]
    assert [check.status for check in checks] == ["ok"]


@pytest.mark.needs_mysql("limits that an account can't lift")
def test_doctor_names_limits_that_the_account_cant_lift(server: HostileServer, account: SourceUrl) -> None:
    with server.globals({"parser_max_mem_size": "10000000", "connection_memory_limit": "50000000"}):
        checks = [check for check in preflight.checks(account) if check.name == "session settings"]
    assert [check.status for check in checks] == ["warning", "warning"]
    assert [check.text.split()[0] for check in checks] == ["parser_max_mem_size", "connection_memory_limit"]


@pytest.mark.parametrize(
    ("greeting", "flavor", "version"),
    [
        ("8.0.36", "mysql", (8, 0, 36)),
        ("9.7.4-2", "mysql", (9, 7, 4)),
        ("26.7.0-commercial", "mysql", (26, 7, 0)),
        ("5.5.5-10.6.18-MariaDB-log", "mariadb", (10, 6, 18)),
        ("11.8.2-MariaDB-ubu2404", "mariadb", (11, 8, 2)),
        ("unknown", "mysql", (0,)),
    ],
)
def test_the_servers_greeting(greeting: str, flavor: str, version: tuple[int, ...]) -> None:
    assert server_of(greeting) == (flavor, version)


@pytest.mark.parametrize(("version", "isolation"), [((10, 6), "tx_isolation"), ((11, 1, 1), "transaction_isolation")])
def test_a_variable_that_was_renamed(version: tuple[int, ...], isolation: str) -> None:
    names = [setting.name for setting in settings_of("mariadb", version)]
    assert [name for name in names if name.endswith("_isolation")] == [isolation]


@pytest.mark.parametrize("flavor", ["mysql", "mariadb"])
@pytest.mark.parametrize("version", [(8, 0, 11), (9, 7), (10, 6), (11, 8), (26, 7)])
def test_no_server_is_told_a_variable_twice(flavor: session_settings.Flavor, version: tuple[int, ...]) -> None:
    names = [setting.name for setting in settings_of(flavor, version)]
    assert len(names) == len(set(names))


def test_a_refused_statement_is_split_until_the_refused_variable_is_alone() -> None:
    bad = {"sql_select_limit": "no", "time_zone": "never", "lc_messages": "unknown"}
    asked, left = answered("8.4.0", "8.4.0", bad, {"sql_select_limit": "5", "time_zone": "+00:00"})
    alone = [statement for statement in asked if statement.startswith("SET") and "," not in statement]
    assert {f"SET SESSION {name}" for name in bad} <= {statement.partition(" =")[0] for statement in alone}
    assert len(asked) < 40
    assert [(one.setting.name, one.shown, one.refusal) for one in left] == [("sql_select_limit", "5", "no")]
    with pytest.raises(SessionRefused, match="sql_select_limit is '5' and can't be set"):
        require_results(left, "there")
    require_results([replace(left[0], setting=replace(left[0].setting, changes_results=False))], "there")


def test_a_proxy_greets_for_another_server() -> None:
    asked, left = answered("8.0.30 (a proxy)", "10.11.6-MariaDB", {"max_execution_time": "unknown"}, {})
    assert "max_execution_time" in asked[0]
    assert "max_statement_time" in asked[2]
    assert len(asked) == 3
    assert left == ()


def answered(
    greeting: str, version: str, refused: dict[str, str], shown: dict[str, str]
) -> tuple[list[str], tuple[Deviation, ...]]:
    """What is asked of a server that refuses some variables, and what is left in the end."""
    steps = setting_up(greeting)
    asked = [next(steps)]
    while True:
        if asked[-1].startswith("SET"):
            reply = Reply(refusal=next((refused[name] for name in refused if f"SESSION {name} =" in asked[-1]), ""))
        elif "@@version" in asked[-1]:
            reply = Reply(((version, "distributed by somebody"),))
        else:
            name = asked[-1].split("'")[1]
            reply = Reply(((name, shown[name]),)) if name in shown else Reply(refusal="unknown")
        try:
            asked.append(steps.send(reply))
        except StopIteration as done:
            return asked, done.value


@pytest.mark.parametrize(
    ("name", "shown", "good"),
    [
        ("autocommit", "ON", True),
        ("autocommit", "1", True),
        ("autocommit", "OFF", False),
        ("max_statement_time", "0.000000", True),
        ("max_statement_time", "0.500000", False),
        ("max_statement_time", "10.000000", False),
        ("sql_select_limit", "18446744073709551615", True),
        ("sql_select_limit", "1000", False),
        ("sql_mode", "", True),
        ("sql_mode", "ANSI", False),
        ("optimizer_switch", "mrr=on,hypergraph_optimizer=off", True),
        ("optimizer_switch", "hypergraph_optimizer=on", False),
    ],
)
def test_values_as_the_server_prints_them(name: str, shown: str, good: bool) -> None:
    (setting,) = [each for each in SETTINGS if each.name == name]
    assert (deviations([setting], {name: shown}) == ()) is good
    assert deviations([setting], {}) == ()
