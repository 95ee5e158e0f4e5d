"""A connection that gives every value as text, in a session that changes none of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.constants import FIELD_TYPE

from migrator.source.connection.driver import DriverConnection

# Written apart from migrator's own list: a server whose sessions begin otherwise must not mislead both in the same way.
_OWN = (
    "SET completion_type = 0, autocommit = 1, time_zone = '+00:00', sql_mode = '', sql_auto_is_null = 0, "
    "sql_select_limit = 18446744073709551615, max_join_size = 18446744073709551615, sql_big_selects = 1, "
    "group_concat_max_len = 16777216, div_precision_increment = 4, default_week_format = 0, lc_time_names = 'en_US', "
    "max_sort_length = 1024, net_read_timeout = 600, net_write_timeout = 600, wait_timeout = 28800, "
    "lock_wait_timeout = 60, innodb_lock_wait_timeout = 60"
    " /*!50708 , max_execution_time = 0 */"
    " /*M!100318 , max_statement_time = 0, idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0,"
    " idle_write_transaction_timeout = 0, system_versioning_asof = DEFAULT, old_mode = 'UTF8_IS_UTF8MB3',"
    " default_regex_flags = '', max_recursive_iterations = 1000000, tmp_disk_table_size = 18446744073709551615 */"
)


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
            init_command=_OWN,
            autocommit=True,
        )
        self._connection.decoders = {}
        self.rows("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE")
        version = self.rows("SELECT VERSION()")[0][0]
        self.mariadb = "mariadb" in version.lower()
        if not self.mariadb and tuple(map(int, version.partition("-")[0].split("."))) >= (8, 0, 30):
            self.rows("SET show_gipk_in_create_table_and_information_schema = ON")

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
