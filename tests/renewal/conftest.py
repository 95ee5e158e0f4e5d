"""A source whose tables are altered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql

Sql = Callable[..., list[Sequence[Any]]]


@pytest.fixture
def sql(mysql_url: str) -> Sql:
    """Runs statements in one session that cuts values which don't fit; the rows of the last one."""

    def run(*statements: str) -> list[Sequence[Any]]:
        with closing(connect_mysql(mysql_url)) as connection, connection.cursor() as cursor:
            connection.select_db(make_url(mysql_url).database or "")
            connection.autocommit(True)
            cursor.execute("SET SESSION sql_mode = '', NAMES utf8mb4")
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    return run
