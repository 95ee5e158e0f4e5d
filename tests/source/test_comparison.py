"""What a column equals, of the values of a column that it is joined with, is what the plain join says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import pymysql
import pytest
from sqlalchemy import literal_column

from migrator.errors import SourceError
from migrator.model.mapping.row_layout import column_item
from migrator.model.plan.chunk import KeyRange
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected, connected_raw
from migrator.source.connection.failure import error_code
from migrator.source.rows.snapshot import SnapshotReader
from migrator.source.sql.alphabets import Alphabets
from migrator.source.sql.root_key_statements import RootKeyQuery
from migrator.source.sql.spelling import formed, name_of
from tests.source.build import join, node, table
from tests.source.reading import raw, with_reader

# Spaces at the end, case, accents; letters that are equal in one collation and not in another; characters that only
# some sets have, and '?', which they become where they are lost; characters that some collations pass over.
TEXTS = (
    "",
    " ",
    "anna",
    "ANNA",
    "anna ",
    "anna  ",
    "änna",
    "ånna",
    "Müller",
    "Muller",
    "Myller",
    "Mueller",
    "straße",
    "strasse",
    "strase",
    "ærø",
    "aero",
    "?",
    "??",
    "漢字",
    "漢",
    "anna😀",
    "anna😎",
    "😀",
    "anna\ufffd",
    "\ufffd",
    "𝐀nna",
    "Ａnna",
    "an\u00adna",
    "an\u0001na",
    "\u0001anna",
    "anna\u007f",
    "e\u0301",
    "é",
    "İ",
    "ı",
    "i",
    "½",
    "ª",
    "Жук",
    "жук",
    "%",
    "a_na",
    "50%\\",
)

CHARSETS = (
    ("latin1", ("latin1_swedish_ci", "latin1_general_ci", "latin1_german2_ci", "latin1_bin")),
    ("ascii", ("ascii_general_ci", "ascii_bin")),
    ("cp1251", ("cp1251_general_ci",)),
    ("utf8mb3", ("utf8mb3_general_ci", "utf8mb3_unicode_ci", "utf8mb3_bin")),
    (
        "utf8mb4",
        (
            "utf8mb4_general_ci",
            "utf8mb4_unicode_ci",
            "utf8mb4_unicode_520_ci",
            "utf8mb4_0900_ai_ci",
            "utf8mb4_0900_as_cs",
            "utf8mb4_uca1400_ai_ci",
            "utf8mb4_uca1400_nopad_as_cs",
            "utf8mb4_general_nopad_ci",
            "utf8mb4_bin",
            "utf8mb4_0900_bin",
            "utf8mb4_nopad_bin",
        ),
    ),
    ("gbk", ("gbk_chinese_ci", "gbk_bin")),
    ("ucs2", ("ucs2_general_ci",)),
    ("utf16", ("utf16_general_ci", "utf16_bin")),
    ("utf32", ("utf32_unicode_ci",)),
)


@dataclass(frozen=True)
class Kind:
    """A column's type, and the SQL of values that it is given as far as it can hold them."""

    name: str
    type: str
    values: tuple[str, ...]


def literal(text: str) -> str:
    return f"_utf8mb4 x'{text.encode().hex()}'"


_TEXTS = tuple(map(literal, TEXTS))
_BYTES = ("x'E9'", "x'FF'", *(f"x'{text.encode(codec).hex()}'" for text in TEXTS for codec in ("utf8", "utf-16-be")))


def strings() -> Iterator[Kind]:
    for charset, collations in CHARSETS:
        for collation in collations:
            yield Kind(collation, f"VARCHAR(40) CHARACTER SET {charset} COLLATE {collation}", _TEXTS)
    yield Kind("varbinary", "VARBINARY(40)", _BYTES)
    yield Kind("binary", "BINARY(4)", _BYTES)
    members = "'anna', 'Müller', '2', '1', '?'"
    for charset in ("latin1", "utf8mb4"):
        yield Kind(f"enum_{charset}", f"ENUM({members}) CHARACTER SET {charset}", ("1", "2", "3", "4", "5"))
    yield Kind("enum_other", "ENUM('1', '?', 'ANNA', 'Muller') CHARACTER SET latin1", ("1", "2", "3", "4"))


_UNKNOWN = (1064, 1115, 1273, 4161)  # type, character set, collation, type
_ILLEGAL = (1267, 4078)
_SLICES = 7


class Tables:
    """A table `t_<kind>` for each kind that the server has, with columns `id` and `v`."""

    def __init__(self, source: MySQLSource, kinds: Iterable[Kind]) -> None:
        self._source = source
        self.names: list[str] = []
        with connected_raw(source.url) as connection, connection.cursor() as cursor:
            for kind in kinds:
                try:
                    cursor.execute(
                        f"CREATE TABLE t_{kind.name} (id INT PRIMARY KEY AUTO_INCREMENT, v {kind.type} NULL, KEY (v))"
                    )
                except pymysql.err.MySQLError as error:
                    if error_code(error) in _UNKNOWN:
                        continue
                    raise
                cursor.execute(f"INSERT IGNORE INTO t_{kind.name} (v) VALUES ({'), ('.join(kind.values)})")
                self.names.append(kind.name)
        self._schema = source.schema()

    def differences(self) -> list[str]:
        """Of every pair that can be joined: where values of one lead to other rows of the other than the join does."""

        async def run(reader: SnapshotReader) -> list[str]:
            return [line for pair in product(self.names, self.names) async for line in self._differences(reader, *pair)]

        return with_reader(self._source, run)

    async def _differences(self, reader: SnapshotReader, near: str, given: str) -> AsyncIterator[str]:
        tables = table(self._schema, f"t_{near}"), table(self._schema, f"t_{given}")
        on = join(tables[0], ["v"], tables[1], ["v"], exact=False)
        path = [node(tables[0]), node(tables[1], id="c", join=on)]
        value = formed(literal_column("v"), column_item(on.child[0]).form)
        try:
            # Not by an index: MariaDB looks in those to which 'a' and 'a ' are two texts for either alone.
            joined = raw(
                self._source,
                f"SELECT c.id, p.id FROM t_{near} p IGNORE INDEX (v) JOIN t_{given} c IGNORE INDEX (v) ON p.v = c.v",
            )
        except SourceError as error:
            if any(f"({code})" in str(error) for code in _ILLEGAL):
                return
            raise
        values = raw(self._source, f"SELECT id, {name_of(value)} FROM t_{given} WHERE v IS NOT NULL")
        shown = {row[0]: row[1] for row in raw(self._source, f"SELECT id, v FROM t_{near}")}
        slices = (values[start::_SLICES] for start in range(min(_SLICES, len(values))))
        for some in (values, *slices):
            ids = {row[0] for row in some}
            expected = {parent for child, parent in joined if child in ids}
            asked = [(row[1] or b"",) for row in some]
            try:
                actual = {key[0] for key in await reader.root_keys(path, "parent", asked, None, 10_000)}
            except SourceError as error:
                yield f"{near} = {given}: {asked}: {error}"
                continue
            for text, rows in (("not found", expected - actual), ("found", actual - expected)):
                if rows:
                    yield f"{near} = {given}: {asked}: {text}: {[shown[row] for row in rows]}"


@pytest.mark.slow
def test_every_pair_of_strings(source: MySQLSource) -> None:
    tables = Tables(source, strings())
    assert tables.differences() == []


# Without zero dates: which text they equal depends on the way in which a server carries out the join.
_DAYS = ("'2024-01-01'", "'2024-01-01 10:00:00'")
OTHERS = (
    Kind("int", "INT", ("1", "5", "0", "20240101", "-3")),
    Kind("big", "BIGINT UNSIGNED", ("1", "5", "18446744073709551615")),
    Kind("zeros", "INT(5) ZEROFILL", ("1", "5")),
    Kind("decimal", "DECIMAL(20, 2)", ("1", "5.50", "0", "20240101")),
    Kind("double", "DOUBLE", ("1", "5.5", "0", "1e300")),
    Kind("float", "FLOAT", ("1", "5.5", "0.1")),
    Kind(
        "text",
        "VARCHAR(40) CHARACTER SET latin1",
        (
            *("'1'", "'01'", "'5.50'", "'5.5'", "'abc'", "''", "'1 '", "' 1'", "'1e0'", "'2024-01-01'", "'2024-1-1'"),
            *("'2024-01-01 00:00:00'", "'20240101'", "'10:00:00'", "'0.1'", "'2024'", "'red'", "'RED'", "'é'", "'2'"),
            *("'6ccd780c-baba-1026-9564-5b8c656024db'", "'6CCD780CBABA102695645B8C656024DB'", "'10.0.0.1'", "'10::1'"),
        ),
    ),
    Kind("binary", "BINARY(4)", ("'1'", "'abcd'", "'red'", "'01'")),
    Kind("varbinary", "VARBINARY(40)", ("'1'", "'red'", "'RED'", "'2024-01-01'", "'5.5'", "x'E9'", "x'C3A9'")),
    Kind("date", "DATE", _DAYS),
    Kind("datetime", "DATETIME", _DAYS),
    Kind("datetime6", "DATETIME(6)", (*_DAYS, "'2024-01-01 10:00:00.5'")),
    Kind("timestamp", "TIMESTAMP NULL", _DAYS),
    Kind("time", "TIME", ("'10:00:00'", "'-10:00:00'", "'100:00:00'")),
    Kind("year", "YEAR", ("2024", "2001")),
    Kind("bit", "BIT(8)", ("1", "5", "0")),
    Kind("enum", "ENUM('red', '2', '1', 'é')", ("1", "2", "3", "4")),
    Kind("enum_other", "ENUM('1', 'é', 'red', 'x')", ("1", "2", "3", "4")),
    Kind("uuid", "UUID", ("'6ccd780c-baba-1026-9564-5b8c656024db'",)),
    Kind("inet6", "INET6", ("'10::1'", "'::10.0.0.1'")),
    Kind("inet4", "INET4", ("'10.0.0.1'",)),
)


@pytest.mark.slow
def test_every_pair_of_types(source: MySQLSource) -> None:
    """A string next to a date has to be one, next to an ENUM it may be a member's number, x'31' is a number: literals
    are not what columns are."""
    tables = Tables(source, OTHERS)
    assert tables.differences() == []


# Pairs of columns each, that are compared in different ways.
TOGETHER = (
    ("latin1_bin", "utf8mb4_bin"),
    ("latin1_bin", "varbinary"),
    ("varbinary", "latin1_bin"),
    ("varbinary", "gbk_bin"),
    ("latin1_swedish_ci", "utf8mb4_bin"),
    ("latin1_swedish_ci", "utf8mb4_unicode_ci"),
    ("utf8mb3_bin", "utf8mb4_bin"),
    ("utf8mb4_general_ci", "utf8mb4_bin"),
    ("gbk_chinese_ci", "utf8mb4_unicode_ci"),
    ("ascii_bin", "utf8mb4_unicode_ci"),
)


@pytest.mark.slow
def test_columns_joined_by_two(source: MySQLSource) -> None:
    """Keys of two columns are alternatives: servers take some that differ in case alone for one, by an index."""
    kinds = {kind.name: kind for kind in strings()}
    words = ("abc", "ABC", "Abc", "abc ", "é", "E", "?", "漢", "😀")
    values = ", ".join(f"({literal(one)}, {literal(other)})" for one, other in product(words, words))
    with connected_raw(source.url) as connection, connection.cursor() as cursor:
        for number, (pair, other) in enumerate(product(TOGETHER, TOGETHER)):
            for side in (0, 1):
                columns = f"v {kinds[pair[side]].type}, w {kinds[other[side]].type}"
                cursor.execute(
                    f"CREATE TABLE t{number}_{side} (id INT PRIMARY KEY AUTO_INCREMENT, {columns}, KEY (v, w))"
                )
                cursor.execute(f"INSERT IGNORE INTO t{number}_{side} (v, w) VALUES {values}")
    schema = source.schema()

    async def run(reader: SnapshotReader) -> None:
        for number in range(len(TOGETHER) ** 2):
            near, given = (table(schema, f"t{number}_{side}") for side in (0, 1))
            on = join(near, ["v", "w"], given, ["v", "w"], exact=False)
            path = [node(near), node(given, id="c", join=on)]
            tables = f"t{number}_0 p IGNORE INDEX (v) JOIN t{number}_1 c IGNORE INDEX (v) ON p.v = c.v AND p.w = c.w"
            equal = raw(source, f"SELECT c.id, p.id FROM {tables}")
            for few in (range(1, 3), range(1, 20), range(10, 82)):
                ids = ", ".join(map(str, few))
                asked = raw(source, f"SELECT v, w FROM t{number}_1 WHERE id IN ({ids})")
                keys = [(one or b"", other or b"") for one, other in asked]
                found = {key[0] for key in await reader.root_keys(path, "parent", keys, None, 10_000)}
                wanted = {parent for child, parent in equal if int(child or 0) in few}
                assert found == wanted, (near.columns, given.columns, keys)

    with_reader(source, run)


# A column, another one that it is joined with, and how many rows a server may expect to read for one value.
INDEXED = (
    ("latin1_swedish_ci", "utf8mb4_unicode_ci", 100),
    ("latin1_swedish_ci", "utf8mb4_bin", 10),
    ("latin1_swedish_ci", "latin1_bin", 10),
    ("latin1_bin", "latin1_swedish_ci", 10),
    ("ascii_general_ci", "utf8mb4_unicode_ci", 100),
    ("ascii_general_ci", "utf8mb4_general_ci", 10),
    ("utf8mb3_general_ci", "utf8mb4_general_ci", 10),
    ("utf8mb3_unicode_ci", "utf8mb4_unicode_ci", 10),
    ("utf8mb4_unicode_ci", "latin1_swedish_ci", 10),
    ("utf8mb4_unicode_ci", "utf8mb3_general_ci", 10),
    ("utf8mb4_general_ci", "utf8mb4_bin", 10),
    ("gbk_chinese_ci", "ascii_general_ci", 10),
    ("latin1_swedish_ci", "varbinary", 10),
    ("varbinary", "latin1_swedish_ci", 10),
)


@pytest.mark.slow
def test_the_columns_index_is_used(source: MySQLSource) -> None:
    kinds = {kind.name: kind for kind in strings()}
    rows = 5000
    numbers = f"WITH RECURSIVE r (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < {rows - 1}) SELECT n FROM r"
    with connected(source.url) as connection:
        if not getattr(connection.dialect, "is_mariadb", False):
            connection.exec_driver_sql("SET SESSION cte_max_recursion_depth = 1000000")
        for name in dict.fromkeys(name for pair in INDEXED for name in pair[:2]):
            create = f"CREATE TABLE t_{name} (id INT PRIMARY KEY AUTO_INCREMENT, v {kinds[name].type} NULL, KEY (v))"
            connection.exec_driver_sql(create)
            text = "CONCAT(SUBSTRING(SHA2(n, 256), 1, 9), '@mail.example')"
            connection.exec_driver_sql(f"INSERT INTO t_{name} (v) SELECT {text} FROM ({numbers}) q")
            connection.exec_driver_sql(f"ANALYZE TABLE t_{name}")
    schema = source.schema()
    for near, given, most in INDEXED:
        tables = table(schema, f"t_{near}"), table(schema, f"t_{given}")
        on = join(tables[0], ["v"], tables[1], ["v"], exact=False)
        query = RootKeyQuery.of([node(tables[0]), node(tables[1], id="c", join=on)], "parent")
        (row,) = raw(source, f"SELECT v FROM t_{near} LIMIT 1 OFFSET 77")
        keys = [(row[0] or b"",)]

        async def ask(statement: str) -> Sequence[Sequence[bytes | None]]:
            return raw(source, statement)

        prepared = asyncio.run(Alphabets().prepared(query.comparisons, keys, ask))
        statement = replace(query, comparisons=prepared).keys(keys, KeyRange(), 2001)
        with connected(source.url) as connection:
            (plan,) = connection.exec_driver_sql(f"EXPLAIN FORMAT=TRADITIONAL {statement}").mappings().all()
        assert plan["key"] == "v", (near, given, plan)
        assert plan["type"] in ("range", "ref"), (near, given, plan)
        assert int(plan["rows"]) <= most, (near, given, plan)
