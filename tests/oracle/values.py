"""One MySQL value to one BSON value, by the table in docs/documents.md.

`selected` says how a value is asked for, `convert` what it becomes. Raw values are text; None is SQL NULL.
"""

from __future__ import annotations

import calendar
import datetime
import decimal
import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from bson import Binary, Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS

from tests.oracle.catalog import Column
from tests.oracle.geometry import geojson

INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext")
BINARIES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
GEOMETRIES = [
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geomcollection",
    "geometrycollection",
]
_EPOCH = datetime.datetime(1970, 1, 1)
_CODECS = {
    "utf8mb4": "utf-8",
    "utf8mb3": "utf-8",
    "utf8": "utf-8",
    "ascii": "ascii",
    "ucs2": "utf-16-be",
    "utf16": "utf-16-be",
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
}


class Reject(Exception):
    """The value has no place in a document."""


class Micros:
    """A date together with the whole fraction of its second."""

    def __init__(self, value: Any, micros: int | None) -> None:
        self.value = value
        self.micros = micros


def selected(column: Column, operand: str) -> str:
    """The SQL that gives `operand`, a value of `column`'s type, as text."""
    if column.type in TEXTS:
        return f"CONCAT(HEX(CAST({operand} AS BINARY)), ':', HEX(CONVERT({operand} USING utf8mb4)))"
    if column.type in BINARIES or column.type in GEOMETRIES or column.type == "vector":
        return f"HEX({operand})"
    if column.type in ("enum", "set", "bit"):
        return f"CAST(CAST({operand} AS UNSIGNED) AS CHAR)"
    if column.type == "float":
        return f"CAST({operand} + 0e0 AS CHAR)"
    if column.type == "double":
        # CAST writes 4.6e-15 where MySQL 9.7 prints 0.0000000000000046.
        return operand
    return f"CAST({operand} AS CHAR)"


def literal(column: Column, raw: str) -> str:
    """`raw` as SQL that equals the column's value."""
    if column.type in TEXTS:
        # No COLLATE: with it, MariaDB 10.11 and MySQL 9.7 take `k = 'abc' OR k = 'ABC'` for one condition.
        return f"_{column.charset} X'{raw.split(':')[0]}'"
    if column.type in BINARIES:
        return f"X'{raw}'"
    if column.type in (*INTEGERS, "decimal", "bit", "enum", "set"):
        return raw
    if column.type in ("float", "double"):
        return f"{float(raw)!r}" if "e" in repr(float(raw)) else f"{float(raw)!r}e0"
    return f"'{raw}'"


def printed(column: Column, raw: str) -> str:
    """The text MySQL prints."""
    if column.type in TEXTS:
        return decoded(column, raw)
    if column.type in BINARIES:
        return _utf8(bytes.fromhex(raw))
    if column.type == "enum":
        return _label(column, int(raw))
    if column.type == "set":
        return ",".join(_chosen(column, int(raw)))
    if column.type == "float":
        return f"{_shortest_float(float(raw))!r}".removesuffix(".0")
    return raw


def decoded(column: Column, raw: str) -> str:
    """Text by the column's character set."""
    stored, converted = (bytes.fromhex(part) for part in raw.split(":"))
    if column.charset == "latin1":
        return "".join(_cp1252(byte) for byte in stored)
    codec = _CODECS.get(column.charset or "")
    return stored.decode(codec) if codec else converted.decode("utf-8")


def convert(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    """The BSON value (a Micros where a companion field belongs to it), None for null.

    Raises:
        Reject: the value doesn't fit.
    """
    for types, function in _FAMILIES:
        if column.type in types:
            return function(column, kind, policies, raw)
    raise LookupError(f"the oracle doesn't know {column.type}")


# Numbers


def _integer(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    value = int(raw)
    if kind == "bool":
        return value != 0
    if kind == "string":
        return raw
    if kind == "double":
        return float(value)
    if kind == "decimal":
        return Decimal128(str(value))
    if column.type == "bigint" and column.unsigned:
        return _unsigned64(value, policies)
    if column.type == "bigint" or (column.type == "int" and column.unsigned) or kind == "long":
        return Int64(value)
    return value


def _unsigned64(value: int, policies: dict[str, Any]) -> Any:
    policy = policies.get("unsigned_overflow", "reject")
    if policy == "decimal":
        return Decimal128(str(value))
    if policy == "string":
        return str(value)
    if value > 2**63 - 1:
        raise Reject(f"{value} is above 2^63-1")
    return Int64(value)


def _decimal(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    if kind == "string":
        return raw
    if kind == "double":
        return float(raw)
    if kind == "long":
        whole, _, rest = raw.partition(".")
        if rest.strip("0") or not -(2**63) <= int(whole) < 2**63:
            raise Reject(f"{raw} is not a 64-bit whole number")
        return Int64(int(whole))
    if (column.precision or 0) > 34 and policies.get("big_decimal") == "string":
        return raw
    return _decimal128(raw)


def _decimal128(text: str) -> Decimal128:
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text):
        raise Reject(f"{text!r} is not a number")
    number = decimal.Context(prec=100).create_decimal(text)
    if len("".join(map(str, number.as_tuple().digits)).lstrip("0")) > 34:
        raise Reject(f"{text} has more than 34 digits")
    return Decimal128(number)


def _float(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    return printed(column, raw) if kind == "string" else _shortest_float(float(raw))


def _shortest_float(value: float) -> float:
    """The shortest decimal that is the same 32-bit float; of several the nearest, of two as near the even one."""
    if value == 0 or math.isinf(value) or math.isnan(value):
        return value
    exact = decimal.Decimal(value)
    for digits in range(1, 18):
        found = []
        for rounding in (decimal.ROUND_FLOOR, decimal.ROUND_CEILING):
            candidate = decimal.Context(prec=digits, rounding=rounding).create_decimal(exact)
            if _same_float32(float(candidate), value):
                found.append(candidate)
        if found:
            return float(min(found, key=lambda each: (abs(each - exact), each.as_tuple().digits[-1] % 2)))
    raise AssertionError(value)


def _same_float32(one: float, other: float) -> bool:
    try:
        return struct.pack("f", one) == struct.pack("f", other)
    except OverflowError:
        return False


def _double(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    return raw if kind == "string" else float(raw)


def _year(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    return raw if kind == "string" else int(raw)


def _bit(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    value, bits = int(raw), column.length or 1
    if kind == "binary":
        return Binary(value.to_bytes((bits + 7) // 8, "big"))
    if bits == 64:
        return _unsigned64(value, policies)
    if bits == 1 and kind != "long":
        return value == 1
    return Int64(value)


# Text and bytes


def _text(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    stored = bytes.fromhex(raw.split(":")[0])
    if kind == "binary":
        return Binary(stored)
    try:
        text = decoded(column, raw)
    except UnicodeDecodeError as error:
        if kind in (None, "string") and policies.get("invalid_text") == "binary":
            return Binary(stored)
        raise Reject(str(error)) from error
    if kind == "json":
        return _parsed(text, policies)
    if kind == "uuid":
        return _uuid_of_hex(text)
    if kind == "decimal":
        return _decimal128(text)
    if kind == "objectid":
        if not re.fullmatch("[0-9a-fA-F]{24}", text):
            raise Reject(f"{text!r} is no object id")
        return ObjectId(text)
    return text


def _cp1252(byte: int) -> str:
    """MySQL's latin1 is cp1252; its five empty places are the control characters of the same number."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


def _binary(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    stored = bytes.fromhex(raw)
    if kind == "string":
        try:
            return _utf8(stored)
        except Reject:
            if policies.get("invalid_text") == "binary":
                return Binary(stored)
            raise
    if kind == "json":
        return _parsed(_utf8(stored), policies)
    if kind == "uuid":
        return Binary(stored, 4) if len(stored) == 16 else _uuid_of_hex(_utf8(stored))
    if kind == "objectid":
        if len(stored) == 12:
            return ObjectId(stored)
        text = _utf8(stored)
        if not re.fullmatch("[0-9a-fA-F]{24}", text):
            raise Reject(f"{raw} is no object id")
        return ObjectId(text)
    return Binary(stored)


def _utf8(stored: bytes) -> str:
    try:
        return stored.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Reject(str(error)) from error


def _uuid_of_hex(text: str) -> Binary:
    if not re.fullmatch("[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise Reject(f"{text!r} is no UUID")
    return Binary(bytes.fromhex(text.replace("-", "")), 4)


def _uuid(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    return raw if kind == "string" else _uuid_of_hex(raw)


def _inet(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    return raw


def _vector(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    stored = bytes.fromhex(raw)
    # BSON vector: one byte for the element type (0x27 float32), one for unused bits.
    return Binary(stored) if kind == "binary" else Binary(b"\x27\x00" + stored, 9)


# Time


def _date(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    return raw if kind == "string" else _moment(raw, policies, None)


def _datetime(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    policy = policies.get("submillisecond", "truncate")
    fine = column.fraction > 3
    if kind == "string" or (fine and policy == "string"):
        return raw
    zone = policies.get("datetime_zone", "UTC") if column.type == "datetime" else None
    value = _moment(raw, policies, zone)
    if not fine:
        return value
    micros = int(raw.partition(".")[2].ljust(6, "0"))
    if policy == "companion":
        return Micros(value, None if value is None else micros)
    if policy == "reject" and micros % 1000 and isinstance(value, DatetimeMS):
        raise Reject(f"{raw} has more than milliseconds")
    return value


def _moment(raw: str, policies: dict[str, Any], zone: str | None) -> DatetimeMS | str | None:
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d+))?)?", raw)
    assert found, raw
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    if 0 in (year, month, day) or day > calendar.monthrange(year, month)[1]:
        policy = policies.get("zero_date", "reject")
        if policy == "reject":
            raise Reject(f"{raw} is not a date")
        return raw if policy == "string" else None
    local = datetime.datetime(year, month, day, hour, minute, second)
    since = local - _EPOCH
    if zone:
        offset = ZoneInfo(zone).utcoffset(local)
        assert offset is not None
        since -= offset
    micros = int((found[7] or "").ljust(6, "0"))
    return DatetimeMS((since.days * 86400 + since.seconds) * 1000 + since.microseconds // 1000 + micros // 1000)


def _time(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    if kind != "microseconds":
        return raw
    hours, minutes, seconds = raw.lstrip("-").split(":")
    whole, _, fraction = seconds.partition(".")
    total = ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 1_000_000 + int(fraction.ljust(6, "0"))
    return Int64(-total if raw.startswith("-") else total)


# Lists and structures


def _label(column: Column, index: int) -> str:
    return column.members[index - 1] if index else ""


def _enum(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    return int(raw) if kind == "int" else _label(column, int(raw))


def _chosen(column: Column, bits: int) -> list[str]:
    return [member for number, member in enumerate(column.members) if bits >> number & 1]


def _set(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    return printed(column, raw) if kind == "string" else _chosen(column, int(raw))


def _json(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    return raw if kind == "string" else _parsed(raw, policies)


def _parsed(text: str, policies: dict[str, Any]) -> Any:
    def refuse(constant: str) -> Any:
        raise Reject(f"{constant} is not JSON")

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for name, _ in pairs:
            check_name(name, policies)
        return dict(pairs)

    def double(number: str) -> float:
        if abs(float(number)) == float("inf"):
            raise Reject(f"{number} is beyond any double")
        return float(number)

    try:
        return json.loads(
            text, parse_int=_json_integer, parse_float=double, parse_constant=refuse, object_pairs_hook=members
        )
    except ValueError as error:
        raise Reject(str(error)) from error


def check_name(name: str, policies: dict[str, Any]) -> None:
    """A name that came from the data."""
    if policies.get("json_keys") == "reject" and ("." in name or name.startswith("$")):
        raise Reject(f"the key {name!r}")


def _json_integer(text: str) -> Any:
    value = int(text)
    if -(2**31) <= value < 2**31:
        return value
    return Int64(value) if -(2**63) <= value < 2**63 else float(value)


def _geometry(column: Column, kind: str | None, policies: dict[str, Any], raw: str) -> Any:
    stored = bytes.fromhex(raw)
    if kind == "binary":
        return Binary(stored)
    srid = int.from_bytes(stored[:4], "little")
    positions: list[list[float]] = []
    shape, end = geojson(stored, 4, positions)
    assert end == len(stored), raw
    if srid in (0, 4326) and all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in positions):
        return shape
    return {"srid": srid, "wkb": Binary(stored[4:])}


_FAMILIES: list[tuple[Any, Callable[[Column, str | None, dict[str, Any], str], Any]]] = [
    (INTEGERS, _integer),
    (("decimal",), _decimal),
    (("float",), _float),
    (("double",), _double),
    (TEXTS, _text),
    (BINARIES, _binary),
    (("date",), _date),
    (("datetime", "timestamp"), _datetime),
    (("time",), _time),
    (("year",), _year),
    (("bit",), _bit),
    (("enum",), _enum),
    (("set",), _set),
    (("json",), _json),
    (GEOMETRIES, _geometry),
    (("uuid",), _uuid),
    (("inet4", "inet6"), _inet),
    (("vector",), _vector),
]
