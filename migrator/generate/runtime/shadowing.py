"""Rows of the old call against rows of the new one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two calls.

    Attributes:
        name: of the call site.
        kind: `value`: a row differs; `missing`: the new call lacks it; `extra`: only the new call has it; `error`: the
            new call failed.
        old: the old call's row, None where there is none.
        new: the new call's row, None where there is none.
        fields: the fields that differ, or what the error said.
        old_seconds: how long the old call took.
        new_seconds: how long the new call took.
    """

    name: str
    kind: Literal["value", "missing", "extra", "error"]
    old: Row | None
    new: Row | None
    fields: str
    old_seconds: float
    new_seconds: float


def differences(
    name: str,
    old: Sequence[Row],
    new: Sequence[Row],
    ignore: Collection[str],
    ordered: bool,
    times: tuple[float, float],
) -> Iterator[Difference]:
    """Row by row; without order, rows are paired by their looks."""
    if not ordered:
        old, new = sorted(old, key=_looks), sorted(new, key=_looks)
    for one, other in zip(old, new, strict=False):
        fields = [each for each in {**one, **other} if each not in ignore and not _equal(one, other, each)]
        if fields:
            yield Difference(name, "value", one, other, ", ".join(fields), *times)
    for one in old[len(new) :]:
        yield Difference(name, "missing", one, None, "", *times)
    for other in new[len(old) :]:
        yield Difference(name, "extra", None, other, "", *times)


def _equal(one: Row, other: Row, field: str) -> bool:
    missing = object()
    return bool(plain(one.get(field, missing)) == plain(other.get(field, missing)))


def _looks(row: Row) -> str:
    return repr(sorted((name, repr(plain(value))) for name, value in row.items()))


def plain(value: Any) -> Any:
    """A value without what a driver's choice of type adds: 1 is True is Decimal(1); no zone is UTC; bytes of a UUID."""
    match value:
        case bool():
            return Decimal(int(value))
        case int() | Decimal():
            return Decimal(value)
        case float():
            # As it prints: a FLOAT that both sides show as 0.1 is the same.
            return Decimal(repr(value))
        case datetime():
            moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
            return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        case date():
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        case timedelta():
            return Decimal(value // timedelta(microseconds=1))
        case UUID():
            return value.bytes
        case Mapping():
            return {name: plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
    return value
