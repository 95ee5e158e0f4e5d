"""`shop_url`: one database with the tables of cases/schema.sql, for all tests of a module (nothing writes to it)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy.engine import make_url

from tests.mapping.check import create_tables
from tests.oracle.load import connect


@pytest.fixture(scope="package")
def shop_url(mysql_server: str) -> Iterator[str]:
    name = f"t_mapping_{secrets.token_hex(4)}"
    with connect(mysql_server) as connection:
        connection.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
    filled = make_url(mysql_server).set(database=name).render_as_string(hide_password=False)
    create_tables(filled)
    yield filled
    with connect(mysql_server) as connection:
        connection.cursor().execute(f"DROP DATABASE `{name}`")
