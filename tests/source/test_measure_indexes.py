"""Findings about indexes that documents can't be put into, on small tables made for each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrator.model.mapping.policies import Policies
from migrator.model.mapping.representation import represent
from migrator.model.mapping.tree import Collection, Field, IndexSpec, Node
from migrator.model.plan.plan import Finding
from migrator.model.schema.tables import Table
from migrator.source import MySQLSource
from migrator.source.measuring import index_findings, sampling, table_facts
from migrator.source.measuring.measure import measure
from tests.source.build import collection, field, join, node, table
from tests.source.conftest import Execute


def found(source: MySQLSource, whole: Collection, *, exact: bool = False) -> tuple[Finding, ...]:
    return measure(source.url, whole, exact=exact).findings


def typed(of: Table, name: str, as_type: str | None = None, **policies: Any) -> Field:
    column = of.by_name[name]
    return replace(field(of, name), value=represent(column, as_type, Policies(**policies)))


SPHERE = "2dsphere"
BOW = "ST_GeomFromText('POLYGON((0 0, 10 10, 10 0, 0 10, 0 0))')"
SQUARE = "ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))')"
POINT = "ST_GeomFromText('POINT(1 2)')"
METRES = "ST_GeomFromText('POINT(1 2)', 3857)"
FAR = "ST_GeomFromText('POINT(1 95)')"

# Column, type, values of one row each, keys, what the finding says ("" for none), rows that it counts.
ONE_TABLE: list[tuple[str, str | None, list[str], dict[str, int | str], str, str]] = [
    ("GEOMETRY", None, [POINT, SQUARE, "NULL"], {"v": SPHERE}, "", ""),
    ("GEOMETRY", None, [POINT, BOW, BOW], {"v": SPHERE}, "crosses itself",
     "in 2 of 3 documents checked (such as 2, 3)"),
    ("GEOMETRY", None, [METRES, POINT], {"v": SPHERE}, "{srid, wkb}", "in 1 of 2"),
    ("GEOMETRY", None, [FAR], {"v": SPHERE}, "{srid, wkb}", "in 1 of 1"),
    ("TEXT", "json", ["'{\"type\": \"Point\", \"coordinates\": [1, 2]}'", "'[3, 4]'", "'null'"], {"v": SPHERE}, "", ""),
    ("TEXT", "json", ["'{\"type\": \"Point\", \"coordinates\": [1, 95]}'"], {"v": SPHERE}, "latitude", "(such as 1)"),
    ("TEXT", "json", ["'\"here\"'", "'[1, 2]'"], {"v": SPHERE}, "is text", "(such as 1)"),
    ("TEXT", "json", ["'{\"a\": [{\"g\": null}, {\"g\": [1, 2]}]}'"], {"v.a.g": SPHERE}, "null next to", "(such as 1)"),
    ("TEXT", "json", ["'{\"a\": [{\"g\": null}, {\"g\": null}, {}]}'"], {"v.a.g": SPHERE}, "", ""),
    ("TEXT", "json", ["'{\"a\": [1], \"b\": [2]}'", "'{\"a\": [1], \"b\": 2}'"], {"v.a": 1, "v.b": 1},
     "through another array", "in 1 of 2 documents checked (such as 1)"),
    ("TEXT", "json", ["'{\"a\": [{\"b\": 1, \"c\": 2}]}'"], {"v.a.b": 1, "v.a.c": 1}, "", ""),
    ("TEXT", "json", ["'{\"a\": [1]}'"], {"v.a": "hashed"}, "no hashed index over arrays", "(such as 1)"),
    ("TEXT", "json", ["'{\"a\": 1}'", "NULL"], {"v.a": "hashed"}, "", ""),
    ("TEXT", "json", ["'{\"a\": [{\"0\": 1}]}'", "'{\"a\": [1]}'"], {"v.a.0": 1}, "a field of that name", "in 1 of 2"),
    ("TEXT", "json", ["'{\"t\": \"x\", \"language\": \"klingon\"}'"], {"v.t": "text"}, "no language", "(such as 1)"),
    ("TEXT", "json", ["'{\"t\": \"x\", \"language\": 5}'"], {"v.t": "text"}, "is no text", "(such as 1)"),
    ("TEXT", "json", ["'{\"t\": \"x\", \"language\": \"German\"}'"], {"v.t": "text"}, "", ""),
    ("TEXT", "json", ["'{\"a\": [1]}'"], {"v.a": 1, "v.t": "text"}, "only the text fields", "(such as 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "as_type", "rows", "keys", "says", "counts"), ONE_TABLE)
def test_values_that_an_index_refuses(
    source: MySQLSource,
    execute: Execute,
    column: str,
    as_type: str | None,
    rows: list[str],
    keys: dict[str, int | str],
    says: str,
    counts: str,
) -> None:
    values = ", ".join(f"({place}, {row})" for place, row in enumerate(rows, 1))
    execute(f"CREATE TABLE t (id INT PRIMARY KEY, v {column})", f"INSERT INTO t VALUES {values}")
    of = table(source.schema(), "t")
    root = replace(node(of), fields=(field(of, "id"), typed(of, "v", as_type)))
    index = IndexSpec("i", tuple(keys.items()))
    findings = found(source, replace(collection(root), indexes=(index,)))
    if not says:
        assert findings == ()
        return
    (finding,) = findings
    assert (finding.severity, finding.code, finding.where) == ("blocked", "unindexable", "t: i")
    assert says in finding.text
    assert counts in finding.text
    assert finding.fix


@pytest.fixture
def people(source: MySQLSource, execute: Execute) -> Node:
    execute(
        "CREATE TABLE people (id INT PRIMARY KEY, language VARCHAR(20), title TEXT)",
        "CREATE TABLE places (id INT PRIMARY KEY, person_id INT, location POINT, KEY (person_id))",
        "INSERT INTO people VALUES (1, 'en', 'a'), (2, 'none', 'b'), (3, 'DE', 'c')",
        f"INSERT INTO places VALUES (1, 1, {POINT}), (2, 1, NULL), (3, 2, NULL), (4, 2, NULL), (5, 3, {POINT})",
    )
    schema = source.schema()
    parents, children = table(schema, "people"), table(schema, "places")
    on = join(parents, ["id"], children, ["person_id"], exact=True)
    return node(parents, children=(node(children, id="root.places", path=("places",), join=on),))


GEO = IndexSpec("geo", (("places.location", SPHERE),))


def test_null_next_to_a_point_in_an_array(source: MySQLSource, people: Node) -> None:
    (finding,) = found(source, replace(collection(people), indexes=(GEO,)))
    assert finding.code == "unindexable"
    assert "in 1 of 3 documents checked (such as 1)" in finding.text


def test_null_that_is_left_out_is_fine(source: MySQLSource, people: Node) -> None:
    (places,) = people.children
    of = table(source.schema(), "places")
    fields = tuple(typed(of, "location", null="omit") if one.path == ("location",) else one for one in places.fields)
    root = replace(people, children=(replace(places, fields=fields),))
    assert found(source, replace(collection(root), indexes=(GEO,))) == ()


def test_words_that_are_no_language(source: MySQLSource, people: Node, execute: Execute) -> None:
    whole = replace(collection(people), indexes=(IndexSpec("words", (("title", "text"),)),))
    assert found(source, whole) == ()
    execute("INSERT INTO people VALUES (4, 'klingon', 'd'), (5, '', 'e')")
    (finding,) = found(source, whole)
    assert "language is no language that MongoDB knows" in finding.text
    assert "in 2 of 5 documents checked (such as 4, 5)" in finding.text


def test_values_are_never_shown(source: MySQLSource, people: Node, execute: Execute) -> None:
    execute("INSERT INTO people VALUES (4, 'secret-word', 'd')")
    indexes = (GEO, IndexSpec("words", (("title", "text"),)))
    findings = found(source, replace(collection(people), indexes=indexes))
    assert len(findings) == 2
    assert "secret-word" not in repr(findings)


def test_a_sample_says_that_it_is_one(
    source: MySQLSource, people: Node, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("DELETE FROM places WHERE id = 2")
    insert = "INSERT INTO people (id, title) SELECT {0} + id, '' FROM people"
    execute(*(insert.format(4 * 2**power) for power in range(7)), "ANALYZE TABLE people")
    monkeypatch.setattr(table_facts, "SMALL_ROWS", 50)
    monkeypatch.setattr(sampling, "RANGES", 5)
    monkeypatch.setattr(sampling, "SAMPLE", 10)
    whole = replace(collection(people), indexes=(GEO,))
    (finding,) = [each for each in found(source, whole) if each.where.endswith("geo")]
    assert (finding.severity, finding.code) == ("info", "unchecked")
    assert "--exact" in finding.fix
    assert [each for each in found(source, whole, exact=True) if each.where.endswith("geo")] == []


def test_time_is_limited_unless_all_is_to_be_counted(
    source: MySQLSource, people: Node, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("DELETE FROM places WHERE id = 2")
    monkeypatch.setattr(index_findings, "_SECONDS", 0.0)
    whole = replace(collection(people), indexes=(GEO,))
    (finding,) = found(source, whole)
    assert finding.code == "unchecked"
    assert found(source, whole, exact=True) == ()


def test_a_table_without_a_key(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE t (v GEOMETRY)", f"INSERT INTO t VALUES ({POINT}), ({BOW})")
    root = node(table(source.schema(), "t"))
    index = IndexSpec("i", (("v", SPHERE),))
    findings = found(source, replace(collection(root), indexes=(index,)))
    assert "in 1 of 2" in next(each for each in findings if each.code == "unindexable").text


def test_indexes_that_refuse_nothing_cost_nothing(
    source: MySQLSource, people: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("documents were made")

    monkeypatch.setattr(index_findings, "open_reader", never)
    plain = (
        IndexSpec("a", (("title", 1), ("places.id", -1))),
        IndexSpec("b", (("title", "hashed"),)),
        IndexSpec("c", (("places.location", 1),)),
    )
    assert found(source, replace(collection(people), indexes=plain)) == ()
