"""What a statement can have done to rows, and whether a frozen mapping still fits the tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.changes.definitions import misfits, rewrites
from migrator.model.schema import Column, Table
from tests.changes.build import collection, column, join, node, schema, table

ORDERS = ("shop", "orders")


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE orders MODIFY total DECIMAL(12, 2)",
        "alter table `orders` change a b int",
        "ALTER TABLE shop.orders DROP PARTITION p1",
        "ALTER TABLE orders CONVERT TO CHARACTER SET utf8mb4",
        "ALTER TABLE orders ADD COLUMN x INT, MODIFY total INT",
        "ALTER IGNORE TABLE orders ADD UNIQUE (number)",
        "RENAME TABLE orders TO _orders_old, _orders_new TO orders",
        "rename table _orders_gho to `shop`.`orders`",
        "DROP TABLE IF EXISTS orders",
        "CREATE TABLE orders LIKE templates",
        "/* a comment */ ALTER TABLE orders MODIFY total INT",
    ],
)
def test_statements_that_may_change_rows_without_an_event(text: str) -> None:
    assert rewrites(text, ORDERS)


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE orders ADD COLUMN note VARCHAR(20) DEFAULT 'x' FIRST",
        "ALTER TABLE orders ADD INDEX i (total)",
        "ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES b (id)",
        "CREATE UNIQUE INDEX i ON orders (number)",
        "DROP INDEX i ON orders",
        "CREATE OR REPLACE VIEW v AS SELECT * FROM orders",
        "CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW SET @a = 1",
        "ANALYZE TABLE orders",
        "GRANT SELECT ON shop.orders TO reader",
        "ALTER TABLE orders_archive MODIFY total INT",
        "ALTER TABLE old_orders MODIFY total INT",
    ],
)
def test_statements_that_leave_rows_as_they_are(text: str) -> None:
    assert not rewrites(text, ORDERS)


def fits(before: Table, after: Table) -> list[str]:
    child = table("items", "order_id")
    below = node(child, "items", join=join(before, "id", child, "order_id"))
    return misfits(collection(node(before, children=(below,))), schema(after, child))


def with_id(id_: Column) -> Table:
    return replace(table("orders"), columns=(id_,))


def with_kind(kind: Column) -> Table:
    return replace(table("orders"), columns=(*table("orders").columns, kind))


def test_more_columns_and_more_room_fit() -> None:
    assert fits(table("orders"), table("orders", "note")) == []
    name = column("id", "varchar", length=10, charset="utf8mb4")
    assert fits(with_id(name), with_id(replace(name, length=20, column_type="varchar(20)"))) == []
    kind = column("kind", "enum", members=("a", "b"))
    assert fits(with_kind(kind), with_kind(replace(kind, members=("a", "b", "c")))) == []
    text = column("kind", "text", charset="utf8mb4", collation="utf8mb4_general_ci")
    assert fits(with_kind(text), with_kind(replace(text, collation="utf8mb4_bin"))) == []


def test_keys_that_are_looked_for_in_another_way_do_not_fit() -> None:
    kind = replace(column("id", "enum", members=("a", "b")), column_type="enum('a','b')")
    more = replace(kind, members=("a", "b", "c"), column_type="enum('a','b','c')")
    assert fits(with_id(kind), with_id(more)) == ["shop.orders.id was enum('a','b'), and is enum('a','b','c')"]
    text = column("id", "varchar", length=9, charset="utf8mb4", collation="utf8mb4_bin")
    text = replace(text, column_type="varchar(9)")
    (found,) = fits(with_id(text), with_id(replace(text, collation="utf8mb4_general_ci")))
    assert found.endswith(
        "was varchar(9) with collation utf8mb4_bin, and is varchar(9) with collation utf8mb4_general_ci"
    )


def test_other_values_do_not_fit() -> None:
    price = column("id", "decimal", precision=10, scale=2)
    assert fits(with_id(price), with_id(replace(price, scale=4)))
    kind = column("id", "enum", members=("a", "b"))
    assert fits(with_id(kind), with_id(replace(kind, members=("b", "a"))))
    code = column("id", "binary", length=16)
    assert fits(with_id(code), with_id(replace(code, length=20)))
    assert fits(table("orders"), with_id(column("id", "bigint"))) == ["shop.orders.id was int, and is bigint"]


def test_what_is_gone_does_not_fit() -> None:
    assert fits(table("orders"), table("orders", key=("number",))) == ["shop.orders.id is gone"]
    assert misfits(collection(node(table("orders"))), schema()) == ["the table shop.orders is gone"]
