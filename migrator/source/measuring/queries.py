"""One read-only connection, on which every question has a purpose and, unless all is to be counted, a time limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from pymysql.cursors import SSCursor

from migrator.source.connection.connect import connected_raw
from migrator.source.connection.failure import DRIVER_ERRORS, error_code, translate
from migrator.source.connection.url import SourceUrl

# As the server prints them.
Row = tuple[bytes | None, ...]

# ER_STATEMENT_TIMEOUT of MariaDB, ER_QUERY_TIMEOUT of MySQL; the regular expression engine has a limit of its own.
_TIMEOUTS = (1969, 3024, 3699)

# Each statement is a read-only transaction of its own: nothing can be written, and between two statements neither
# undo log nor a table's definition is held. One long transaction would stop the first ALTER TABLE that comes along,
# and then everybody after it.
_SESSION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY"


class TimeLimit(Exception):
    """The server gave up a question at the time limit: estimate instead, or say that it was not looked at."""


class Asker:
    """Asks the server, one question at a time."""

    def __init__(self, connection: pymysql.Connection[Any], url: SourceUrl) -> None:
        self._connection = connection
        self._url = url
        self.mariadb = b"mariadb" in (self.row("ask for the version", "SELECT VERSION()")[0] or b"").lower()

    def limit(self, seconds: float | None) -> None:
        """The time limit of the questions that follow; None for none."""
        if self.mariadb:
            statement = f"SET SESSION max_statement_time = {seconds or 0}"
        else:
            statement = f"SET SESSION max_execution_time = {round((seconds or 0) * 1000)}"
        self.rows("set a time limit", statement)

    def rows(self, purpose: str, statement: str) -> list[Row]:
        """The whole answer.

        Args:
            purpose: completes "could not ...": `count the rows of shop.orders`.

        Raises:
            TimeLimit: at the time limit.
            SourceError, SourceUnavailable: naming the purpose.
        """
        with self._translated(purpose), self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def each(self, purpose: str, statement: str) -> Iterator[Row]:
        """The answer row by row, not held in memory; to be read to its end before the next question.

        Args, Raises: as `rows`.
        """
        with self._translated(purpose), self._connection.cursor(SSCursor) as cursor:
            cursor.execute(statement)
            yield from cursor.fetchall_unbuffered()

    @contextmanager
    def _translated(self, purpose: str) -> Iterator[None]:
        try:
            yield
        except DRIVER_ERRORS as error:
            if error_code(error) in _TIMEOUTS:
                raise TimeLimit(purpose) from error
            said = translate(error, self._url)
            raise type(said)(f"could not {purpose}: {said.what}", where=said.where, hint=said.hint) from error

    def estimate(self, purpose: str, statement: str) -> int:
        """How many rows the optimizer expects to read for a SELECT from one table."""
        with self._translated(purpose), self._connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN FORMAT=TRADITIONAL {statement}")
            names = [column[0].lower() for column in cursor.description or ()]
            return max((number(row[names.index("rows")]) for row in cursor.fetchall()), default=0)

    def row(self, purpose: str, statement: str) -> Row:
        """The first row of an answer that has one."""
        return self.rows(purpose, statement)[0]


@contextmanager
def asking(url: SourceUrl, seconds: float | None) -> Iterator[Asker]:
    """A connection that can't write, whose questions take at most so many seconds each (None: as long as they take).

    Raises:
        SourceError, SourceUnavailable: when there is no way in.
    """
    with connected_raw(url) as connection:
        ask = Asker(connection, url)
        ask.rows("make the session read-only", _SESSION)
        if not ask.mariadb:
            # Otherwise estimates are up to a day old: nothing at all for a table loaded just now.
            ask.rows("ask for fresh statistics", "SET SESSION information_schema_stats_expiry = 0")
        ask.limit(seconds)
        yield ask


def number(value: bytes | None) -> int:
    """An integer, or a sum that the server prints as a decimal; NULL is 0."""
    return 0 if value is None else int(value.partition(b".")[0])
