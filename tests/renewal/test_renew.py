"""An applied mapping against altered tables: what it becomes is what the mapping file would be resolved to now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from json import dumps, loads
from pathlib import Path

import pytest

from migrator.errors import SourceError
from migrator.mapping.file.load import load_mappings
from migrator.mapping.resolve import named_tables, resolve
from migrator.mapping.validator import validator
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.tree import Collection, Field, Node
from migrator.model.schema.tables import Column, Schema, Table
from migrator.model.serialize import from_json, to_json
from migrator.renewal.renew import Expression, Renewal, expressions, renew, stated_type
from migrator.source.connection.url import parse_source_url
from migrator.source.mysql import MySQLSource
from tests.changes.build import collection, column, join, node, schema, table
from tests.renewal.conftest import Sql

TABLES = (
    "CREATE TABLE orders (id INT PRIMARY KEY, kind ENUM('a', 'b') NOT NULL, customer_id INT, total DECIMAL(10, 2),"
    " placed_at DATETIME, note VARCHAR(20) CHARACTER SET utf8mb3, big BIGINT UNSIGNED, number INT NULL UNIQUE,"
    " code INT, status VARCHAR(9), flags SET('x', 'y'), last4 CHAR(4), iban VARCHAR(30))",
    "CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20), email VARCHAR(20) NOT NULL)",
    "CREATE TABLE items (order_id INT, line SMALLINT, sku VARCHAR(9), n INT, PRIMARY KEY (order_id, line))",
    "CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(9))",
    "CREATE TABLE order_tags (order_id INT, tag_id INT, rank_ INT, PRIMARY KEY (order_id, tag_id))",
    "CREATE TABLE options (order_id INT, name VARCHAR(9), value INT, PRIMARY KEY (order_id, name))",
    "CREATE TABLE comments (id INT PRIMARY KEY, subject_id INT, subject_type ENUM('order', 'item'), text_ TEXT)",
)
MAPPING = """
collection: orders
from: orders
where: status <> 'draft'
columns: [customer_id, total, placed_at, note, big, number, flags]
policies: {unsigned_overflow: decimal}
fields:
  state: {column: status}
  net: {sql: total - 1}
  who: {sql: customer_id}
  as_text: {column: code, type: string}
embed:
  customer: {from: customers, on: {customer_id: id}}
  items:
    from: items
    many: true
    on: {id: order_id}
    order_by: [sku desc]
    where: n > 0
  tags: {from: tags, through: {table: order_tags, on: {id: order_id}, to: {tag_id: id}, columns: [rank_]}, many: true}
  options: {from: options, as: map, key: name, value: value, on: {id: order_id}}
  comments: {from: comments, many: true, on: {id: subject_id}, match: {subject_type: order}}
variants: {column: kind, cases: {a: {columns: [last4]}, b: {columns: [iban]}}}
indexes:
  - {keys: {number: 1}, unique: true}
  - {keys: {customer.email: 1}, unique: true}
validator: true
"""

# To be renewed, with whether documents change.
RENEWED: dict[str, tuple[str, bool]] = {
    "orders MODIFY note VARCHAR(30) CHARACTER SET utf8mb4": ("orders", False),
    "orders CONVERT TO CHARACTER SET utf8mb4": ("orders", False),
    "orders CONVERT TO CHARACTER SET latin1": ("orders", True),
    "orders MODIFY customer_id BIGINT": ("orders", True),
    "orders MODIFY id BIGINT": ("orders", True),
    "orders MODIFY number BIGINT": ("orders", True),
    "orders MODIFY number INT NOT NULL": ("orders", True),
    "orders MODIFY big BIGINT": ("orders", True),
    "orders MODIFY total DECIMAL(12, 2)": ("orders", False),
    "orders MODIFY total DOUBLE": ("orders", True),
    "orders MODIFY placed_at DATETIME(6)": ("orders", True),
    "orders MODIFY kind ENUM('a', 'b', 'c') NOT NULL": ("orders", False),
    "orders MODIFY kind ENUM('b', 'a') NOT NULL": ("orders", True),
    "orders MODIFY flags SET('x', 'y', 'z')": ("orders", False),
    "orders MODIFY last4 VARCHAR(8)": ("orders", False),
    "orders MODIFY iban TEXT": ("orders", False),
    "orders MODIFY status TEXT": ("orders", False),
    "orders ADD COLUMN later INT FIRST": ("orders", False),
    "orders ADD INDEX later (note)": ("orders", False),
    "customers MODIFY email VARCHAR(20) NULL": ("customers", False),
    "customers MODIFY id BIGINT, MODIFY name CHAR(20)": ("customers", True),
    "items MODIFY line INT": ("items", False),
    "items MODIFY order_id BIGINT": ("items", True),
    "items MODIFY sku VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_bin": ("items", True),
    "items MODIFY n BIGINT": ("items", True),
    "tags MODIFY id BIGINT": ("tags", True),
    "order_tags MODIFY rank_ BIGINT": ("order_tags", True),
    "order_tags MODIFY tag_id BIGINT": ("order_tags", False),
    "options MODIFY value VARCHAR(9)": ("options", True),
    "options MODIFY name VARCHAR(5)": ("options", True),
    "comments MODIFY subject_type ENUM('order', 'item', 'shop')": ("comments", False),
    "comments MODIFY text_ VARCHAR(100)": ("comments", True),
}

# Not to be renewed, with what is said.
MISFITS = {
    "orders DROP COLUMN note": "orders.note is gone",
    "orders CHANGE note memo VARCHAR(20)": "orders.note is gone",
    "orders DROP COLUMN status": "status",
    "orders MODIFY id VARCHAR(9)": "orders.id was",
    "orders MODIFY kind DATE NOT NULL": "can't tell cases apart",
    "orders MODIFY kind ENUM('a') NOT NULL": "never `b`",
    "orders MODIFY code POINT": "can't become",
    "items DROP COLUMN n": "n",
    "items DROP COLUMN sku": "items.sku is gone",
    "items MODIFY order_id VARCHAR(9)": "items.order_id was",
    "tags MODIFY id DATE": "tags.id was",
    "order_tags MODIFY tag_id VARCHAR(9)": "order_tags.tag_id was",
    "order_tags DROP COLUMN rank_": "order_tags.rank_ is gone",
    "options DROP COLUMN value": "options.value is gone",
    "comments MODIFY subject_type ENUM('item')": "never `order`",
    "comments DROP COLUMN subject_type": "comments.subject_type is gone",
    "orders DROP PRIMARY KEY": "(id) of",
    "customers DROP PRIMARY KEY": "(id) of",
}


class Source:
    """Tables and a mapping of them."""

    def __init__(self, url: str, folder: Path) -> None:
        self._source = MySQLSource(parse_source_url(url))
        self._folder = folder
        (folder / "orders.yaml").write_text(MAPPING, encoding="utf-8")

    def schema(self) -> Schema:
        return self._source.schema(named_tables(load_mappings(self._folder)))

    def resolved(self) -> Collection:
        (found,) = resolve(load_mappings(self._folder), self.schema(), self._source, Policies())
        return found

    def renewed(self, applied: Collection, before: Mapping[tuple[str, str], Table] | None = None) -> Renewal:
        return renew(applied, self.schema(), {each: self._answer(each) for each in expressions(applied)}, before)

    def _answer(self, asked: Expression) -> Column | str:
        try:
            return self._source.describe(*asked.table, asked.text)
        except SourceError as error:
            return error.what


@pytest.fixture
def source(sql: Sql, mysql_url: str, tmp_path: Path) -> Source:
    sql(*TABLES)
    return Source(mysql_url, tmp_path)


@pytest.mark.parametrize("alter", RENEWED)
def test_it_becomes_what_the_file_says_now(source: Source, sql: Sql, alter: str) -> None:
    applied = source.resolved()
    assert source.renewed(applied) == Renewal(applied)
    sql(f"ALTER TABLE {alter}")
    found, wanted = source.renewed(applied, source.schema().by_name), source.resolved()
    assert found.obstacles == ()
    assert found.collection == wanted
    assert validator(found.collection) == validator(wanted)
    name, changes = RENEWED[alter]
    assert found.changes_documents is changes
    assert all(f".{name}" in each.text for each in found.differences)


@pytest.mark.parametrize("alter", MISFITS)
def test_what_does_not_fit_is_told(source: Source, sql: Sql, alter: str) -> None:
    applied, before = source.resolved(), source.schema().by_name
    sql(f"ALTER TABLE {alter}")
    found = source.renewed(applied, before)
    assert found.obstacles
    assert MISFITS[alter] in " ".join(found.obstacles)


def test_what_an_earlier_version_stored(source: Source, sql: Sql) -> None:
    """It did not keep the types that the mapping states, nor how it is written."""
    text = dumps(loads(to_json(source.resolved()), object_hook=without))
    applied = from_json(Collection, text)
    assert applied.spec_hash == ""
    sql("ALTER TABLE orders MODIFY number BIGINT, MODIFY customer_id BIGINT")
    found, wanted = source.renewed(applied).collection, source.resolved()
    assert found.mapping_hash == wanted.mapping_hash
    # So an edited mapping is still told from tables that changed.
    assert found.schema_fingerprint == applied.schema_fingerprint


def without(found: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in found.items() if name not in ("stated_type", "spec_hash")}


def test_the_type_that_the_mapping_states(source: Source) -> None:
    def fields(root: Node) -> list[Field]:
        return [field for each in root.walk() for field in each.fields]

    for field in fields(source.resolved().root):
        assert stated_type(field) == (field.stated_type or None)
        found = stated_type(replace(field, stated_type=None))
        assert found == ("string" if field.path == ("as_text",) else None)


def test_a_table_that_is_gone() -> None:
    (found,) = renew(collection(node(table("orders"))), schema(), {}).obstacles
    assert found == "the table shop.orders is gone"


def test_keys_of_another_identity() -> None:
    def with_id(id_: Column) -> Table:
        return replace(table("orders"), columns=(id_,))

    def fits(was: Column, now: Column) -> tuple[str, ...]:
        before, child = with_id(was), table("items", "order_id")
        below = node(child, "items", join=join(before, "id", child, "order_id"))
        return renew(collection(node(before, children=(below,))), schema(with_id(now), child), {}).obstacles

    kind = replace(column("id", "enum", members=("a", "b")), column_type="enum('a','b')")
    more = replace(kind, members=("a", "b", "c"), column_type="enum('a','b','c')")
    other = replace(kind, members=("b", "a"), column_type="enum('b','a')")
    assert fits(kind, more) == ()
    assert fits(kind, other) == ("shop.orders.id was enum('a','b'), and is enum('b','a')",)
    text = column("id", "varchar", length=9, charset="utf8mb4", collation="utf8mb4_bin")
    text = replace(text, column_type="varchar(9)")
    assert fits(text, replace(text, length=20, column_type="varchar(20)")) == ()
    (found,) = fits(text, replace(text, collation="utf8mb4_general_ci"))
    assert found.endswith(
        "was varchar(9) with collation utf8mb4_bin, and is varchar(9) with collation utf8mb4_general_ci"
    )
    assert fits(column("id"), column("id", "bigint")) == ()
    assert fits(column("id"), column("id", "date")) != ()
