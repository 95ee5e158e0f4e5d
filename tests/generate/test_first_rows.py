"""The first of several rows in a document (`one: true` with `order_by`), kept right by repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from migrator import api
from migrator.generate.describe import PackageOptions
from migrator.planning.planner import MappingFiles
from tests.generate.test_copies import Both, made_of

SCHEMA = """
CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL);
CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, placed DATETIME, paid INT NOT NULL,
  FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL);
CREATE TABLE customer_tags (customer_id INT, tag_id INT, since DATE, PRIMARY KEY (customer_id, tag_id),
  FOREIGN KEY (customer_id) REFERENCES customers (id), FOREIGN KEY (tag_id) REFERENCES tags (id));
INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cleo');
INSERT INTO orders VALUES (1, 1, '2024-01-01', 1), (2, 1, '2024-03-01', 0), (3, 1, '2024-02-01', 1),
  (4, 2, NULL, 0), (5, NULL, '2024-05-01', 1);
INSERT INTO tags VALUES (1, 'new'), (2, 'good');
INSERT INTO customer_tags VALUES (1, 1, '2020-01-01'), (1, 2, '2021-01-01'), (2, 1, '2022-01-01');
"""
MAPPINGS = {
    "customers": """
collection: customers
from: customers
embed:
  latest: {from: orders, one: true, order_by: [placed desc], columns: {except: [customer_id]}}
  first_paid: {from: orders, one: true, order_by: [placed], where: paid = 1, columns: [id], null: omit}
  tag:
    from: tags
    through: customer_tags
    one: true
    order_by: [customer_tags.since desc]
""",
    "orders": "collection: orders\nfrom: orders\nembed:\n  customer: {from: customers, columns: [name]}\n",
    "tags": "collection: tags\nfrom: tags\n",
}


@pytest.fixture(params=[None, False], ids=["transactions", "without"])
def both(
    source_factory: Callable[[], str], mongodb_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Both]:
    package = f"first_rows_{'with' if request.param is None else 'without'}"
    yield from made_of(SCHEMA, MAPPINGS, source_factory(), mongodb_url, tmp_path, package, request.param)


def test_another_row_comes_first(both: Both) -> None:
    assert both.differences() == {}
    orders, f, m = both.live.data.orders, both.live.f.OrderFields, both.live.m
    both.sql("UPDATE orders SET placed = '2024-04-01' WHERE id = 3")
    orders.update(3, [f.placed.set(datetime(2024, 4, 1, tzinfo=UTC))])
    assert both.live.data.customers.get(1).latest.id == 3
    assert both.differences() == {}
    both.sql("DELETE FROM orders WHERE id = 3")
    orders.delete(3)
    assert both.differences() == {}
    both.sql("INSERT INTO orders VALUES (9, 2, '2025-01-01', 1)")
    orders.insert(m.Order(id=9, customer_id=2, placed=datetime(2025, 1, 1, tzinfo=UTC), paid=1))
    assert both.differences() == {}
    both.sql("UPDATE orders SET customer_id = 3 WHERE customer_id = 1")
    for order in orders.find({"customer_id": 1}):
        orders.update(order.id, [f.customer_id.set(3)])
    assert both.live.data.customers.get(1).latest is None
    assert both.differences() == {}


def test_only_the_source_knows_which_linked_row_is_first(both: Both) -> None:
    """The documents hold one row of the link: a change of another could make that the first."""
    package = api.package(both.source, MappingFiles(both.made.mappings), PackageOptions("any"))
    assert {(each.collection, each.path): each.reason for each in package.unowned} == {
        ("customers", "tag"): "the documents don't hold the other rows, of which one may come first",
    }
