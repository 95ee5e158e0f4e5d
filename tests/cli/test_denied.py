"""Tables and columns that the account may not read: what is said, and that no other name is suggested."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from tests.cli.conftest import Shop

ACCOUNT = "'limited'@'%'"


def limited_to(shop: Shop, *tables: str) -> Iterator[Shop]:
    """The shop as an account sees it that may SELECT these: a table, or a table with some of its columns."""
    url = make_url(shop.source)
    with connect_mysql(shop.source) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE USER 'limited'@'%' IDENTIFIED BY 'pw'")
        for table in tables:
            name, _, columns = table.partition(" ")
            cursor.execute(f"GRANT SELECT {columns} ON `{url.database}`.{name} TO 'limited'@'%'")
    own = url.set(username="limited", password="pw").render_as_string(hide_password=False)
    yield Shop(own, shop.target, shop.folder, shop.database)
    shop.sql("DROP USER 'limited'@'%'")


@pytest.fixture
def limited(shop: Shop) -> Iterator[Shop]:
    """An account that may read one of the tables only."""
    yield from limited_to(shop, "customers")


@pytest.fixture
def some_columns(shop: Shop) -> Iterator[Shop]:
    """An account that may read one of the tables, and of another some columns."""
    shop.sql(
        "CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(20), secret VARCHAR(20), deleted_at DATETIME NULL)",
        "INSERT INTO people VALUES (1, 'a', 'b', NULL)",
    )
    for file in shop.mappings.glob("*.yaml"):
        file.unlink()
    yield from limited_to(shop, "customers", "people (id, name)")


def test_it_is_not_called_a_mistyped_name(limited: Shop) -> None:
    result = limited.run("check")
    assert result.exit_code == 3
    assert "orders.yaml:2: the account may not read `orders`" in result.stderr
    assert "grant the account SELECT" in result.stderr
    assert "did you mean" not in result.stderr
    assert "command denied" in result.stderr


def grant(shop: Shop, *columns: str) -> str:
    what = f"SELECT ({', '.join(f'`{each}`' for each in columns)})" if columns else "SELECT"
    return f"GRANT {what} ON `{make_url(shop.source).database}`.`people` TO {ACCOUNT};"


@pytest.mark.parametrize("command", ["check", "plan", "apply"])
@pytest.mark.parametrize(
    "mapping",
    [
        "columns: [id, name, secret]",
        "columns: [name]\nfields: {hidden: secret}",
        "columns: [name]\nfields: {hidden: {sql: upper(secret)}}",
        "columns: [name]\nwhere: secret <> 'x'",
    ],
)
def test_a_column_is_not_called_a_mistyped_name(some_columns: Shop, mapping: str, command: str) -> None:
    some_columns.write("people", f"collection: people\nfrom: people\n{mapping}\n")
    result = some_columns.run(command)
    assert result.exit_code == 3
    said = " ".join(result.stderr.split())
    assert "the account may not read the column `secret` of" in said
    assert f"-> {grant(some_columns, 'secret')}" in said
    assert "did you mean" not in said
    assert "its columns" not in said


@pytest.mark.parametrize("mapping", ["", "columns: {except: [secret]}"])
def test_all_columns_are_not_just_those_that_it_may_read(some_columns: Shop, mapping: str) -> None:
    some_columns.write("people", f"collection: people\nfrom: people\n{mapping}\n")
    result = some_columns.run("check")
    assert result.exit_code == 3
    said = " ".join(result.stderr.split())
    assert "the account may read some columns of" in said
    assert f"-> {grant(some_columns)} Or list the columns under `columns:`" in said


def test_a_hidden_soft_delete_column(some_columns: Shop) -> None:
    text = "collection: people\nfrom: people\ncolumns: [name]\nsoft_delete: {column: deleted_at}\n"
    some_columns.write("people", text)
    result = some_columns.run("check")
    assert result.exit_code == 3
    said = " ".join(result.stderr.split())
    assert "the account may not read the column `deleted_at` of" in said
    assert grant(some_columns, "deleted_at") in said


def test_columns_that_it_may_read_are_copied(some_columns: Shop) -> None:
    some_columns.write("people", "collection: people\nfrom: people\ncolumns: [name]\n")
    assert some_columns.run("check").exit_code == 0
    result = some_columns.run("apply", "--yes")
    assert result.exit_code == 0, result.stderr
    assert list(some_columns.database["people"].find()) == [{"_id": 1, "name": "a"}]


def test_doctor_says_what_it_may_read(some_columns: Shop) -> None:
    result = some_columns.run("doctor")
    said = " ".join(result.stdout.split())
    assert "only 1 of its tables and some columns of people" in said
