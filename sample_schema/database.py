"""All that talks to the server: connect, create, drop, insert."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.converters import escape_string
from sqlalchemy.engine import URL, make_url

from sample_schema.rows.shop import Row

FOLDER = Path(__file__).parent
UNKNOWN_DATABASE = 1049

# Strict, so that a slip in the generator shows, but with the zero dates that old data has.
MODE = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO"


class SampleError(Exception):
    """The sample can't be loaded into this database; the text says why and what to do. Never holds a password."""


def connect(url: str) -> Connection[Any]:
    """A connection to the database that `url` (`mysql://user:password@host:port/name`) names, made if it's missing.

    Raises:
        SampleError: the URL names no MySQL database.
        pymysql.err.OperationalError: the server can't be reached or refuses.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() not in ("mysql", "mariadb") or not parsed.database:
        raise SampleError("the URL must look like mysql://user:password@host:port/database")
    try:
        connection = _open(parsed, parsed.database)
    except pymysql.err.OperationalError as error:
        if error.args[0] != UNKNOWN_DATABASE:
            raise
        name = parsed.database.replace("`", "``")
        with _open(parsed, None) as server:
            server.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        connection = _open(parsed, parsed.database)
    connection.cursor().execute("SET time_zone = '+00:00'")
    return connection


def _open(url: URL, database: str | None) -> Connection[Any]:
    return pymysql.connect(
        host=url.host or "127.0.0.1",
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        database=database,
        charset="utf8mb4",
        autocommit=True,
    )


def statements(path: Path) -> list[str]:
    """The statements of an SQL file in which every statement ends with `;` at the end of a line."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("--")]
    return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip(" \n;")]


def tables(connection: Connection[Any]) -> list[str]:
    """Names of all tables and views in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def own_tables() -> list[str]:
    """Names of the tables of schema.sql, in its order."""
    return [statement.split()[2] for statement in statements(FOLDER / "schema.sql")]


def create(connection: Connection[Any]) -> None:
    """Makes the tables.

    Raises:
        SampleError: the database has tables already.
    """
    found = tables(connection)
    if found:
        some = ", ".join(found[:3]) + (", …" if len(found) > 3 else "")
        raise SampleError(
            f"the database is not empty ({some}): name another one, or drop the sample's tables (--recreate)"
        )
    with connection.cursor() as cursor:
        for statement in statements(FOLDER / "schema.sql"):
            cursor.execute(statement)


def drop(connection: Connection[Any]) -> None:
    """Drops the tables that schema.sql names, and no others."""
    with connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(f'`{name}`' for name in own_tables())}")
        cursor.execute("SET foreign_key_checks = 1")


def make_odd(connection: Connection[Any]) -> None:
    """Puts the values of odd.sql into place."""
    with connection.cursor() as cursor:
        cursor.execute("SET sql_mode = '', foreign_key_checks = 0")
        for statement in statements(FOLDER / "odd.sql"):
            cursor.execute(statement)
        cursor.execute("SET sql_mode = DEFAULT, foreign_key_checks = 1")


class Inserter:
    """Collects rows and inserts them with many-row statements of about half a megabyte."""

    BATCH = 500_000

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._heads: dict[str, str] = {}
        self._waiting: dict[str, list[str]] = {}
        self._sizes: dict[str, int] = {}
        self.counts: dict[str, int] = {}

    def insert(self, rows: Iterable[tuple[str, Row]], progress: Callable[[int], None]) -> None:
        """Inserts all rows; tells `progress` how many were handed to the server so far."""
        # Orders name customers that come later and the rows are right by construction (tests/sample), so no checks.
        self._execute(f"SET sql_mode = '{MODE}', foreign_key_checks = 0, unique_checks = 0")
        done = 0
        for table, row in rows:
            if table not in self._heads:
                self._start(table, row)
            text = f"({','.join([_LITERALS[type(value)](value) for value in row.values()])})"
            self._waiting[table].append(text)
            self._sizes[table] += len(text)
            if self._sizes[table] > self.BATCH:
                done += self._flush(table)
                progress(done)
        for table in self._waiting:
            done += self._flush(table)
        progress(done)
        self._execute("SET sql_mode = DEFAULT, foreign_key_checks = 1, unique_checks = 1")

    def _start(self, table: str, row: Row) -> None:
        self._heads[table] = f"INSERT INTO `{table}` ({', '.join(f'`{name}`' for name in row)}) VALUES "
        self._waiting[table] = []
        self._sizes[table] = 0
        self.counts[table] = 0

    def _flush(self, table: str) -> int:
        rows = self._waiting[table]
        if rows:
            self._execute(self._heads[table] + ",".join(rows))
        self._waiting[table] = []
        self._sizes[table] = 0
        self.counts[table] += len(rows)
        return len(rows)

    def _execute(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)


def _float(value: float) -> str:
    assert math.isfinite(value), "MySQL has no infinities"
    return repr(value)


_LITERALS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "NULL",
    int: str,
    float: _float,
    str: lambda value: f"'{escape_string(value)}'",
    bytes: lambda value: f"0x{value.hex()}" if value else "''",
    Decimal: lambda value: f"{value:f}",
    datetime: lambda value: f"'{value:%Y-%m-%d %H:%M:%S.%f}'",
    date: lambda value: f"'{value}'",
}
