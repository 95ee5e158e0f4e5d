"""Measures of small tables, against what is known to be in them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from migrator.errors import SourceError
from migrator.model.mapping.tree import Node, Order
from migrator.model.plan.plan import CollectionMeasure, Measure
from migrator.model.schema.tables import Table
from migrator.source import MySQLSource
from migrator.source.measuring import document_sizes, queries, sampling, table_facts
from migrator.source.measuring.measure import measure
from tests.source.build import collection, field, join, link, node, table
from tests.source.conftest import Execute

SHOP = (
    "CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(50))",
    "CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, status VARCHAR(10))",
    "CREATE TABLE items (id INT PRIMARY KEY, order_id INT, n INT, KEY (order_id))",
    "CREATE TABLE parts (id INT PRIMARY KEY, item_id INT, note VARCHAR(100), KEY (item_id))",
    "CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE order_tags (order_id INT, tag_id INT, PRIMARY KEY (order_id, tag_id))",
    "INSERT INTO customers VALUES (1, 'Ann'), (2, 'Bob')",
    "INSERT INTO orders VALUES (7, 1, 'new'), (8, 2, 'new'), (9, 2, 'draft')",
    "INSERT INTO items VALUES (1, 7, 1), (2, 8, 1), (3, 8, 2), (4, 8, 3), (5, 9, 1)",
    "INSERT INTO parts VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c'), (4, 3, 'd')",
    "INSERT INTO tags VALUES (1, 'red'), (2, 'blue')",
    "INSERT INTO order_tags VALUES (7, 1), (7, 2), (8, 1)",
)


class Shop:
    """The tables above, to make trees of."""

    def __init__(self, source: MySQLSource) -> None:
        self.source = source
        self.schema = source.schema()

    def __getattr__(self, name: str) -> Table:
        return table(self.schema, name)

    def customer(self, **more: Any) -> Node:
        settings = {"shape": "one", "path": ("customer",), "order": ()} | more
        to = join(self.orders, ["customer_id"], self.customers, ["id"], exact=True)
        return node(self.customers, id="root.customer", join=to, **settings)

    def items_below(self, **more: Any) -> Node:
        to = join(self.orders, ["id"], self.items, ["order_id"], exact=True)
        return node(self.items, id="root.items", join=to, **more)

    def parts_below(self, **more: Any) -> Node:
        to = join(self.items, ["id"], self.parts, ["item_id"], exact=True)
        return node(self.parts, id="root.items.parts", path=("parts",), join=to, **more)

    def tags_below(self) -> Node:
        to = link(
            self.order_tags,
            join(self.orders, ["id"], self.order_tags, ["order_id"], exact=True),
            join(self.order_tags, ["tag_id"], self.tags, ["id"], exact=True),
        )
        return node(self.tags, id="root.tags", link=to)

    def measure(self, *children: Node, exact: bool = False, **more: Any) -> CollectionMeasure:
        root = node(self.orders, children=children, **more)
        return measure(self.source.url, collection(root), exact=exact)


@pytest.fixture
def shop(source: MySQLSource, execute: Execute) -> Shop:
    execute(*SHOP)
    return Shop(source)


def codes(found: CollectionMeasure) -> list[str]:
    return sorted(finding.code for finding in found.findings)


@pytest.mark.parametrize("exact", [False, True])
def test_small_tables_are_counted(shop: Shop, exact: bool) -> None:
    items = shop.items_below(children=(shop.parts_below(),))
    found = shop.measure(shop.customer(), items, shop.tags_below(), where="status <> 'draft'", exact=exact)
    assert found.documents == Measure(2, True)
    arrays = {one.node: (one.per_parent.measure, one.per_parent.key) for one in found.nodes if one.per_parent}
    assert arrays == {
        "root.items": (Measure(3, True), "8"),
        "root.items.parts": (Measure(2, True), "7"),  # both of item 1
        "root.tags": (Measure(2, True), "7"),
    }
    rows = {one.node: one.rows for one in found.nodes}
    assert rows["root"] == Measure(2, True)
    assert rows["root.items"] == Measure(5, True)
    assert rows["root.customer"] == Measure(2, True)
    assert found.biggest.key == "8"
    assert found.biggest.measure.value < found.total_bytes.value < 2000
    assert codes(found) == []


def test_an_empty_table(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY, a DATETIME(6))")
    found = measure(source.url, collection(node(table(source.schema(), "t"))), exact=False)
    assert (found.documents, found.total_bytes.value, found.biggest.measure.value) == (Measure(0, True), 0, 0)
    assert found.findings == ()


def test_limit_bounds_arrays_and_bytes(shop: Shop, execute: Execute) -> None:
    execute("UPDATE parts SET note = REPEAT('x', 100), item_id = 2 WHERE id < 4")
    whole = shop.measure(shop.items_below(children=(shop.parts_below(),)))
    order = (Order("n", descending=True), Order("id"))
    items = shop.items_below(limit=1, order=order, children=(shop.parts_below(),))
    top = shop.measure(items)
    arrays = {one.node: one.per_parent.measure.value for one in top.nodes if one.per_parent}
    # Item 4 is the top of order 8 and has no parts; item 2, which has them, is below the limit.
    assert arrays == {"root.items": 1, "root.items.parts": 0}
    assert whole.biggest.measure.value > 400 > top.biggest.measure.value


def test_a_composite_key_and_keys_that_are_bytes(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE t (a VARCHAR(9), b BINARY(2), v VARCHAR(100), PRIMARY KEY (a, b))",
        "INSERT INTO t VALUES ('x', x'ff01', 'short'), ('y', x'ff02', REPEAT('l', 99)), ('y', x'0a0b', '')",
    )
    found = measure(source.url, collection(node(table(source.schema(), "t"))), exact=True)
    assert found.documents.value == 3
    assert found.biggest.key == "y, 0xff02"


def test_without_a_key(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (a INT, b VARCHAR(20))", "INSERT INTO t VALUES (1, 'x'), (1, 'x'), (2, 'yyyyyyyyyy')")
    found = measure(source.url, collection(node(table(source.schema(), "t"), order=())), exact=False)
    assert found.documents == Measure(3, True)
    assert 50 < found.biggest.measure.value < 80
    assert codes(found) == ["no-key"]


def test_documents_near_16_mb_are_named(shop: Shop, execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_sizes, "_NEAR_LIMIT", 300)
    execute("UPDATE parts SET note = REPEAT('x', 100)")
    found = shop.measure(shop.items_below(children=(shop.parts_below(),)))
    (finding,) = found.findings
    assert (finding.severity, finding.code, finding.where) == ("warning", "size-limit", "orders")
    assert "2 documents" in finding.text
    assert "8 (" in finding.text
    assert "7 (" in finding.text


def test_long_arrays_are_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_sizes, "LONG_ARRAY", 2)
    (finding,) = shop.measure(shop.items_below()).findings
    assert (finding.severity, finding.code, finding.where) == ("warning", "long-array", "root.items")
    assert "8 (3)" in finding.text


@pytest.fixture
def as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of more than 100 rows are sampled, 20 ranges of 10 rows."""
    monkeypatch.setattr(table_facts, "SMALL_ROWS", 100)
    monkeypatch.setattr(sampling, "RANGES", 20)
    monkeypatch.setattr(sampling, "SAMPLE", 200)


DIGITS = (
    "(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 "
    "UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)"
)
NUMBERS = f"(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} e) s"


def fill(execute: Execute) -> None:
    """3,000 orders with two items each, and one far off with 400."""
    many = f"{NUMBERS} WHERE n BETWEEN 100 AND 3099"
    execute(
        f"INSERT INTO orders SELECT n, n % 2 + 1, IF(n % 4, 'new', 'draft') FROM {many}",
        f"INSERT INTO items SELECT n, n, 1 FROM {many}",
        f"INSERT INTO items SELECT n + 3000, n, 2 FROM {many}",
        f"INSERT INTO items SELECT n + 9000, 2147483647, n FROM {NUMBERS} WHERE n BETWEEN 100 AND 499",
        "INSERT INTO orders VALUES (2147483647, 1, 'new')",
        "ANALYZE TABLE orders, items",
    )


@pytest.mark.usefixtures("as_if_large")
def test_large_tables_are_sampled_and_say_so(shop: Shop, execute: Execute) -> None:
    fill(execute)
    found = shop.measure(shop.customer(), shop.items_below(), where="status <> 'draft'")
    assert not found.documents.exact
    # 2,253; the server's own estimate, on which this rests, is rough for a few pages.
    assert 1200 < found.documents.value < 4600
    nodes = {one.node: one for one in found.nodes}
    assert not nodes["root.items"].rows.exact
    assert 3200 < nodes["root.items"].rows.value < 13000  # 6,405
    assert nodes["root.customer"].rows == Measure(2, True)
    # The one order with 400 items is found by its share of the sampled items.
    longest = nodes["root.items"].per_parent
    assert longest is not None
    assert (longest.measure, longest.key) == (Measure(400, False), "2147483647")
    assert found.biggest.key == "2147483647"
    exact = shop.measure(shop.customer(), shop.items_below(), where="status <> 'draft'", exact=True)
    assert exact.documents == Measure(2253, True)
    assert exact.biggest.measure.value == found.biggest.measure.value
    averages = [one.total_bytes.value / one.documents.value for one in (found, exact)]
    assert averages[0] == pytest.approx(averages[1], rel=0.4)


@pytest.mark.usefixtures("as_if_large")
def test_the_longest_array_of_a_large_table_is_found_below_a_limit(
    shop: Shop, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(execute)
    numbered = questions(monkeypatch, "ROW_NUMBER")
    found = shop.measure(shop.items_below(limit=300, order=(Order("n"), Order("id"))))
    longest = found.nodes[1].per_parent
    assert longest is not None
    assert (longest.measure, longest.key) == (Measure(300, False), "2147483647")
    # To number the rows of a large table would read it to its end.
    assert numbered
    assert all(re.search(r"`orders`\.`id` = (migrator_some|\d)", statement) for statement in numbered)


@pytest.mark.usefixtures("as_if_large")
def test_a_key_with_few_gaps_is_divided_without_asking(
    source: MySQLSource, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)",
        f"INSERT INTO t SELECT n + 9223372036854000000, n FROM {NUMBERS} WHERE n < 3000 AND n % 10 < 8",
        "ANALYZE TABLE t",
    )

    def not_asked(self: queries.Asker, purpose: str, statement: str) -> int:
        raise AssertionError(purpose)

    monkeypatch.setattr(queries.Asker, "estimate", not_asked)
    looked = questions(monkeypatch, "UNION")
    found = measure(source.url, collection(node(table(source.schema(), "t"))), exact=False)
    assert 1200 < found.documents.value < 4800
    starts = {int(start) for start in re.findall(r">= (\d+)", looked[0])}
    assert len(starts) == 20
    assert max(starts) - min(starts) == pytest.approx(2850, abs=50)


@pytest.mark.usefixtures("as_if_large")
@pytest.mark.parametrize("indexed", [True, False])
def test_the_longest_array_is_found_by_a_key_whose_first_column_repeats(
    shop: Shop, execute: Execute, indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As order lines have it: one order of thousands has a third of all lines."""
    key = "PRIMARY KEY (order_id, line)" if indexed else "PRIMARY KEY (line, order_id)"
    execute(
        f"CREATE TABLE order_lines (order_id INT, line INT, {key})",
        f"INSERT INTO orders SELECT n, 1, 'new' FROM {NUMBERS} WHERE n BETWEEN 100 AND 3099",
        f"INSERT INTO order_lines SELECT n, 1 FROM {NUMBERS} WHERE n BETWEEN 100 AND 3099",
        f"INSERT INTO order_lines SELECT 1777, n FROM {NUMBERS} WHERE n BETWEEN 2 AND 1500",
        "ANALYZE TABLE orders, order_lines",
    )
    shop = Shop(shop.source)
    to = join(shop.orders, ["id"], shop.order_lines, ["order_id"], exact=True)
    lines = node(shop.order_lines, id="root.lines", join=to)
    found = shop.measure(lines)
    longest = found.nodes[1].per_parent
    assert longest is not None
    assert (longest.measure, longest.key) == (Measure(1500, False), "1777")
    # An index that begins otherwise leads nowhere, in a table that is too large to be read.
    monkeypatch.setattr(table_facts, "READABLE_ROWS", 100)
    unchecked = [each.where for each in shop.measure(lines).findings if each.code == "unchecked"]
    assert unchecked == ([] if indexed else ["root.lines"])


def questions(monkeypatch: pytest.MonkeyPatch, having: str) -> list[str]:
    """Collects the statements from now on that have some text in them."""
    found: list[str] = []

    def rows(self: queries.Asker, purpose: str, statement: str) -> list[queries.Row]:
        if having in statement:
            found.append(statement)
        return asked(self, purpose, statement)

    asked = queries.Asker.rows
    monkeypatch.setattr(queries.Asker, "rows", rows)
    return found


@pytest.mark.usefixtures("as_if_large")
@pytest.mark.parametrize(
    "key", ["VARCHAR(36)", "BINARY(16)", "CHAR(36) CHARACTER SET latin1", "DATETIME", "DECIMAL(30,0)"]
)
def test_samples_of_every_type_of_key(source: MySQLSource, execute: Execute, key: str) -> None:
    text = "LEFT(SHA2(n, 256), 36)"
    minutes = "'2020-01-01' + INTERVAL n MINUTE"
    value = {"BINARY(16)": f"UNHEX(LEFT({text}, 32))", "DATETIME": minutes, "DECIMAL(30,0)": "n"}.get(key, text)
    execute(
        f"CREATE TABLE t (k {key} PRIMARY KEY, v INT)",
        f"INSERT INTO t SELECT {value}, n FROM {NUMBERS} WHERE n < 900",
        "ANALYZE TABLE t",
    )
    found = measure(source.url, collection(node(table(source.schema(), "t"))), exact=False)
    assert not found.documents.exact
    assert 400 < found.documents.value < 1800  # by the server's own estimate, which is rough for few pages


def test_a_question_over_the_time_limit_is_estimated_or_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(self: queries.Asker, purpose: str, statement: str) -> list[queries.Row]:
        if purpose.startswith(("add up", "look for rows")):
            raise queries.TimeLimit(purpose)
        return rows(self, purpose, statement)

    rows = queries.Asker.rows
    monkeypatch.setattr(queries.Asker, "rows", slow)
    found = shop.measure(shop.items_below())
    assert found.documents == Measure(3, True)
    assert found.total_bytes.value > 100
    assert not found.total_bytes.exact
    assert "unchecked" in codes(found)


def test_the_time_limit_is_the_servers(source: MySQLSource) -> None:
    slow = f"SELECT SUM(SHA2(a.n + b.n, 512) < 'a') FROM {NUMBERS.removesuffix(' s')} a, {NUMBERS.removesuffix(' s')} b"
    with queries.asking(source.url, 0.2) as asker, pytest.raises(queries.TimeLimit, match="wait"):
        asker.rows("wait", slow)


def test_nothing_can_be_written(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY)")
    with queries.asking(source.url, None) as asker, pytest.raises(SourceError, match=r"could not try: .*READ ONLY"):
        asker.rows("try", "INSERT INTO t VALUES (1)")


def test_a_table_that_is_gone_is_an_error_that_names_it(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY)")
    gone = collection(node(table(source.schema(), "t")))
    execute("DROP TABLE t")
    with pytest.raises(SourceError, match="doesn't exist any more") as caught:
        measure(source.url, gone, exact=False)
    assert caught.value.where.endswith(".t")


def test_an_sql_error_names_the_purpose(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY)")
    bad = node(table(source.schema(), "t"), where="no_such_column = 1")
    with pytest.raises(SourceError, match=r"could not look at the rows of .*\.t: Unknown column"):
        measure(source.url, collection(bad), exact=False)


def test_what_is_being_done_is_reported(shop: Shop) -> None:
    lines: list[str] = []
    measure(shop.source.url, collection(node(shop.orders)), exact=True, report=lines.append)
    assert any("root" in line for line in lines)
    assert any("orders" in line and "3 documents" in line for line in lines)


def test_strange_names_and_expressions(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE `a``b %s` (`k``ey` INT PRIMARY KEY, `r0` INT, `b` INT, `m0` INT, j JSON)",
        """INSERT INTO `a``b %s` VALUES (1, 2, 3, 4, '{"x": [1, 2]}'), (2, 2, 3, 4, NULL)""",
    )
    odd = table(source.schema(), "a`b %s")
    plain = field(odd, "b")
    fields = (*(field(odd, one.name) for one in odd.columns), replace(plain, path=("x",), sql="b + 1 -- %s a comment"))
    root = node(odd, where="`a``b %s`.b = 3 /* 100% */ -- really", fields=[])
    found = measure(source.url, collection(replace(root, fields=fields)), exact=True)
    assert found.documents == Measure(2, True)


def test_arrays_of_scalars(shop: Shop) -> None:
    scalars = replace(shop.items_below(shape="scalars"), fields=(replace(field(shop.items, "n"), path=()),))
    found = shop.measure(scalars)
    longest = found.nodes[1].per_parent
    assert longest is not None
    assert longest.measure == Measure(3, True)
    assert found.nodes[1].row_bytes.value < 20
