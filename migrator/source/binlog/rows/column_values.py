"""Logged bytes of a column into the text that a SELECT in `migrator.source.rows.snapshot`' session prints for it.

One function per type family. The form is that of `model.mapping.row_layout.column_item`, so that keys from the log and
keys from a snapshot are the same bytes. What can't be had exactly is refused when a table is first seen, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from struct import Struct

from migrator.model.mapping.representation import family_of
from migrator.model.schema.tables import Column
from migrator.source.binlog.rows.number_text import decimal_text, double_text, fixed_text, inet6_text
from migrator.source.binlog.rows.table_map import LoggedColumn, Type
from migrator.source.sql.charsets import CODECS

# Takes a value's bytes without what tells their length.
Convert = Callable[[bytes], bytes]
# Of single-byte character sets: what each byte is in UTF-8, as the server has it.
Charsets = Mapping[str, tuple[bytes, ...]]

_RAW = frozenset(("utf8mb4", "utf8mb3", "utf8", "ascii", "binary"))
_INTEGERS = frozenset((Type.TINY, Type.SHORT, Type.INT24, Type.LONG, Type.LONGLONG))
_BYTES = frozenset(
    (Type.VARCHAR, Type.STRING, Type.VAR_STRING, Type.BLOB, Type.TINY_BLOB, Type.MEDIUM_BLOB, Type.LONG_BLOB)
)
_EPOCH = datetime(1970, 1, 1)
_FLOAT = Struct("<f").unpack
_DOUBLE = Struct("<d").unpack


class Undecodable(Exception):
    """The values of a column can't be had exactly from the log; the text says why."""


def converter(column: Column, logged: LoggedColumn, charsets: Charsets) -> Convert:
    """How the values of `column` are read.

    Raises:
        Undecodable: when they can't be, or `logged` is the type of another column.
    """
    family = family_of(column)
    make = _MAKERS.get(family or "")
    if make is None:
        raise Undecodable(f"a column of type {column.column_type} can't name documents")
    if logged.type not in _TYPES[family or ""]:
        raise Undecodable(f"it is {column.column_type} now and was logged as {logged.type.name}")
    return make(column, logged, charsets)


def refusal(column: Column, charsets: Charsets) -> str | None:
    """Why values of the column can't be had from any log, None when they can."""
    name = foreign_charset(column)
    if name is not None and name not in charsets:
        return f"text in the character set {name} can't be converted as the server does it"
    return None if family_of(column) in _MAKERS else f"a column of type {column.column_type} can't name documents"


def foreign_charset(column: Column) -> str | None:
    """The single-byte character set whose table `converter` needs for the column."""
    if family_of(column) != "text" or column.charset is None:
        return None
    return None if column.charset in _RAW or column.charset in CODECS else column.charset


def _integer(column: Column, _: LoggedColumn, __: Charsets) -> Convert:
    # Zeros in front (zerofill) are not printed: see model.mapping.row_layout.
    if column.unsigned:
        return lambda raw: b"%d" % int.from_bytes(raw, "little")
    return lambda raw: b"%d" % int.from_bytes(raw, "little", signed=True)


def _decimal(column: Column, logged: LoggedColumn, _: Charsets) -> Convert:
    precision, scale = logged.meta >> 8, logged.meta & 0xFF
    width = precision + (1 if scale else 0)
    if column.zerofill:
        return lambda raw: decimal_text(raw, precision, scale).rjust(width, b"0")
    return lambda raw: decimal_text(raw, precision, scale)


def _float(column: Column, _: LoggedColumn, __: Charsets) -> Convert:
    # Printed as a double (`+ 0e0`): the log has all of its bits, a bare SELECT rounds.
    if "(" in column.column_type:
        raise Undecodable(f"a column of type {column.column_type} is rounded when read")
    return lambda raw: double_text(_FLOAT(raw)[0] + 0.0)


def _double(column: Column, _: LoggedColumn, __: Charsets) -> Convert:
    if column.zerofill:
        raise Undecodable("a DOUBLE with ZEROFILL is printed with zeros in front")
    if "(" in column.column_type:
        decimals = int(column.column_type.partition(",")[2].partition(")")[0])
        return lambda raw: fixed_text(_DOUBLE(raw)[0], decimals)
    return lambda raw: double_text(_DOUBLE(raw)[0])


def _text(column: Column, logged: LoggedColumn, charsets: Charsets) -> Convert:
    charset = column.charset or "binary"
    if charset in _RAW:
        return bytes
    if charset in CODECS:
        codec = CODECS[charset]
        convert = _decoded(codec)
    elif charset in charsets:
        convert = _mapped(charsets[charset])
    else:
        raise Undecodable(refusal(column, charsets) or charset)
    if column.data_type == "char":
        return lambda raw: convert(raw).rstrip(b" ")
    return convert


def _decoded(codec: str) -> Convert:
    def convert(raw: bytes) -> bytes:
        try:
            return raw.decode(codec).encode()
        except UnicodeError:
            raise Undecodable(f"{raw[:40].hex()} is no text in {codec}") from None

    return convert


def _mapped(table: tuple[bytes, ...]) -> Convert:
    plain = all(table[byte] == bytes([byte]) for byte in range(128))

    def convert(raw: bytes) -> bytes:
        if plain and raw.isascii():
            return raw
        return b"".join([table[byte] for byte in raw])

    return convert


def _binary(column: Column, _: LoggedColumn, __: Charsets) -> Convert:
    if column.data_type != "binary":
        return bytes
    width = column.length or 0
    # The log leaves out zeros at the end (edge case 13).
    return lambda raw: raw.ljust(width, b"\0")


def _date(_: Column, __: LoggedColumn, ___: Charsets) -> Convert:
    def convert(raw: bytes) -> bytes:
        packed = int.from_bytes(raw, "little")
        return b"%04d-%02d-%02d" % (packed >> 9, packed >> 5 & 15, packed & 31)

    return convert


def _datetime(column: Column, logged: LoggedColumn, _: Charsets) -> Convert:
    match logged.type:
        case Type.DATETIME2:
            return _packed_datetime(logged.meta)
        case Type.TIMESTAMP2:
            return _timestamp(4, "big", logged.meta)
        case Type.TIMESTAMP if not column.fraction:
            return _timestamp(4, "little", 0)
        case Type.DATETIME if not column.fraction:
            return _old_datetime
    raise Undecodable("a fraction of a second in a format before MySQL 5.6; ALTER TABLE ... FORCE rewrites it")


def _packed_datetime(digits: int) -> Convert:
    def convert(raw: bytes) -> bytes:
        packed = int.from_bytes(raw[:5], "big") - 0x8000000000
        day, clock = packed >> 17, packed & 0x1FFFF
        year, month = divmod(day >> 5, 13)
        return b"%04d-%02d-%02d %02d:%02d:%02d%b" % (
            year,
            month,
            day & 31,
            clock >> 12,
            clock >> 6 & 63,
            clock & 63,
            _fraction(int.from_bytes(raw[5:], "big"), digits),
        )

    return convert


def _timestamp(width: int, order: str, digits: int) -> Convert:
    byte_order = "big" if order == "big" else "little"
    zero = b"0000-00-00 00:00:00" + _fraction(0, digits)

    def convert(raw: bytes) -> bytes:
        seconds = int.from_bytes(raw[:width], "big" if byte_order == "big" else "little")
        fraction = int.from_bytes(raw[width:], "big")
        if not seconds and not fraction:
            return zero
        moment = _EPOCH + timedelta(seconds=seconds)
        return moment.isoformat(" ").encode() + _fraction(fraction, digits)

    return convert


def _old_datetime(raw: bytes) -> bytes:
    digits = b"%014d" % int.from_bytes(raw, "little")
    return b"%b-%b-%b %b:%b:%b" % (digits[:4], digits[4:6], digits[6:8], digits[8:10], digits[10:12], digits[12:])


def _time(column: Column, logged: LoggedColumn, _: Charsets) -> Convert:
    if logged.type == Type.TIME2:
        return _packed_time(logged.meta)
    if column.fraction:
        raise Undecodable("a fraction of a second in a format before MySQL 5.6; ALTER TABLE ... FORCE rewrites it")
    return _old_time


def _packed_time(digits: int) -> Convert:
    bits = 8 * ((digits + 1) // 2)
    zero = 0x800000 << bits

    def convert(raw: bytes) -> bytes:
        # Whole and fraction are one number: of a negative time both are the complement.
        packed = int.from_bytes(raw, "big") - zero
        sign, packed = (b"-", -packed) if packed < 0 else (b"", packed)
        clock, fraction = packed >> bits, packed & (1 << bits) - 1
        return b"%b%02d:%02d:%02d%b" % (
            sign,
            clock >> 12 & 0x3FF,
            clock >> 6 & 63,
            clock & 63,
            _fraction(fraction, digits),
        )

    return convert


def _old_time(raw: bytes) -> bytes:
    number = int.from_bytes(raw, "little", signed=True)
    sign, number = (b"-", -number) if number < 0 else (b"", number)
    return b"%b%02d:%02d:%02d" % (sign, number // 10000, number // 100 % 100, number % 100)


def _fraction(value: int, digits: int) -> bytes:
    """Hundredths, ten-thousandths or millionths, printed to an odd number of digits too."""
    if not digits:
        return b""
    return b"." + (b"%0*d" % (digits + digits % 2, value))[:digits]


def _year(_: Column, __: LoggedColumn, ___: Charsets) -> Convert:
    return lambda raw: b"%d" % (1900 + raw[0]) if raw[0] else b"0000"


def _bit(_: Column, __: LoggedColumn, ___: Charsets) -> Convert:
    return bytes


def _enum(column: Column, _: LoggedColumn, __: Charsets) -> Convert:
    texts = [b"", *(member.encode() for member in column.members)]

    def convert(raw: bytes) -> bytes:
        return texts[int.from_bytes(raw, "little")]

    return convert


def _set(column: Column, _: LoggedColumn, __: Charsets) -> Convert:
    texts = [member.encode() for member in column.members]

    def convert(raw: bytes) -> bytes:
        bits = int.from_bytes(raw, "little")
        return b",".join([text for place, text in enumerate(texts) if bits >> place & 1])

    return convert


def _uuid(_: Column, __: LoggedColumn, ___: Charsets) -> Convert:
    def convert(raw: bytes) -> bytes:
        text = raw.ljust(16, b"\0").hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}".encode()

    return convert


def _inet(column: Column, _: LoggedColumn, __: Charsets) -> Convert:
    if column.data_type == "inet4":
        return lambda raw: str(IPv4Address(raw.ljust(4, b"\0"))).encode()
    return lambda raw: inet6_text(raw.ljust(16, b"\0"))


_MAKERS: dict[str, Callable[[Column, LoggedColumn, Charsets], Convert]] = {
    "integer": _integer,
    "decimal": _decimal,
    "float": _float,
    "double": _double,
    "text": _text,
    "binary": _binary,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "year": _year,
    "bit": _bit,
    "enum": _enum,
    "set": _set,
    "uuid": _uuid,
    "inet": _inet,
}
_TYPES: dict[str, frozenset[Type]] = {
    "integer": _INTEGERS,
    "decimal": frozenset((Type.NEWDECIMAL,)),
    "float": frozenset((Type.FLOAT,)),
    "double": frozenset((Type.DOUBLE,)),
    "text": _BYTES,
    "binary": _BYTES,
    "date": frozenset((Type.DATE, Type.NEWDATE)),
    "datetime": frozenset((Type.DATETIME2, Type.TIMESTAMP2, Type.DATETIME, Type.TIMESTAMP)),
    "time": frozenset((Type.TIME2, Type.TIME)),
    "year": frozenset((Type.YEAR,)),
    "bit": frozenset((Type.BIT,)),
    "enum": frozenset((Type.ENUM,)),
    "set": frozenset((Type.SET,)),
    "uuid": frozenset((Type.STRING,)),
    "inet": frozenset((Type.STRING,)),
}
