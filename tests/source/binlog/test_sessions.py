"""What single sessions and statements put in the log."""

from __future__ import annotations

from contextlib import suppress

import pytest
from pymysql.err import MySQLError

from migrator.errors import SyncBlocked
from migrator.model.change.events import Commit, Statement, Truncate
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected_raw
from tests.source.binlog.conftest import Follow
from tests.source.binlog.followed import changes_in, watches_of
from tests.source.conftest import Execute


@pytest.fixture(autouse=True)
def t(execute: Execute) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY, n INT, note TEXT)", "CREATE TABLE other (id INT PRIMARY KEY, n INT)")


def in_session(source: MySQLSource, *statements: str) -> None:
    """Runs statements over one connection of their own; one that the server refuses ends them."""
    with connected_raw(source.url) as connection, connection.cursor() as cursor, suppress(MySQLError):
        for statement in statements:
            cursor.execute(statement)


def test_a_session_with_minimal_images_blocks(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    execute("INSERT INTO t VALUES (1, 1, 'x')")
    followed = follow("t", columns={"t": ("id", "n")})
    in_session(source, "SET SESSION binlog_row_image = 'MINIMAL'", "UPDATE t SET note = 'y'")
    with pytest.raises(SyncBlocked, match="lacks the columns n") as caught:
        followed.until_quiet()
    assert caught.value.where.startswith(f"{source.url.database}.t, log at ")
    assert "binlog_row_image" in caught.value.hint


def test_images_without_what_is_not_wanted_pass(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    """A column that only the image after lacks was not changed."""
    execute("INSERT INTO t VALUES (1, 1, 'x')", "INSERT INTO other VALUES (1, 1)")
    followed = follow("t", columns={"t": ("id",)})
    in_session(source, "SET SESSION binlog_row_image = 'MINIMAL'", "UPDATE t SET n = 2", "UPDATE other SET n = 2")
    assert followed.changes() == [("t", (b"1",), (b"1",))]
    whole = follow("t", columns={"t": ("n", "id")})
    in_session(source, "SET SESSION binlog_row_image = 'NOBLOB'", "UPDATE t SET n = 3")
    assert whole.changes() == [("t", (b"2", b"1"), (b"3", b"1"))]


def test_dml_logged_as_a_statement_blocks(source: MySQLSource, follow: Follow) -> None:
    followed = follow("t")
    in_session(
        source, "SET SESSION binlog_format = 'STATEMENT'", "/* app */ insert /* x */ into t VALUES (1, 1, 'secret')"
    )
    with pytest.raises(SyncBlocked, match="logged as text") as caught:
        followed.until_quiet()
    assert "binlog_format" in caught.value.hint


def test_dml_of_other_tables_as_a_statement_passes(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    followed = follow("t")
    in_session(source, "SET SESSION binlog_format = 'STATEMENT'", "INSERT INTO other VALUES (1, 1)")
    execute("INSERT INTO t VALUES (1, 1, NULL)")
    assert len(followed.changes()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE t",
        "TRUNCATE TABLE `{db}`.`t`",
        "/* why */ -- really\n truncate /* now */ table t",
        "DROP TABLE IF EXISTS other, t",
        "RENAME TABLE t TO gone, other TO t",
    ],
)
def test_statements_that_empty_a_table(source: MySQLSource, execute: Execute, follow: Follow, statement: str) -> None:
    name = source.url.database
    followed = follow("t")
    execute(statement.format(db=name))
    (events,) = followed.transactions()
    assert events[0] == Truncate((name, "t"))
    assert isinstance(events[-1], Commit)


def test_partitions_are_truncated_too(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    execute("CREATE TABLE p (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10))")
    followed = follow("p")
    execute("ALTER TABLE p TRUNCATE PARTITION a")
    events = followed.until_quiet()
    assert events[0] == Truncate((source.url.database, "p"))


def test_definitions_are_statements(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    followed = follow("t")
    execute("ALTER TABLE t ADD COLUMN extra INT FIRST")
    (events,) = followed.transactions()
    assert events[0] == Statement(source.url.database, "ALTER TABLE t ADD COLUMN extra INT FIRST")
    assert isinstance(events[1], Commit)
    assert len(events) == 2


def test_a_new_table_with_rows(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    """CREATE TABLE ... SELECT is one transaction, which its first statement does not end."""
    execute("INSERT INTO t VALUES (1, 1, NULL)")
    followed = follow("t")
    execute("CREATE TABLE copied SELECT id FROM t", "INSERT INTO t VALUES (2, 2, NULL)")
    events = followed.until_quiet()
    assert changes_in(events) == [("t", None, (b"2", b"2", None))]
    if source.identity().flavor == "mysql":
        assert [type(event).__name__ for event in events] == ["Statement", "Commit", "Rows", "Commit"]


def test_rolled_back_rows_are_not_there(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    followed = follow("t")
    in_session(
        source,
        "START TRANSACTION",
        "INSERT INTO t VALUES (1, 1, NULL)",
        "SAVEPOINT a",
        "INSERT INTO t VALUES (2, 2, NULL)",
        "ROLLBACK TO a",
        "COMMIT",
        "START TRANSACTION",
        "INSERT INTO t VALUES (3, 3, NULL)",
        "ROLLBACK",
    )
    assert [after for _, _, after in followed.changes()] == [(b"1", b"1", None)]


def test_a_table_without_transactions(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    """Edge case 38: it ends with a COMMIT statement, and keeps what a failed or rolled back statement did."""
    execute("CREATE TABLE m (id INT PRIMARY KEY) ENGINE = MyISAM", "INSERT INTO m VALUES (3)")
    followed = follow("m", "t")
    in_session(source, "INSERT INTO m VALUES (1), (2), (3), (4)")
    in_session(source, "START TRANSACTION", "INSERT INTO t VALUES (9, 9, NULL)", "INSERT INTO m VALUES (5)", "ROLLBACK")
    events = followed.until_quiet()
    kept = [(b"1",), (b"2",)]
    if source.identity().flavor == "mariadb":
        # MySQL with GTIDs refuses to mix such tables with others in a transaction.
        kept.append((b"5",))
    assert [after for name, _, after in changes_in(events) if name == "m"] == kept
    assert isinstance(events[-1], Commit)


def test_prepared_transactions_block(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    followed = follow("t")
    name = source.url.database
    in_session(
        source, f"XA START '{name}'", "INSERT INTO t VALUES (1, 1, NULL)", f"XA END '{name}'", f"XA PREPARE '{name}'"
    )
    try:
        with pytest.raises(SyncBlocked, match="XA transaction was prepared"):
            followed.until_quiet()
    finally:
        execute(f"XA ROLLBACK '{name}'")


def test_harmless_xa_passes(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    """Of other tables, or decided in one phase."""
    followed = follow("t")
    name = source.url.database
    for table, values, end in (("other", "1, 1", ""), ("t", "1, 1, NULL", " ONE PHASE")):
        in_session(
            source,
            f"XA START '{name}'",
            f"INSERT INTO {table} VALUES ({values})",
            f"XA END '{name}'",
            *([] if end else [f"XA PREPARE '{name}'"]),
            f"XA COMMIT '{name}'{end}",
        )
    assert [after for _, _, after in followed.changes()] == [(b"1", b"1", None)]


def test_a_decision_about_what_was_prepared_before_blocks(source: MySQLSource, follow: Follow) -> None:
    """Edge case 56: only the commit is after the position."""
    name = source.url.database
    in_session(
        source, f"XA START '{name}'", "INSERT INTO t VALUES (1, 1, NULL)", f"XA END '{name}'", f"XA PREPARE '{name}'"
    )
    followed = follow("t")
    if source.identity().flavor == "mysql":
        # A position of MySQL is after everything that is executed, and the reader starts there.
        assert followed.start.how == "gtid-executed"
    in_session(source, f"XA COMMIT '{name}'")
    with pytest.raises(SyncBlocked, match="XA transaction was decided"):
        followed.until_quiet()


def test_generated_and_invisible_columns(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    """Edge case 15."""
    execute(
        "CREATE TABLE g (a INT, id INT PRIMARY KEY, v INT AS (a + 1) VIRTUAL, s INT AS (a * 2) STORED, "
        "h INT DEFAULT 7 INVISIBLE, z INT)"
    )
    followed = follow("g", columns={"g": ("z", "s", "id", "v", "h")})
    execute("INSERT INTO g (a, id, z) VALUES (10, 1, 5)", "UPDATE g SET a = 20")
    first, second = (b"5", b"20", b"1", b"11", b"7"), (b"5", b"40", b"1", b"21", b"7")
    assert followed.changes() == [("g", None, first), ("g", first, second)]


def test_a_table_may_join_later(execute: Execute, follow: Follow) -> None:
    followed = follow("t")
    execute("INSERT INTO other VALUES (1, 1)")
    assert followed.changes() == []
    followed.reader.watch(watches_of(followed.source, ["other"], {}))
    execute("INSERT INTO other VALUES (2, 2)", "INSERT INTO t VALUES (1, 1, NULL)")
    assert followed.changes() == [("other", None, (b"2", b"2"))]


def test_text_that_cant_be_had_exactly_is_refused(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    execute("CREATE TABLE z (id VARCHAR(9) CHARACTER SET sjis PRIMARY KEY, g VARCHAR(9) CHARACTER SET sjis)")
    with pytest.raises(SyncBlocked, match="sjis") as caught:
        follow("z", columns={"z": ("id",)})
    assert caught.value.where == f"{source.url.database}.z.id"
