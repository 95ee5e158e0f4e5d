"""A compressed log says what a plain one says, whatever is in it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from migrator.errors import SourceUnavailable, SyncBlocked
from migrator.model.change.events import CaughtUp, Commit, LogEvent, RolledBack, Rows, Statement, Truncate
from migrator.source import MySQLSource
from migrator.source.binlog.events.packets import Kind, kind_of
from migrator.source.binlog.events.stream import LogStream
from migrator.source.connection.connect import connected
from tests.source.binlog.compressing import compress
from tests.source.binlog.conftest import Follow
from tests.source.binlog.followed import changes_in, commits_in
from tests.source.binlog.processes import kill_dumps, resident
from tests.source.conftest import Execute

MB = 1 << 20


@pytest.fixture
def connection(source: MySQLSource, mysql_product: str) -> Iterator[Connection]:
    """Its compression, which on MariaDB is the server's, is off again afterwards."""
    with connected(source.url) as opened:
        try:
            yield opened
        finally:
            compress(opened, mysql_product, on=False)


def run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


@pytest.fixture
def arrived(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Kinds of the events that came from the server."""
    found: list[int] = []
    read = LogStream.next

    def note(self: LogStream) -> bytes:
        data = read(self)
        found.append(kind_of(data) or 0)
        return data

    monkeypatch.setattr(LogStream, "next", note)
    return found


PLAIN_ROWS_KINDS = {Kind.WRITE_ROWS, Kind.WRITE_ROWS_V1}
COMPRESSED_KINDS = {Kind.TRANSACTION_PAYLOAD, Kind.MARIADB_WRITE_ROWS_COMPRESSED_V1}


def said(events: list[LogEvent]) -> list[object]:
    """What events say but for positions and times; rows of one statement may be cut differently."""
    found: list[object] = []
    for event in events:
        match event:
            case Rows(table, changes, cascades):
                found += [(table, change, cascades) for change in changes]
            case Statement(database, text):
                found.append((database, text))
            case Truncate() | RolledBack():
                found.append(event)
            case Commit():
                found.append("commit")
    return found


COLUMNS = (
    "id INT PRIMARY KEY, name VARCHAR(300) CHARACTER SET utf8mb4, body MEDIUMBLOB, amount DECIMAL(20, 6),"
    " at DATETIME(6)"
)


def literal(r: random.Random) -> str:
    size = r.choice((0, 3, 250, 251, 70_000))
    data = r.choice((r.randbytes(size), b"a" * size))
    name = r.choice(("NULL", f"'{'é' * r.randint(0, 300)}'"))
    return (
        f"{name}, x'{data.hex()}', {r.randint(-(10**12), 10**12)}.5, '2024-05-06 07:08:09.{r.randint(0, 999999):06d}'"
    )


def transaction(r: random.Random, known: set[int]) -> list[str]:
    """Statements of a transaction that has an effect, on the tables `a` and `b`."""
    found = ["BEGIN"]
    for _ in range(r.randint(1, 4)):
        match r.choice(("insert", "insert", "update", "delete", "savepoint", "many")):
            case "insert" | "savepoint" as what:
                number = max(known, default=0) + r.randint(1, 5)
                statement = f"INSERT INTO a VALUES ({number}, {literal(r)})"
                if what == "savepoint":
                    found += ["SAVEPOINT s", statement, "INSERT INTO mine VALUES (1)", "ROLLBACK TO SAVEPOINT s"]
                else:
                    known.add(number)
                    found.append(statement)
            case "update":
                found.append(f"UPDATE a SET name = CONCAT('{r.random()}', REPEAT('y', {r.randint(0, 270)}))")
            case "delete":
                number = r.choice(sorted(known) or [0])
                known.discard(number)
                found.append(f"DELETE FROM a WHERE id = {number}")
            case "many":
                found.append(f"INSERT INTO b (id, pad) SELECT id, REPEAT('z', {r.randint(0, 300)}) FROM a ORDER BY id")
    return [*found, "COMMIT"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_same_history_with_and_without(
    connection: Connection, follow: Follow, mysql_product: str, arrived: list[int], seed: int
) -> None:
    """The same statements, once plain, once compressed, once with both in turn."""
    heard = []
    for mode in ("plain", "compressed", "mixed"):
        r, switch = random.Random(seed), random.Random(seed)
        run(
            connection,
            f"CREATE TABLE a ({COLUMNS})",
            "CREATE TABLE b (id INT, pad VARCHAR(300), n INT PRIMARY KEY AUTO_INCREMENT)",
            "CREATE TABLE mine (id INT)",
        )
        followed = follow("a", "b", columns={"b": ("n", "pad", "id")})
        followed.until(CaughtUp)
        arrived.clear()
        known: set[int] = set()
        for _ in range(12):
            compress(connection, mysql_product, on=mode == "compressed" or (mode == "mixed" and switch.random() < 0.5))
            run(connection, *transaction(r, known))
            if r.random() < 0.2:
                known.clear()
                run(connection, "TRUNCATE a", f"ALTER TABLE b COMMENT '{'long ' * 100}'")
        found = followed.until_quiet()
        heard.append(said(found))
        assert (mode != "plain") == bool(COMPRESSED_KINDS & set(arrived))
        assert (mode != "compressed") == bool(PLAIN_ROWS_KINDS & set(arrived))
        for commit in random.Random(seed).sample(commits_in(found), 3):
            again = follow("a", "b", position=commit.position, columns={"b": ("n", "pad", "id")})
            assert said(again.until_quiet()) == said(found[found.index(commit) + 1 :])
        run(connection, "DROP TABLE a, b, mine")
    assert heard[0] == heard[1] == heard[2]
    assert len(heard[0]) > 30


def test_statements(connection: Connection, follow: Follow, execute: Execute, mysql_product: str) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(2000))")
    followed = follow("t")
    compress(connection, mysql_product)
    long = f"ALTER TABLE t COMMENT 'é {'word ' * 200}'"
    run(connection, long, "INSERT INTO t VALUES (1, 'x')", "SET SESSION binlog_format = 'STATEMENT'")
    run(connection, f"DELETE FROM t WHERE name = '{'y' * 1500}'")
    heard: list[LogEvent] = []
    with pytest.raises(SyncBlocked, match="logged as text: DELETE FROM t"):
        heard.extend(event for transaction in followed.transactions() for event in transaction)
    assert [event.text for event in heard if isinstance(event, Statement)] == [long]
    assert [after for _, _, after in changes_in(heard)] == [(b"1", b"x")]


def big(connection: Connection, execute: Execute, megabytes: int) -> int:
    """A table of so much noise, which packs badly; its rows."""
    execute("CREATE TABLE big (id INT PRIMARY KEY AUTO_INCREMENT, pad VARBINARY(1024), n INT)")
    for _ in range(64):
        execute(f"INSERT INTO big (pad) VALUES (x'{os.urandom(1024).hex()}')")
    count = 64
    while count * 1024 < megabytes * MB:
        execute("INSERT INTO big (pad) SELECT RANDOM_BYTES(1024) FROM big")
        count *= 2
    return count


@pytest.mark.slow
def test_a_big_transaction_streams(
    connection: Connection, follow: Follow, execute: Execute, mysql_product: str
) -> None:
    """Tens of megabytes, compressed: rows come while they are unpacked, and memory holds some of them."""
    rows = big(connection, execute, 64)
    followed = follow("big", columns={"big": ("id",)})
    compress(connection, mysql_product)
    run(connection, "UPDATE big SET n = 1")
    before = most = resident()
    count = 0
    while not isinstance(event := followed.next(), Commit):
        if isinstance(event, Rows):
            assert len(event.changes) <= 1000
            count += len(event.changes)
        most = max(most, resident())
    assert count == rows
    assert most - before < 24 * MB
    assert commits_in(followed.until_quiet()) == []


@pytest.mark.slow
def test_a_connection_lost_in_the_middle(
    connection: Connection, follow: Follow, execute: Execute, source: MySQLSource, mysql_product: str
) -> None:
    """The whole transaction comes again, from the position before it."""
    rows = big(connection, execute, 32)
    execute("CREATE TABLE t (id INT PRIMARY KEY)")
    followed = follow("big", "t", columns={"big": ("id",)})
    run(connection, "INSERT INTO t VALUES (1)")
    before = commits_in(followed.until_quiet())[-1]
    compress(connection, mysql_product)
    run(connection, "UPDATE big SET n = 1", "INSERT INTO t VALUES (2)")
    assert isinstance(followed.until(Rows), Rows)
    assert followed.reader.reached.gtid != before.position.gtid
    kill_dumps(source)
    with pytest.raises(SourceUnavailable):
        followed.until_end()
    again = follow("big", "t", position=before.position, columns={"big": ("id",)})
    heard = list(again.transactions())
    assert [len(changes_in(one)) for one in heard] == [rows, 1]
    (end,) = commits_in(heard[0])
    assert changes_in(follow("big", "t", position=end.position).until_quiet()) == [("t", None, (b"2",))]


@pytest.mark.slow
def test_one_row_of_many_megabytes(
    connection: Connection, follow: Follow, execute: Execute, mysql_product: str
) -> None:
    """One event is longer than a packet of the protocol, and than a piece of what is unpacked."""
    execute("CREATE TABLE t (id INT PRIMARY KEY, body LONGBLOB, name VARCHAR(10))", "INSERT INTO t VALUES (1, '', 'a')")
    followed = follow("t", columns={"t": ("id", "name")})
    compress(connection, mysql_product)
    noise = "REPEAT(RANDOM_BYTES(1024), 20 * 1024)"
    run(connection, f"UPDATE t SET body = {noise}, name = 'b'", "UPDATE t SET name = 'c'", "DELETE FROM t")
    assert followed.changes() == [
        ("t", (b"1", b"a"), (b"1", b"b")),
        ("t", (b"1", b"b"), (b"1", b"c")),
        ("t", (b"1", b"c"), None),
    ]
