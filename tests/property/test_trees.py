"""Random mappings over random rows: joins by integers, texts equal only by collation, bytes, other types; NULLs and
orphans; composite keys; orders, limits, conditions; link tables and self references."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.agreement import disagreements
from tests.oracle.load import run_script

TABLES = ["t0", "t1", "t2", "t3", "t4"]
COLUMNS = """
    k1 INT NOT NULL, k2 VARCHAR(4) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL, ri INT,
    rs VARCHAR(4) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, rl VARCHAR(4) CHARACTER SET latin1,
    rb BINARY(2), rd DECIMAL(4,1), n INT
"""
KEYS = [["k1"], ["k2"], ["k1", "k2"], ["k2", "k1"]]
INTEGERS = st.integers(0, 4).map(str)
WORDS = st.sampled_from(["''", "'a'", "'A'", "'a '", "'á'", "'b'", "'B'", "'1'", "'01'", "'2x'", "'ß'", "'😀'"])
LATIN = st.sampled_from(["'a'", "'A'", "'á'", "'b'", "'1'", "''"])
BYTES = st.sampled_from(["X'6100'", "X'61'", "X'0000'", "X'4100'"])
DECIMALS = st.sampled_from(["0.0", "1.0", "2.0", "2.5"])
ROW = st.tuples(
    INTEGERS,
    WORDS,
    *(st.just("NULL") | values for values in (INTEGERS, WORDS, LATIN, BYTES, DECIMALS, INTEGERS)),
)
# Pairs of columns that a join compares, in either direction.
PAIRS = [
    [("k1", "ri")],
    [("ri", "ri")],
    [("k2", "rs")],
    [("rs", "rl")],
    [("rl", "k2")],
    [("rb", "rb")],
    [("k1", "rs")],
    [("ri", "rd")],
    [("k1", "ri"), ("k2", "rs")],
    [("rs", "k2"), ("rb", "rb")],
]
CONDITIONS = ["n > 1", "n IS NULL OR k1 < 3", "rs = 'a'", "rl <> 'b'", "rb = X'6100'"]
ORDERS = [["n"], ["rs desc"], ["n desc", "k1"], ["rl", "rb desc"], ["rd"]]


@st.composite
def joins(draw: st.DrawFn) -> dict[str, str]:
    pairs = draw(st.sampled_from(PAIRS))
    flipped = draw(st.booleans())
    return {b: a for a, b in pairs} if flipped else dict(pairs)


@st.composite
def held_by_parent(draw: st.DrawFn, key: list[str]) -> dict[str, str]:
    sources = {"k1": ["ri", "n", "rd"], "k2": ["rs", "rl", "k2"]}
    return {draw(st.sampled_from(sources[column])): column for column in key}


@st.composite
def embeds(draw: st.DrawFn, keys: dict[str, list[str]], above: list[str], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number in range(draw(st.integers(1 if depth == 0 else 0, 2))):
        free = [table for table in TABLES if table not in above]
        if not free:
            break
        node: dict[str, Any] = {"from": draw(st.sampled_from(free))}
        shape = draw(st.sampled_from(["one", "many", "many", "scalars", "map", "through", "self"]))
        if shape == "self":
            node |= {"from": above[-1], "depth": draw(st.integers(1, 3))}
        key = keys[node["from"]]
        if shape == "one" or (shape == "self" and draw(st.booleans())):
            node["on"] = draw(held_by_parent(key))
            if draw(st.booleans()):
                node["null"] = "omit"
            if draw(st.booleans()):
                node["orphans"] = "reject"
        else:
            node["many"] = True
            if shape == "through":
                link = draw(st.sampled_from(TABLES))
                node["through"] = {"table": link, "on": draw(joins()), "to": draw(joins())}
                if draw(st.booleans()):
                    node["through"]["fields"] = {
                        "link_n": {"column": "n"},
                        "link_text": {"column": "rs", "null": "omit"},
                    }
                if draw(st.booleans()):
                    node["through"]["where"] = draw(st.sampled_from(CONDITIONS))
            else:
                node["on"] = draw(joins())
            if draw(st.booleans()):
                node["order_by"] = draw(st.sampled_from(ORDERS))
            if draw(st.booleans()):
                node["limit"] = draw(st.integers(1, 3))
        if draw(st.booleans()):
            node["where"] = draw(st.sampled_from(CONDITIONS))
        if shape == "scalars":
            node["value"] = draw(st.sampled_from(["n", "rs", {"sql": "k1 * 2"}, {"column": "rb", "null": "omit"}]))
        elif shape == "map":
            node |= {"as": "map", "key": draw(st.sampled_from(["k1", "k2"])), "value": "n"}
        else:
            if draw(st.booleans()):
                node["columns"] = draw(st.lists(st.sampled_from(["k1", "k2", "rs", "n"]), unique=True))
            if draw(st.booleans()):
                node["fields"] = {"group.computed": {"sql": "n + 1"}, "group.word": {"column": "rl"}}
            if shape != "self" and depth < 2:
                inner = draw(embeds(keys, [*above, node["from"]], depth + 1))
                if inner:
                    node["embed"] = inner
        found[f"e{number}"] = node
    return found


@st.composite
def worlds(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A script that makes and fills the tables, and a mapping of t0."""
    script = "SET sql_mode = '';"
    keys = {}
    for table in TABLES:
        keys[table] = draw(st.sampled_from(KEYS))
        index = draw(st.sampled_from(["", ", INDEX (ri)", ", INDEX (rs)", ", INDEX (rl, rb)"]))
        script += f"DROP TABLE IF EXISTS {table};"
        script += f"CREATE TABLE {table} ({COLUMNS}, PRIMARY KEY ({', '.join(keys[table])}){index});"
        rows = draw(st.lists(ROW, min_size=1, max_size=8))
        # Rows that collide by the key's collation are left out by the server.
        script += f"INSERT IGNORE INTO {table} VALUES {', '.join('(' + ', '.join(row) + ')' for row in rows)};"
    mapping: dict[str, Any] = {"collection": "t0", "from": "t0", "embed": draw(embeds(keys, ["t0"], 0))}
    if draw(st.booleans()):
        mapping["where"] = draw(st.sampled_from(CONDITIONS))
    return script, mapping


@pytest.mark.slow
def test_trees(mysql_url: str) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(worlds())
    def check(world: tuple[str, dict[str, Any]]) -> None:
        script, mapping = world
        run_script(mysql_url, script)
        with tempfile.TemporaryDirectory() as folder:
            # JSON is YAML.
            (Path(folder) / "t0.yaml").write_text(json.dumps(mapping, ensure_ascii=False), encoding="utf-8")
            assert disagreements(mysql_url, Path(folder)) == []

    check()
