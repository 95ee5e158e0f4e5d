"""A shop in which every kind of fault can be planted, applied to either kind of target."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from tests.project import Ended, Project

ORDERS = """
collection: orders
from: orders
fields: {note: {null: omit}}
embed:
  customer: {from: customers}
  items: {from: items, many: true, columns: {except: [order_id]}}
  tags: {from: tags, through: order_tags, many: true, value: name}
indexes:
  - keys: {number: 1}
    unique: true
  - keys: {customer.id: 1}
"""
CUSTOMERS = "collection: customers\nfrom: customers\n"
TABLES = (
    "CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, since DATETIME(3))",
    "CREATE TABLE orders (id INT PRIMARY KEY, number BIGINT NOT NULL, customer_id INT, total DECIMAL(8,2), note TEXT,"
    " comment TEXT, FOREIGN KEY (customer_id) REFERENCES customers (id))",
    "CREATE TABLE items (id INT PRIMARY KEY, order_id INT NOT NULL, sku VARCHAR(20), quantity INT, price DECIMAL(8,2),"
    " FOREIGN KEY (order_id) REFERENCES orders (id))",
    "CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL)",
    "CREATE TABLE order_tags (order_id INT, tag_id INT, PRIMARY KEY (order_id, tag_id),"
    " FOREIGN KEY (order_id) REFERENCES orders (id), FOREIGN KEY (tag_id) REFERENCES tags (id))",
    "INSERT INTO customers WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 30)"
    " SELECT id, CONCAT('customer ', id), NULL FROM n",
    "INSERT INTO orders WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 200)"
    " SELECT id, 1000 + id, 1 + id % 30, id * 1.5, IF(id % 2, NULL, 'note'), IF(id % 3, NULL, 'comment') FROM n",
    "INSERT INTO items SELECT id * 10 + n, id, CONCAT('sku ', n), n, 2.50 FROM orders,"
    " (SELECT 1 n UNION SELECT 2 UNION SELECT 3) x",
    "INSERT INTO tags VALUES (1, 'red'), (2, 'new'), (3, 'gift')",
    "INSERT INTO order_tags SELECT orders.id, tags.id FROM orders, tags WHERE orders.id % tags.id = 0",
)


class Shop(Project):
    """The project, with a way to change documents directly in the target."""

    def verify(self, *arguments: str) -> Ended:
        return self.here("verify", "--workers", "1", *arguments)

    def report(self, *arguments: str) -> dict[str, Any]:
        """The report of a verify that may find something."""
        file = self.folder / "report.json"
        file.unlink(missing_ok=True)
        ended = self.verify("--report", str(file), *arguments)
        assert file.exists(), ended
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        assert ended.code == (0 if found["clean"] else 11), ended
        return found

    def mongo(self, name: str) -> Collection[dict[str, Any]]:
        return MongoClient[dict[str, Any]](self.target).get_default_database()[name]

    def change(self, name: str, key: object, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        """Replaces a document by what `change` makes of it; None removes it."""
        if self.target.startswith("file:"):
            path = self.files / f"{name}.bson"
            found = _all(path)
            changed = [change(each) if each["_id"] == key else each for each in found]
            path.write_bytes(b"".join(bson.encode(each) for each in changed if each is not None))
            return
        collection = self.mongo(name)
        found_one = collection.find_one({"_id": key})
        assert found_one is not None
        new = change(found_one)
        collection.delete_one({"_id": key})
        if new is not None:
            collection.insert_one(new)

    def add(self, name: str, document: dict[str, Any]) -> None:
        if self.target.startswith("file:"):
            with (self.files / f"{name}.bson").open("ab") as file:
                file.write(bson.encode(document))
        else:
            self.mongo(name).insert_one(document)


def _all(path: Path) -> list[dict[str, Any]]:
    return bson.decode_all(path.read_bytes())


def _shop(project: Shop) -> Iterator[Shop]:
    project.mapping("orders", ORDERS)
    project.mapping("customers", CUSTOMERS)
    project.settings("chunk_rows: 40\nretry_seconds: 4\n")
    project.sql(*TABLES)
    yield project
    for running in project.started:
        running.kill()


@pytest.fixture
def shop(mysql_url: str, mongodb_url: str, tmp_path: Path) -> Iterator[Shop]:
    """In MongoDB; not applied yet."""
    yield from _shop(Shop(tmp_path, mysql_url, mongodb_url))


@pytest.fixture(params=["mongodb", "files"])
def either(request: pytest.FixtureRequest, mysql_url: str, mongodb_url: str, tmp_path: Path) -> Iterator[Shop]:
    """In one kind of target and in the other; not applied yet."""
    target = mongodb_url if request.param == "mongodb" else f"file:{tmp_path / 'dump'}"
    yield from _shop(Shop(tmp_path, mysql_url, target))
