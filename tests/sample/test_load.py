"""The sample in a database: loaded once, refused where tables are, equal each time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pymysql
import pytest
from click.testing import CliRunner
from pymysql.connections import Connection
from sqlalchemy.engine import make_url

from sample_schema.database import SampleError, connect, own_tables, tables
from sample_schema.generate import load, main


def contents(url: str) -> dict[str, Counter[tuple[object, ...]]]:
    """All rows of all tables. Not CHECKSUM TABLE: MariaDB's differs where a table has generated columns and NULLs."""
    with connect(url) as connection, connection.cursor() as cursor:
        found = {}
        for name in own_tables():
            cursor.execute(f"SELECT * FROM {name}")
            found[name] = Counter(cursor.fetchall())
        return found


def counts(connection: Connection[Any]) -> dict[str, int]:
    with connection.cursor() as cursor:
        found = {}
        for name in own_tables():
            cursor.execute(f"SELECT COUNT(*) FROM {name}")
            found[name] = cursor.fetchone()[0]
        return found


def test_equal_each_time(mysql_url: str, shop_url: str) -> None:
    load(mysql_url, 1, 1)
    one, other = contents(mysql_url), contents(shop_url)
    assert [table for table in one if one[table] != other[table]] == []


def test_counts_are_what_load_says(mysql_url: str) -> None:
    reported: list[int] = []
    said = load(mysql_url, 2, 5, reported.append)
    assert reported[-1] == sum(said.values())
    for table in ("order_items", "product_tags", "comments"):
        said[table] += 1
    with connect(mysql_url) as connection:
        assert counts(connection) == said


def test_a_database_with_tables_is_refused(mysql_url: str) -> None:
    with connect(mysql_url) as connection:
        connection.cursor().execute("CREATE TABLE precious (id INT)")
        with pytest.raises(SampleError, match=r"not empty \(precious\)"):
            load(mysql_url)
        assert tables(connection) == ["precious"]


def test_recreate_drops_only_its_own_tables(mysql_url: str) -> None:
    with connect(mysql_url) as connection:
        connection.cursor().execute("CREATE TABLE visits (id INT)")
        done = CliRunner().invoke(main, ["--url", mysql_url, "--recreate"])
        assert done.exit_code == 0, done.output
        assert "in 24 tables" in done.output
        connection.cursor().execute("CREATE TABLE precious (id INT)")
        refused = CliRunner().invoke(main, ["--url", mysql_url, "--recreate"])
        assert refused.exit_code == 1
        assert "precious" in refused.output
        assert tables(connection) == ["precious"]


def test_errors_hold_no_password(mysql_url: str) -> None:
    url = make_url(mysql_url).set(username="nobody", password="hunter2").render_as_string(hide_password=False)
    failed = CliRunner().invoke(main, ["--url", url])
    assert failed.exit_code == 1
    assert "Access denied" in failed.output
    assert "hunter2" not in failed.output


@pytest.mark.parametrize("url", ["postgresql://localhost/shop", "mysql://localhost"])
def test_a_url_without_database_or_of_another_product(url: str) -> None:
    with pytest.raises(SampleError, match="mysql://user:password@host:port/database"):
        load(url)


def test_indexes_serve_every_foreign_key(shop: Connection[Any]) -> None:
    with shop.cursor() as cursor:
        cursor.execute(
            "SELECT k.TABLE_NAME, k.CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE k"
            " WHERE k.TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM information_schema.STATISTICS s WHERE s.TABLE_SCHEMA = k.TABLE_SCHEMA"
            " AND s.TABLE_NAME = k.TABLE_NAME AND s.COLUMN_NAME = k.COLUMN_NAME"
            " AND s.SEQ_IN_INDEX = k.ORDINAL_POSITION)"
        )
        assert cursor.fetchall() == ()


def test_the_schema_has_what_docs_sample_says(shop: Connection[Any]) -> None:
    with shop.cursor() as cursor:
        cursor.execute(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND ENGINE <> 'InnoDB'"
        )
        assert cursor.fetchall() == (("legacy_notes",),)
        cursor.execute(
            "SELECT DELETE_RULE, COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS"
            " WHERE CONSTRAINT_SCHEMA = DATABASE() GROUP BY 1"
        )
        rules = dict(cursor.fetchall())
        assert rules["CASCADE"] == 15
        assert rules["SET NULL"] == 7
        cursor.execute("SELECT * FROM customers LIMIT 1")
        assert "risk_score" not in [column[0] for column in cursor.description]
        with pytest.raises(pymysql.err.MySQLError):
            cursor.execute("UPDATE products SET gross_price = 1 WHERE id = 1")
