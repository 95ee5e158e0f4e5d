from __future__ import annotations

import asyncio
import pickle
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from migrator.errors import SettingsError, SourceError, SourceUnavailable
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected, connected_raw, open_stream
from migrator.source.connection.failure import translated
from migrator.source.connection.url import SourceUrl
from tests.source.conftest import Execute

ASKED = "SELECT @@time_zone, @@sql_mode, @@autocommit, @@character_set_results, CAST('é€😀' AS CHAR), NULL"
ANSWER = (b"+00:00", b"", b"1", b"utf8mb4", "é€😀".encode(), None)


def ask_engine(url: SourceUrl, sql: str) -> tuple[Any, ...]:
    with connected(url) as connection:
        return tuple(connection.exec_driver_sql(sql).one())


def ask_raw(url: SourceUrl, sql: str) -> tuple[Any, ...]:
    with connected_raw(url) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
        assert row is not None
        return tuple(row)


def ask_stream(url: SourceUrl, sql: str) -> tuple[Any, ...]:
    async def ask() -> tuple[Any, ...]:
        connection = await open_stream(url)
        with translated(url):
            async with connection.cursor() as cursor:
                await cursor.execute(sql)
                row = await cursor.fetchone()
        await connection.ensure_closed()
        return tuple(row)

    return asyncio.run(ask())


Ask = Callable[[SourceUrl, str], tuple[Any, ...]]
every_driver = pytest.mark.parametrize("ask", [ask_engine, ask_raw, ask_stream])


@pytest.mark.parametrize("ask", [ask_raw, ask_stream])
def test_sessions_are_pinned_and_values_are_bytes(source: MySQLSource, ask: Ask) -> None:
    assert ask(source.url, ASKED) == ANSWER


def test_odd_values_arrive_as_the_server_prints_them(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE odd (id INT, d DATETIME(6), day DATE, f DOUBLE, bits BIT(9), raw VARBINARY(9))",
        "INSERT INTO odd VALUES (1, '0000-00-00 00:00:00', '2024-00-10', 1e300, b'101', x'00ff5c27')",
    )
    expected = (b"0000-00-00 00:00:00.000000", b"2024-00-10", b"1e300", b"\x00\x05", b"\x00\xff\\'")
    for ask in (ask_raw, ask_stream):
        assert ask(source.url, "SELECT d, day, f, bits, raw FROM odd") == expected


@every_driver
@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"password": "hush"}, SourceError, "(1045)"),
        ({"database": "no_such_db"}, SourceError, "(1049)"),
        ({"port": 1}, SourceUnavailable, "(2003)"),
        ({"host": "no-such-host.invalid"}, SourceUnavailable, "(2003)"),
        ({"socket": "/nonexistent.sock"}, SourceUnavailable, ""),
    ],
)
def test_no_way_in_is_told_by_type_with_place_and_hint(
    source: MySQLSource, ask: Ask, change: dict[str, Any], kind: type[SourceError], code: str
) -> None:
    url = replace(source.url, **change)
    with pytest.raises(SourceError) as caught:
        ask(url, "SELECT 1")
    error = caught.value
    assert type(error) is kind
    assert error.where == url.place
    assert code in error.what
    assert error.hint
    assert "hush" not in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@every_driver
def test_bad_sql_is_not_retryable(source: MySQLSource, ask: Ask) -> None:
    with pytest.raises(SourceError, match=r"\(1064\)") as caught:
        ask(source.url, "SELEKT 1")
    assert not isinstance(caught.value, SourceUnavailable)


@every_driver
def test_a_killed_connection_is_retryable(source: MySQLSource, ask: Ask) -> None:
    with pytest.raises(SourceUnavailable):
        ask(source.url, "KILL CONNECTION_ID()")


@pytest.fixture
def account(source: MySQLSource, execute: Execute) -> Iterator[SourceUrl]:
    """An account with a password beyond latin1 that may read the fresh database and nothing else."""
    name, password = f"m{secrets.token_hex(4)}", "p@ss/€:'w"
    quoted = password.replace("'", "''")
    execute(
        f"CREATE USER '{name}'@'%' IDENTIFIED BY '{quoted}'",
        f"GRANT SELECT ON `{source.url.database}`.* TO '{name}'@'%'",
    )
    yield replace(source.url, user=name, password=password)
    execute(f"DROP USER '{name}'@'%'")


@every_driver
def test_an_account_that_may_only_read_gets_the_same_session(account: SourceUrl, ask: Ask) -> None:
    assert ask(account, "SELECT @@net_write_timeout")[0] in (3600, b"3600")


@every_driver
def test_missing_privilege(account: SourceUrl, execute: Execute, ask: Ask) -> None:
    with pytest.raises(SourceError) as caught:
        ask(account, "SELECT * FROM mysql.user")
    assert "GRANT SELECT" in caught.value.hint


@every_driver
@pytest.mark.parametrize("mode", ["DISABLED", "PREFERRED", "REQUIRED"])
@pytest.mark.needs_mysql("caching_sha2_password, and TLS in the development servers")
def test_caching_sha2_password_with_and_without_tls(account: SourceUrl, execute: Execute, ask: Ask, mode: Any) -> None:
    execute("FLUSH PRIVILEGES")  # empties the cache: the full exchange, not the short one
    url = replace(account, ssl_mode=mode)
    cipher = ask(url, "SHOW SESSION STATUS LIKE 'Ssl_cipher'")[1]
    assert bool(cipher) == (mode != "DISABLED")
    assert ask(url, "SELECT 1")[0] in (1, b"1")


@every_driver
@pytest.mark.parametrize("option", ["ssl_ca", "ssl_cert"])
def test_certificates_that_cant_be_read(source: MySQLSource, ask: Ask, option: str) -> None:
    url = replace(source.url, ssl_mode="VERIFY_CA", **{option: "/nonexistent.pem"})  # type: ignore[arg-type]
    with pytest.raises(SettingsError) as caught:
        ask(url, "SELECT 1")
    assert caught.value.where == "/nonexistent.pem"


def test_errors_of_the_work_done_while_connected_are_not_the_servers(source: MySQLSource) -> None:
    for connect in (connected, connected_raw):
        with pytest.raises(OSError, match="disk full"), connect(source.url):
            raise OSError("disk full")


@every_driver
@pytest.mark.needs_mysql("TLS in the development servers")
def test_a_server_whose_certificate_no_known_ca_signed_is_refused(source: MySQLSource, ask: Ask) -> None:
    with pytest.raises(SourceError, match="TLS failed") as caught:
        ask(replace(source.url, ssl_mode="VERIFY_CA"), "SELECT 1")
    assert not isinstance(caught.value, SourceUnavailable)
    assert "ssl-ca" in caught.value.hint


@every_driver
@pytest.mark.needs_mariadb("a development server without TLS")
def test_preferred_goes_without_tls_and_required_refuses(source: MySQLSource, ask: Ask) -> None:
    if ask_engine(source.url, "SELECT @@have_ssl")[0] == "YES":
        pytest.skip("this server offers TLS")
    assert ask(replace(source.url, ssl_mode="PREFERRED"), "SELECT 1")[0] in (1, b"1")
    with pytest.raises(SourceError, match=r"TLS|SSL") as caught:
        ask(replace(source.url, ssl_mode="REQUIRED"), "SELECT 1")
    assert "ssl-mode=DISABLED" in caught.value.hint
