"""Each finding on a small table made for it: that it is there, with number and example, and that it isn't without."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrator.model.mapping.policies import Policies
from migrator.model.mapping.representation import represent
from migrator.model.mapping.tree import Collection, Field, IndexSpec, Join, Node
from migrator.model.plan.plan import CollectionMeasure, Finding
from migrator.model.schema.tables import Table
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected
from migrator.source.measuring import queries, sampling, table_facts
from migrator.source.measuring.measure import measure
from tests.source.build import collection, field, join, link, node, table
from tests.source.conftest import Execute


def found(source: MySQLSource, root: Node | Collection, *, exact: bool = False) -> tuple[Finding, ...]:
    whole = collection(root) if isinstance(root, Node) else root
    result: CollectionMeasure = measure(source.url, whole, exact=exact)
    return result.findings


def only(findings: tuple[Finding, ...], code: str) -> Finding:
    """The one finding of that code, which must be the only one at all; a name with '$' in front gives two."""
    kept = [each for each in findings if each.code == code or not {each.code, code} <= {"json-keys", "dollar-names"}]
    assert [finding.code for finding in kept] == [code], findings
    return kept[0]


def with_field(root: Node, changed: Field) -> Node:
    return replace(root, fields=tuple(changed if one.path == changed.path else one for one in root.fields))


def typed(of: Table, name: str, as_type: str | None = None, **policies: Any) -> Field:
    column = of.by_name[name]
    return replace(field(of, name), value=represent(column, as_type, Policies(**policies)))


# Column, rows (id is its place from 1), type, policies, code, severity, rows found, part of the fix.
VALUES: list[tuple[str, list[str], str | None, dict[str, str], str, str, int, str]] = [
    ("DATETIME(6)", ["'2024-01-01 00:00:00.123456'", "'2024-01-01 00:00:00.123'"], None, {}, "lossy-microseconds",
     "warning", 1, "companion"),
    ("TIMESTAMP(4) NULL", ["'2024-01-01 00:00:00.1234'", "NULL"], None, {"submillisecond": "reject"},
     "lossy-microseconds", "warning", 1, "string"),
    ("DATE NULL", ["'0000-00-00'", "'2024-00-10'", "'2024-02-31'", "'2024-02-29'", "NULL"], None, {},
     "lossy-zero-date", "warning", 3, "zero_date"),
    ("DATETIME", ["'0000-00-00'", "'2024-12-31'"], None, {"zero_date": "null"}, "lossy-zero-date", "info", 1, ""),
    ("TIMESTAMP NULL", ["0", "'2024-12-31'"], None, {"zero_date": "string"}, "lossy-zero-date", "info", 1, ""),
    ("DECIMAL(40,2)", ["12345678901234567890123456789012345.25", "12345678901234567890123456789012345678.00", "1.5",
                       "-1234567890123456789012345678901234.00"], None, {}, "big-decimal", "warning", 2, "big_decimal"),
    ("DECIMAL(65,0)", ["-99999999999999999999999999999999999", "9999999999999999999999999999999999"], None, {},
     "big-decimal", "warning", 1, "string"),
    ("BIGINT UNSIGNED", ["9223372036854775807", "9223372036854775808"], None, {}, "unsigned-overflow", "warning", 1,
     "unsigned_overflow"),
    ("BIT(64)", ["b'1'", "0xffffffffffffffff"], None, {}, "unsigned-overflow", "warning", 1, "decimal"),
    ("JSON", ["'{\"a\": 1}'", "'{\"a.b\": 1}'", "'{\"$a\": 1}'", "'[\"x.y\"]'"], None, {}, "json-keys", "info", 2, ""),
    ("JSON", ["'{\"a.b\": 1}'"], None, {"json_keys": "reject"}, "json-keys", "warning", 1, "json_keys"),
    ("TEXT", ["'{\"a.b\": 1}'", "'{\"a\": 1}'"], "json", {}, "json-keys", "info", 1, ""),
    ("JSON", ["'{\"a\": {\"$x\": 1}}'", "'[{\"$y\" : \"z\"}]'", "'{\"a\": \"$x\", \"b$\": [\"$y\"]}'"], None, {},
     "dollar-names", "info", 2, ""),
    ("TEXT NULL", ["'{\"$x\": 1}'", "'{\"a\": \"$x\"}'", "NULL"], "json", {}, "dollar-names", "info", 1, ""),
    ("TEXT", ["'{\"a\": 1}'", "'{a}'", "NULL"], "json", {}, "unfit-value", "warning", 1, "type"),
    ("TEXT", ["'[1e308]'", "'[1e309]'", "'{\"a\": -1e400}'"], "json", {}, "unfit-value", "warning", 2, "type"),
    ("TEXT", ["REPEAT('9', 300)", "REPEAT('9', 400)", "REPEAT('9', 5000)"], "json", {}, "unfit-value", "warning", 2,
     "type"),
    ("TEXT", [r"'{\"a\\u0000b\": 1}'", r"'{\"a\": \"\\u0000\"}'"], "json", {}, "unfit-value", "warning", 1, "type"),
    ("TEXT", [r"'[\"\\ud800\"]'", r"'[\"\\ud83d\\ude00\"]'"], "json", {}, "unfit-value", "warning", 1, "type"),
    ("TEXT", ["CONCAT(REPEAT('[', 100), REPEAT(']', 100))", "CONCAT(REPEAT('[', 99), REPEAT(']', 99))"], "json", {},
     "unfit-value", "warning", 1, "type"),
    ("BLOB", ["'{\"a\": 1}'", "x'ff'"], "json", {}, "unfit-value", "warning", 1, "type"),
    ("TEXT CHARACTER SET latin1", ["'{\"é\": 1, \"é\": 2}'", "'{\"e\": 1, \"é\": 2}'"], "json", {}, "json-names-twice",
     "warning", 1, "string"),
    ("TEXT", ["'[{\"a\": {\"b\": 1, \"b\": 1}}]'", "'{\"a\": 1, \"b\": {\"a\": 1}}'"], "json", {}, "json-names-twice",
     "warning", 1, "string"),
    ("JSON", ["'{\"x\": [{\"a.b\": 1}]}'"], None, {"json_keys": "reject"}, "json-keys", "warning", 1, "json_keys"),
    ("VARCHAR(36)", ["'6ccd780c-baba-1026-9564-5b8c656024db'", "'6CCD780CBABA102695645B8C656024DB'", "'x'"], "uuid", {},
     "unfit-value", "warning", 1, ""),
    ("VARBINARY(20)", ["REPEAT('x', 16)", "'x'"], "uuid", {}, "unfit-value", "warning", 1, ""),
    ("VARBINARY(20)", ["x'c3a9'", "x'ff'"], "string", {}, "unfit-value", "warning", 1, ""),
    ("VARCHAR(30)", ["'507f1f77bcf86cd799439011'", "'507f'"], "objectid", {}, "unfit-value", "warning", 1, ""),
    ("VARCHAR(30)", ["'-1.50'", "' 2e3 '", "'1,5'", "''"], "decimal", {}, "unfit-value", "warning", 2, ""),
    ("DECIMAL(30,2)", ["1.00", "1.50", "99999999999999999999.00"], "long", {}, "unfit-value", "warning", 2, ""),
]  # fmt: skip


@pytest.mark.parametrize(("column", "rows", "as_type", "policies", "code", "severity", "count", "fix"), VALUES)
def test_values_that_have_no_exact_place(
    source: MySQLSource,
    column: str,
    rows: list[str],
    as_type: str | None,
    policies: dict[str, str],
    code: str,
    severity: str,
    count: int,
    fix: str,
) -> None:
    values = ", ".join(f"({place}, {row})" for place, row in enumerate(rows, 1))
    with connected(source.url) as connection:
        # Lets in what a strict server of today would refuse.
        connection.exec_driver_sql("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
        connection.exec_driver_sql(f"CREATE TABLE t (id INT PRIMARY KEY, v {column})")
        connection.exec_driver_sql(f"INSERT INTO t VALUES {values}")
    of = table(source.schema(), "t")
    finding = only(found(source, with_field(node(of), typed(of, "v", as_type, **policies))), code)
    assert (finding.severity, finding.where) == (severity, "root: v")
    assert f"in {count} row" in finding.text
    assert fix in finding.fix


@pytest.mark.parametrize(
    ("column", "row", "as_type", "policies"),
    [
        ("DATETIME(6)", "'2024-01-01 00:00:00.123456'", None, {"submillisecond": "companion"}),
        ("DATETIME(6)", "'2024-01-01 00:00:00.123456'", None, {"submillisecond": "string"}),
        ("DATE", "'0000-00-00'", "string", {}),
        ("DECIMAL(40,0)", "12345678901234567890123456789012345", None, {"big_decimal": "string"}),
        ("DECIMAL(40,0)", "12345678901234567890123456789012345", "double", {}),
        ("BIGINT UNSIGNED", "18446744073709551615", None, {"unsigned_overflow": "decimal"}),
        ("BIGINT UNSIGNED", "18446744073709551615", "string", {}),
        ("TIME(6)", "'-838:59:59.000001'", None, {}),
        ("TEXT", '\'{"a.b": 1, "$c": 1}\'', None, {}),
    ],
)
def test_nothing_is_said_where_the_mapping_has_a_place_for_it(
    source: MySQLSource, execute: Execute, column: str, row: str, as_type: str | None, policies: dict[str, str]
) -> None:
    execute(f"CREATE TABLE t (id INT PRIMARY KEY, v {column})", f"INSERT INTO t VALUES (1, {row})")
    of = table(source.schema(), "t")
    assert found(source, with_field(node(of), typed(of, "v", as_type, **policies))) == ()


@pytest.mark.needs_mariadb("invalid bytes in a text column; MySQL cuts them on the way in")
@pytest.mark.parametrize(("policy", "severity"), [("reject", "warning"), ("binary", "info")])
def test_invalid_text(source: MySQLSource, execute: Execute, policy: str, severity: str) -> None:
    execute(
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET ascii)",
        "INSERT INTO t VALUES (1, 'ok'), (2, x'41ff')",
    )
    of = table(source.schema(), "t")
    finding = only(found(source, with_field(node(of), typed(of, "v", invalid_text=policy))), "invalid-text")
    assert finding.severity == severity
    assert "1 row of" in finding.text
    assert "(such as 2)" in finding.text


@pytest.mark.parametrize("charset", ["ascii", "utf8mb3", "utf8mb4", "latin1", "utf16"])
def test_valid_text_of_every_character_set_passes(source: MySQLSource, execute: Execute, charset: str) -> None:
    value = "abc" if charset == "ascii" else "é€"
    execute(
        f"CREATE TABLE t (id INT PRIMARY KEY, v TEXT CHARACTER SET {charset})",
        f"INSERT INTO t VALUES (1, '{value}'), (2, ''), (3, NULL)",
    )
    assert found(source, node(table(source.schema(), "t"))) == ()


PEOPLE = (
    "CREATE TABLE parents (id INT PRIMARY KEY, code VARCHAR(9), friend INT)",
    "CREATE TABLE children (id INT PRIMARY KEY, parent_id INT, code VARCHAR(9), name VARCHAR(20), KEY (parent_id),"
    " KEY (code))",
    "CREATE TABLE links (parent_id INT, child_id INT, PRIMARY KEY (parent_id, child_id))",
    "INSERT INTO parents VALUES (1, 'a', 1), (2, 'b', NULL), (3, 'c', 99)",
    "INSERT INTO children VALUES (1, 1, 'a', 'x'), (2, 1, 'A', 'y'), (3, NULL, NULL, 'z')",
)


class People:
    def __init__(self, source: MySQLSource, execute: Execute) -> None:
        execute(*PEOPLE)
        schema = source.schema()
        self.source = source
        self.parents, self.children, self.links = (table(schema, name) for name in ("parents", "children", "links"))

    def many(self, on: Join | None = None, **more: Any) -> Node:
        by_id = join(self.parents, ["id"], self.children, ["parent_id"], exact=True)
        return node(self.children, id="root.children", join=on or by_id, **more)

    def friend(self, **more: Any) -> Node:
        on = join(self.parents, ["friend"], self.children, ["id"], exact=True)
        settings = {"shape": "one", "path": ("friend",), "order": ()} | more
        return node(self.children, id="root.friend", join=on, **settings)

    def tagged(self) -> Node:
        on = link(
            self.links,
            join(self.parents, ["id"], self.links, ["parent_id"], exact=True),
            join(self.links, ["child_id"], self.children, ["id"], exact=True),
        )
        return node(self.children, id="root.tagged", link=on)

    def found(self, *children: Node, **more: Any) -> tuple[Finding, ...]:
        return found(self.source, node(self.parents, children=children, **more))


@pytest.fixture
def people(source: MySQLSource, execute: Execute) -> People:
    return People(source, execute)


def test_children_without_a_parent(people: People, execute: Execute) -> None:
    assert people.found(people.many()) == ()
    execute("INSERT INTO children VALUES (4, 77, NULL, ''), (5, 77, NULL, '')")
    finding = only(people.found(people.many()), "orphans")
    assert (finding.severity, finding.where) == ("warning", "root.children")
    assert "in 2 rows" in finding.text
    assert "(such as 4)" in finding.text
    # Rows that the mapping leaves out are no one's orphans, and a parent that it leaves out is a parent.
    assert people.found(people.many(where="id < 4"), where="id <> 1") == ()


@pytest.mark.parametrize(("policy", "then"), [("ignore", "`friend` is null"), ("reject", "will be rejected")])
def test_a_key_of_the_parent_that_names_no_row(people: People, policy: str, then: str) -> None:
    finding = only(people.found(people.friend(orphans=policy)), "orphans")
    assert finding.where == "root.friend"
    assert "in 1 row of" in finding.text
    assert "(such as 3)" in finding.text
    assert then in finding.text


def test_link_rows_that_lead_nowhere(people: People, execute: Execute) -> None:
    execute("INSERT INTO links VALUES (1, 1), (1, 88), (77, 1)")
    to_parent, to_child = people.found(people.tagged())
    assert (to_parent.code, to_child.code) == ("orphans", "orphans")
    assert "parents that don't exist" in to_parent.text
    assert "77, 1" in to_parent.text
    assert "children that don't exist" in to_child.text
    assert "1, 88" in to_child.text


def test_keys_that_match_by_collation_only(people: People) -> None:
    by_code = join(people.parents, ["code"], people.children, ["code"], exact=False)
    finding = only(people.found(people.many(by_code)), "collation-keys")
    assert (finding.severity, finding.where) == ("warning", "root.children")
    assert "in 1 row of" in finding.text
    assert "(such as 2)" in finding.text


def test_a_map_key_twice_and_map_keys_with_dots(people: People, execute: Execute) -> None:
    value = replace(field(people.children, "id"), path=())
    options = people.many(shape="map", map_key=people.children.by_name["name"], order=())
    options = replace(options, fields=(value,))
    assert people.found(options) == ()
    execute("INSERT INTO children VALUES (7, 2, NULL, 'k'), (8, 2, NULL, 'K'), (9, 2, NULL, 'a.b')")
    assert only(people.found(options), "json-keys").where == "root.children (keys)"
    execute("INSERT INTO children VALUES (11, 2, NULL, '$a')")
    assert "in 1 row" in only(people.found(options), "dollar-names").text
    execute("DELETE FROM children WHERE id = 11")
    execute("INSERT INTO children VALUES (10, 2, NULL, 'k')")
    twice = people.found(options)[-1]
    assert (twice.severity, twice.code) == ("warning", "duplicate-map-key")
    assert "1 document" in twice.text
    assert "(the first: 2)" in twice.text


def test_a_key_of_two_tables_that_fill_one_map(people: People, execute: Execute) -> None:
    value = replace(field(people.children, "id"), path=())
    options = people.many(shape="map", map_key=people.children.by_name["name"], order=(), duplicates="last")
    options = replace(options, fields=(value,), where="id <> 2")
    more = replace(options, id="root.more", where="id = 2")
    assert [each.code for each in people.found(options, more)] == []
    execute("UPDATE children SET name = 'same' WHERE id <= 3", "UPDATE children SET parent_id = 1 WHERE id <= 3")
    finding = only(people.found(options, more), "duplicate-map-key")
    assert finding.where == "root.children and root.more"
    assert "1 document would" in finding.text


NO_CASE = '{"locale": "en", "strength": 2}'
NO_ACCENTS = '{"locale": "en", "strength": 1}'


def unique(*paths: str, nullable: tuple[str, ...] = (), collation: str | None = None) -> IndexSpec:
    types = tuple((path, ("string",)) for path in nullable)
    return IndexSpec("u", tuple((path, 1) for path in paths), unique=True, nullable=types, collation=collation)


@pytest.fixture
def words(source: MySQLSource, execute: Execute) -> Node:
    execute(
        "CREATE TABLE t (id INT PRIMARY KEY, w VARCHAR(9) NOT NULL, n VARCHAR(9), at DATETIME(6), u INT, UNIQUE (u))",
        "INSERT INTO t VALUES (1, 'a', NULL, '2024-01-01 00:00:00.123456', 1),"
        " (2, 'A', NULL, '2024-01-01 00:00:00.123999', NULL), (3, 'b', 'x', NULL, NULL)",
    )
    of = table(source.schema(), "t")
    return with_field(node(of), typed(of, "at", submillisecond="companion"))


@pytest.mark.parametrize(
    ("index", "blocked"),
    [
        (unique("w"), False),  # MongoDB tells 'a' from 'A'
        (unique("w", collation=NO_CASE), True),
        (unique("w", collation="en"), False),
        (unique("w", collation='{"locale": "en", "strength": 3}'), False),
        (unique("n", nullable=("n",)), False),  # nulls are left out
        (unique("at"), True),  # the same millisecond
        (unique("u", nullable=("u",)), False),  # the source sees to it
        (replace(unique("w", collation=NO_CASE), unique=False), False),
    ],
)
def test_duplicates_of_a_unique_index_block(source: MySQLSource, words: Node, index: IndexSpec, blocked: bool) -> None:
    findings = found(source, replace(collection(words), indexes=(index,)))
    if not blocked:
        assert findings == ()
        return
    finding = only(findings, "duplicate-unique")
    assert (finding.severity, finding.where) == ("blocked", "t: u")
    assert "(2 rows)" in finding.text


@pytest.mark.parametrize(
    ("values", "collation", "blocked"),
    [
        ("'é', 'E'", NO_ACCENTS, True),
        ("'é', 'E'", NO_CASE, False),
        ("'é', 'É'", NO_CASE, True),
        ("'a', 'a '", NO_ACCENTS, False),  # MongoDB counts spaces at the end
        ("'å', 'a'", '{"locale": "sv", "strength": 1}', False),  # a letter of its own in Swedish
        ("'I', 'i'", '{"locale": "tr", "strength": 2}', False),  # two letters in Turkish
        ("'é', 'e'", "en", False),
    ],
)
def test_text_is_compared_by_the_indexs_collation(
    source: MySQLSource, execute: Execute, values: str, collation: str, blocked: bool
) -> None:
    one, other = values.split(", ")
    execute(
        "CREATE TABLE t (id INT PRIMARY KEY, w VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL)",
        f"INSERT INTO t VALUES (1, {one}), (2, {other})",
    )
    whole = replace(collection(node(table(source.schema(), "t"))), indexes=(unique("w", collation=collation),))
    assert [finding.code for finding in found(source, whole)] == (["duplicate-unique"] if blocked else [])


def test_several_duplicates_are_counted(source: MySQLSource, words: Node, execute: Execute) -> None:
    execute("INSERT INTO t (id, w, n) VALUES (4, 'b', 'x'), (5, 'b', 'x'), (6, 'a', 'x')")
    findings = found(source, replace(collection(words), indexes=(unique("w", "n", nullable=("n",)),)))
    finding = only(findings, "duplicate-unique")
    assert "1 value of w, n occurs" in finding.text
    assert "b, x (3 rows)" in finding.text


def test_duplicates_are_looked_for_in_all_rows_of_larger_tables_too(
    source: MySQLSource, words: Node, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = "INSERT INTO t (id, w) SELECT {0} + id, {0} + id FROM t"
    execute(*(insert.format(4 * 2**power) for power in range(7)), "ANALYZE TABLE t")
    execute("INSERT INTO t (id, w) VALUES (1000, 'twice'), (1001, 'twice')")
    monkeypatch.setattr(table_facts, "SMALL_ROWS", 100)
    monkeypatch.setattr(sampling, "RANGES", 5)
    monkeypatch.setattr(sampling, "SAMPLE", 10)
    whole = replace(collection(words), indexes=(unique("w"),))
    finding = next(each for each in found(source, whole) if each.code == "duplicate-unique")
    assert "twice (2 rows)" in finding.text
    monkeypatch.setattr(table_facts, "READABLE_ROWS", 100)
    assert "only looked for in a sample" in only(found(source, whole), "unchecked").text

    def slow(self: queries.Asker, purpose: str, statement: str) -> list[queries.Row]:
        if "duplicates" in purpose and "migrator_some" not in statement:
            raise queries.TimeLimit(purpose)
        return rows(self, purpose, statement)

    rows = queries.Asker.rows
    monkeypatch.setattr(table_facts, "READABLE_ROWS", 10_000)
    monkeypatch.setattr(queries.Asker, "rows", slow)
    assert "only looked for in a sample" in only(found(source, whole), "unchecked").text


def test_duplicates_in_embedded_tables_are_looked_for_in_documents(people: People, execute: Execute) -> None:
    index = replace(unique("children.name"), nullable=(("children.name", ("string",)),))
    root = node(people.parents, children=(people.many(path=("children",)),))
    whole = replace(collection(root), indexes=(index,))
    assert found(people.source, whole) == ()
    execute("INSERT INTO children VALUES (5, 1, NULL, 'x'), (6, 2, NULL, 'v')")
    assert found(people.source, whole) == ()  # one document may have a value twice
    execute("INSERT INTO children VALUES (7, 3, NULL, 'v')")
    finding = only(found(people.source, whole), "duplicate-unique")
    assert (finding.severity, finding.where) == ("blocked", "parents: u")
    assert "in 1 of 3 documents checked (such as 3)" in finding.text
    execute("DELETE FROM children WHERE id IN (5, 6)", "ALTER TABLE children ADD UNIQUE (name)")
    assert found(people.source, whole) == ()


def test_null_in_an_array_is_a_value_of_a_unique_index(people: People, execute: Execute) -> None:
    """A unique index of the source lets many NULLs pass; the target's can't leave single elements out."""
    index = replace(unique("children.code"), nullable=(("children.code", ("string",)),))
    root = node(people.parents, children=(people.many(path=("children",)),))
    whole = replace(collection(root), indexes=(index,))
    execute("DELETE FROM children", "ALTER TABLE children ADD UNIQUE (code)")
    execute("INSERT INTO children VALUES (4, 1, NULL, ''), (5, 1, 'd', ''), (6, 2, NULL, ''), (7, 3, 'e', '')")
    assert found(people.source, whole) == ()  # of parent 2, nothing is in the index
    execute("INSERT INTO children VALUES (8, 2, 'f', '')")
    finding = only(found(people.source, whole), "duplicate-unique")
    assert "null" in finding.text
    assert "(such as 2)" in finding.text


@pytest.mark.parametrize(
    ("collation", "same"), [(None, False), ("en", False), ('{"locale": "en", "strength": 2}', True)]
)
def test_embedded_text_is_compared_by_the_collation(
    people: People, execute: Execute, collation: str | None, same: bool
) -> None:
    index = replace(unique("children.name"), nullable=(("children.name", ("string",)),), collation=collation)
    root = node(people.parents, children=(people.many(path=("children",)),))
    execute("INSERT INTO children VALUES (5, 2, NULL, 'X')")
    findings = found(people.source, replace(collection(root), indexes=(index,)))
    assert [finding.code for finding in findings] == (["duplicate-unique"] if same else [])


def test_a_join_without_an_index(people: People, execute: Execute) -> None:
    execute("ALTER TABLE children DROP KEY parent_id")
    finding = only(people.found(people.many()), "no-join-index")
    assert finding.severity == "info"  # three rows
    insert = "INSERT INTO children SELECT {} + id, 1, NULL, '' FROM children"
    execute(*(insert.format(10 * 2**power) for power in range(10)), "ANALYZE TABLE children")
    finding = only(people.found(people.many()), "no-join-index")
    assert (finding.severity, finding.where) == ("warning", "root.children")
    execute(finding.fix)
    assert people.found(people.many()) == ()


def test_an_index_that_begins_with_the_match_columns_serves(people: People, execute: Execute) -> None:
    execute(
        "ALTER TABLE children DROP KEY parent_id",
        "CREATE INDEX by_name ON children (name, parent_id)",
    )
    assert people.found(people.many(match=(("name", "x"),))) == ()
    assert [finding.code for finding in people.found(people.many())] == ["no-join-index"]


def test_a_text_column_joined_by_a_number(people: People) -> None:
    on = join(people.parents, ["id"], people.children, ["code"], exact=False)
    findings = people.found(people.many(on))
    assert "no-join-index" in [finding.code for finding in findings]
    assert "as numbers" in next(finding.text for finding in findings if finding.code == "no-join-index")


LATIN = "latin1 COLLATE latin1_swedish_ci"
SMALL = "utf8mb3 COLLATE utf8mb3_general_ci"
LARGE = "utf8mb4 COLLATE utf8mb4_unicode_ci"


@pytest.mark.parametrize(
    ("parent", "child", "said"),
    [
        (LARGE, LATIN, ["converts c, for which no index can be used, and each chunk reads the whole table"]),
        (SMALL, LATIN, ["converts c, for which no index can be used, and each chunk reads the whole table"]),
        (SMALL, LARGE, ["sync reads all of {db}.r when rows of {db}.c change"]),
        ("gbk", LARGE, ["sync reads all of {db}.r when rows of {db}.c change"]),
        (LATIN, LARGE, []),
        ("utf8mb3 COLLATE utf8mb3_unicode_ci", LARGE, []),
        ("utf8mb4 COLLATE utf8mb4_bin", LARGE, []),
        (LARGE, "utf8mb4 COLLATE utf8mb4_bin", []),
        (LATIN, LATIN, []),
    ],
)
def test_text_of_another_character_set(
    source: MySQLSource, execute: Execute, parent: str, child: str, said: list[str]
) -> None:
    """The server converts one of the columns, and can't look in its index then."""
    execute(
        f"CREATE TABLE r (id INT PRIMARY KEY, p VARCHAR(20) CHARACTER SET {parent}, KEY (p))",
        f"CREATE TABLE c (id INT PRIMARY KEY, c VARCHAR(20) CHARACTER SET {child}, KEY (c))",
    )
    schema = source.schema()
    on = join(table(schema, "r"), ["p"], table(schema, "c"), ["c"], exact=False)
    root = node(table(schema, "r"), children=(node(table(schema, "c"), id="root.c", path=("c",), join=on),))
    findings = [one for one in found(source, root) if one.code == "no-join-index"]
    assert len(findings) == len(said)
    for one, text in zip(findings, said, strict=True):
        assert text.format(db=source.url.database) in one.text
        assert (one.severity, one.where) == ("info", "root.c")  # no rows


@pytest.mark.parametrize("engine", ["MyISAM", "MEMORY"])
def test_a_table_without_snapshots(source: MySQLSource, execute: Execute, engine: str) -> None:
    execute(f"CREATE TABLE t (id INT PRIMARY KEY) ENGINE={engine}")
    finding = only(found(source, node(table(source.schema(), "t"))), "not-transactional")
    assert engine in finding.text
    assert finding.fix.endswith("ENGINE=InnoDB;")


def test_a_view_as_root(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE t (id INT PRIMARY KEY)",
        "INSERT INTO t VALUES (1), (2)",
        "CREATE VIEW v AS SELECT id, COUNT(*) AS n FROM t GROUP BY id",
    )
    view = table(source.schema(), "v")
    whole = collection(node(view, key=(view.by_name["id"],), order=()))
    finding = only(found(source, whole), "view-root")
    assert finding.severity == "warning"
    assert measure(source.url, whole, exact=False).documents.value == 2


def test_a_declared_key_without_an_index(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (a INT NOT NULL, b INT)")
    of = table(source.schema(), "t")
    finding = only(found(source, node(of, key=(of.by_name["a"],), order=())), "no-key-index")
    execute(finding.fix)
    assert found(source, node(table(source.schema(), "t"), key=(of.by_name["a"],), order=())) == ()


@pytest.mark.needs_mysql("a server that can't parse JSON of more than 100 levels itself")
def test_text_that_is_json_of_too_many_levels(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE t (id INT PRIMARY KEY, doc TEXT, day DATETIME(6))",
        "INSERT INTO t VALUES (1, CONCAT(REPEAT('[', 101), REPEAT(']', 101)), NULL),"
        " (2, '{}', '2024-01-01 00:00:00.0001')",
    )
    rows = table(source.schema(), "t")
    findings = found(source, with_field(node(rows), typed(rows, "doc", "json")))
    assert {(finding.code, finding.where) for finding in findings} == {
        ("unfit-value", "root: doc"),
        ("lossy-microseconds", "root: day"),
    }


def test_a_key_of_several_collations_and_types_is_shown(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE t (a VARCHAR(9) COLLATE utf8mb4_general_ci, b VARCHAR(9) COLLATE utf8mb4_unicode_ci, "
        "c ENUM('x') CHARACTER SET latin1, d BINARY(1), at DATETIME(6), PRIMARY KEY (a, b, c, d))",
        "INSERT INTO t VALUES ('a', 'b', 'x', x'41', '2024-01-01 00:00:00.123456')",
    )
    finding = only(found(source, node(table(source.schema(), "t"))), "lossy-microseconds")
    assert "(such as a, b, x, 0x41)" in finding.text
