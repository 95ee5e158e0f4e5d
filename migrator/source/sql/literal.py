"""Values of keys as SQL literals. Every value is checked or written as hex, so none can end a statement.

Literals are used rather than parameters since the bulk driver has no server-side ones worth having for long lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from migrator.errors import SourceError
from migrator.model.mapping.representation import family_of
from migrator.model.schema.tables import Column

_DECIMAL = re.compile(rb"-?\d+(\.\d+)?")
_REAL = re.compile(rb"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)
_TIME = re.compile(rb"-?[0-9: .-]+")
_ADDRESS = re.compile(rb"[0-9a-fA-F:.-]+")
_HARMLESS = re.compile(r"[ -&(-\[\]-~]*")  # printable ASCII but ' and \


def key_literal(column: Column, value: bytes) -> str:
    """`value`, as the server printed it for `column`, as a literal that compares and sorts like the column's value.

    Raises:
        SourceError: when the server can't have printed that.
    """
    family = family_of(column)
    write = _WRITERS.get(family or "")
    if write is None:
        raise SourceError(f"a column of type {column.column_type} can't be part of a key", where=column.name)
    try:
        return write(column, value)
    except ValueError:
        raise SourceError(
            f"{value[:100]!r} is not a value of type {column.column_type}",
            where=column.name,
            hint="The table may have changed since the plan was made: make a new plan.",
        ) from None


def text_literal(text: str) -> str:
    """Any text as a literal in utf8mb4, readable where it is plain."""
    if _HARMLESS.fullmatch(text):
        return f"'{text}'"
    return f"_utf8mb4 x'{text.encode().hex()}'"


def _integer(_: Column, value: bytes) -> str:
    return str(int(value))  # zeros in front go, a sign stays


def _decimal(_: Column, value: bytes) -> str:
    return _checked(_DECIMAL, value)


def _real(_: Column, value: bytes) -> str:
    text = _checked(_REAL, value)
    return text if "e" in text.lower() else f"{text}e0"  # 0.1 alone would be a DECIMAL


def _temporal(_: Column, value: bytes) -> str:
    return f"'{_checked(_TIME, value)}'"


def _address(_: Column, value: bytes) -> str:
    return f"'{_checked(_ADDRESS, value)}'"


def _bit(_: Column, value: bytes) -> str:
    return str(int.from_bytes(value, "big"))


def _binary(_: Column, value: bytes) -> str:
    return f"x'{value.hex()}'"


def _text(_: Column, value: bytes) -> str:
    return text_literal(value.decode())


def _enum(column: Column, value: bytes) -> str:
    """ENUM sorts by its index, and compares so with a number; with text it would compare by the collation."""
    text = value.decode()
    if not text and text not in column.members:
        return "0"
    return str(column.members.index(text) + 1)


def _set(column: Column, value: bytes) -> str:
    """SET is a number, one bit a member."""
    return str(sum(1 << column.members.index(member) for member in value.decode().split(",") if member))


def _checked(pattern: re.Pattern[bytes], value: bytes) -> str:
    if not pattern.fullmatch(value):
        raise ValueError
    return value.decode()


_WRITERS: dict[str, Callable[[Column, bytes], str]] = {
    "integer": _integer,
    "decimal": _decimal,
    "float": _real,
    "double": _real,
    "date": _temporal,
    "datetime": _temporal,
    "time": _temporal,
    "year": _temporal,
    "uuid": _address,
    "inet": _address,
    "bit": _bit,
    "binary": _binary,
    "text": _text,
    "enum": _enum,
    "set": _set,
}
