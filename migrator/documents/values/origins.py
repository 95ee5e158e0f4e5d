"""The codec backwards, for keys: the texts that the server may have printed for a value in an `_id`.

The results are candidates. Every possible text is among them, except where `is_told` says otherwise; some may be wrong:
whoever asks converts each text again and keeps those that give the same bytes. Every text is one that a column of the
type could print, so that it can be used in a statement.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from struct import Struct
from struct import error as StructError
from zoneinfo import ZoneInfo

from bson.decimal128 import Decimal128

from migrator.documents.values.codec import ARRAY, STRING, Typed
from migrator.model.bson_elements import elements
from migrator.model.mapping.representation import Family, Kind, Representation
from migrator.model.schema.tables import Column

Origins = Callable[[Typed], Iterable[bytes]]

_int32 = Struct("<i").unpack
_int64 = Struct("<q").unpack
_double = Struct("<d").unpack
_float = Struct("<f")
_EPOCH = dt.datetime(1970, 1, 1)
_DAY = dt.timedelta(days=1)

_REAL = re.compile(rb"-?\d+(\.\d+)?(e[+-]?\d+)?")
# What a column of a family prints that is not any text.
_PRINTED: dict[Family, re.Pattern[bytes]] = {
    "integer": re.compile(rb"-?\d+"),
    "decimal": re.compile(rb"-?\d+(\.\d+)?"),
    "float": _REAL,
    "double": _REAL,
    "bit": re.compile(rb"\d+"),
    "date": re.compile(rb"\d{4}-\d\d-\d\d"),
    "datetime": re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?"),
    "time": re.compile(rb"-?\d+:\d\d:\d\d(\.\d+)?"),
    "year": re.compile(rb"\d{2}(\d\d)?"),
    "uuid": re.compile(rb"[0-9a-f-]{36}"),
    "inet": re.compile(rb"[0-9a-fA-F:.]+"),
}


def is_told(value: Representation) -> bool:
    """Whether `origins` leaves nothing out. Hex digits may be in any case and dashes of a UUID in any place, and one
    JSON value has endless texts."""
    return value.kind != "json" and (value.kind not in ("uuid", "objectid") or value.family in ("binary", "uuid"))


def origins(column: Column, value: Representation) -> Origins:
    """A function from the BSON of a key's value to texts of `column` that may have become it; () for other BSON."""
    made = _makers(column, value)

    def texts(typed: Typed) -> Iterable[bytes]:
        try:
            return tuple(made(typed))
        except (ValueError, OverflowError, StructError, IndexError):
            # A value that no row of this column becomes: a date in another type, a member that isn't there.
            return ()

    return texts


def _makers(column: Column, value: Representation) -> Origins:
    writers: dict[Kind, Callable[[Column, Representation, Typed], Iterable[bytes]]] = {
        "int32": _from_integer,
        "int64": _from_integer,
        "decimal128": _from_decimal,
        "double": _from_double,
        "float32": _from_double,
        "bool": lambda column, value, typed: [typed[1]],
        "string": _from_string,
        "binary": _from_binary,
        "uuid": _from_uuid,
        "objectid": _from_objectid,
        "date": _from_date,
        "microseconds": _from_microseconds,
        "array": _from_array,
    }
    write = writers.get(value.kind)
    return (lambda typed: ()) if write is None else (lambda typed: write(column, value, typed))


def _from_integer(column: Column, value: Representation, typed: Typed) -> Iterator[bytes]:
    payload = typed[1]
    (number,) = _int32(payload) if len(payload) == 4 else _int64(payload)
    yield from _integer_texts(column, value.family, number)


def _integer_texts(column: Column, family: Family, number: int) -> Iterator[bytes]:
    match family:
        case "bit":
            yield number.to_bytes(((column.length or 1) + 7) // 8, "big")
        case "enum":
            yield column.members[number - 1].encode() if number > 0 else b""
        case "year":
            yield b"%04d" % number
            yield b"%02d" % number
        case "decimal":
            yield from _decimal_texts(column, Decimal(number))
        case _:
            yield b"%d" % number


def _from_decimal(column: Column, value: Representation, typed: Typed) -> Iterator[bytes]:
    number = Decimal128.from_bid(typed[1]).to_decimal()
    if not number.is_finite():
        return
    if value.family == "decimal":
        yield from _decimal_texts(column, number)
    elif number == number.to_integral_value():
        yield from _integer_texts(column, value.family, int(number))


def _decimal_texts(column: Column, number: Decimal) -> Iterator[bytes]:
    """As DECIMAL prints it: with all its decimals, and the zeros in front if it is zerofill."""
    text = f"{number:.{column.scale or 0}f}"
    yield text.encode()
    if column.zerofill:
        yield text.zfill((column.precision or 0) + (1 if column.scale else 0)).encode()


def _from_double(column: Column, value: Representation, typed: Typed) -> Iterator[bytes]:
    yield from _real_texts(column, _double(typed[1])[0])


def _real_texts(column: Column, number: float) -> Iterator[bytes]:
    """A double with the digits that tell it from all others, in both notations: which one the server takes depends on
    the size of the number. FLOAT is selected as the double that it is."""
    if column.data_type == "float":
        (number,) = _float.unpack(_float.pack(number))
    exact = Decimal(repr(number))
    yield f"{exact:f}".removesuffix(".0").encode()
    sign, digits, _ = exact.as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    mantissa = f"{text[0]}.{text[1:]}" if len(text) > 1 else text
    yield f"{'-' if sign else ''}{mantissa}e{exact.adjusted()}".encode()


def _from_string(column: Column, value: Representation, typed: Typed) -> Iterator[bytes]:
    kind, payload = typed
    if kind != STRING:
        # Policy invalid_text: binary.
        yield from _from_binary(column, value, typed)
        return
    text = payload[4:-1]
    pattern = _PRINTED.get(value.family)
    if pattern is not None and not pattern.fullmatch(text):
        return
    match value.family:
        case "bit":
            yield from _integer_texts(column, "bit", int(text))
        case "float":
            yield from _real_texts(column, float(text))
        case "integer":
            # Keys are selected without the zeros of zerofill.
            yield b"%d" % int(text)
        case "enum":
            if not text or text.decode() in column.members:
                yield text
        case "set":
            if not text or set(text.decode().split(",")) <= set(column.members):
                yield text
        case _:
            yield text


def _from_binary(column: Column, value: Representation, typed: Typed) -> Iterator[bytes]:
    yield typed[1][5:]


def _from_uuid(column: Column, value: Representation, typed: Typed) -> Iterator[bytes]:
    raw = typed[1][5:]
    if value.family == "binary":
        yield raw
        return
    digits = raw.hex()
    dashed = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    yield dashed.encode()
    if value.family == "text":
        yield from (dashed.upper().encode(), digits.encode(), digits.upper().encode())


def _from_objectid(column: Column, value: Representation, typed: Typed) -> Iterator[bytes]:
    if value.family == "binary":
        yield typed[1]
    else:
        yield typed[1].hex().encode()
        yield typed[1].hex().upper().encode()


def _from_date(column: Column, value: Representation, typed: Typed) -> Iterator[bytes]:
    if typed[0] == STRING:
        # Policy zero_date: string.
        yield from _from_string(column, value, typed)
        return
    moment = _EPOCH + dt.timedelta(milliseconds=_int64(typed[1])[0])
    if column.data_type == "date":
        yield moment.date().isoformat().encode()
        return
    for local in _local_times(column, value, moment):
        text = local.isoformat(" ", "microseconds")
        yield (text[: 20 + column.fraction] if column.fraction else text[:19]).encode()


def _local_times(column: Column, value: Representation, moment: dt.datetime) -> Iterator[dt.datetime]:
    """What clocks may show at a moment: around a change of the clocks two times become one."""
    if column.data_type != "datetime" or value.policies.datetime_zone == "UTC":
        yield moment
        return
    zone = ZoneInfo(value.policies.datetime_zone)
    shifts = set()
    for near in (moment - _DAY, moment, moment + _DAY):
        try:
            shifts.add(zone.utcoffset(near))
        except OverflowError:
            continue
    yield from [moment + shift for shift in shifts if shift is not None]


def _from_microseconds(column: Column, value: Representation, typed: Typed) -> Iterator[bytes]:
    (number,) = _int64(typed[1])
    seconds, micros = divmod(abs(number), 1_000_000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    decimals = f".{micros:06}"[: 1 + column.fraction] if column.fraction else ""
    yield f"{'-' if number < 0 else ''}{clock}{decimals}".encode()


def _from_array(column: Column, value: Representation, typed: Typed) -> Iterator[bytes]:
    if typed[0] != ARRAY:
        return
    members = [one.payload[4:-1] for one in elements(typed[1]) if one.type == STRING]
    if {member.decode() for member in members} <= set(column.members):
        yield b",".join(members)
