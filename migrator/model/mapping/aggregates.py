"""Counts, sums and extremes of child rows: which columns they are made of, and what the server's answer is like."""

from __future__ import annotations

from dataclasses import replace

from migrator.model.mapping.representation import family_of
from migrator.model.mapping.tree import Aggregate
from migrator.model.schema.tables import Column

_EXACT = ("integer", "decimal", "year")
_INEXACT = ("float", "double")
# What MIN and MAX compare in one way only: of texts that are equal by a collation, any one may come.
_ORDERED = (*_EXACT, *_INEXACT, "date", "datetime", "time")
_MOST_DIGITS = 65  # MySQL manual, Fixed-Point Types


def aggregate_mistake(aggregate: Aggregate) -> tuple[str, str] | None:
    """What is wrong with an aggregate, and what to do; None when nothing is."""
    column = aggregate.column
    if column is None:
        return None
    family, name = family_of(column), aggregate.function
    if name in ("min", "max") and family not in _ORDERED:
        message = f"`{name}` of a {column.data_type} column is not certain: different values may be equal to the server"
        return message, "embed the row instead: `one: true` with `order_by`"
    if name in ("sum", "avg"):
        if family in _INEXACT and aggregate.round is None:
            message = f"the last digits of `{name}` of a {column.data_type} column depend on the order of the rows"
            return message, "add `round: 2`, or another number of decimals"
        if family not in (*_EXACT, *_INEXACT):
            return (
                f"`{name}` needs a column of numbers, and `{column.name}` is {column.data_type}",
                "use another column",
            )
    return None


def decimals_of(aggregate: Aggregate) -> int | None:
    """To how many decimals the server rounds; None where it does not. Never more than the exact result has."""
    column = aggregate.column
    if column is None or aggregate.round is None or aggregate.function not in ("sum", "avg"):
        return None
    family = family_of(column)
    if family in _INEXACT:
        return aggregate.round
    more = 4 if aggregate.function == "avg" else 0
    scale = (column.scale or 0 if family == "decimal" else 0) + more
    return min(aggregate.round, scale) if scale else None


def aggregate_result(aggregate: Aggregate) -> Column:
    """The column that the server answers with (MySQL manual, Aggregate Function Descriptions).

    Sums of whole numbers are read as BIGINT: one that doesn't fit rejects its document.
    """
    column = aggregate.column
    match aggregate.function:
        case "count":
            return Column("count", "bigint", "bigint", False)
        case "exists":
            return Column("exists", "tinyint", "tinyint(1)", False)
    assert column is not None, "all other functions have a column"
    if aggregate.function in ("min", "max"):
        plain = column.column_type.replace(" zerofill", "")
        return replace(column, nullable=True, column_type=plain, generated=False, auto_increment=False)
    family = family_of(column)
    if family in _INEXACT:
        return Column(column.name, "double", "double", True)
    if aggregate.function == "sum" and family in ("integer", "year"):
        return Column(column.name, "bigint", "bigint", True)
    digits, scale = (column.precision or 10, column.scale or 0) if family == "decimal" else (20, 0)
    if aggregate.function == "sum":
        digits = min(digits + 22, _MOST_DIGITS)
    else:
        digits, scale = min(digits + 4, _MOST_DIGITS), min(scale + 4, 30)
    rounded = decimals_of(aggregate)
    scale = scale if rounded is None else rounded
    return Column(column.name, "decimal", f"decimal({digits},{scale})", True, precision=digits, scale=scale)
