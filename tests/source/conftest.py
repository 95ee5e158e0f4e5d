"""A source over a fresh database, and a way to fill it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from migrator.source import MySQLSource, open_source
from migrator.source.connection.connect import connected
from migrator.source.connection.url import SourceUrl

Execute = Callable[..., None]


@pytest.fixture
def source(mysql_url: str) -> MySQLSource:
    return open_source(mysql_url)


@pytest.fixture
def execute(source: MySQLSource) -> Execute:
    """Runs statements on the fresh database, `%` as it is."""

    def run(*statements: str) -> None:
        with connected(source.url) as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    return run


@pytest.fixture
def stranger(source: MySQLSource, execute: Execute) -> Iterator[SourceUrl]:
    """The fresh database for an account that may log in and do nothing else, with a password."""
    name = f"m{secrets.token_hex(4)}"
    execute(f"CREATE USER '{name}'@'%' IDENTIFIED BY 'secret-word'")
    yield replace(source.url, user=name, password="secret-word")
    execute(f"DROP USER '{name}'@'%'")


@pytest.fixture
def reader(source: MySQLSource, execute: Execute, stranger: SourceUrl) -> SourceUrl:
    """The fresh database for an account that may only read it."""
    execute(f"GRANT SELECT ON `{source.url.database}`.* TO '{stranger.user}'@'%'")
    return stranger


@pytest.fixture
def second_database(source: MySQLSource, execute: Execute) -> Iterator[str]:
    """Another fresh database on the same server."""
    name = f"{source.url.database}_b"
    execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    yield name
    execute("SET SESSION foreign_key_checks = 0", f"DROP DATABASE `{name}`")
