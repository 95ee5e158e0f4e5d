"""Integers, decimals, floats, BIT and YEAR."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from struct import Struct

from migrator.documents.values.codec import BOOL, DECIMAL128, DOUBLE, INT32, INT64, Codec, Misfit, fixed
from migrator.model.mapping.representation import DECIMAL128_DIGITS, Representation
from migrator.model.schema.tables import Column

pack_int32 = Struct("<i").pack
pack_int64 = Struct("<q").pack
pack_double = Struct("<d").pack
_pack_float = Struct("<f")
_pack_two = Struct("<QQ").pack

_INT64_MAX = 2**63 - 1
# IEEE 754-2008 decimal128 in the binary integer encoding that BSON uses: exponent biased by 6176 above 113 bits.
_BIAS = 6176
_SIGN = 1 << 63
_LOW = 2**64 - 1
_LARGEST = 10**DECIMAL128_DIGITS
_MAX_EXPONENT = 6111


def _integer(column: Column) -> tuple[str, dict[str, object]]:
    """How the integer in a column's text is read, as an expression."""
    if column.data_type == "bit":
        return "from_bytes({v}, 'big')", {"from_bytes": int.from_bytes}
    return "int({v})", {"int": int}


def int32(column: Column, value: Representation) -> Codec:
    def payload(raw: bytes) -> bytes:
        return pack_int32(int(raw))

    return fixed(INT32, payload, "pack_int32(int({v}))", pack_int32=pack_int32, int=int)


def int64(column: Column, value: Representation) -> Codec:
    if value.family == "decimal":
        return fixed(INT64, _whole_decimal)
    bits = column.data_type == "bit"

    def payload(raw: bytes) -> bytes:
        number = int.from_bytes(raw, "big") if bits else int(raw)
        if number > _INT64_MAX:
            raise Misfit(
                "is above 2^63-1, BSON's largest integer; policy unsigned_overflow: decimal or string allows it"
            )
        return pack_int64(number)

    expression, names = _integer(column)
    return fixed(INT64, payload, f"pack_int64({expression})", pack_int64=pack_int64, **names)


def _whole_decimal(raw: bytes) -> bytes:
    whole, _, decimals = raw.partition(b".")
    if decimals.strip(b"0"):
        raise Misfit("has decimals, which `type: long` can't hold; use `type: decimal`")
    number = int(whole)
    if not -_INT64_MAX - 1 <= number <= _INT64_MAX:
        raise Misfit("doesn't fit 64 bits; use `type: decimal`")
    return pack_int64(number)


def double(column: Column, value: Representation) -> Codec:
    def payload(raw: bytes) -> bytes:
        return pack_double(float(raw))

    return fixed(DOUBLE, payload, "pack_double(float({v}))", pack_double=pack_double, float=float)


def float32(column: Column, value: Representation) -> Codec:
    return fixed(DOUBLE, lambda raw: pack_double(shortest_float32(float(raw))))


def shortest_float32(wide: float) -> float:
    """The double with the fewest decimal digits that is still the same 32-bit float: 0.1 for 0.10000000149011612.

    Nine digits tell any two 32-bit floats apart (IEEE 754-2008, 5.12.2).
    """
    target = _pack_float.pack(wide)
    for digits in range(1, 9):
        short = float(f"{wide:.{digits}g}")
        try:
            if _pack_float.pack(short) == target:
                return short
        except OverflowError:
            continue
    return float(f"{wide:.9g}")


def boolean(column: Column, value: Representation) -> Codec:
    expression, names = _integer(column)
    bits = column.data_type == "bit"

    def payload(raw: bytes) -> bytes:
        return b"\x01" if (int.from_bytes(raw, "big") if bits else int(raw)) else b"\x00"

    return fixed(BOOL, payload, f"(b'\\x01' if {expression} else b'\\x00')", **names)


def decimal128(column: Column, value: Representation) -> Codec:
    if value.family == "text":
        return fixed(DECIMAL128, _decimal_from_text)
    if value.family == "bit":
        return fixed(DECIMAL128, lambda raw: _decimal128(int.from_bytes(raw, "big"), 0))
    scale = column.scale or 0 if value.family == "decimal" else 0
    # Up to 19 digits fit the low 64 bits, whose high half is then a constant (edge case 2).
    high = (_BIAS - scale) << 49
    digits = column.precision if value.family == "decimal" else 19
    if digits is not None and digits <= 19:

        def short(raw: bytes) -> bytes:
            number = int(raw.replace(b".", b""))
            return _pack_two(number, high) if number >= 0 else _pack_two(-number, high | _SIGN)

        if not (value.family == "integer" and column.unsigned):
            inline = (
                f"(pack_two(n, {high}) if (n := int({{v}}.replace(b'.', b''))) >= 0 else pack_two(-n, {high | _SIGN}))"
            )
            return fixed(DECIMAL128, short, inline, pack_two=_pack_two, int=int)
    return fixed(DECIMAL128, lambda raw: _decimal128(int(raw.replace(b".", b"")), scale))


def _decimal128(number: int, scale: int) -> bytes:
    sign = 0 if number >= 0 else _SIGN
    number = abs(number)
    while number >= _LARGEST and number % 10 == 0 and scale > 0:
        # Trailing zeros are no digits of the value.
        number, scale = number // 10, scale - 1
    if number >= _LARGEST:
        raise Misfit("has more than the 34 digits of Decimal128; policy big_decimal: string allows it")
    return _pack_two(number & _LOW, sign | (_BIAS - scale) << 49 | number >> 64)


def _decimal_from_text(raw: bytes) -> bytes:
    try:
        number = Decimal(raw.decode("ascii").strip())
    except (InvalidOperation, UnicodeDecodeError):
        raise Misfit("is not a decimal number") from None
    if not number.is_finite():
        raise Misfit("is not a finite decimal number")
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    unscaled = int("".join(map(str, digits)))
    while exponent > _MAX_EXPONENT and unscaled < _LARGEST:
        unscaled, exponent = unscaled * 10, exponent - 1
    if unscaled >= _LARGEST or not -_BIAS <= exponent <= _MAX_EXPONENT:
        raise Misfit("doesn't fit Decimal128 (34 digits)")
    return _pack_two(unscaled & _LOW, (_SIGN if sign else 0) | (_BIAS + exponent) << 49 | unscaled >> 64)
