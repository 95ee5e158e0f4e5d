"""Which changes of a column's definition keep its values and their order: the server has the last word."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest

from migrator.model.mapping.representation import Kind, family_of
from migrator.model.schema.tables import Column
from migrator.renewal.columns import keeps_identity, keeps_order, keeps_values
from migrator.source.connection.url import parse_source_url
from migrator.source.mysql import MySQLSource
from tests.changes.build import column
from tests.renewal.conftest import Sql

# By family: types, and values that the narrowest of them cut or round.
TYPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "integer": (
        (
            *("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "TINYINT UNSIGNED", "INT UNSIGNED"),
            *("BIGINT UNSIGNED", "INT(5) ZEROFILL", "INT(8) ZEROFILL", "INT NOT NULL"),
        ),
        (
            "-9223372036854775808",
            "-1",
            "0",
            "7",
            "127",
            "200",
            "2147483647",
            "3000000000",
            "18446744073709551615",
            "NULL",
        ),
    ),
    "decimal": (
        ("DECIMAL(4,2)", "DECIMAL(10,2)", "DECIMAL(30,2)", "DECIMAL(10,3)", "DECIMAL(10,2) UNSIGNED", "DECIMAL(10,0)"),
        ("-12345.67", "0", "1.5", "99.99", "12345.678", "NULL"),
    ),
    "text": (
        (
            *("VARCHAR(3)", "VARCHAR(20)", "CHAR(3)", "CHAR(20)", "TINYTEXT", "TEXT", "LONGTEXT"),
            *(
                "VARCHAR(20) CHARACTER SET utf8mb3",
                "VARCHAR(20) CHARACTER SET latin1",
                "VARCHAR(20) CHARACTER SET ascii",
            ),
            *("TEXT CHARACTER SET utf8mb3", "TEXT CHARACTER SET latin1", "TINYTEXT CHARACTER SET latin1"),
            *("VARCHAR(300) CHARACTER SET latin1", "CHAR(20) CHARACTER SET utf8mb3", "VARCHAR(20) NOT NULL"),
            *("VARCHAR(20) CHARACTER SET utf16", "VARCHAR(20) CHARACTER SET cp1251"),
        ),
        (
            "''",
            "'a'",
            "'A '",
            "'abcdef'",
            "'é€'",
            "'日本'",
            "'😀😀'",
            "'Жук'",
            "CONCAT('a', REPEAT('é', 200))",
            "REPEAT('a', 300)",
            "NULL",
        ),
    ),
    "binary": (
        ("BINARY(2)", "BINARY(4)", "VARBINARY(2)", "VARBINARY(4)", "TINYBLOB", "BLOB"),
        ("x''", "x'00'", "x'ff20'", "x'01020304'", "REPEAT('a', 300)", "NULL"),
    ),
    "enum": (
        ("ENUM('a','b')", "ENUM('a','b','c')", "ENUM('b','a')", "ENUM('a')", "ENUM('a','b','C') CHARACTER SET latin1"),
        ("'a'", "'b'", "'c'", "NULL"),
    ),
    "set": (
        ("SET('a','b')", "SET('a','b','c')", "SET('b','a')", "SET('a')"),
        ("''", "'a'", "'a,b'", "'c'", "NULL"),
    ),
    "datetime": (
        ("DATETIME", "DATETIME(3)", "DATETIME(6)", "TIMESTAMP NULL", "TIMESTAMP(3) NULL"),
        ("'2020-01-02 03:04:05'", "'2020-01-02 03:04:05.678901'", "'1960-01-02 03:04:05'", "NULL"),
    ),
    "others": (
        ("DATE", "TIME", "TIME(3)", "YEAR", "BIT(1)", "BIT(9)", "FLOAT", "DOUBLE", "FLOAT(7,3)", "JSON"),
        ("NULL",),
    ),
}


def read(url: str, table: str) -> dict[str, Column]:
    source = MySQLSource(parse_source_url(url))
    return source.schema([("", table)]).by_name[source.url.database, table].by_name


def printed(sql: Sql, names: Sequence[str]) -> dict[str, dict[int, object]]:
    """By column and row, as values are selected: text in the session's character set."""
    rows = sql(f"SELECT id, {', '.join(names)} FROM t")
    return {name: {row[0]: row[place] for row in rows} for place, name in enumerate(names, 1)}


def compared(sql: Sql, names: Sequence[str]) -> dict[str, dict[tuple[int, int], object]]:
    """By column, how each pair of rows compares."""
    parts = ", ".join(f"x.{name} = y.{name}, x.{name} < y.{name}" for name in names)
    rows = sql(f"SELECT x.id, y.id, {parts} FROM t x JOIN t y")
    return {
        name: {(row[0], row[1]): (row[2 + 2 * place], row[3 + 2 * place]) for row in rows}
        for place, name in enumerate(names)
    }


@pytest.mark.slow
@pytest.mark.parametrize("family", TYPES)
def test_what_is_said_to_be_kept_is_kept(sql: Sql, mysql_url: str, family: str) -> None:
    types, values = TYPES[family]
    kept = []
    for one in types:
        others = {f"c{number}": other for number, other in enumerate(types) if other != one}
        names = list(others)
        columns = ", ".join(f"{name} {one}" for name in names)
        sql("DROP TABLE IF EXISTS t", f"CREATE TABLE t (id INT PRIMARY KEY, {columns}) CHARACTER SET utf8mb4")
        for number, value in enumerate(values):
            sql(f"INSERT IGNORE INTO t VALUES ({number}, {', '.join([value] * len(names))})")
        was, before, order = read(mysql_url, "t"), printed(sql, names), compared(sql, names)
        changes = ", ".join(f"MODIFY {name} {other}" for name, other in others.items())
        sql("SET SESSION time_zone = '+05:00'", f"ALTER TABLE t {changes}")
        now, after, reordered = read(mysql_url, "t"), printed(sql, names), compared(sql, names)
        for name, other in others.items():
            stayed = [id_ for id_, value in after[name].items() if value == before[name][id_] and value is not None]
            if keeps_values(was[name], now[name], "string"):
                kept.append((one, other))
                assert before[name] == after[name], (one, other)
            if keeps_order(was[name], now[name]) and keeps_values(was[name], now[name], "string"):
                assert order[name] == reordered[name], (one, other)
            if keeps_identity(was[name], now[name]):
                pairs = list(product(stayed, stayed))
                assert [order[name][pair] for pair in pairs] == [reordered[name][pair] for pair in pairs], (one, other)
    assert kept or family in ("datetime", "others")


@pytest.mark.parametrize(
    ("was", "now", "kind", "kept"),
    [
        ("INT", "BIGINT", "string", True),
        ("BIGINT", "INT", "int64", False),
        ("VARCHAR(20)", "VARCHAR(30)", "string", True),
        ("VARCHAR(20) CHARACTER SET utf8mb3", "VARCHAR(20) CHARACTER SET utf8mb4", "string", True),
        ("VARCHAR(20) CHARACTER SET utf8mb4", "VARCHAR(20) CHARACTER SET utf8mb3", "string", False),
        ("VARCHAR(20) CHARACTER SET latin1", "VARCHAR(20) CHARACTER SET utf8mb4", "string", True),
        # The bytes themselves are in the documents.
        ("VARCHAR(20) CHARACTER SET latin1", "VARCHAR(20) CHARACTER SET utf8mb4", "binary", False),
        ("ENUM('a','b')", "ENUM('a','b','c')", "int32", True),
        ("ENUM('a','b')", "ENUM('b','a','c')", "string", False),
        ("INT NULL", "INT NOT NULL", "int32", False),
        ("INT NOT NULL", "INT NULL", "int32", True),
        ("DATETIME", "DATETIME(6)", "date", False),
        ("JSON", "LONGTEXT", "string", False),
    ],
)
def test_what_is_kept(sql: Sql, mysql_url: str, was: str, now: str, kind: Kind, kept: bool) -> None:
    sql(f"CREATE TABLE a (c {was}) CHARACTER SET utf8mb4", f"CREATE TABLE b (c {now}) CHARACTER SET utf8mb4")
    assert keeps_values(read(mysql_url, "a")["c"], read(mysql_url, "b")["c"], kind) is kept


def test_collations_of_the_same_rules() -> None:
    def text(charset: str, collation: str) -> Column:
        return column("c", "varchar", length=9, charset=charset, collation=collation)

    general = text("utf8mb3", "utf8mb3_general_ci")
    assert keeps_identity(general, text("utf8mb4", "utf8mb4_general_ci"))
    assert keeps_identity(text("utf8mb3", "utf8_general_ci"), text("utf8mb4", "utf8mb4_general_ci"))
    assert keeps_identity(text("ascii", "ascii_bin"), text("utf8mb4", "utf8mb4_bin"))
    assert not keeps_identity(general, text("utf8mb4", "utf8mb4_bin"))
    assert not keeps_identity(general, text("utf8mb4", "utf8mb4_0900_ai_ci"))
    assert not keeps_identity(text("latin1", "latin1_bin"), text("utf8mb4", "utf8mb4_bin"))
    assert family_of(general) == "text"
