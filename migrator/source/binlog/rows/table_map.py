"""What a table map event says of a table: its columns' types in order, and their names where they are logged. Pure.

https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from migrator.model.change.events import TableName
from migrator.source.binlog.events.packets import length_encoded

_COLUMN_NAMES = 4  # the kind of optional metadata


class Type(IntEnum):
    """Column types of the log."""

    TINY = 1
    SHORT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    NULL = 6
    TIMESTAMP = 7
    LONGLONG = 8
    INT24 = 9
    DATE = 10
    TIME = 11
    DATETIME = 12
    YEAR = 13
    NEWDATE = 14
    VARCHAR = 15
    BIT = 16
    TIMESTAMP2 = 17
    DATETIME2 = 18
    TIME2 = 19
    BLOB_COMPRESSED = 140
    VARCHAR_COMPRESSED = 141
    VECTOR = 242
    JSON = 245
    NEWDECIMAL = 246
    ENUM = 247
    SET = 248
    TINY_BLOB = 249
    MEDIUM_BLOB = 250
    LONG_BLOB = 251
    BLOB = 252
    VAR_STRING = 253
    STRING = 254
    GEOMETRY = 255


_TWO_BYTES = frozenset(
    (
        Type.VARCHAR,
        Type.BIT,
        Type.NEWDECIMAL,
        Type.VAR_STRING,
        Type.STRING,
        Type.ENUM,
        Type.SET,
        Type.VARCHAR_COMPRESSED,
    )
)
_ONE_BYTE = frozenset(
    (
        Type.FLOAT,
        Type.DOUBLE,
        Type.TIMESTAMP2,
        Type.DATETIME2,
        Type.TIME2,
        Type.BLOB_COMPRESSED,
        Type.VECTOR,
        Type.JSON,
        Type.TINY_BLOB,
        Type.MEDIUM_BLOB,
        Type.LONG_BLOB,
        Type.BLOB,
        Type.GEOMETRY,
    )
)
_NO_BYTES = frozenset(Type) - _TWO_BYTES - _ONE_BYTE


class UnknownType(Exception):
    """A column type of a later server, whose values can't even be skipped."""


@dataclass(frozen=True, slots=True)
class LoggedColumn:
    """Attributes:
    type: as logged, ENUM and SET told apart from STRING.
    meta: what the type needs to be read: a maximum of bytes, digits, fractional digits; (precision, scale) as
        precision << 8 | scale.
    """

    type: Type
    meta: int


@dataclass(frozen=True, slots=True)
class TableMap:
    """Attributes:
    columns: of every column in order; UnknownType is told only when they are asked for.
    names: None where the server logs none (binlog_row_metadata other than FULL).
    """

    name: TableName
    columns: tuple[LoggedColumn, ...]
    names: tuple[str, ...] | None


def table_id(body: bytes) -> int:
    """Of a table map or rows event."""
    return int.from_bytes(body[:6], "little")


def table_name(body: bytes) -> tuple[TableName, int]:
    """The table, and the offset after it."""
    end = 9 + body[8]
    schema = body[9:end].decode()
    start = end + 2
    end = start + body[start - 1]
    return (schema, body[start:end].decode()), end + 1


def table_map(body: bytes) -> TableMap:
    """Raises UnknownType."""
    name, at = table_name(body)
    count, at = length_encoded(body, at)
    types = body[at : at + count]
    size, at = length_encoded(body, at + count)
    columns = _columns(types, body[at : at + size])
    return TableMap(name, columns, _names(body, at + size + (count + 7) // 8))


def _columns(types: bytes, meta: bytes) -> tuple[LoggedColumn, ...]:
    found = []
    at = 0
    for number in types:
        if number in _TWO_BYTES:
            found.append(_with_two(number, meta[at], meta[at + 1]))
            at += 2
        elif number in _ONE_BYTE:
            found.append(LoggedColumn(Type(number), meta[at]))
            at += 1
        elif number in _NO_BYTES:
            found.append(LoggedColumn(Type(number), 0))
        else:
            raise UnknownType(f"column {len(found) + 1} has the unknown type {number}")
    return tuple(found)


def _with_two(number: int, first: int, second: int) -> LoggedColumn:
    match number:
        case Type.STRING:
            # The type proper stands in the first byte, which also holds two bits of the length, inverted.
            if first in (Type.ENUM, Type.SET):
                return LoggedColumn(Type(first), second)
            return LoggedColumn(Type.STRING, second | ((first & 0x30) ^ 0x30) << 4)
        case Type.NEWDECIMAL:
            return LoggedColumn(Type.NEWDECIMAL, first << 8 | second)
        case Type.BIT:
            return LoggedColumn(Type.BIT, second * 8 + first)
        case Type.ENUM | Type.SET:
            return LoggedColumn(Type(number), second)
    return LoggedColumn(Type(number), second << 8 | first)


def _names(body: bytes, at: int) -> tuple[str, ...] | None:
    while at < len(body):
        kind = body[at]
        size, at = length_encoded(body, at + 1)
        if kind == _COLUMN_NAMES:
            found, end = [], at + size
            while at < end:
                length, at = length_encoded(body, at)
                found.append(body[at : at + length].decode())
                at += length
            return tuple(found)
        at += size
    return None
