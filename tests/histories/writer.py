"""Executes what operations yield, on a connection of its own, and writes down what it did."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pymysql

from tests.histories.pen import Cells, Pen
from tests.histories.shape import Shape, Table
from tests.histories.transactions import STRICT, ZONES, Mix, transaction
from tests.histories.worlds import Hints
from tests.oracle import values
from tests.oracle.load import connect
from tests.oracle.session import name

# What chance runs into: a duplicate, a key that is referred to or names nothing, data that doesn't fit or is cut, a
# column or index that is (not) there already, a table that may not be truncated or is a part of what is just changed.
EXPECTED = frozenset(
    {
        *(1022, 1048, 1054, 1060, 1061, 1062, 1091, 1136, 1264, 1265, 1292, 1365, 1366, 1406, 1452, 1451, 1467, 1701),
        # A parent's new key cascades into a duplicate; a column that a foreign key or an index needs.
        *(1217, 1216, 1553, 1557, 1761, 1762, 1829, 3780, 4025),
        # MySQL with GTID: no MyISAM together with InnoDB in one transaction. A row that is too deep below itself.
        *(1785, 3008, 6575, 1690, 3819),
        # Text that the other character set of a comparison can't hold.
        *(1267, 1270, 1271, 3988),
    }
)
# The server gave the whole transaction up; 1305 (no such savepoint) is how MySQL tells it after an INSERT IGNORE, 159
# and 1412 that a table was altered since the snapshot.
GONE = frozenset({159, 1205, 1213, 1020, 1305, 1412, 3572})
# The server itself is gone.
LOST = frozenset({0, 1053, 1927, 2002, 2003, 2006, 2013, 2055})
ATTEMPTS = 8


@dataclass(frozen=True)
class Done:
    """A statement as it was executed; `error` 0 is success."""

    writer: int
    number: int
    sql: str
    error: int
    rows: int

    def __str__(self) -> str:
        outcome = f"error {self.error}" if self.error else f"{self.rows} rows"
        return f"[{self.writer}:{self.number}] {self.sql};  -- {outcome}"


@dataclass
class Log:
    """What all writers did, in the order in which it returned."""

    done: list[Done] = field(default_factory=list)
    transactions: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, done: Done) -> None:
        with self.lock:
            self.done.append(done)

    def count_transaction(self) -> None:
        with self.lock:
            self.transactions += 1

    def errors(self) -> Counter[int]:
        return Counter(done.error for done in self.done if done.error)


class LiveLook:
    """Implements `Look` on a connection."""

    def __init__(self, rows: Callable[[str], Sequence[Sequence[object]]]) -> None:
        self._rows = rows

    def count(self, table: str) -> int:
        return int(str(self._rows(f"SELECT COUNT(*) FROM {name(table)}")[0][0]))

    def row(self, table: Table, columns: Sequence[str], number: int) -> Cells | None:
        order = ", ".join(name(column) for column in table.key or [column.name for column in table.columns])
        wanted = ", ".join(values.selected(table.column(column), name(column)) for column in columns)
        found = self._rows(f"SELECT {wanted} FROM {name(table.name)} ORDER BY {order} LIMIT {number}, 1")
        if not found:
            return None
        return {
            column: "NULL" if raw is None else values.literal(table.column(column), _text(raw))
            for column, raw in zip(columns, found[0], strict=True)
        }


def _text(raw: object) -> str:
    return raw.decode() if isinstance(raw, bytes) else str(raw)


class UnexpectedError(AssertionError):
    """The server refused a statement for a reason that no history should run into."""


class Writer:
    """One connection that writes.

    Args:
        number: of the writer; part of what its chance depends on.
        patient: whether it waits for a server that went away, and goes on with the next transaction.
    """

    def __init__(self, url: str, shape: Shape, hints: Hints, log: Log, number: int, *, patient: bool = False) -> None:
        self._url = url
        self._shape = shape
        self._hints = hints
        self._log = log
        self._number = number
        self._patient = patient
        self._transaction = 0
        self._connection = self._open()

    def run(self, seed: str, first: int, count: int, mix: Mix, stop: threading.Event | None = None) -> None:
        """Executes transactions `first` to `first + count - 1`, each with chance of its own."""
        for number in range(first, first + count):
            if stop is not None and stop.is_set():
                return
            self._transaction = number
            self._attempts(lambda rng: transaction(self._pen(rng), mix), f"{seed}:{self._number}:{number}")

    def execute(self, make: Callable[[Pen], Iterator[str]], seed: str) -> None:
        """Executes what `make` yields."""
        self._attempts(lambda rng: make(self._pen(rng)), seed)

    def close(self) -> None:
        self._connection.close()

    def _pen(self, rng: random.Random) -> Pen:
        return Pen(rng, self._shape, self._hints, LiveLook(self._select))

    def _attempts(self, make: Callable[[random.Random], Iterator[str]], seed: str) -> None:
        for attempt in range(ATTEMPTS):
            try:
                if self._execute(make(random.Random(f"{seed}:{attempt}"))):
                    self._log.count_transaction()
                    return
            except pymysql.MySQLError as error:
                if _code(error) in GONE:
                    self._give_up()
                elif self._patient and _code(error) in LOST:
                    self._connection = self._reopen()
                else:
                    raise UnexpectedError(f"{error} by writer {self._number} at {self._transaction}") from error
        # Given up: another writer was in the way every time.

    def _execute(self, statements: Iterator[str]) -> bool:
        """Whether the transaction came to its end."""
        for sql in statements:
            code = self._one(sql)
            if code in GONE:
                self._give_up()
                return False
        return True

    def _one(self, sql: str) -> int:
        code = rows = 0
        try:
            with self._connection.cursor() as cursor:
                rows = cursor.execute(sql)
        except pymysql.MySQLError as error:
            code = _code(error)
            if code not in EXPECTED | GONE:
                self._log.add(Done(self._number, self._transaction, sql, code or 1, 0))
                if code in LOST:
                    raise
                raise UnexpectedError(f"{error}\n{sql}") from error
        self._log.add(Done(self._number, self._transaction, sql, code, rows))
        return code

    def _select(self, sql: str) -> Sequence[Sequence[object]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def _give_up(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
            cursor.execute("SET foreign_key_checks = 1")

    def _open(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        zone = ZONES[self._number % len(ZONES)]
        settings = (
            f"SET time_zone = '{zone}', sql_mode = '{STRICT}', innodb_lock_wait_timeout = 2, lock_wait_timeout = 20"
        )
        return connect(self._url, init_command=settings, conv={})

    def _reopen(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        end = time.monotonic() + 60
        while True:
            try:
                return self._open()
            except pymysql.MySQLError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)


def _code(error: pymysql.MySQLError) -> int:
    return int(error.args[0]) if error.args and isinstance(error.args[0], int) else 0
