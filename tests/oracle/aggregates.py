"""Counts, sums and extremes, computed here from single rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bson import Int64

from tests.oracle.catalog import Column
from tests.oracle.values import INTEGERS, Reject, convert

FUNCTIONS = ("count", "exists", "sum", "min", "max", "avg")


@dataclass(frozen=True)
class Aggregate:
    """`column` is None for count and exists."""

    function: str
    column: Column | None
    round: int | None
    type: str | None
    policies: dict[str, Any]


def compute(aggregate: Aggregate, texts: Sequence[str | None]) -> Any:
    """The value of the rows whose columns have these texts (None for NULL); None for NULL."""
    if aggregate.function == "count":
        return _typed(aggregate, "bigint", str(len(texts)))
    if aggregate.function == "exists":
        return len(texts) > 0
    column = aggregate.column
    assert column is not None
    given = [text for text in texts if text is not None]
    if not given:
        return None
    if aggregate.function in ("min", "max"):
        found = (min if aggregate.function == "min" else max)(given, key=lambda text: _ordered(column, text))
        return convert(column, aggregate.type, aggregate.policies, found)
    if column.type in ("float", "double"):
        total = math.fsum(map(float, given))
        value = total if aggregate.function == "sum" else total / len(given)
        return round(value, aggregate.round or 0)
    whole = sum(map(Decimal, given), Decimal(0))
    scale = -int(Decimal(given[0]).as_tuple().exponent)
    if aggregate.function == "sum":
        if column.type in (*INTEGERS, "year"):
            return _typed(aggregate, "bigint", str(whole))
        return _typed(aggregate, "decimal", str(_rounded(whole, _least(scale, aggregate.round))))
    return _typed(aggregate, "decimal", str(_rounded(whole / len(given), _least(scale + 4, aggregate.round))))


def _least(scale: int, wanted: int | None) -> int:
    return scale if wanted is None else min(scale, wanted)


def _rounded(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _ordered(column: Column, text: str) -> Any:
    if column.type == "time":
        sign, hours, rest = (-1, text[1:], "") if text.startswith("-") else (1, text, "")
        parts = [Decimal(part) for part in (hours + rest).split(":")]
        return sign * (parts[0] * 3600 + parts[1] * 60 + parts[2])
    if column.type in ("date", "datetime", "timestamp"):
        return text
    return float(text) if column.type in ("float", "double") else Decimal(text)


def _typed(aggregate: Aggregate, kind: str, text: str) -> Any:
    full = "bigint" if kind == "bigint" else "decimal(65,30)"
    column = Column("x", kind, full, True, None, 65, 0, None, None, "")
    value = convert(column, aggregate.type, aggregate.policies, text)
    if kind != "bigint" or aggregate.type is not None:
        return value
    if not -(1 << 63) <= value < 1 << 63:
        raise Reject("is no BIGINT")
    return Int64(value)
