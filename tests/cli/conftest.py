"""A small shop on the real servers, its mappings in a folder, and `migrator` as a function."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pymongo import MongoClient
from pymongo.database import Database
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from migrator.cli.main import main

TABLES = """
CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL, born_on DATE NULL);
CREATE TABLE orders (
    id INT PRIMARY KEY, number VARCHAR(20) NULL, customer_id INT NULL, total DECIMAL(10,2) NOT NULL,
    UNIQUE (number), FOREIGN KEY (customer_id) REFERENCES customers (id)
);
CREATE TABLE items (
    order_id INT NOT NULL, line_no INT NOT NULL, sku VARCHAR(20) NOT NULL,
    PRIMARY KEY (order_id, line_no), FOREIGN KEY (order_id) REFERENCES orders (id)
);
INSERT INTO customers VALUES (1, 'Ada', '1815-12-10'), (2, 'Grace', NULL);
INSERT INTO orders VALUES (1, 'A-1', 1, 10.50), (2, 'A-2', 2, 20.00), (3, NULL, NULL, 0.00);
INSERT INTO items VALUES (1, 1, 'pen'), (1, 2, 'ink'), (2, 1, 'paper');
"""
ORDERS = """\
collection: orders
from: orders
embed:
  customer: {from: customers, columns: [id, name]}
  items: {from: items, many: true, columns: {except: [order_id]}}
indexes:
  - {keys: {number: 1}, unique: true}
validator: true
"""
CUSTOMERS = "collection: customers\nfrom: customers\n"


@dataclass(frozen=True)
class Shop:
    """Where everything is."""

    source: str
    target: str
    folder: Path
    database: Database[dict[str, object]]

    @property
    def mappings(self) -> Path:
        return self.folder / "mappings"

    def write(self, name: str, text: str) -> Path:
        file = self.mappings / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    def sql(self, *statements: str) -> None:
        with connect_mysql(self.source) as connection, connection.cursor() as cursor:
            for statement in (f"USE `{make_url(self.source).database}`", *statements):
                cursor.execute(statement)

    def environment(self) -> dict[str, str]:
        """For a process of its own."""
        return {**os.environ, "MIGRATOR_SOURCE": self.source, "MIGRATOR_TARGET": self.target, "NO_COLOR": "1"}

    def run(self, *arguments: str) -> Result:
        """The command, in this process; nothing is left of the environment's settings."""
        own = {"MIGRATOR_SOURCE": self.source, "MIGRATOR_TARGET": self.target, "MIGRATOR_MAPPINGS": str(self.mappings)}
        return CliRunner().invoke(main, arguments, env=own)

    def ids(self, collection: str = "orders") -> list[object]:
        return sorted(each["_id"] for each in self.database[collection].find())  # type: ignore[type-var]


@pytest.fixture
def shop(mysql_url: str, mongodb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    client: MongoClient[dict[str, object]] = MongoClient(mongodb_url)
    made = Shop(mysql_url, mongodb_url, tmp_path, client.get_default_database())
    made.mappings.mkdir()
    made.write("orders", ORDERS)
    made.write("customers", CUSTOMERS)
    made.sql(*(statement for statement in TABLES.split(";\n") if statement.strip()))
    yield made
    client.close()


def migrator(*arguments: str) -> Result:
    """The command without any server."""
    nothing = {"MIGRATOR_SOURCE": "", "MIGRATOR_TARGET": "", "MIGRATOR_MAPPINGS": ""}
    return CliRunner().invoke(main, arguments, env=nothing)
