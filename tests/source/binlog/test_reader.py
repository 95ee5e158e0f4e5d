from __future__ import annotations

from migrator.model.change.events import RowChange, Rows
from migrator.source import MySQLSource
from tests.source.binlog.conftest import Follow
from tests.source.binlog.followed import changes_in, commits_in
from tests.source.conftest import Execute


def test_rows_then_their_commit(execute: Execute, follow: Follow, source: MySQLSource) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20), n BIGINT UNSIGNED)", "CREATE TABLE other (id INT)")
    followed = follow("t", columns={"t": ("id", "n")})
    execute(
        "START TRANSACTION",
        "INSERT INTO t VALUES (1, 'one', 18446744073709551615), (2, NULL, NULL)",
        "INSERT INTO other VALUES (1)",
        "UPDATE t SET name = 'x', id = 3 WHERE id = 2",
        "DELETE FROM t WHERE id = 1",
        "COMMIT",
    )
    name = (source.url.database, "t")
    (events,) = followed.transactions()
    assert events[:-1] == [
        Rows(name, (RowChange(None, (b"1", b"18446744073709551615")), RowChange(None, (b"2", None)))),
        Rows(name, (RowChange((b"2", None), (b"3", None)),)),
        Rows(name, (RowChange((b"1", b"18446744073709551615"), None),)),
    ]


def test_a_reader_continues_after_any_commit(execute: Execute, follow: Follow) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY)")
    followed = follow("t")
    for number in range(5):
        execute(f"INSERT INTO t VALUES ({number})")
    events = followed.until_quiet()
    wanted = changes_in(events)
    assert [after for _, _, after in wanted] == [(b"%d" % number,) for number in range(5)]
    for done, commit in enumerate(commits_in(events)[-5:], 1):
        again = follow("t", position=commit.position)
        assert changes_in(again.until_quiet()) == wanted[done:]
