"""From the values of changed rows to root keys, and rows to be tracked."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from migrator.model.change.events import RefKind, TrackedRow
from migrator.model.mapping.tree import Node
from migrator.model.plan.chunk import Key, KeyRange
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected
from migrator.source.rows import snapshot as rows
from migrator.source.rows.snapshot import SnapshotReader
from migrator.source.sql.root_key_statements import RootKeyQuery
from tests.source.build import join, link, node, table
from tests.source.conftest import Execute
from tests.source.reading import raw, with_reader


def root_keys(
    source: MySQLSource,
    path: Sequence[Node],
    kind: RefKind,
    values: Sequence[Key],
    after: Key | None = None,
    limit: int = 99,
) -> list[Key]:
    return with_reader(source, lambda reader: reader.root_keys(path, kind, values, after, limit))


def paged(source: MySQLSource, path: Sequence[Node], kind: RefKind, values: Sequence[Key], limit: int) -> list[Key]:
    """All pages, one after the other."""

    async def run(reader: SnapshotReader) -> list[Key]:
        found: list[Key] = []
        after = None
        while page := await reader.root_keys(path, kind, values, after, limit):
            assert len(page) <= limit
            found += page
            after = page[-1]
        return found

    return with_reader(source, run)


@pytest.fixture
def shop(source: MySQLSource, execute: Execute) -> MySQLSource:
    """Customers with orders, orders with items, items with a product; orders with tags through a link table."""
    execute(
        "CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20))",
        "CREATE TABLE products (sku VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY)",
        "CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, KEY (customer_id))",
        "CREATE TABLE items (order_id INT, line INT, sku VARCHAR(20) COLLATE utf8mb4_general_ci, "
        "PRIMARY KEY (order_id, line), KEY (sku))",
        "CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20))",
        "CREATE TABLE order_tags (order_id INT, tag_id INT, PRIMARY KEY (order_id, tag_id), KEY (tag_id))",
        "INSERT INTO customers VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        "INSERT INTO products VALUES ('red'), ('blue')",
        "INSERT INTO orders VALUES (10, 1), (11, 1), (20, 2), (30, NULL)",
        "INSERT INTO items VALUES (10, 1, 'red'), (10, 2, 'blue'), (11, 1, 'RED'), (20, 1, 'blue')",
        "INSERT INTO tags VALUES (1, 'x'), (2, 'y')",
        "INSERT INTO order_tags VALUES (10, 1), (20, 1), (11, 2)",
    )
    return source


def tree(source: MySQLSource) -> dict[str, Node]:
    schema = source.schema()
    customers, orders, items, products, tags, order_tags = (
        table(schema, name) for name in ("customers", "orders", "items", "products", "tags", "order_tags")
    )
    return {
        "customers": node(customers),
        "orders": node(orders, id="orders", join=join(customers, ["id"], orders, ["customer_id"], exact=True)),
        "items": node(items, id="items", join=join(orders, ["id"], items, ["order_id"], exact=True)),
        "product": node(products, id="product", shape="one", join=join(items, ["sku"], products, ["sku"], exact=False)),
        "tags": node(
            tags,
            id="tags",
            link=link(
                order_tags,
                join(orders, ["id"], order_tags, ["order_id"], exact=True),
                join(order_tags, ["tag_id"], tags, ["id"], exact=True),
            ),
        ),
    }


def test_a_child_names_its_parents(shop: MySQLSource) -> None:
    nodes = tree(shop)
    path = [nodes["customers"], nodes["orders"]]
    assert root_keys(shop, path, "parent", [(b"1",), (b"3",), (b"9",)]) == [(b"1",), (b"3",)]


def test_grandchildren_lead_to_their_roots_by_the_joins(shop: MySQLSource) -> None:
    nodes = tree(shop)
    path = [nodes["customers"], nodes["orders"], nodes["items"]]
    assert root_keys(shop, path, "parent", [(b"10",), (b"11",), (b"30",)]) == [(b"1",)]
    assert root_keys(shop, path, "parent", [(b"20",)]) == [(b"2",)]
    assert root_keys(shop, path, "parent", []) == []


def test_a_lookup_row_is_found_as_the_source_compares(shop: MySQLSource) -> None:
    nodes = tree(shop)
    path = [nodes["customers"], nodes["orders"], nodes["items"], nodes["product"]]
    assert root_keys(shop, path, "parent", [(b"Red",)]) == [(b"1",)]
    assert root_keys(shop, path, "parent", [(b"blue",)]) == [(b"1",), (b"2",)]


def test_link_rows_and_what_they_link(shop: MySQLSource) -> None:
    nodes = tree(shop)
    path = [nodes["customers"], nodes["orders"], nodes["tags"]]
    assert root_keys(shop, path, "parent", [(b"20",)]) == [(b"2",)]
    assert root_keys(shop, path, "child", [(b"1",)]) == [(b"1",), (b"2",)]
    assert root_keys(shop, path, "child", [(b"2",)]) == [(b"1",)]


def test_through_a_link_table_in_the_middle(shop: MySQLSource) -> None:
    nodes = tree(shop)
    schema = shop.schema()
    tags, orders, order_tags = (table(schema, name) for name in ("tags", "orders", "order_tags"))
    middle = node(
        orders,
        id="orders",
        link=link(
            order_tags,
            join(tags, ["id"], order_tags, ["tag_id"], exact=True),
            join(order_tags, ["order_id"], orders, ["id"], exact=True),
        ),
    )
    path = [node(tags), middle, nodes["items"]]
    assert root_keys(shop, path, "parent", [(b"10",), (b"11",)]) == [(b"1",), (b"2",)]


def test_pages_continue_after_a_key(shop: MySQLSource) -> None:
    nodes = tree(shop)
    path = [nodes["customers"], nodes["orders"], nodes["tags"]]
    assert root_keys(shop, path, "child", [(b"1",), (b"2",)], None, 1) == [(b"1",)]
    assert root_keys(shop, path, "child", [(b"1",), (b"2",)], (b"1",), 1) == [(b"2",)]
    assert root_keys(shop, path, "child", [(b"1",), (b"2",)], (b"2",), 1) == []


@pytest.mark.parametrize("key_type", ["INT", "VARCHAR(20) COLLATE utf8mb4_general_ci"])
def test_many_values_page_in_the_servers_order(
    source: MySQLSource, execute: Execute, monkeypatch: pytest.MonkeyPatch, key_type: str
) -> None:
    """Over several statements, each of which knows only its own values."""
    names = [f"{'aB'[n % 2]}{n}" if "CHAR" in key_type else str(n) for n in range(100)]
    rows_ = ", ".join(f"('{name}', {place * 37 % 100})" for place, name in enumerate(names))
    execute(
        f"CREATE TABLE r (id {key_type} PRIMARY KEY, c INT, KEY (c))",
        "CREATE TABLE c (id INT PRIMARY KEY)",
        f"INSERT INTO r VALUES {rows_}",
    )
    schema = source.schema()
    root = node(table(schema, "r"))
    child = node(
        table(schema, "c"),
        id="c",
        shape="one",
        join=join(table(schema, "r"), ["c"], table(schema, "c"), ["id"], exact=True),
    )
    monkeypatch.setattr(rows, "PARTS_PER_STATEMENT", 7)
    values = [(b"%d" % number,) for number in range(0, 100, 2)]
    wanted = [row[0] for row in raw(source, "SELECT id FROM r WHERE c % 2 = 0 ORDER BY id")]
    for limit in (3, 10, 1000):
        assert [key[0] for key in paged(source, [root, child], "parent", values, limit)] == wanted


def test_composite_keys_and_joins(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE r (a INT, b VARCHAR(9), PRIMARY KEY (a, b))",
        "CREATE TABLE c (id INT PRIMARY KEY, a INT, b VARCHAR(9))",
        "INSERT INTO r VALUES (1, 'x'), (1, 'y'), (2, 'x')",
    )
    schema = source.schema()
    root = node(table(schema, "r"))
    child = node(
        table(schema, "c"),
        id="c",
        join=join(table(schema, "r"), ["a", "b"], table(schema, "c"), ["a", "b"], exact=False),
    )
    assert root_keys(source, [root, child], "parent", [(b"1", b"y"), (b"2", b"x"), (b"2", b"y")]) == [
        (b"1", b"y"),
        (b"2", b"x"),
    ]


@pytest.mark.slow
def test_both_servers_use_the_indexes(shop: MySQLSource, execute: Execute) -> None:
    """Of many rows, only those that the values lead to are looked at."""
    execute(
        f"INSERT INTO customers SELECT n + 100, 'c' FROM ({_NUMBERS}) q",
        "INSERT INTO orders SELECT id + 100000, id FROM customers",
        "INSERT INTO items SELECT id, 1, 'green' FROM orders WHERE id > 100000",
        "INSERT INTO order_tags SELECT id, id FROM orders WHERE id > 100000",
        "ANALYZE TABLE customers, orders, items, order_tags",
    )
    nodes = tree(shop)
    queries = (
        RootKeyQuery.of([nodes["customers"], nodes["orders"], nodes["items"]], "parent").keys(
            [(b"100500",)], KeyRange(), 100
        ),
        RootKeyQuery.of([nodes["customers"], nodes["orders"], nodes["tags"]], "child").keys(
            [(b"100500",)], KeyRange(), 100
        ),
        RootKeyQuery.of([nodes["customers"], nodes["orders"]], "parent").keys([(b"500",), (b"700",)], KeyRange(), 100),
        RootKeyQuery.of([nodes["customers"], nodes["orders"], nodes["items"], nodes["product"]], "parent").keys(
            [(b"red",)], KeyRange((b"1",)), 100
        ),
    )
    for statement in queries:
        with connected(shop.url) as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN FORMAT=TRADITIONAL {statement}").mappings().all()
        # Each step finds its rows by an index, and the server expects few of them.
        assert all(step["key"] and int(step["rows"]) < 100 for step in plan), (statement, plan)


_NUMBERS = " UNION ALL ".join(
    f"SELECT {high} * 100 + n n FROM ({' UNION ALL '.join(f'SELECT {low} n' for low in range(100))}) l{high}"
    for high in range(50)
)


def test_tracked_rows_come_in_key_order(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE t (a INT ZEROFILL, b VARCHAR(9) CHARACTER SET latin1, up INT, name TEXT, PRIMARY KEY (b, a))",
        "INSERT INTO t VALUES (7, 'é', 1, 'x'), (3, 'a', NULL, 'y')",
    )
    name = (source.url.database, "t")

    async def run(reader: SnapshotReader) -> list[TrackedRow]:
        return [row async for rows_ in reader.tracked_rows(name, ["b", "a"], ["up", "name"]) for row in rows_]

    assert with_reader(source, run) == [
        TrackedRow(name, (b"a", b"3"), {"up": None, "name": b"y"}),
        TrackedRow(name, ("é".encode(), b"7"), {"up": b"1", "name": b"x"}),
    ]
