"""What right mappings turn into, against a real schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from migrator.errors import SourceUnavailable
from migrator.mapping.file.load import load_mappings
from migrator.mapping.resolve import resolve
from migrator.model.mapping.policies import Policies, SoftDelete
from migrator.model.mapping.row_layout import carries_parent_key
from migrator.model.mapping.tree import Collection, Node, Order
from migrator.model.schema.tables import Column, ColumnName
from migrator.model.serialize import from_json, to_json
from migrator.source.connection.url import parse_source_url
from migrator.source.mysql import MySQLSource
from tests.mapping.check import create_tables, resolve_text
from tests.oracle.load import run_script


class Resolve:
    """Resolves texts against the shop's tables."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    def __call__(self, text: str, policies: Policies | None = None) -> Collection:
        (found,) = resolve_text(self.url, self.folder, text, policies=policies)
        return found

    def orders(self, text: str, policies: Policies | None = None) -> Node:
        return self(f"collection: orders\nfrom: orders\n{text}", policies).root

    def embed(self, text: str, policies: Policies | None = None) -> Node:
        (child,) = self.orders(f"columns: []\nembed:\n  x: {text}", policies).children
        return child


@pytest.fixture
def resolved(shop_url: str, tmp_path: Path) -> Resolve:
    return Resolve(shop_url, tmp_path)


def names(node: Node) -> list[str]:
    return [".".join(field.path) for field in node.fields]


# --- fields -----------------------------------------------------------------------------------------------------


def test_all_columns_in_table_order_after_the_key(resolved: Resolve) -> None:
    root = resolved("collection: c\nfrom: customers").root
    assert names(root) == ["_id", "name", "email", "code", "deleted_at"]
    assert [column.name for column in root.key] == ["id"]
    assert (root.id, root.shape, root.path, root.order) == ("c", "root", (), (Order("id"),))


def test_fields_stand_where_their_columns_stand(resolved: Resolve) -> None:
    root = resolved.orders(
        "columns: [note, number]\n"
        "fields: {sum: {sql: total + 1}, memo.text: note, state: status, status: status, half: {sql: total / 2}}"
    )
    assert names(root) == ["_id", "number", "state", "status", "memo.text", "sum", "half"]


def test_columns_in_other_case_get_the_schemas_spelling(resolved: Resolve) -> None:
    root = resolved.orders("columns: [NUMBER, Note]\nfields: {s: {column: STATUS}, TOTAL: {type: string}}")
    assert names(root) == ["_id", "number", "s", "TOTAL", "note"]
    assert [field.column.name for field in root.fields] == ["id", "number", "status", "total", "note"]


def test_except(resolved: Resolve) -> None:
    assert names(resolved("collection: c\nfrom: customers\ncolumns: {except: [EMAIL, deleted_at]}").root) == [
        *("_id", "name", "code"),
    ]


def test_computed_fields_know_their_type(resolved: Resolve) -> None:
    field = resolved.orders("columns: []\nfields: {a.b: {sql: CAST(total AS SIGNED)}}").fields[1]
    assert (field.path, field.sql, field.column.name) == (("a", "b"), "CAST(total AS SIGNED)", "a.b")
    assert (field.column.data_type, field.value.kind) == ("bigint", "int64")


def test_composite_key(resolved: Resolve) -> None:
    root = resolved("collection: i\nfrom: order_items\nkey: [line_no, order_id]").root
    assert names(root)[:2] == ["_id.line_no", "_id.order_id"]
    assert root.order == (Order("line_no"), Order("order_id"))


def test_key_column_under_its_own_name_is_the_key_under_another_a_field(resolved: Resolve) -> None:
    root = resolved.orders("columns: []\nfields: {ID: {type: long}, number: id}")
    assert [(field.path, field.value.kind) for field in root.fields] == [(("_id",), "int64"), (("number",), "int32")]


def test_without_key(resolved: Resolve) -> None:
    root = resolved("collection: log\nfrom: log\nkey: none").root
    assert (root.key, names(root)) == ((), ["at", "text", "order_number"])
    assert root.order == (Order("at"), Order("text"), Order("order_number"))


def test_view_without_key(resolved: Resolve) -> None:
    assert names(resolved("collection: p\nfrom: paid_orders\nkey: none").root) == ["id", "total"]


def test_unique_key_as_key(resolved: Resolve) -> None:
    assert names(resolved("collection: c\nfrom: customers\nkey: CODE").root)[0] == "_id"


# --- joins ------------------------------------------------------------------------------------------------------


def test_parent_holds_the_key(resolved: Resolve) -> None:
    node = resolved.embed("{from: customers}")
    assert node.join is not None
    assert (node.join.parent[0].name, node.join.child[0].name, node.join.exact) == ("customer_id", "id", True)
    assert (node.id, node.shape, node.path, node.order) == ("orders.x", "one", ("x",), (Order("id"),))
    assert names(node)[0] == "id"


def test_child_holds_the_key(resolved: Resolve) -> None:
    node = resolved.embed("{from: order_items, many: true, order_by: SKU desc}")
    assert node.join is not None
    assert (node.join.parent[0].name, node.join.child[0].name) == ("id", "order_id")
    assert node.order == (Order("sku", True), Order("order_id"), Order("line_no"))


def test_unique_child(resolved: Resolve) -> None:
    assert resolved.embed("{from: invoices, one: true}").shape == "one"


def test_unique_with_match(resolved: Resolve, mysql_url: str, tmp_path: Path) -> None:
    script = tmp_path / "schema.sql"
    script.write_text(
        "CREATE TABLE p (id INT PRIMARY KEY);"
        "CREATE TABLE c (id INT PRIMARY KEY, p_id INT, kind CHAR(1), UNIQUE (p_id, kind));"
    )
    create_tables(mysql_url, script)
    text = "collection: p\nfrom: p\nembed: {c: {from: c, one: true, on: {id: p_id}, match: {KIND: a}}}"
    (found,) = resolve_text(mysql_url, resolved.folder, text)
    assert found.root.children[0].match == (("kind", "a"),)


def test_link_table(resolved: Resolve) -> None:
    node = resolved.embed("{from: tags, through: {table: order_tags, columns: [ADDED_AT]}, many: true}")
    assert node.join is None
    assert node.link is not None
    assert (node.link.table, node.link.key) == ("order_tags", ("order_id", "tag_id"))
    assert [column.name for column in (*node.link.parent.child, *node.link.child.parent)] == ["order_id", "tag_id"]
    assert [(field.path, field.from_link) for field in node.fields] == [
        *((("id",), False), (("name",), False), (("added_at",), True)),
    ]


@pytest.mark.parametrize("side", ["on: {id: one_id}", "to: {other_id: id}"])
def test_one_side_of_a_link_settles_the_other(resolved: Resolve, side: str) -> None:
    text = f"{{from: people, depth: 1, many: true, through: {{table: friends, {side}}}}}"
    (node,) = resolved(f"collection: people\nfrom: people\nembed:\n  friends: {text}").root.children
    assert node.link is not None
    assert (node.link.parent.child[0].name, node.link.child.parent[0].name) == ("one_id", "other_id")


def test_text_is_never_exact(resolved: Resolve) -> None:
    node = resolved.embed("{from: log, many: true, on: {number: order_number}}")
    assert carries_parent_key(node)
    assert node.key == ()
    assert node.order == (Order("at"), Order("text"), Order("order_number"))


@pytest.mark.parametrize(
    ("one", "other", "exact"),
    [
        ("INT", "BIGINT UNSIGNED", True),
        ("INT ZEROFILL", "INT", True),
        ("BINARY(4)", "VARBINARY(8)", True),
        ("DATE", "DATE", True),
        ("DATETIME(3)", "DATETIME(3)", True),
        ("DATETIME(3)", "TIMESTAMP(3) NULL", True),
        ("DATETIME(3)", "DATETIME", False),
        ("DECIMAL(10,2)", "DECIMAL(12,2)", True),
        ("DECIMAL(10,2)", "DECIMAL(10,3)", False),
        ("DECIMAL(10,2) ZEROFILL", "DECIMAL(10,2)", False),
        ("VARCHAR(5)", "VARCHAR(5)", False),
        ("VARCHAR(5)", "INT", False),
        ("ENUM('a')", "ENUM('a')", False),
        ("DOUBLE", "DOUBLE", False),
        ("YEAR", "YEAR", False),
        ("DATE", "DATETIME", False),
    ],
)
def test_exact(mysql_url: str, tmp_path: Path, one: str, other: str, exact: bool) -> None:
    script = tmp_path / "schema.sql"
    script.write_text(f"CREATE TABLE p (id INT PRIMARY KEY, a {one}); CREATE TABLE c (id INT PRIMARY KEY, b {other});")
    create_tables(mysql_url, script)
    text = "collection: p\nfrom: p\nembed: {c: {from: c, many: true, on: {a: b}}}"
    (found,) = resolve_text(mysql_url, tmp_path, text)
    join = found.root.children[0].join
    assert join is not None
    assert join.exact is exact


# --- shapes -----------------------------------------------------------------------------------------------------


def test_scalars(resolved: Resolve) -> None:
    node = resolved.embed("{from: tags, through: order_tags, many: true, value: {column: NAME, type: binary}}")
    assert (node.shape, [(field.path, field.value.kind) for field in node.fields]) == ("scalars", [((), "binary")])


def test_map(resolved: Resolve) -> None:
    node = resolved.embed("{from: order_items, as: map, key: sku, value: {sql: quantity + 1}}")
    assert (node.shape, node.map_key and node.map_key.name) == ("map", "sku")
    assert node.order == (Order("sku"), Order("order_id"), Order("line_no"))
    assert [(field.path, field.sql) for field in node.fields] == [((), "quantity + 1")]


def test_flatten(resolved: Resolve) -> None:
    node = resolved.embed("{from: warehouses, flatten: true, columns: [name]}")
    assert (node.id, node.path, node.flatten) == ("orders.x", (), True)


def test_dotted_embed(resolved: Resolve) -> None:
    (node,) = resolved.orders("columns: []\nembed: {a.b: {from: customers}}").children
    assert (node.id, node.path) == ("orders.a.b", ("a", "b"))


def test_depth(resolved: Resolve) -> None:
    text = "collection: people\nfrom: people\nembed: {boss: {from: people, depth: 3, columns: [name]}}"
    ids = [node.id for node in resolved(text).root.walk()]
    assert ids == ["people", "people.boss", "people.boss.boss", "people.boss.boss.boss"]


def test_depth_repeats_what_is_embedded(resolved: Resolve) -> None:
    text = (
        "collection: people\nfrom: people\nembed:\n  boss:\n    from: people\n    depth: 2\n    columns: [name]\n"
        "    embed: {said: {from: comments, many: true, on: {id: subject_id}, value: body}}"
    )
    ids = [node.id for node in resolved(text).root.walk()]
    assert ids == ["people", *(f"people.boss{rest}" for rest in ("", ".said", ".boss", ".boss.said"))]


def test_variants(resolved: Resolve) -> None:
    root = resolved.orders(
        "columns: [status, number, note]\n"
        "variants: {column: STATUS, cases: {new: {columns: [NOTE], fields: {n: number}}, paid: {columns: [total]}}}"
    )
    assert names(root) == ["_id", "status"]
    assert root.variants is not None
    cases = {value: [".".join(field.path) for field in fields] for value, fields in root.variants.cases}
    assert cases == {"new": ["n", "note"], "paid": ["total"]}


# --- conditions and policies ------------------------------------------------------------------------------------

SOFT = Policies(soft_delete=SoftDelete("DELETED_AT", "deleted_at IS NULL"))


def test_soft_delete_is_added_where_the_table_has_the_column(resolved: Resolve) -> None:
    root = resolved.orders("where: total > 1 OR kind = 2\nembed: {c: {from: customers}, t: {from: warehouses}}", SOFT)
    assert root.where == "(total > 1 OR kind = 2) AND (deleted_at IS NULL)"
    assert [child.where for child in root.children] == ["deleted_at IS NULL", None]


def test_soft_delete_opted_out(resolved: Resolve) -> None:
    root = resolved.orders("soft_delete: false\nembed: {c: {from: customers}}", SOFT)
    assert (root.where, root.children[0].where) == (None, "deleted_at IS NULL")
    root = resolved.orders("embed: {c: {from: customers, soft_delete: false}}", SOFT)
    assert (root.where, root.children[0].where) == ("deleted_at IS NULL", None)
    assert resolved.orders("policies: {soft_delete: false}", SOFT).where is None


def test_soft_delete_of_a_file(resolved: Resolve) -> None:
    root = resolved.orders("soft_delete: {column: deleted_at}\nembed: {c: {from: customers}}")
    assert [node.where for node in root.walk()] == ["`deleted_at` IS NULL"] * 2


def test_soft_delete_of_a_link_table(resolved: Resolve) -> None:
    policies = Policies(soft_delete=SoftDelete("added_at", "added_at IS NULL"))
    node = resolved.embed("{from: tags, through: {table: order_tags, where: tag_id > 1}, many: true}", policies)
    assert node.link is not None
    assert node.link.where == "(tag_id > 1) AND (added_at IS NULL)"
    node = resolved.embed("{from: tags, through: {table: order_tags, soft_delete: false}, many: true}", policies)
    assert node.link is not None
    assert node.link.where is None


def test_inner_policies_win(resolved: Resolve) -> None:
    root = resolved.orders(
        "null: omit\npolicies: {zero_date: string}\n"
        "fields: {note: {null: null}, placed_at: {policies: {zero_date: null}}}\n"
        "embed: {c: {from: customers, null: null, orphans: reject,"
        " embed: {s: {from: comments, many: true, on: {id: customer_id}}}}}",
        Policies(zero_date="reject", json_keys="reject"),
    )
    by_name = {".".join(field.path): field.value.policies for field in root.fields}
    assert (root.omit_null, by_name["number"].null, by_name["note"].null) == (True, "omit", "null")
    assert (by_name["placed_at"].zero_date, by_name["deleted_at"].zero_date) == ("null", "string")
    assert by_name["prefs"].json_keys == "reject"
    customer = root.children[0]
    assert (customer.omit_null, customer.orphans, customer.fields[0].value.policies.null) == (False, "reject", "null")
    assert customer.children[0].orphans == "ignore"


# --- indexes and references -------------------------------------------------------------------------------------


def test_unique_index_names_what_may_be_null(resolved: Resolve) -> None:
    found = resolved(
        "collection: orders\nfrom: orders\nembed: {items: {from: order_items, many: true}, c: {from: customers}}\n"
        "indexes:\n"
        "  - {keys: {number: 1, status: -1}, unique: true}\n"
        "  - {keys: {items.line_no: 1}, unique: true, name: lines}\n"
        "  - {keys: {c.code: 1}, unique: true, collation: {locale: en, strength: 2}}\n"
        "  - {keys: {number: 1}, collation: de}\n"
    ).indexes
    assert [(index.name, index.nullable) for index in found] == [
        ("number_1_status_-1", (("number", ("string",)),)),
        ("lines", (("items.line_no", ("int",)),)),
        ("c.code_1", (("c.code", ("string",)),)),
        ("number_1", ()),
    ]
    assert [index.collation for index in found] == [None, None, '{"locale": "en", "strength": 2}', "de"]


@pytest.mark.parametrize(
    "keys",
    ["_id: 1", "place: 2dsphere", "prefs.a.b: 1", "c: 1", "c.name: text", "tags: 1", "m.any: 1", "placed_at_micros: 1"],
)
def test_index_keys(resolved: Resolve, keys: str) -> None:
    resolved.orders(
        "policies: {submillisecond: companion}\n"
        "embed: {c: {from: customers}, tags: {from: tags, through: order_tags, many: true, value: name},"
        " m: {from: order_items, as: map, key: sku, value: quantity}}\n"
        f"indexes: [{{keys: {{{keys}}}}}]"
    )


def test_references_name_fields(resolved: Resolve) -> None:
    found = resolve_text(
        resolved.url,
        resolved.folder,
        "collection: orders\nfrom: orders\nfields: {w.id: warehouse_id}\n"
        "references: {warehouse: {collection: warehouses, on: {WAREHOUSE_ID: _id}}}",
        "collection: warehouses\nfrom: warehouses\nfields: {id: {type: long}}",
    )
    assert found[0].references[0].on == (("w.id", "_id"),)


# --- the whole --------------------------------------------------------------------------------------------------


def test_hash_covers_documents_only(resolved: Resolve) -> None:
    plain = resolved("collection: orders\nfrom: orders")
    outside = resolved("collection: orders\nfrom: orders\nvalidator: true\nindexes: [{keys: {number: 1}}]\nids: uuid")
    inside = resolved("collection: orders\nfrom: orders\nnull: omit")
    assert plain.mapping_hash == outside.mapping_hash != inside.mapping_hash
    assert plain.schema_fingerprint == outside.schema_fingerprint
    assert (outside.validator, outside.ids, outside.file) == (True, "uuid", str(resolved.folder / "0.yaml"))


def test_travels_as_json(resolved: Resolve) -> None:
    found = resolved(
        "collection: orders\nfrom: orders\n"
        "embed: {t: {from: tags, through: order_tags, many: true}, c: {from: customers}}"
    )
    assert from_json(Collection, to_json(found)) == found


@dataclass(frozen=True)
class Heard:
    """The source's server, and what it was asked."""

    source: MySQLSource
    asked: list[object] = field(default_factory=list)

    def describe(self, schema: str, table: str, expression: str) -> Column:
        self.asked.append(expression)
        return self.source.describe(schema, table, expression)

    def can_compare(self, left: ColumnName, right: ColumnName) -> bool:
        self.asked.append((left[1:], right[1:]))
        return self.source.can_compare(left, right)


class Gone:
    """A server that does not answer."""

    def describe(self, schema: str, table: str, expression: str) -> Column:
        raise SourceUnavailable("gone")

    def can_compare(self, left: ColumnName, right: ColumnName) -> bool:
        raise SourceUnavailable("gone")


def test_expressions_are_described_once(resolved: Resolve, shop_url: str) -> None:
    heard = Heard(MySQLSource(parse_source_url(shop_url)))
    text = "collection: people\nfrom: people\nembed: {boss: {from: people, depth: 4, fields: {n: {sql: id + 1}}}}"
    (resolved.folder / "m.yaml").write_text(text)
    resolve(load_mappings(resolved.folder), heard.source.schema(), heard, Policies())
    assert heard.asked == ["id + 1"]


def test_joins_are_asked_about_only_where_their_columns_differ(mysql_url: str, tmp_path: Path) -> None:
    run_script(
        mysql_url,
        """
        CREATE TABLE a (id INT PRIMARY KEY, t VARCHAR(9) CHARACTER SET latin1, KEY (t));
        CREATE TABLE b (
            id INT PRIMARY KEY, a BIGINT, t VARCHAR(9) CHARACTER SET latin1, u VARCHAR(9) CHARACTER SET utf8mb4
        );
        """,
    )
    heard = Heard(MySQLSource(parse_source_url(mysql_url)))
    on = {"x": "{id: a}", "y": "{t: t}", "z": "{t: u}"}
    embeds = "".join(f"\n  {name}: {{from: b, many: true, on: {each}}}" for name, each in on.items())
    (tmp_path / "m.yaml").write_text(f"collection: a\nfrom: a\nembed:{embeds}")
    resolve(load_mappings(tmp_path), heard.source.schema(), heard, Policies())
    assert heard.asked == [(("a", "t"), ("b", "u"))]


def test_a_lost_source_is_no_mistake_of_the_mapping(resolved: Resolve, shop_url: str) -> None:
    (resolved.folder / "m.yaml").write_text("collection: orders\nfrom: orders\nwhere: id > 1")
    schema = MySQLSource(parse_source_url(shop_url)).schema()
    with pytest.raises(SourceUnavailable):
        resolve(load_mappings(resolved.folder), schema, Gone(), Policies())
