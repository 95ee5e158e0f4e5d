"""A database may hold thousands of tables that no mapping names: nothing is asked about them, by no command."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymongo import MongoClient
from sqlalchemy.engine import make_url

from dev.servers.model import Server
from tests.project import Project

# `lines` hang on `orders` by a cascade, and these on `shops`, which no mapping names; the log of MariaDB hides both.
TABLES = (
    "CREATE TABLE shops (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE orders (id INT PRIMARY KEY, shop_id INT, note TEXT,"
    " FOREIGN KEY (shop_id) REFERENCES shops (id) ON DELETE CASCADE)",
    "CREATE TABLE `lines` (id INT PRIMARY KEY, order_id INT, body VARCHAR(20),"
    " FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE)",
)
ROWS = (
    "DELETE FROM shops",
    "INSERT INTO shops VALUES (1, 'one'), (2, 'two')",
    "INSERT INTO orders VALUES (1, 1, 'a'), (2, 2, 'b')",
    "INSERT INTO `lines` VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 2, 'z')",
)
MAPPINGS = {
    "orders": "collection: orders\nfrom: orders\nembed:\n  lines: {from: lines, many: true}\n",
    "lines": "collection: lines\nfrom: lines\n",
}
COMMANDS = (
    ("check",),
    ("plan",),
    ("doctor",),
    ("apply", "--yes", "--workers", "1"),
    ("sync", "--dry-run"),
    ("sync", "--until-caught-up"),
    ("status",),
    ("plan", "--samples", "1"),
    ("verify", "--workers", "1"),
    ("verify", "--independent"),
    ("generate", "--explain", "--package", "shop_data"),
)
_ABOUT_TABLES = re.compile(r"information_schema\.|\bSHOW\s+(FULL\s+)?(CREATE|TABLES|COLUMNS|INDEX)", re.IGNORECASE)


@pytest.fixture
def project(mysql_server_factory: Callable[[], Server], mongodb_url: str, tmp_path: Path) -> Project:
    server = make_url(mysql_server_factory().url).set(database="mysql").render_as_string(hide_password=False)
    made = Project(tmp_path, server, mongodb_url)
    made.sql("CREATE DATABASE shop", "SET GLOBAL log_output = 'TABLE'")
    project = Project(tmp_path, re.sub(r"/mysql$", "/shop", server), mongodb_url)
    project.settings("retry_seconds: 4\n")
    project.sql(*TABLES)
    for name, text in MAPPINGS.items():
        project.mapping(name, text)
    return project


@contextmanager
def statements(project: Project) -> Iterator[list[str]]:
    """What the server was sent in the block; filled at its end."""
    found: list[str] = []
    project.sql("SET GLOBAL general_log = OFF", "TRUNCATE mysql.general_log", "SET GLOBAL general_log = ON")
    yield found
    project.sql("SET GLOBAL general_log = OFF")
    with project.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT argument FROM mysql.general_log WHERE command_type IN ('Query', 'Execute')")
        found += [str(text, "utf-8") if isinstance(text, bytes) else text for (text,) in cursor.fetchall()]


def asked(project: Project) -> dict[tuple[str, ...], list[str]]:
    """By command, what it asks about tables. The first finds an empty target."""
    with MongoClient[dict[str, object]](project.target) as client:
        client.drop_database(client.get_default_database().name)
    project.sql(*ROWS)
    found = {}
    for command in COMMANDS:
        with statements(project) as sent:
            ended = project.here(*command)
        assert ended.code == 0, ended
        found[command] = [text for text in sent if _ABOUT_TABLES.search(text)]
        assert not [text for text in sent if "other_" in text], command
        if command[0] == "apply":
            project.sql("DELETE FROM shops WHERE id = 1")
    assert [each["_id"] for each in project.listed("orders")] == [2]
    assert [each["_id"] for each in project.listed("lines")] == [2, 3]
    return found


@pytest.mark.slow
def test_statements_grow_with_the_mapped_tables_alone(project: Project) -> None:
    few = asked(project)
    assert few["check",]
    # As children of a table that is read because of its cascades, and by themselves.
    project.sql(
        *(
            f"CREATE TABLE other_{number} (id INT PRIMARY KEY, body TEXT, up INT{key})"
            for number in range(60)
            for key in ([", FOREIGN KEY (up) REFERENCES shops (id) ON DELETE CASCADE"] if number % 2 else [""])
        )
    )
    many = asked(project)
    assert {command: len(texts) for command, texts in many.items()} == {
        command: len(texts) for command, texts in few.items()
    }
