from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.errors import SourceError
from migrator.model.schema.tables import Column, Index, fingerprint
from migrator.source import MySQLSource
from migrator.source.connection.url import SourceUrl
from migrator.source.schema import read as schema
from migrator.source.schema.read import parse_members, read_schema
from tests.source.build import table
from tests.source.conftest import Execute


def columns(source: MySQLSource, name: str) -> dict[str, Column]:
    return table(source.schema(), name).by_name


def test_types_carry_what_documents_need(source: MySQLSource, execute: Execute) -> None:
    execute(
        """CREATE TABLE types (
            id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
            z INT(5) ZEROFILL, d DECIMAL(12,3), f FLOAT, day DATE, at DATETIME(6), ts TIMESTAMP(3) NULL, t TIME,
            name VARCHAR(20) CHARACTER SET latin1, body TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
            raw BINARY(16), bits BIT(9), doc JSON, place POINT, y YEAR)"""
    )
    found = columns(source, "types")
    assert found["id"].unsigned
    assert found["id"].auto_increment
    assert not found["id"].nullable
    assert (found["z"].zerofill, found["z"].data_type) == (True, "int")
    assert (found["d"].precision, found["d"].scale) == (12, 3)
    assert [found[name].fraction for name in ("at", "ts", "t", "day")] == [6, 3, 0, None]
    assert (found["name"].length, found["name"].charset) == (20, "latin1")
    assert (found["body"].charset, found["body"].collation) == ("utf8mb4", "utf8mb4_bin")
    assert (found["raw"].length, found["raw"].charset) == (16, None)
    assert (found["bits"].length, found["bits"].precision) == (9, None)
    assert (found["doc"].data_type, found["doc"].charset) == ("json", None)
    assert (found["place"].data_type, found["y"].data_type, found["f"].data_type) == ("point", "year", "float")
    assert list(found)[:5] == ["id", "z", "d", "f", "day"]


MEMBERS = ("plain", "it's", "a,b", "back\\slash", "new\nline", "zero\0", '"quoted"', ")", "é")


def test_members_of_enum_and_set_are_parsed(source: MySQLSource, execute: Execute) -> None:
    listed = ",".join("'" + m.replace("\\", "\\\\").replace("'", "''").replace("\0", "\\0") + "'" for m in MEMBERS)
    execute(
        f"CREATE TABLE choices (id INT PRIMARY KEY, e ENUM({listed}) CHARACTER SET utf8mb4,"
        "s SET('x','y''z') CHARACTER SET utf8mb4)"
    )
    found = columns(source, "choices")
    assert found["e"].members == MEMBERS
    assert found["s"].members == ("x", "y'z")
    assert parse_members("enum('')") == ("",)


def test_generated_and_invisible_columns_are_marked(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE marks (id INT PRIMARY KEY, v INT GENERATED ALWAYS AS (id + 1) VIRTUAL,"
        " s INT GENERATED ALWAYS AS (id + 2) STORED, hidden INT INVISIBLE, made TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"
    )
    found = columns(source, "marks")
    assert [name for name, column in found.items() if column.generated] == ["v", "s"]
    assert [name for name, column in found.items() if column.invisible] == ["hidden"]


@pytest.mark.needs_mysql("generated invisible primary keys")
def test_generated_invisible_primary_key(source: MySQLSource, execute: Execute) -> None:
    execute("SET SESSION sql_generate_invisible_primary_key = ON", "CREATE TABLE bare (a INT)")
    bare = table(source.schema(), "bare")
    assert bare.primary_key == ("my_row_id",)
    assert bare.by_name["my_row_id"].invisible


def test_a_check_that_only_looks_like_json_is_no_json(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE texts (id INT PRIMARY KEY, `j``1` JSON, t LONGTEXT, u LONGTEXT,"
        " CONSTRAINT u CHECK (JSON_VALID(u) OR u = ''))"
    )
    found = columns(source, "texts")
    assert [found[name].data_type for name in ("j`1", "t", "u")] == ["json", "longtext", "longtext"]


def test_indexes(source: MySQLSource, execute: Execute, mysql_product: str) -> None:
    functional = ", KEY functional ((a + 1), b)" if mysql_product == "MySQL" else ""
    execute(
        "CREATE TABLE indexed (a INT, b INT NOT NULL, name VARCHAR(100), PRIMARY KEY (b, a), UNIQUE KEY one (name),"
        f" KEY part (name(10)), KEY two (b, name), FULLTEXT KEY words (name){functional})"
    )
    found = table(source.schema(), "indexed")
    assert found.primary_key == ("b", "a")
    expected = {
        "one": Index("one", ("name",), unique=True),
        "part": Index("part", ("name",), unique=False, whole=False),
        "two": Index("two", ("b", "name"), unique=False),
        "words": Index("words", ("name",), unique=False, whole=False),
    }
    if functional:
        expected["functional"] = Index("functional", ("b",), unique=False, whole=False)
    assert {index.name: index for index in found.indexes} == expected


def foreign_keys(execute: Execute, other: str) -> None:
    execute(
        f"CREATE TABLE `{other}`.parents (a INT, b INT, PRIMARY KEY (a, b))",
        "CREATE TABLE nodes (id INT PRIMARY KEY, up INT, a INT, b INT,"
        " CONSTRAINT self FOREIGN KEY (up) REFERENCES nodes (id) ON DELETE CASCADE ON UPDATE SET NULL,"
        f" CONSTRAINT far FOREIGN KEY (b, a) REFERENCES `{other}`.parents (a, b))",
    )


def test_foreign_keys_with_rules_and_across_databases(
    source: MySQLSource, execute: Execute, second_database: str
) -> None:
    foreign_keys(execute, second_database)
    found = read_schema(replace(source.url, databases=(source.url.database, second_database)))
    far, own = sorted(table(found, "nodes").foreign_keys, key=lambda key: key.name)
    assert (far.columns, far.parent_columns) == (("b", "a"), ("a", "b"))
    assert (far.parent_schema, far.parent_table) == (second_database, "parents")
    assert far.on_delete in ("RESTRICT", "NO ACTION")
    assert (own.parent_table, own.on_delete, own.on_update) == ("nodes", "CASCADE", "SET NULL")
    assert table(found, "parents", second_database).primary_key == ("a", "b")


@pytest.mark.parametrize(
    "grants",
    [["SELECT ON `{db}`.*"], ["SELECT, SHOW VIEW ON `{db}`.*"], ["SELECT ON `{db}`.a", "ALL ON `{db}`.b"]],
    ids=["database", "more", "tables"],
)
def test_the_schema_is_the_same_whatever_else_the_account_may(
    source: MySQLSource, execute: Execute, stranger: SourceUrl, grants: list[str]
) -> None:
    execute(
        "CREATE TABLE b (id INT PRIMARY KEY, doc JSON, name VARCHAR(9) COMMENT 'no CHECK (json_valid(`name`))',"
        " CONSTRAINT c CHECK (id > 0))",
        "CREATE TABLE a (id INT PRIMARY KEY, up INT, b_id INT, `d``o` JSON COMMENT 'any', t LONGTEXT, e JSON,"
        " CONSTRAINT up FOREIGN KEY (up) REFERENCES a (id) ON DELETE CASCADE ON UPDATE SET NULL,"
        " CONSTRAINT ab FOREIGN KEY (b_id) REFERENCES b (id))",
        *(f"GRANT {grant.format(db=source.url.database)} TO '{stranger.user}'@'%'" for grant in grants),
    )
    tables = read_schema(stranger).tables
    assert tables == source.schema().tables
    assert fingerprint(tables) == fingerprint(source.schema().tables)
    assert [name for name, column in tables[0].by_name.items() if column.data_type == "json"] == ["d`o", "e"]


def test_views_are_there_and_sequences_are_not(source: MySQLSource, execute: Execute, mysql_product: str) -> None:
    execute("CREATE TABLE base (id INT PRIMARY KEY)", "CREATE VIEW seen AS SELECT id, id + 1 AS next FROM base")
    if mysql_product == "MariaDB":
        execute("CREATE SEQUENCE counter")
    whole = source.schema()
    assert [found.name for found in whole.tables] == ["base", "seen"]
    assert [found.is_view for found in whole.tables] == [False, True]
    assert list(table(whole, "seen").by_name) == ["id", "next"]


def test_a_table_loaded_just_now_has_an_estimate(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE fresh (id INT PRIMARY KEY)")
    assert table(source.schema(), "fresh").rows == 0
    execute("INSERT INTO fresh VALUES " + ",".join(f"({n})" for n in range(500)), "ANALYZE TABLE fresh")
    assert table(source.schema(), "fresh").rows > 250


def test_a_database_that_is_not_there(source: MySQLSource) -> None:
    with pytest.raises(SourceError, match="no database nowhere"):
        read_schema(replace(source.url, databases=(source.url.database, "nowhere")))


def test_an_account_that_may_only_read_sees_the_same(
    source: MySQLSource, execute: Execute, second_database: str, reader: SourceUrl
) -> None:
    foreign_keys(execute, second_database)
    execute("CREATE TABLE docs (id INT PRIMARY KEY, doc JSON, e ENUM('a'), KEY (e))")
    assert read_schema(reader) == source.schema()


def test_odd_names(source: MySQLSource, execute: Execute) -> None:
    execute("CREATE TABLE `we``ird %s :x` (`the key` INT PRIMARY KEY, `%` INT, `select` INT)")
    found = table(source.schema(), "we`ird %s :x")
    assert list(found.by_name) == ["the key", "%", "select"]
    assert source.describe(source.url.database, found.name, "`%` + `select`").data_type == "bigint"


def test_tables_are_read_by_name_as_they_are_among_all(source: MySQLSource, execute: Execute) -> None:
    execute(
        "CREATE TABLE parents (id INT PRIMARY KEY)",
        "CREATE TABLE rows_ (id INT PRIMARY KEY, up INT, doc JSON, body TEXT, n INT, UNIQUE KEY n (n),"
        " FOREIGN KEY (up) REFERENCES parents (id))",
        "CREATE VIEW seen AS SELECT id FROM parents",
        "CREATE TABLE texts (id INT PRIMARY KEY, plain LONGTEXT)",
    )
    whole = source.schema()
    assert whole.names == tuple((each.schema, each.name) for each in whole.tables)
    for each in whole.tables:
        for database in ("", each.schema):
            found = source.schema([(database, each.name), ("", "nowhere"), ("elsewhere", each.name)])
            assert found.tables == (each,)
            assert (found.default, found.names) == (whole.default, whole.names)
    assert source.schema([]).tables == ()
    assert source.schema([("", "PARENTS"), ("", "parents"), ("", "rows_")]).tables == whole.tables[:2]


def test_tables_from_which_cascades_lead_are_read_too(
    source: MySQLSource, execute: Execute, second_database: str
) -> None:
    execute(
        f"CREATE TABLE `{second_database}`.first_ (id INT PRIMARY KEY, up INT,"
        " FOREIGN KEY (up) REFERENCES first_ (id) ON DELETE SET NULL)",
        "CREATE TABLE second_ (id INT PRIMARY KEY, up INT,"
        f" FOREIGN KEY (up) REFERENCES `{second_database}`.first_ (id) ON UPDATE CASCADE)",
        "CREATE TABLE plain (id INT PRIMARY KEY)",
        "CREATE TABLE third (id INT PRIMARY KEY, up INT, other INT, FOREIGN KEY (up) REFERENCES second_ (id)"
        " ON DELETE CASCADE, FOREIGN KEY (other) REFERENCES plain (id))",
        "CREATE TABLE fourth (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES third (id) ON DELETE CASCADE)",
    )
    both = replace(source.url, databases=(source.url.database, second_database))
    assert [each.name for each in read_schema(both, [("", "third")]).tables] == ["second_", "third", "first_"]
    assert [each.name for each in source.schema([("", "third")]).tables] == ["second_", "third"]
    assert [each.name for each in source.schema([("", "plain"), ("", "fourth")]).tables] == [
        "fourth",
        "plain",
        "second_",
        "third",
    ]


def test_more_tables_than_are_asked_for_at_once(
    source: MySQLSource, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(*(f"CREATE TABLE t{number} (id INT PRIMARY KEY, c{number} TEXT)" for number in range(7)))
    whole = source.schema()
    monkeypatch.setattr(schema, "_NAMES_AT_ONCE", 3)
    assert source.schema() == whole
    assert [list(each.by_name)[1] for each in whole.tables] == [f"c{number}" for number in range(7)]
