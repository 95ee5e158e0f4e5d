"""Which rows of a large table are sampled: short ranges of its key, spread over the rows.

Bounded by construction: each range is entered through the key's index and holds a few rows. Where the rows are in the
key space is asked of the optimizer, whose estimates cost a few index pages: a single row far off (id 2147483647) would
otherwise leave nearly all ranges empty.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from migrator.model.mapping.representation import family_of
from migrator.model.schema.tables import Column
from migrator.source.measuring.queries import Asker
from migrator.source.measuring.row_queries import Among, Head, Some, quoted, table_name
from migrator.source.measuring.table_facts import TableFacts
from migrator.source.sql.literal import key_literal

RANGES = 50
SAMPLE = 2000  # rows
_DENSE = 2  # times as many numbers as rows: an AUTO_INCREMENT with few gaps


class Sampler:
    """Chooses samples and keeps them: everything that is measured of a table is measured on the same rows."""

    def __init__(self, ask: Asker) -> None:
        self._ask = ask
        self._chosen: dict[tuple[str, tuple[str, ...]], Some] = {}

    def sample(self, facts: TableFacts, key: Sequence[Column]) -> Some:
        """About SAMPLE rows of a table: spread over `key` if an index begins with it, else the first ones found.

        Raises:
            TimeLimit: when even that takes too long.
        """
        names = tuple(one.name for one in key)
        known = self._chosen.get((facts.qualified, names))
        if known is None:
            known = self._chosen[facts.qualified, names] = self._choose(facts, key, names)
        return known

    def _choose(self, facts: TableFacts, key: Sequence[Column], names: tuple[str, ...]) -> Some:
        if not key:
            return Head(facts.columns, SAMPLE)
        chosen = ", ".join(f"{quoted(name)} AS m{place}" for place, name in enumerate(names))
        table = table_name(facts.schema, facts.name)
        starts = self._starts(facts, key[0]) if any(i.columns[: len(names)] == names for i in facts.indexes) else []
        if not starts:
            return Among(names, f"SELECT {chosen} FROM {table} LIMIT {SAMPLE}")
        order = ", ".join(map(quoted, names))
        ranges = [
            f"(SELECT {chosen} FROM {table} WHERE {quoted(names[0])} >= {key_literal(key[0], start)} "
            f"ORDER BY {order} LIMIT {SAMPLE // len(starts)})"
            for start in starts
        ]
        # Ranges may overlap; a row counts once.
        return Among(names, " UNION ".join(ranges))

    def _starts(self, facts: TableFacts, column: Column) -> list[bytes]:
        """Places in the key space with about as many rows between each two, [] for an empty table."""
        name, table = quoted(column.name), table_name(facts.schema, facts.name)
        low, high = self._ask.row(
            f"find the ends of the key of {facts.qualified}", f"SELECT MIN({name}), MAX({name}) FROM {table}"
        )
        if low is None or high is None:
            return []
        # Of a longer key one number may have any share of the rows.
        alone = facts.is_unique([column.name])
        if alone and family_of(column) == "integer" and int(high) - int(low) < _DENSE * facts.rows:
            return _evenly(int(low), int(high))
        todo = [_KeyInterval(low, high, self._rows(facts, column, low, high))]
        done: list[_KeyInterval] = []
        for _ in range(3 * RANGES):
            if not todo or len(todo) + len(done) >= RANGES:
                break
            largest = max(todo, key=lambda piece: piece.rows)
            todo.remove(largest)
            between = middle(column, largest.low, largest.high)
            if between is None:
                done.append(largest)
                continue
            for start, end in ((largest.low, between), (between, largest.high)):
                rows = self._rows(facts, column, start, end)
                if rows > 1:  # the optimizer says 1 for none
                    todo.append(_KeyInterval(start, end, rows))
        return sorted({low, *(piece.low for piece in (*todo, *done))})

    def _rows(self, facts: TableFacts, column: Column, low: bytes, high: bytes) -> int:
        """The optimizer's estimate of the rows from `low` to `high`."""
        name = quoted(column.name)
        bounds = f"{name} >= {key_literal(column, low)} AND {name} < {key_literal(column, high)}"
        statement = f"SELECT {name} FROM {table_name(facts.schema, facts.name)} WHERE {bounds}"
        return self._ask.estimate(f"estimate a range of {facts.qualified}", statement)


def _evenly(low: int, high: int) -> list[bytes]:
    return [b"%d" % number for number in dict.fromkeys(low + (high - low) * n // RANGES for n in range(RANGES))]


@dataclass(frozen=True)
class _KeyInterval:
    low: bytes
    high: bytes
    rows: int


def middle(column: Column, low: bytes, high: bytes) -> bytes | None:
    """A value between the two, None where there is none or the type can't be divided."""
    match family_of(column):
        case "integer" | "year":
            half = b"%d" % ((int(low) + int(high)) // 2)
        case "binary" | "text":
            half = _middle_string(column, low, high)
        case "date" | "datetime":
            half = _middle_time(column, low, high)
        case _:
            return None
    return None if half in (low, high) else half


def _middle_string(column: Column, low: bytes, high: bytes) -> bytes:
    """Read as numbers after their common prefix. A collation sorts otherwise than bytes do, and then the
    ranges are spread less evenly; nothing else depends on it."""
    same = bytes(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(low, high, strict=False)))
    width = 8
    ends = [int.from_bytes(end[len(same) : len(same) + width].ljust(width, b"\0"), "big") for end in (low, high)]
    half = same + (sum(ends) // 2).to_bytes(width, "big")
    if family_of(column) == "text":
        return _as_text(half)
    if column.data_type == "binary" and column.length:
        return half[: column.length].ljust(column.length, b"\0")
    return half


def _as_text(value: bytes) -> bytes:
    """Printable ASCII that sorts near it."""
    return bytes(min(max(byte, 0x20), 0x7E) for byte in value)


def _middle_time(column: Column, low: bytes, high: bytes) -> bytes:
    try:
        ends = [dt.datetime.fromisoformat(end.decode()[:19]) for end in (low, high)]
    except ValueError:
        return low  # a zero date
    time = (ends[0] + (ends[1] - ends[0]) / 2).replace(microsecond=0)
    return str(time.date() if column.data_type == "date" else time).encode()
