"""The sample at scale 1, loaded once for all tests that only read it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from pymysql.connections import Connection
from sqlalchemy.engine import make_url

from sample_schema.database import connect
from sample_schema.generate import load


@pytest.fixture(scope="session")
def shop_url(mysql_server: str) -> Iterator[str]:
    """URL of the shop at scale 1; don't write to it. The generator makes the database itself."""
    name = f"t_shop_{secrets.token_hex(4)}"
    url = make_url(mysql_server).set(database=name).render_as_string(hide_password=False)
    load(url)
    yield url
    with connect(url) as connection:
        connection.cursor().execute(f"DROP DATABASE `{name}`")


@pytest.fixture
def shop(shop_url: str) -> Iterator[Connection[Any]]:
    with connect(shop_url) as connection:
        yield connection
