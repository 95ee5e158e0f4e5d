"""Dates, times and durations.

MySQL has dates that no calendar has: '0000-00-00', '2024-00-10', and with ALLOW_INVALID_DATES '2024-02-31'
(MySQL 9 manual, 13.2.2). Policy zero_date applies to all of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from zoneinfo import ZoneInfo

from migrator.documents.values.codec import DATE, INT32, INT64, STRING, Codec, Misfit, Typed, fixed
from migrator.documents.values.numbers import pack_int32, pack_int64
from migrator.documents.values.text import string_payload
from migrator.model.mapping.representation import Representation
from migrator.model.schema.tables import Column

_DAY = 86_400_000
_EPOCH = dt.date(1970, 1, 1).toordinal()


class _NoDate(ValueError):
    """Not a day of the calendar."""


@lru_cache(1 << 16)
def _day(text: bytes) -> int:
    """Milliseconds from the epoch to `YYYY-MM-DD`."""
    try:
        return (dt.date(int(text[:4]), int(text[5:7]), int(text[8:10])).toordinal() - _EPOCH) * _DAY
    except ValueError:
        raise _NoDate from None


@lru_cache(1 << 17)
def _clock(text: bytes) -> int:
    """Milliseconds from midnight to `HH:MM:SS`; empty for DATE."""
    if not text:
        return 0
    return (int(text[:2]) * 3600 + int(text[3:5]) * 60 + int(text[6:8])) * 1000


def _utc(raw: bytes) -> int:
    return _day(raw[:10]) + _clock(raw[11:19])


def _in_zone(zone: ZoneInfo) -> Callable[[bytes], int]:
    @lru_cache(1 << 16)
    def offset(hour: bytes, minute: int) -> int:
        # Clocks change at whole minutes. Of a time that occurs twice the first is meant (PEP 495, fold=0).
        local = dt.datetime(int(hour[:4]), int(hour[5:7]), int(hour[8:10]), int(hour[11:13]), minute)
        shift = zone.utcoffset(local)
        return 0 if shift is None else shift // dt.timedelta(milliseconds=1)

    return lambda raw: _utc(raw) - offset(raw[:13], int(raw[14:16]))


def date(column: Column, value: Representation) -> Codec:
    zoned = column.data_type == "datetime" and value.policies.datetime_zone != "UTC"
    seconds = _in_zone(ZoneInfo(value.policies.datetime_zone)) if zoned else _utc
    digits = column.fraction or 0
    strict = digits > 3 and value.policies.submillisecond == "reject"

    def milliseconds(raw: bytes) -> int:
        if not digits:
            return seconds(raw)
        if strict and raw[23:].strip(b"0"):
            raise Misfit("has microseconds; policy submillisecond: truncate, string or companion allows it")
        return seconds(raw) + int(raw[20:23].ljust(3, b"0"))

    zero_date = value.policies.zero_date

    def payload(raw: bytes) -> bytes:
        try:
            return pack_int64(milliseconds(raw))
        except _NoDate:
            raise Misfit("is not a day of the calendar; policy zero_date: null or string allows it") from None

    inline, names = _inline(column, plain=not zoned and not strict)
    if zero_date == "reject":
        return fixed(DATE, payload, inline, **names)

    def convert(raw: bytes) -> Typed | None:
        try:
            return DATE, pack_int64(milliseconds(raw))
        except _NoDate:
            return (STRING, string_payload(raw)) if zero_date == "string" else None

    if not inline:
        return Codec(convert)
    return Codec(convert, DATE, inline, names)


def _inline(column: Column, *, plain: bool) -> tuple[str, dict[str, object]]:
    """The expression for what most columns are: no zone, no decimals or at least three."""
    digits = column.fraction or 0
    if not plain or digits in (1, 2):
        return "", {}
    names: dict[str, object] = {"pack_int64": pack_int64, "day": _day}
    if column.data_type == "date":
        return "pack_int64(day({v}))", names
    milliseconds = " + int({v}[20:23])" if digits else ""
    return f"pack_int64(day({{v}}[:10]) + clock({{v}}[11:19]){milliseconds})", {**names, "clock": _clock, "int": int}


def fraction(column: Column, value: Representation) -> Codec:
    """The microseconds (0 to 999999) of a DATETIME or TIMESTAMP; NULL where the date itself becomes NULL."""
    null_dates = value.policies.zero_date == "null"

    def convert(raw: bytes) -> Typed | None:
        if null_dates:
            try:
                _day(raw[:10])
            except _NoDate:
                return None
        return INT32, pack_int32(int(raw[20:26].ljust(6, b"0")))

    return Codec(convert)


def microseconds(column: Column, value: Representation) -> Codec:
    return fixed(INT64, _duration)


def _duration(raw: bytes) -> bytes:
    """TIME, -838:59:59 to 838:59:59: a length of time, not a time of day (edge case 5)."""
    sign, text = (-1, raw[1:]) if raw[:1] == b"-" else (1, raw)
    clock, _, decimals = text.partition(b".")
    hours, minutes, seconds = clock.split(b":")
    whole = (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1_000_000
    return pack_int64(sign * (whole + int(decimals.ljust(6, b"0") or b"0")))
