from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.model.mapping.tree import Node
from migrator.model.plan.chunk import KeyRange
from migrator.source import MySQLSource
from tests.source.build import collection, node, table
from tests.source.conftest import Execute
from tests.source.reading import raw, roots


def planned(source: MySQLSource, root: Node, rows: int, after: KeyRange | None = None) -> list[KeyRange]:
    return list(source.chunks(collection(root), rows, after))


def sizes(source: MySQLSource, root: Node, ranges: Sequence[KeyRange]) -> list[int]:
    """Rows of each range, after a check that together they are all rows, each once and in order."""
    assert ranges[0].after is None
    assert ranges[-1].upto is None
    assert all(left.upto == right.after and left.upto is not None for left, right in pairwise(ranges))
    found = [roots(source, root, one) for one in ranges]
    names = ", ".join(f"`{one.name}`" for one in root.key)
    everything = raw(source, f"SELECT {names} FROM `{root.table}` ORDER BY {names}")
    assert [row[: len(root.key)] for rows in found for row in rows] == everything
    return [len(rows) for rows in found]


def fill(execute: Execute, name: str, values: Sequence[str]) -> None:
    for start in range(0, len(values), 5000):
        execute(f"INSERT INTO {name} VALUES " + ",".join(values[start : start + 5000]))
    execute(f"ANALYZE TABLE {name}")


def test_dense_integers_give_even_ranges(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE dense (id BIGINT PRIMARY KEY, pad CHAR(200))")
    fill(execute, "dense", [f"({n}, '')" for n in range(1, 20001)])
    root = node(table(source.schema(), "dense"), fields=["id"])
    counted = sizes(source, root, planned(source, root, 1000))
    assert 10 <= len(counted) <= 45
    assert max(counted) <= 2500


def test_gaps_outliers_and_negative_numbers(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE gaps (id BIGINT PRIMARY KEY)")
    drawn = random.Random(5)
    snowflakes = [(1_700_000_000_000 + n // 4 * 977) << 22 | drawn.randrange(4096) << 4 | n % 4 for n in range(3000)]
    ids = {-(2**63), -5, 0, 2**63 - 1, *range(100, 2100), *snowflakes}
    fill(execute, "gaps", [f"({n})" for n in sorted(ids)])
    root = node(table(source.schema(), "gaps"))
    counted = sizes(source, root, planned(source, root, 500))
    assert len(counted) >= 6
    assert max(counted) <= 1300


@pytest.mark.parametrize("values", [[], [7], [0], [0, 2**64 - 1], [2**63 - 1, 2**63, 2**64 - 1]])
def test_few_rows_and_the_ends_of_bigint_unsigned(source: MySQLSource, execute: Execute, values: list[int]) -> None:
    execute("CREATE TABLE few (id BIGINT UNSIGNED PRIMARY KEY)")
    if values:
        fill(execute, "few", [f"({n})" for n in values])
    root = node(table(source.schema(), "few"))
    assert planned(source, root, 10) == [KeyRange()]
    assert sum(sizes(source, root, planned(source, root, 1))) == len(values)


def test_one_heavy_leading_value_is_split_by_the_rest_of_the_key(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE tenants (tenant INT, id VARCHAR(20) COLLATE utf8mb4_bin, PRIMARY KEY (tenant, id))")
    rows = [(1, 20), (2, 4000), (3, 10), (900, 30), (901, 2500)]
    fill(execute, "tenants", [f"({tenant}, 'k{n * 7 % 4001}')" for tenant, count in rows for n in range(count)])
    root = node(table(source.schema(), "tenants"))
    counted = sizes(source, root, planned(source, root, 500))
    assert max(counted) <= 1100
    assert 8 <= len(counted) <= 20


def test_binary_uuids_are_halved_like_numbers(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE ids (id BINARY(16) PRIMARY KEY)")
    drawn = random.Random(6)
    fill(execute, "ids", [f"(x'{drawn.getrandbits(128):032x}')" for _ in range(4000)])
    root = node(table(source.schema(), "ids"))
    counted = sizes(source, root, planned(source, root, 500))
    assert 5 <= len(counted) <= 20


def test_text_keys_are_walked(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE words (word VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY)")
    fill(execute, "words", [f"('{prefix}{n}')" for n in range(700) for prefix in ("é", "E%", "it''s ", "😀")][:2500])
    root = node(table(source.schema(), "words"))
    counted = sizes(source, root, planned(source, root, 400))
    assert set(counted[:-1]) == {400}


def test_ranges_come_one_by_one(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE lazily (id INT PRIMARY KEY, pad CHAR(50))")
    fill(execute, "lazily", [f"({n}, '')" for n in range(5000)])
    root = node(table(source.schema(), "lazily"), fields=["id"])
    ranges: Iterator[KeyRange] = source.chunks(collection(root), 200, None)
    first = next(ranges)
    execute("DELETE FROM lazily WHERE id > 2000")
    rest = list(ranges)
    assert sum(sizes(source, root, [first, *rest])) == 2001


@pytest.mark.slow
@pytest.mark.parametrize("definition", ["id INT PRIMARY KEY", "a INT, id INT, PRIMARY KEY (a, id)"])
def test_planning_continues_after_any_range(source: MySQLSource, execute: Execute, definition: str) -> None:
    execute(f"CREATE TABLE again ({definition})")
    both = "a" in definition.split()
    fill(execute, "again", [f"({n // 700}, {n})" if both else f"({n})" for n in range(3000)])
    root = node(table(source.schema(), "again"))
    full = planned(source, root, 300)
    for place, last in enumerate(full):
        rest = planned(source, root, 300, last)
        if last.upto is None:
            assert rest == []
        else:
            sizes(source, root, [*full[: place + 1], *rest])


def test_rows_deleted_at_the_place_where_planning_stopped(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE moved (a INT, id INT, PRIMARY KEY (a, id))")
    fill(execute, "moved", [f"({n // 100}, {n})" for n in range(2000)])
    root = node(table(source.schema(), "moved"))
    full = planned(source, root, 200)
    stopped = full[2]
    assert stopped.upto is not None
    execute(f"DELETE FROM moved WHERE a = {stopped.upto[0].decode()}")
    rest = planned(source, root, 200, stopped)
    sizes(source, root, [*full[:3], *rest])


def test_a_table_without_a_key_is_one_range(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE bare (a INT)", "INSERT INTO bare VALUES (1), (1)")
    root = replace(node(table(source.schema(), "bare")), key=())
    assert planned(source, root, 1) == [KeyRange()]


def test_views_get_ranges_too(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE base (id INT PRIMARY KEY, n INT)")
    fill(execute, "base", [f"({n}, {n % 3})" for n in range(3000)])
    execute(
        "CREATE VIEW plain AS SELECT id, n FROM base WHERE n > 0",
        "CREATE VIEW grouped AS SELECT id, COUNT(*) AS n FROM base GROUP BY id",
    )
    schema = source.schema()
    for name in ("plain", "grouped"):
        view = table(schema, name)
        root = replace(node(view), key=(view.by_name["id"],))
        counted = sizes(source, root, planned(source, root, 500))
        assert 3 <= len(counted) <= 20


KEYS: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "bigint": ("BIGINT", st.integers(-(2**63), 2**63 - 1) | st.integers(-50, 50)),
    "unsigned": ("BIGINT UNSIGNED", st.integers(0, 2**64 - 1) | st.integers(0, 50)),
    "binary": ("BINARY(3)", st.binary(min_size=3, max_size=3).map(lambda b: f"x'{b.hex()}'")),
    "varbinary": ("VARBINARY(4)", st.binary(max_size=4).map(lambda b: f"x'{b.hex()}'")),
    "date": ("DATE", st.dates().map(lambda day: f"'{day.isoformat()}'")),
    "decimal": ("DECIMAL(10,3)", st.decimals(-9999999, 9999999, places=3).map(str)),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kinds", [[kind] for kind in KEYS] + [["bigint", "varbinary"], ["date", "unsigned"]], ids="-".join
)
def test_ranges_cover_every_row_once(source: MySQLSource, execute: Execute, kinds: list[str]) -> None:
    names = [f"k{place}" for place in range(len(kinds))]
    columns = ", ".join(f"{name} {KEYS[kind][0]}" for name, kind in zip(names, kinds, strict=True))
    execute(f"CREATE TABLE drawn ({columns}, PRIMARY KEY ({', '.join(names)}))")
    root = node(table(source.schema(), "drawn"))
    keys = st.tuples(*(KEYS[kind][1] for kind in kinds))

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.lists(keys, max_size=60, unique_by=str), st.integers(1, 20))
    def covered(drawn: list[tuple[Any, ...]], rows: int) -> None:
        execute("DELETE FROM drawn")
        if drawn:
            execute("INSERT INTO drawn VALUES " + ",".join(f"({', '.join(map(str, one))})" for one in drawn))
        counted = sizes(source, root, planned(source, root, rows))
        assert sum(counted) == len(drawn)

    covered()
