"""The servers really use the indexes that the statements are written for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from migrator.model.plan.chunk import KeyRange
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected
from migrator.source.sql import statements
from tests.source.build import join, link, node, table
from tests.source.conftest import Execute

ROWS = 30_000

pytestmark = pytest.mark.slow


def key(*parts: object) -> tuple[bytes, ...]:
    return tuple(str(part).encode() for part in parts)


@pytest.fixture
def explain(source: MySQLSource, execute: Execute) -> Callable[[str], list[dict[str, Any]]]:
    numbers = f"WITH RECURSIVE r (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < {ROWS - 1}) SELECT n FROM r"
    with connected(source.url) as connection:
        if not getattr(connection.dialect, "is_mariadb", False):
            connection.exec_driver_sql("SET SESSION cte_max_recursion_depth = 1000000")
        for statement in (
            "CREATE TABLE orders (id BIGINT PRIMARY KEY, state VARCHAR(9), code VARCHAR(20) UNIQUE, KEY (state))",
            "CREATE TABLE items (id BIGINT PRIMARY KEY AUTO_INCREMENT, order_id BIGINT, pad CHAR(50), KEY (order_id))",
            "CREATE TABLE parts (a INT, b INT, pad CHAR(50), PRIMARY KEY (a, b))",
            "CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b INT, KEY ab (a, b))",
            "CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20))",
            "CREATE TABLE order_tags (order_id BIGINT, tag_id INT, PRIMARY KEY (order_id, tag_id), KEY (tag_id))",
            "CREATE TABLE mails (id INT PRIMARY KEY AUTO_INCREMENT, code VARCHAR(20), KEY (code))",
            f"INSERT INTO orders SELECT n, IF(n % 10 = 0, 'draft', 'open'), CONCAT('code', n) FROM ({numbers}) AS q",
            "INSERT INTO items (order_id, pad) SELECT id, '' FROM orders",
            "INSERT INTO parts SELECT id DIV 100, id % 100, '' FROM orders",
            "INSERT INTO notes (a, b) SELECT a, b FROM parts",
            "INSERT INTO tags SELECT id, code FROM orders WHERE id < 100",
            "INSERT INTO order_tags SELECT id, (id * 7 + 1) % 100 FROM orders",
            "INSERT INTO mails (code) SELECT code FROM orders",
            "ANALYZE TABLE orders, items, parts, notes, tags, order_tags, mails",
        ):
            connection.exec_driver_sql(statement)

    def run(statement: str) -> list[dict[str, Any]]:
        with connected(source.url) as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN FORMAT=TRADITIONAL {statement}").mappings()
            return [{name.lower(): value for name, value in row.items()} for row in rows]

    return run


def test_plans(source: MySQLSource, explain: Callable[[str], list[dict[str, Any]]]) -> None:
    schema = source.schema()
    names = ("orders", "items", "parts", "notes", "tags", "order_tags", "mails")
    orders, items, parts, notes, tags, order_tags, mails = (table(schema, name) for name in names)
    root = replace(node(orders), where="state <> 'draft'")
    pairs = node(parts)
    item = replace(
        node(items, id="items", join=join(orders, ["id"], items, ["order_id"], exact=True)), where="pad = ''"
    )
    item_text = node(items, id="items", join=join(orders, ["id"], items, ["order_id"], exact=False))
    note = node(notes, id="notes", join=join(parts, ["a", "b"], notes, ["a", "b"], exact=True))
    part = node(parts, id="part", shape="one", join=join(notes, ["a", "b"], parts, ["a", "b"], exact=True))
    mail = node(mails, id="mails", join=join(orders, ["code"], mails, ["code"], exact=False))
    to_link = join(orders, ["id"], order_tags, ["order_id"], exact=True)
    tag = node(tags, id="tags", link=link(order_tags, to_link, join(order_tags, ["tag_id"], tags, ["id"], exact=True)))
    dense = [key(n) for n in range(5000, 5500)]
    sparse = [key(n) for n in range(0, 27000, 675)]
    pair = [key(n // 100, n % 100) for n in range(0, 27000, 270)]

    streamed = {  # read from the index in order: no sorting at all
        "root range": statements.roots(root).first(KeyRange(key(5000), key(6000)), 1000),
        "open root range": statements.roots(root).first(KeyRange(key(29000), None), 1000),
        "composite range": statements.roots(pairs).first(KeyRange(key(50, 5), key(55, 7)), 1000),
        "within one leading value": statements.roots(pairs).first(KeyRange(key(50, 5), key(50, 17)), 1000),
        "roots by key": statements.roots(root).exactly(sparse),
        "roots by composite key": statements.roots(pairs).exactly(pair),
        "dense children": statements.children(item, root).matching(dense),
        "sparse children": statements.children(item, root).matching(sparse),
        "children of composite keys": statements.children(note, pairs).matching(pair),
        "one by composite key": statements.children(part, node(notes)).matching(pair),
    }
    for name, statement in streamed.items():
        plan = explain(statement)
        assert len(plan) == 1, (name, plan)
        assert plan[0]["type"] == "range", (name, plan)
        assert "filesort" not in (plan[0]["extra"] or ""), (name, plan)

    looked_up = {  # an index for every table, sorted afterwards
        "children through the parent": (statements.children(item_text, root).matching(dense), 2),
        "children by text": (statements.children(mail, root).matching(sparse), 2),
        "through a link table": (statements.children(tag, root).matching(dense), 2),
        "limited": (statements.children(replace(item, limit=3), root).matching(dense), 2),
    }
    for name, (statement, tables) in looked_up.items():
        plan = explain(statement)
        assert len(plan) == tables, (name, plan)
        read = [step for step in plan if not step["table"].startswith("<derived")]
        assert all(step["type"] in ("range", "ref", "eq_ref") for step in read), (name, plan)
        derived = [step for step in plan if step["select_type"] == "DERIVED"]
        assert len(derived) == (1 if name == "limited" else 0), (name, plan)
