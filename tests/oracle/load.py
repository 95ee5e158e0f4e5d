"""SQL scripts into a test database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from sqlalchemy.engine import make_url

from migrator.source.connection.driver import DriverConnection


def connect(url: str, **settings: Any) -> pymysql.Connection[Any]:
    """A connection to the URL's database, if it names one."""
    parts = make_url(url)
    return DriverConnection(
        host=parts.host or "127.0.0.1",
        port=parts.port or 3306,
        user=parts.username or "",
        password=parts.password or "",
        database=parts.database or None,
        charset="utf8mb4",
        autocommit=True,
        **settings,
    )


def run_script(url: str, script: str | Path) -> None:
    """Runs a script of several statements, in a session that lets in zero dates and other oddities."""
    text = script.read_text(encoding="utf-8") if isinstance(script, Path) else script
    several = connect(url, client_flag=CLIENT.MULTI_STATEMENTS, init_command="SET sql_mode = ''")
    with several as connection, connection.cursor() as cursor:
        cursor.execute(text)
        while cursor.nextset():
            pass


def flavor_of(url: str) -> str:
    """`mariadb` or `mysql`."""
    with connect(url) as connection:
        return "mariadb" if "mariadb" in connection.get_server_info().lower() else "mysql"
