"""Numbers and addresses as the server prints them. Pure."""

from __future__ import annotations

import re
import socket

_ZERO_GROUP = re.compile(r"(?:^|:)0(?::|$)")
_DIGITS_TO_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)  # nine decimal digits are four bytes
_PLAIN_DIGITS = 15  # beyond so many places before or after the point the server writes an exponent


def double_text(value: float) -> bytes:
    """The shortest decimal that reads back as `value`, in the server's notation (my_gcvt in its strings/dtoa.cc)."""
    if value == 0:
        return b"-0" if str(value)[0] == "-" else b"0"
    sign, mantissa = ("-", repr(-value)) if value < 0 else ("", repr(value))
    mantissa, _, exponent = mantissa.partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    # 0.digits * 10 ** point
    point = len(whole) - leading + int(exponent or 0)
    digits = digits.rstrip("0")
    # With a fraction, one place more stands before the point.
    if -_PLAIN_DIGITS < point <= _PLAIN_DIGITS + (len(digits) > point):
        if point <= 0:
            text = "0." + "0" * -point + digits
        elif point >= len(digits):
            text = digits + "0" * (point - len(digits))
        else:
            text = f"{digits[:point]}.{digits[point:]}"
    else:
        text = f"{digits[0]}{'.' if len(digits) > 1 else ''}{digits[1:]}e{point - 1}"
    return (sign + text).encode()


def fixed_text(value: float, decimals: int) -> bytes:
    """A DOUBLE(M, D): always D decimals."""
    return f"{value:.{decimals}f}".encode()


def decimal_bytes(precision: int, scale: int) -> int:
    """How many bytes a DECIMAL takes."""
    whole = precision - scale
    return whole // 9 * 4 + _DIGITS_TO_BYTES[whole % 9] + scale // 9 * 4 + _DIGITS_TO_BYTES[scale % 9]


def decimal_text(raw: bytes, precision: int, scale: int) -> bytes:
    """A packed DECIMAL: groups of nine digits in four bytes, fewer at both ends; the first bit is set unless negative.

    https://dev.mysql.com/doc/dev/mysql-server/latest/strings_2decimal_8h.html
    """
    negative = not raw[0] & 0x80
    number = int.from_bytes(raw, "big") ^ 1 << 8 * len(raw) - 1
    if negative:
        number ^= (1 << 8 * len(raw)) - 1
    data = number.to_bytes(len(raw), "big")
    whole = precision - scale
    groups = [whole % 9] + [9] * (whole // 9)
    at, digits = 0, ""
    for count in groups:
        digits, at = _group(digits, data, at, count)
    head = digits.lstrip("0") or "0"
    tail = ""
    for count in [9] * (scale // 9) + [scale % 9]:
        tail, at = _group(tail, data, at, count)
    text = f"{head}.{tail}" if scale else head
    return (f"-{text}" if negative else text).encode()


def _group(digits: str, data: bytes, at: int, count: int) -> tuple[str, int]:
    if not count:
        return digits, at
    end = at + _DIGITS_TO_BYTES[count]
    return f"{digits}{int.from_bytes(data[at:end], 'big'):0{count}d}", end


def inet6_text(raw: bytes) -> bytes:
    """MariaDB's INET6: the longest run of zero groups is left out, the first of several; IPv4 inside it as IPv4."""
    text = socket.inet_ntop(socket.AF_INET6, raw)
    if "::" not in text:
        # Unlike the standard, a single group is a run too.
        text = _ZERO_GROUP.sub("::", text, count=1)
    return text.encode()
