"""Numbers and names as a person reads them. Estimates begin with `~`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from migrator.model.plan.plan import Measure

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def number(value: int) -> str:
    """`12,345`."""
    return f"{value:,}"


def count(measure: Measure) -> str:
    """`12,345`, or `~12,345` for an estimate."""
    return number(measure.value) if measure.exact else f"~{number(measure.value)}"


def size(bytes_: int) -> str:
    """`812 bytes`, `1.2 MB`; decimal units."""
    amount = float(bytes_)
    for unit in _UNITS:
        if amount < 999.5 or unit == _UNITS[-1]:
            break
        amount /= 1000
    if unit == "bytes":
        return f"{bytes_} {'byte' if bytes_ == 1 else 'bytes'}"
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"


def limit_size(bytes_: int) -> str:
    """A limit as manuals state it: `16 MiB`."""
    return f"{bytes_ >> 20} MiB" if bytes_ % 2**20 == 0 else size(bytes_)


def measured_size(measure: Measure) -> str:
    """`1.2 MB`, or `~1.2 MB` for an estimate."""
    return size(measure.value) if measure.exact else f"~{size(measure.value)}"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds % 1 >= 0.05 else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(whole / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def plural(count_: int, one: str, many: str = "") -> str:
    """`1 document`, `2 documents`."""
    return f"{number(count_)} {one if count_ == 1 else many or one + 's'}"


def listed(names: Iterable[str], *, most: int = 5) -> str:
    """`a, b, c and 4 more`."""
    found = list(names)
    if len(found) <= most + 1:
        return ", ".join(found)
    return f"{', '.join(found[:most])} and {len(found) - most} more"


def clean(text: str) -> str:
    """`text` on one line and without anything that a terminal would obey: names and values come from the database."""
    return "".join(_visible(character) for character in " ".join(text.split("\n")))


def _visible(character: str) -> str:
    if character == "\t":
        return " "
    if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
