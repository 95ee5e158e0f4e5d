"""Counts, sums and extremes of child rows, kept right by repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from migrator import api
from migrator.generate.describe import PackageOptions
from migrator.planning.planner import MappingFiles
from tests.generate.test_copies import Both, made_of

SCHEMA = """
CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL);
CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, placed DATETIME, total DECIMAL(10,2), weight DOUBLE,
  paid INT NOT NULL, FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE items (id INT PRIMARY KEY, order_id INT NOT NULL, quantity INT NOT NULL, price DECIMAL(6,3),
  FOREIGN KEY (order_id) REFERENCES orders (id));
CREATE TABLE visits (id INT PRIMARY KEY, customer_id INT, FOREIGN KEY (customer_id) REFERENCES customers (id));
INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob');
INSERT INTO orders VALUES (1, 1, '2024-01-01', 10.10, 0.1, 1), (2, 1, '2024-03-01', 0.25, 0.2, 0),
  (3, 1, NULL, NULL, NULL, 0), (4, NULL, '2024-03-01', 1, 1, 1);
INSERT INTO items VALUES (1, 1, 3, 1.005), (2, 1, 4, 2.5), (3, 2, 1, NULL);
INSERT INTO visits VALUES (1, 1);
"""
MAPPINGS = {
    "customers": """
collection: customers
from: customers
validator: true
fields:
  orders: {count: orders}
  paid: {count: orders, where: paid = 1}
  has_open: {exists: orders, where: paid = 0}
  stats.total: {sum: orders.total}
  stats.mean: {avg: orders.total, null: omit}
  stats.mean_rounded: {avg: orders.total, round: 1}
  stats.as_number: {avg: orders.total, type: double}
  stats.first: {min: orders.placed}
  stats.last: {max: orders.placed}
  visits: {count: visits}
""",
    "orders": """
collection: orders
from: orders
validator: true
fields:
  lines: {count: items}
  pieces: {sum: items.quantity}
  dearest: {max: items.price}
embed:
  items: {from: items, many: true, columns: {except: [order_id]}}
  customer: {from: customers, columns: [name], fields: {orders: {count: orders}}}
""",
}


@pytest.fixture(params=[None, False], ids=["transactions", "without"])
def both(
    source_factory: Callable[[], str], mongodb_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Both]:
    package = f"aggregates_{'with' if request.param is None else 'without'}"
    yield from made_of(SCHEMA, MAPPINGS, source_factory(), mongodb_url, tmp_path, package, request.param)


def test_rows_that_are_documents(both: Both) -> None:
    assert both.differences() == {}
    orders, customers, m, f = both.live.data.orders, both.live.data.customers, both.live.m, both.live.f.OrderFields
    both.sql("UPDATE orders SET total = 7.77, weight = 0.3, placed = '2020-01-01', paid = 1 WHERE id = 3")
    placed = datetime(2020, 1, 1, tzinfo=UTC)
    orders.update(3, [f.total.set(Decimal("7.77")), f.weight.set(0.3), f.placed.set(placed), f.paid.set(1)])
    assert customers.get(1).stats.first == placed
    assert both.differences() == {}
    both.sql("UPDATE orders SET customer_id = 2 WHERE id IN (1, 4)")
    for number in (1, 4):
        orders.update(number, [f.customer_id.set(2)])
    assert customers.get(2).orders == 2
    assert both.differences() == {}
    both.sql("DELETE FROM items WHERE order_id = 2", "DELETE FROM orders WHERE id = 2")
    orders.delete(2)
    assert both.differences() == {}
    both.sql("INSERT INTO orders VALUES (9, 2, NULL, 3.00, NULL, 0)", "INSERT INTO customers VALUES (3, 'Cleo')")
    orders.insert(m.Order(id=9, customer_id=2, total=Decimal("3.00"), paid=0))
    made = customers.insert(m.Customer(id=3, name="Cleo", visits=0, stats=m.CustomerStats()))
    assert (made.orders, made.has_open, made.stats.total) == (0, False, None)
    assert both.differences() == {}


def test_rows_inside_the_document(both: Both) -> None:
    orders, m = both.live.data.orders, both.live.m
    both.sql("INSERT INTO items VALUES (7, 3, 5, 9.125)")
    order = orders.get(3)
    order.items.append(m.OrderItem(id=7, quantity=5, price=Decimal("9.125")))
    orders.replace(order)
    assert (order.lines, order.pieces) == (1, 5)
    assert (orders.get(3).lines, orders.get(3).pieces, orders.get(3).dearest) == (1, 5, Decimal("9.125"))
    assert both.differences() == {}
    both.sql("DELETE FROM items WHERE order_id = 1")
    orders.update(1, {"$set": {"items": []}})
    assert orders.get(1).pieces is None
    assert both.differences() == {}


NOT_KEPT = """
collection: customers
from: customers
fields:
  visits: {count: visits}
  weight: {sum: orders.weight, round: 2}
  flags: {count: orders, type: bool}
  items: {count: items, on: {id: id}}
  named: {count: orders, on: {name: name}}
  whole: {sum: orders.total, type: long}
"""


def test_what_nobody_keeps(both: Both, tmp_path: Path) -> None:
    both.sql("ALTER TABLE orders ADD name VARCHAR(20) NOT NULL DEFAULT ''")
    folder = tmp_path / "not_kept"
    folder.mkdir()
    (folder / "customers.yaml").write_text(NOT_KEPT, encoding="utf-8")
    (folder / "orders.yaml").write_text(MAPPINGS["orders"], encoding="utf-8")
    package = api.package(both.source, MappingFiles(folder), PackageOptions("any"))
    assert {each.path: each.reason for each in package.unowned if each.collection == "customers"} == {
        "visits": "the rows of the table are in no collection, or in more than one",
        "weight": "orders does not hold weight as exact numbers",
        "flags": "as bool only the source computes it",
        "items": "a row that belongs to no document in orders would not count",
        "named": "its join compares texts by a collation",
        "whole": "as long only the source computes it",
    }
