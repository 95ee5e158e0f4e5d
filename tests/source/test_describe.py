from __future__ import annotations

import pytest

from migrator.errors import SourceError, SourceUnavailable
from migrator.model.schema.tables import Column
from migrator.source import MySQLSource
from tests.source.conftest import Execute


@pytest.fixture
def described(source: MySQLSource, execute: Execute) -> MySQLSource:
    execute(
        "CREATE TABLE t (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, n INT, price DECIMAL(10,2), rate FLOAT, size DOUBLE,"
        " name VARCHAR(20) CHARACTER SET latin1, raw BINARY(16), at DATETIME(3), bits BIT(5), e ENUM('a','b'),"
        " long_text LONGTEXT, data LONGBLOB, place POINT, y YEAR, t TIME(2))"
    )
    return source


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("id", ("bigint", "bigint unsigned", None, None, None, None)),
        ("n + 1", ("bigint", "bigint", None, None, None, None)),
        ("price * 2", ("decimal", "decimal(11,2)", None, 11, 2, None)),
        ("CAST(n AS DECIMAL(30,10))", ("decimal", "decimal(30,10)", None, 30, 10, None)),
        ("rate", ("float", "float", None, None, None, None)),
        ("size / 3", ("double", "double", None, None, None, None)),
        ("CONCAT(name, 'é%s:b')", ("varchar", "varchar(25)", 25, None, None, None)),
        ("raw", ("binary", "binary(16)", 16, None, None, None)),
        ("at", ("datetime", "datetime(3)", None, None, None, 3)),
        ("DATE(at)", ("date", "date", None, None, None, None)),
        ("t", ("time", "time(2)", None, None, None, 2)),
        ("bits", ("bit", "bit(5)", 5, None, None, None)),
        ("e", ("varchar", "varchar(1)", 1, None, None, None)),
        ("y", ("year", "year", None, None, None, None)),
        ("place", ("geometry", "geometry", None, None, None, None)),
        ("NULL", ("varchar", "varchar", None, None, None, None)),
        ("-- a comment\n n -- and one more", ("int", "int", None, None, None, None)),
    ],
)
def test_type_of_an_expression(described: MySQLSource, expression: str, expected: tuple[object, ...]) -> None:
    column = described.describe(described.url.database, "t", expression)
    assert column.name == expression
    assert (
        column.data_type,
        column.column_type,
        column.length,
        column.precision,
        column.scale,
        column.fraction,
    ) == expected


def test_nullability_and_character_set(described: MySQLSource) -> None:
    def describe(expression: str) -> Column:
        return described.describe(described.url.database, "t", expression)

    assert not describe("id").nullable
    assert describe("n").nullable
    assert describe("name").charset == "utf8mb4"
    assert describe("long_text").data_type == "longtext"
    assert (describe("data").data_type, describe("data").charset) == ("longblob", None)


@pytest.mark.parametrize("expression", ["nothing", "n n", "NO_SUCH_FUNCTION(n)", "(n", "n) , (n", "COUNT(n, n)"])
def test_a_wrong_expression_gives_the_servers_words(described: MySQLSource, expression: str) -> None:
    with pytest.raises(SourceError) as caught:
        described.describe(described.url.database, "t", expression)
    assert not isinstance(caught.value, SourceUnavailable)
    assert expression in caught.value.what
