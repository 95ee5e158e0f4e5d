"""Row images: what a rows event holds, as the values of some columns.

A function is written for each table and set of logged columns: it goes over a row from column to column, since only
their lengths tell where the next one begins, and converts those that are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migrator import compiling
from migrator.model.change.events import Values
from migrator.source.binlog.rows.column_values import Convert
from migrator.source.binlog.rows.number_text import decimal_bytes
from migrator.source.binlog.rows.table_map import LoggedColumn, Type

# (data, offset of a row image) -> (values of the wanted columns, offset after it); None for NULL.
ReadImage = Callable[[bytes, int], tuple[Values, int]]

_FIXED = {
    Type.NULL: 0,
    Type.TINY: 1,
    Type.YEAR: 1,
    Type.SHORT: 2,
    Type.INT24: 3,
    Type.DATE: 3,
    Type.NEWDATE: 3,
    Type.TIME: 3,
    Type.LONG: 4,
    Type.FLOAT: 4,
    Type.TIMESTAMP: 4,
    Type.LONGLONG: 8,
    Type.DOUBLE: 8,
    Type.DATETIME: 8,
}
_FRACTIONAL = {Type.TIMESTAMP2: 4, Type.DATETIME2: 5, Type.TIME2: 3}
_BY_MAXIMUM = frozenset((Type.VARCHAR, Type.VAR_STRING, Type.STRING, Type.VARCHAR_COMPRESSED))


@dataclass(frozen=True, slots=True)
class ImageReader:
    """Attributes:
    read: reads one image.
    absent: places of the wanted columns that images of this kind lack; `read` has None there.
    """

    read: ReadImage
    absent: tuple[int, ...]


def compile_image(
    columns: Sequence[LoggedColumn], present: bytes, wanted: Sequence[int], convert: Mapping[int, Convert]
) -> ImageReader:
    """Args:
    present: the event's bitmap of the columns that its images have.
    wanted: columns by their place in the table, in the order of the result.
    convert: how those are converted.
    """
    bits = int.from_bytes(present, "little")
    logged = [place for place in range(len(columns)) if bits >> place & 1]
    width = (len(logged) + 7) // 8
    usual = _steps(columns, logged, convert, nulls=False)
    careful = _steps(columns, logged, convert, nulls=True)
    result = "".join(f"v{place}, " if bits >> place & 1 else "None, " for place in wanted)
    lines = [
        "def read(data, at):",
        f"    nulls = int_from(data[at:at + {width}], 'little') & {(1 << len(logged)) - 1}",
        f"    at += {width}",
        "    if nulls:",
        *(f"        {line}" for line in careful),
        "    else:",
        *(f"        {line}" for line in usual),
        f"    return ({result}), at",
    ]
    names: dict[str, Any] = {"int_from": int.from_bytes} | {f"c{place}": one for place, one in convert.items()}
    space = compiling.run("\n".join(lines), "row image", names)
    absent = tuple(at for at, place in enumerate(wanted) if not bits >> place & 1)
    return ImageReader(space["read"], absent)


def _steps(
    columns: Sequence[LoggedColumn], logged: Sequence[int], convert: Mapping[int, Convert], *, nulls: bool
) -> list[str]:
    lines: list[str] = []
    ahead = 0  # columns of fixed width passed since `at` was set
    for number, place in enumerate(logged):
        step, ahead = _step(columns[place], place, ahead, place in convert)
        if not nulls:
            lines += step
            continue
        if ahead:
            step.append(f"at += {ahead}")
            ahead = 0
        lines.append(f"if nulls & {1 << number}:")
        lines.append(f"    v{place} = None" if place in convert else "    pass")
        lines.append("else:")
        lines += [f"    {line}" for line in step or ["pass"]]
    if ahead:
        lines.append(f"at += {ahead}")
    return lines or ["pass"]


def _step(column: LoggedColumn, place: int, ahead: int, is_wanted: bool) -> tuple[list[str], int]:
    start = f"at + {ahead}" if ahead else "at"
    width = fixed_width(column)
    if width is not None:
        lines = [f"v{place} = c{place}(data[{start}:at + {ahead + width}])"] if is_wanted else []
        return lines, ahead + width
    size = length_bytes(column)
    length = f"data[{start}]" if size == 1 else f"int_from(data[{start}:at + {ahead + size}], 'little')"
    if not is_wanted:
        return [f"at += {ahead + size} + {length}"], 0
    return [
        f"end = at + {ahead + size} + {length}",
        f"v{place} = c{place}(data[at + {ahead + size}:end])",
        "at = end",
    ], 0


def fixed_width(column: LoggedColumn) -> int | None:
    """Bytes of every value of a column; None when each tells its own length."""
    if column.type in _FIXED:
        return _FIXED[column.type]
    if column.type in _FRACTIONAL:
        return _FRACTIONAL[column.type] + (column.meta + 1) // 2
    match column.type:
        case Type.NEWDECIMAL:
            return decimal_bytes(column.meta >> 8, column.meta & 0xFF)
        case Type.ENUM | Type.SET:
            return column.meta
        case Type.BIT:
            return (column.meta + 7) // 8
    return None


def length_bytes(column: LoggedColumn) -> int:
    """How many bytes tell a value's length."""
    if column.type in _BY_MAXIMUM:
        return 2 if column.meta > 255 else 1
    return column.meta
