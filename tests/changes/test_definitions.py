"""What a statement on definitions can have done to rows, by its text."""

from __future__ import annotations

import pytest

from migrator.changes.definition_changes import NOTHING, RewrittenColumns, rewrites, rewritten_columns

ORDERS = ("shop", "orders")
EVERY = RewrittenColumns(None)


def defined(*names: str) -> RewrittenColumns:
    return RewrittenColumns(frozenset(names))


def lost(*names: str) -> RewrittenColumns:
    return RewrittenColumns(lost=frozenset(names))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ALTER TABLE orders MODIFY total DECIMAL(12, 2)", defined("total")),
        (
            "alter table shop.`orders` modify column `Total` decimal(12,2) not null default 0 comment 'a, b' after id",
            defined("total"),
        ),
        ("ALTER TABLE orders CHANGE total total INT", defined("total")),
        ("alter table `orders` change a b int", lost("a", "b")),
        ("ALTER TABLE orders CHANGE COLUMN a A int", defined("a")),
        ("ALTER TABLE orders RENAME COLUMN a TO b, RENAME COLUMN b TO a", lost("a", "b")),
        ("ALTER TABLE orders MODIFY g INT GENERATED ALWAYS AS (a + 1) STORED", lost("g")),
        ("ALTER TABLE orders CHANGE g g INT AS (a)", lost("g")),
        ("ALTER TABLE orders DROP COLUMN a, DROP b", lost("a", "b")),
        ("ALTER TABLE orders DROP COLUMN IF EXISTS a", lost("a")),
        ("ALTER TABLE orders CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", EVERY),
        ("ALTER TABLE orders ADD PRIMARY KEY (a)", EVERY),
        ("ALTER TABLE orders ADD CONSTRAINT p PRIMARY KEY (a)", EVERY),
        ("ALTER TABLE orders ADD COLUMN x INT, MODIFY total INT", defined("total")),
        ("ALTER TABLE orders MODIFY a INT, MODIFY b ENUM('x','MODIFY, c'), DROP c", defined("a", "b") | lost("c")),
        ('ALTER TABLE orders MODIFY "a" INT', defined("a")),
        ("ALTER TABLE orders /* gh-ost */ MODIFY a INT -- the end", defined("a")),
    ],
)
def test_columns_that_may_have_other_values(text: str, found: RewrittenColumns) -> None:
    assert rewritten_columns(text, ORDERS) == found
    assert rewrites(text, ORDERS)


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE shop.orders DROP PARTITION p1",
        "ALTER TABLE orders MODIFY a INT PARTITION BY HASH (a)",
        "ALTER TABLE orders REMOVE PARTITIONING",
        "ALTER IGNORE TABLE orders ADD UNIQUE (number)",
        "ALTER TABLE orders RENAME TO old_orders",
        "ALTER TABLE orders MODIFY a INT, RENAME old_orders",
        "ALTER TABLE orders ENGINE = BLACKHOLE",
        "ALTER TABLE orders DISCARD TABLESPACE",
        "ALTER TABLE orders ADD SYSTEM VERSIONING",
        "ALTER TABLE orders MODIFY a INT COMMENT 'it\\'s, DROP b'",
        "ALTER TABLE orders /*!80000 MODIFY a INT */",
        "ALTER TABLE archive EXCHANGE PARTITION p WITH TABLE orders",
        "ALTER TABLE orders_new RENAME TO orders",
        "RENAME TABLE orders TO _orders_old, _orders_new TO orders",
        "rename table _orders_gho to `shop`.`orders`",
        "DROP TABLE IF EXISTS orders",
        "CREATE TABLE orders LIKE templates",
        "CREATE OR REPLACE TABLE orders (id INT)",
        "/* a comment */ TRUNCATE orders",
        "SOMETHING NEW WITH orders",
    ],
)
def test_anything_at_all(text: str) -> None:
    assert rewritten_columns(text, ORDERS) is None
    assert rewrites(text, ORDERS)


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE orders ADD COLUMN note VARCHAR(20) DEFAULT 'x' FIRST",
        "ALTER TABLE orders ADD (a INT, b INT), ADD COLUMN c INT",
        "ALTER TABLE orders ADD INDEX i (total)",
        "ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES b (id)",
        "ALTER TABLE orders DROP INDEX i, DROP PRIMARY KEY, DROP FOREIGN KEY f",
        "ALTER TABLE orders ALTER COLUMN a SET DEFAULT 5, ALTER b DROP DEFAULT",
        "ALTER TABLE orders RENAME INDEX a TO b",
        "ALTER TABLE orders COMMENT = 'MODIFY a', ENGINE = InnoDB ROW_FORMAT=DYNAMIC, ALGORITHM=INPLACE, LOCK=NONE",
        "ALTER TABLE orders DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "ALTER TABLE orders AUTO_INCREMENT 500",
        "ALTER TABLE orders FORCE",
        "CREATE UNIQUE INDEX i ON orders (number)",
        "DROP INDEX i ON orders",
        "CREATE OR REPLACE VIEW v AS SELECT * FROM orders",
        "CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW SET @a = 1",
        "ANALYZE TABLE orders",
        "GRANT SELECT ON shop.orders TO reader",
        # As gh-ost and pt-online-schema-change begin.
        "create /* gh-ost */ table `shop`.`_orders_gho` like `shop`.`orders`",
        "CREATE TABLE `shop`.`_orders_new` (id INT, FOREIGN KEY (id) REFERENCES orders (id))",
        "ALTER TABLE items ADD FOREIGN KEY (order_id) REFERENCES orders (id)",
        "ALTER TABLE orders_archive MODIFY total INT",
        "ALTER TABLE old_orders MODIFY total INT",
    ],
)
def test_statements_that_leave_rows_as_they_are(text: str) -> None:
    assert rewritten_columns(text, ORDERS) == NOTHING
    assert not rewrites(text, ORDERS)
