"""Conditions on keys, spelled so that both servers read ranges of the key's index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from migrator.model.mapping.representation import family_of
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.schema.tables import Column
from migrator.source.sql.comparison import Comparison, among
from migrator.source.sql.literal import key_literal

# A range is read when it holds at most so many values for each one wanted.
_DENSE = 4


def within_range(columns: Sequence[Column], names: Sequence[str], within: KeyRange) -> list[str]:
    """`after` < key <= `upto`, spelled so that the server reads a range of the key's index.

    Row constructors, (a, b) > (x, y), would not be used for a range.
    """
    after, upto = within.after, within.upto
    same = 0
    if after is not None and upto is not None:
        while same < len(columns) - 1 and after[same] == upto[same]:
            same += 1
    conditions = []
    if after is not None:
        conditions += [f"{names[i]} = {key_literal(columns[i], after[i])}" for i in range(same)]
        conditions.append(_beyond(columns[same:], names[same:], after[same:], ">", ">"))
    if upto is not None:
        conditions.append(_beyond(columns[same:], names[same:], upto[same:], "<", "<="))
    return conditions


def _beyond(columns: Sequence[Column], names: Sequence[str], key: Key, strictly: str, at_last: str) -> str:
    """a > x OR (a = x AND b > y), to any depth."""
    literal = key_literal(columns[0], key[0])
    if len(columns) == 1:
        return f"{names[0]} {at_last} {literal}"
    deeper = _beyond(columns[1:], names[1:], key[1:], strictly, at_last)
    return f"({names[0]} {strictly} {literal} OR ({names[0]} = {literal} AND {deeper}))"


def exactly(columns: Sequence[Column], names: Sequence[str], keys: Sequence[Key]) -> str:
    """The columns, called `names` in the statement, hold any of `keys`, values of their own, by the server's own
    comparison."""
    return _among(columns, names, keys, [partial(_listed, column) for column in columns])


def nearly(columns: Sequence[Column], names: Sequence[str], keys: Sequence[Key]) -> str:
    """As `exactly`, but a dense set of integers becomes the range around it, which holds others too."""
    *above, last = columns
    tests = [*(partial(_listed, column) for column in above), partial(_near, last)]
    return _among(columns, names, keys, tests)


def joined(comparisons: Sequence[Comparison], names: Sequence[str], keys: Sequence[Key]) -> str:
    """The columns, called `names` in the statement, equal any of `keys`, values of the columns that they are joined
    with, as the join compares them."""
    return _among([one.given for one in comparisons], names, keys, [one.any_of for one in comparisons])


# The condition that a column, called so in the statement, holds one of some values.
AnyOf = Callable[[str, Sequence[bytes]], str]


def _among(columns: Sequence[Column], names: Sequence[str], keys: Sequence[Key], tests: Sequence[AnyOf]) -> str:
    """`columns` are those whose values `keys` are."""
    if len(columns) == 1:
        return tests[0](names[0], [key[0] for key in keys])
    # a = x AND b IN (...), since not every server uses an index for (a, b) IN ((x, y), ...).
    ordered = sorted_keys(columns, keys)
    parts = [
        f"({tests[0](names[0], [first])} AND {_among(columns[1:], names[1:], [key[1:] for key in rest], tests[1:])})"
        for first, rest in groupby(ordered, key=lambda key: key[0])
    ]
    return f"({' OR '.join(parts)})"


def _listed(column: Column, name: str, values: Sequence[bytes]) -> str:
    return among(name, list(dict.fromkeys([key_literal(column, value) for value in values])))


def _near(column: Column, name: str, values: Sequence[bytes]) -> str:
    if family_of(column) == "integer" and len(values) > 1:
        numbers = {int(value) for value in values}
        low, high = min(numbers), max(numbers)
        if high - low <= _DENSE * len(numbers):
            return f"{name} BETWEEN {low} AND {high}"
    return _listed(column, name, values)


def sorted_keys(columns: Sequence[Column], keys: Sequence[Key]) -> list[Key]:
    """The distinct keys so sorted that neighbours are near each other in an index: integers by value."""
    numeric = [family_of(one) == "integer" for one in columns]
    if numeric == [True]:
        return sorted(dict.fromkeys(keys), key=lambda key: int(key[0]))

    def rank(key: Key) -> tuple[int | bytes, ...]:
        return tuple(int(part) if number else part for part, number in zip(key, numeric, strict=True))

    return sorted(dict.fromkeys(keys), key=rank)
