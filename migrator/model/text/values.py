"""Values of the source as a person reads them: in records of rejected documents, in messages."""

from __future__ import annotations

from collections.abc import Sequence


def key_text(values: Sequence[bytes | None]) -> str:
    """Key values as a person reads them."""
    return ", ".join("NULL" if value is None else printable(value) for value in values)


def printable(value: bytes) -> str:
    """Text as it is, other bytes as hex, at most 200 characters."""
    try:
        text = value.decode()
        if not text.isprintable():
            text = repr(text)[1:-1]
    except UnicodeDecodeError:
        text = "0x" + value.hex()
    return text if len(text) <= 200 else text[:197] + "..."
