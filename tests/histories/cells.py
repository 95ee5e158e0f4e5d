"""SQL of a random value for a column. Few different values, so that rows collide, join and change back."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.oracle.catalog import Column
from tests.oracle.values import BINARIES, INTEGERS, TEXTS

_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_WORDS = ("a", "A", "ab", "Ab", "b", "B", "c", "red", "Red", "x1", "x2", "zz")
# '?' is what a character becomes where it is lost.
_LATIN = ("é", "ä", "ß", "E", "naïf", "?", "y", "ü", "u")
_WIDE = ("á", "Á", "日本", "ā", "😀", "a😀")
_CHINESE = ("é", "日本", "?")
_DAYS = ("2023-12-31", "2024-02-29", "2024-03-31", "1970-01-02", "2037-12-31", "2000-01-01")
_TIMES = ("00:00:00", "02:30:00", "12:34:56", "23:59:59")
_JSONS = ("{}", "null", '{"a": 1, "b": {"c": [true, null, 1.5]}}', '{"size.cm": 12, "$x": "y"}', "[1, 2147483648]")
_BEYOND_ASCII = {
    "latin1": _LATIN,
    "utf8mb3": (*_LATIN, *_WIDE[:4]),
    "utf8mb4": (*_LATIN, *_WIDE),
    "gbk": _CHINESE,
}


def cell(rng: random.Random, column: Column, *, rare: bool) -> str:
    """SQL of a value; never NULL.

    Args:
        rare: the values of a unique column: many different ones.
    """
    kind = column.type
    if kind in INTEGERS:
        return _integer(rng, column, rare)
    if kind in TEXTS:
        return quoted(_text(rng, column, rare))
    if kind in BINARIES:
        return _bytes(rng, column, rare)
    return _OTHERS[kind](rng, column, rare)


def quoted(text: str) -> str:
    """A string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def spare(column: Column) -> str | None:
    """SQL of a value that `cell` never makes; None where there is none."""
    if column.type in INTEGERS:
        return str(2 ** (_BITS[column.type] - (0 if column.unsigned else 1)) - 3)
    if column.type in TEXTS:
        return quoted("~~"[: column.length or 2])
    if column.type in BINARIES:
        return f"X'{'FE' * (column.length or 1)}'"
    if column.type == "decimal":
        return "7" * ((column.precision or 10) - column.fraction)
    return {"date": "'2099-09-09'", "datetime": "'2099-09-09 09:09:09'"}.get(column.type)


def _integer(rng: random.Random, column: Column, rare: bool) -> str:
    if rare:
        return str(rng.randint(1, 100))
    bits = _BITS[column.type]
    if rng.random() < 0.04:
        low, high = (0, 2**bits - 1) if column.unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return str(rng.choice((low, high)))
    return str(rng.randint(0, 6))


def _text(rng: random.Random, column: Column, rare: bool) -> str:
    word = rng.choice((*_WORDS, *_BEYOND_ASCII.get(column.charset or "", ())))
    if rare:
        word += str(rng.randint(0, 99)) if rng.random() < 0.8 else ""
        if rng.random() < 0.2:
            word = rng.choice((word.upper(), word.lower()))
    if rng.random() < 0.05 and column.type != "char":
        word += " "
    if column.type == "char" and rare and (column.length or 0) > 8:
        word = str(rng.randint(10**7, 10**8))
    return word[: column.length or 8]


def _bytes(rng: random.Random, column: Column, rare: bool) -> str:
    if column.type == "binary":
        # Trailing zeros: the log leaves them out.
        head = bytes([rng.randint(0, 60) if rare else rng.randint(0, 3)])
        tail = rng.choice((b"", b"\x20", b"\xff"))
        return f"X'{(head + tail).ljust(column.length or 1, bytes(1)).hex()}'"
    return f"X'{rng.randbytes(rng.randint(0, 3)).hex()}'"


def _decimal(rng: random.Random, column: Column, rare: bool) -> str:
    digits, scale = column.precision or 10, int(column.full_type.split(",")[1].split(")")[0])
    if rare:
        return f"{rng.randint(1, 30)}.{rng.choice(('0', '5', '25', '125'))}"
    if rng.random() < 0.05:
        return "-" + "9" * (digits - scale) + "." + "9" * scale
    return rng.choice(("0", "1", "-1.5", "12.25", "9.99"))


def _real(rng: random.Random, column: Column, rare: bool) -> str:
    return rng.choice(("0", "0.1", "-2.5", "1e10", "3"))


def _date(rng: random.Random, column: Column, rare: bool) -> str:
    odd = rng.random()
    if odd < 0.02:
        return "'0000-00-00'"
    return "'2024-05-00'" if odd < 0.03 else f"'{rng.choice(_DAYS)}'"


def _datetime(rng: random.Random, column: Column, rare: bool) -> str:
    if rng.random() < 0.02 and not rare:
        return "'0000-00-00 00:00:00'"
    text = f"{rng.choice(_DAYS)} {rng.choice(_TIMES)}"
    if column.fraction:
        text += rng.choice(("", ".5", ".123", ".123456", ".123999")) if not rare else f".{rng.randint(0, 999999):06}"
    return f"'{text}'"


def _time(rng: random.Random, column: Column, rare: bool) -> str:
    return rng.choice(("'-03:00:00'", "'05:30:00'", "'36:15:00.25'", "'838:59:59'", "'00:00:00'"))


def _year(rng: random.Random, column: Column, rare: bool) -> str:
    return rng.choice(("0", "1901", "1999", "2024", "2155"))


def _bit(rng: random.Random, column: Column, rare: bool) -> str:
    return f"b'{rng.getrandbits(column.length or 1):b}'"


def _enum(rng: random.Random, column: Column, rare: bool) -> str:
    return quoted(rng.choice(column.members))


def _set(rng: random.Random, column: Column, rare: bool) -> str:
    return quoted(",".join(rng.sample(column.members, rng.randint(0, len(column.members)))))


def _json(rng: random.Random, column: Column, rare: bool) -> str:
    return quoted(rng.choice(_JSONS))


def _point(rng: random.Random, column: Column, rare: bool) -> str:
    return f"ST_GeomFromText('POINT({rng.randint(-10, 10)} {rng.randint(40, 60)})')"


def _polygon(rng: random.Random, column: Column, rare: bool) -> str:
    side = rng.randint(1, 5)
    return f"ST_GeomFromText('POLYGON((0 0, {side} 0, {side} {side}, 0 {side}, 0 0))')"


_OTHERS: dict[str, Callable[[random.Random, Column, bool], str]] = {
    "decimal": _decimal,
    "float": _real,
    "double": _real,
    "date": _date,
    "datetime": _datetime,
    "timestamp": _datetime,
    "time": _time,
    "year": _year,
    "bit": _bit,
    "enum": _enum,
    "set": _set,
    "json": _json,
    "point": _point,
    "polygon": _polygon,
}
