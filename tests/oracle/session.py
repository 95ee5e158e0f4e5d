"""A connection that gives every value as text, in a session that changes none of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.constants import FIELD_TYPE

from migrator.source.driver import DriverConnection


class Session:
    """`rows` runs one statement. Values come as str (or bytes where the server says binary), NULL as None."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.database = parts.path.lstrip("/").split("?")[0]
        self._connection = DriverConnection(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=self.database,
            charset="utf8mb4",
            conv={str: pymysql.converters.escape_string} | pymysql.converters.encoders,
            init_command="SET time_zone = '+00:00', sql_mode = ''",
            autocommit=True,
        )
        self._connection.decoders = {}
        self.mariadb = "mariadb" in self.rows("SELECT VERSION()")[0][0].lower()

    def rows(self, sql: str, arguments: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            return list(cursor.fetchall())

    def announces_bigint(self, query: str) -> bool:
        """Whether the server calls the first column of a query's result a BIGINT."""
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            assert cursor.description
            return bool(cursor.description[0][1] == FIELD_TYPE.LONGLONG)

    def snapshot(self) -> None:
        """All later reads are of this moment."""
        self.rows("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        self.rows("START TRANSACTION WITH CONSISTENT SNAPSHOT")

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def identifier(dotted: str) -> str:
    """`schema.table` or a column's name, quoted."""
    return ".".join("`" + part.replace("`", "``") + "`" for part in dotted.split("."))


def name(column: str) -> str:
    """A column's name, quoted as one word even when it holds a dot."""
    return "`" + column.replace("`", "``") + "`"
