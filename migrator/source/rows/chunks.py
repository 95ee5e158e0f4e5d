"""Key ranges of about so many root rows, planned by looking at the index, never by paging through the data.

Integer keys (and BINARY keys, read as big-endian numbers) are halved until the optimizer's own estimate for a piece is
small enough. Other keys are walked: the last key of the next n rows is found on the index, one range after the other,
so copying can start while planning goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pymysql
import pymysql.err

from migrator.model.mapping.tree import Collection, Node
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.schema.tables import Column
from migrator.source.connection.connect import connected_raw
from migrator.source.connection.failure import error_code
from migrator.source.connection.url import SourceUrl
from migrator.source.sql import key_statements

_NO_ESTIMATE = (1142, 1227, 1345)  # EXPLAIN refused, as for a view whose definition the account may not see
_STUCK = 4  # halvings that change no estimate, after which estimates are not worth asking for


def chunk_ranges(url: SourceUrl, collection: Collection, rows: int, after: KeyRange | None) -> Iterator[KeyRange]:
    """Ranges that follow each other and together cover the root table, each of about `rows` rows.

    Args:
        rows: wanted size; most ranges hold between half and twice as many.
        after: the last range planned before; the answer continues after it.

    Yields:
        ranges in key order; the very first is open below, the last one open above.

    Raises:
        SourceError, SourceUnavailable: while it runs; it can be started again after the last range it gave.
    """
    start = None
    if after is not None:
        if after.upto is None:
            return
        start = after.upto
    root = collection.root
    if not root.key:
        yield KeyRange()
        return
    with connected_raw(url) as connection:
        table = _RootTable(connection, root)
        bounds = _halved(table, rows, start) if _number_of(root.key[0]) else _walked(table, rows, start, None)
        for bound in bounds:
            yield KeyRange(start, bound)
            start = bound
    yield KeyRange(start, None)


def _walked(table: _RootTable, rows: int, start: Key | None, end: int | None) -> Iterator[Key]:
    """Every `rows`-th key after `start`, up to the leading number `end`."""
    while (bound := table.key_after(start, end, rows)) is not None:
        yield bound
        start = bound


@dataclass(frozen=True)
class _NumberRange:
    """Rows whose leading key is from `low` to `high`, and about how many there are."""

    low: int
    high: int
    estimate: int
    stuck: int = 0


def _halved(table: _RootTable, rows: int, start: Key | None) -> Iterator[Key]:
    extent = table.extent(start)
    if extent is None:
        return
    low, high = extent
    gathered = 0
    for piece in _pieces(table, low, high, rows):
        if gathered and gathered + piece.estimate > rows + rows // 2:
            bound = table.bound_at(piece.low - 1, start)
            if bound is not None:
                yield bound
                start = bound
            gathered = 0
        gathered += piece.estimate
        if piece.estimate > 2 * rows:
            # One leading value with very many rows, or a table without usable estimates.
            for bound in _walked(table, rows, start, piece.high):
                yield bound
                start = bound
            gathered = rows // 2  # what is left of the piece


def _pieces(table: _RootTable, low: int, high: int, rows: int) -> Iterator[_NumberRange]:
    """Neighbouring pieces, in order, of at most `rows` estimated rows wherever halving helps."""
    todo = [_NumberRange(low, high, table.estimate(low, high))]
    while todo:
        piece = todo.pop()
        if piece.estimate <= rows or piece.low == piece.high or piece.stuck >= _STUCK:
            yield piece
            continue
        middle = (piece.low + piece.high) // 2
        lower, upper = table.estimate(piece.low, middle), table.estimate(middle + 1, piece.high)
        stuck = piece.stuck + 1 if min(lower, upper) >= piece.estimate else 0
        todo.append(_NumberRange(middle + 1, piece.high, upper, stuck))
        todo.append(_NumberRange(piece.low, middle, lower, stuck))


class _RootTable:
    """Questions about a root table's key index, each answered by reading a few index entries."""

    def __init__(self, connection: pymysql.Connection[Any], root: Node) -> None:
        self._connection = connection
        self._root = root
        self._leading = root.key[0]

    def extent(self, start: Key | None) -> tuple[int, int] | None:
        """Lowest and highest leading number, from `start`'s on; None when there are no rows."""
        row = self._ask(key_statements.extent(self._root, KeyRange(start, None)))
        if row is None or row[0] is None or row[1] is None:
            return None
        return _to_number(self._leading, row[0]), _to_number(self._leading, row[1])

    def estimate(self, low: int, high: int) -> int:
        """The optimizer's guess at the rows with a leading number from `low` to `high`; very many when it has none."""
        bounds = _from_number(self._leading, low), _from_number(self._leading, high)
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("EXPLAIN FORMAT=TRADITIONAL " + key_statements.leading_between(self._root, *bounds))
                names = [column[0].lower() for column in cursor.description or ()]
                plan = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except pymysql.err.MySQLError as error:
            if error_code(error) in _NO_ESTIMATE:
                return 1 << 62
            raise
        return max((int(step["rows"] or 0) for step in plan), default=0)

    def bound_at(self, number: int, start: Key | None) -> Key | None:
        """A key after which the leading numbers above `number` begin; None when no row is between `start` and it."""
        if len(self._root.key) == 1:
            return (_from_number(self._leading, number),)
        last = _from_number(self._leading, number)
        return self._ask(key_statements.last_key_upto(self._root, start, last))

    def key_after(self, start: Key | None, end: int | None, rows: int) -> Key | None:
        """The last of the next `rows` keys after `start`, None when there are not so many up to `end`."""
        last = None if end is None else _from_number(self._leading, end)
        return self._ask(key_statements.key_after(self._root, start, last, rows))

    def _ask(self, statement: str) -> Key | None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            row: Key | None = cursor.fetchone()
            return row


def _number_of(column: Column) -> bool:
    """Whether the column's values are numbers in the order of the index."""
    integers = ("tinyint", "smallint", "mediumint", "int", "bigint")
    return column.data_type in integers or (column.data_type == "binary" and bool(column.length))


def _to_number(column: Column, value: bytes) -> int:
    return int.from_bytes(value, "big") if column.data_type == "binary" else int(value)


def _from_number(column: Column, number: int) -> bytes:
    if column.data_type != "binary":
        return b"%d" % number
    return number.to_bytes(column.length or 0, "big") if number >= 0 else b""
