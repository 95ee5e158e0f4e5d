"""Values between BSON and Python: one codec a type, exact in both directions.

`decode` takes what pymongo returns under `OPTIONS`, `encode` gives what pymongo turns into the very BSON type that the
migration wrote (an int64 column stays int64 whatever the number). A value of another type is an error with its place,
never guessed at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from bson import CodecOptions
from bson.binary import Binary, UuidRepresentation
from bson.codec_options import DatetimeConversion
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId

from .errors import MalformedDocument

T = TypeVar("T")
U = TypeVar("U")
L = TypeVar("L", bound=str)

Document = dict[str, Any]
"""A document as pymongo reads and writes it."""

OPTIONS: CodecOptions[Document] = CodecOptions(
    tz_aware=True,
    uuid_representation=UuidRepresentation.STANDARD,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
"""How collections are opened. Dates outside Python's years arrive as DatetimeMS, which no codec takes for a date."""


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """One type of value.

    Attributes:
        name: for messages.
        stored: Python types that pymongo returns for it.
        given: Python types that an application may give.
        decode: from a stored value.
        encode: to a stored value.
    """

    name: str
    stored: tuple[type, ...]
    given: tuple[type, ...]
    decode: Callable[[Any], T]
    encode: Callable[[T], Any]

    def read(self, value: Any, place: str) -> T:
        """The value that is stored at `place`. Raises MalformedDocument."""
        if not _is(value, self.stored):
            raise MalformedDocument(f"{place} holds {_kind(value)} where {self.name} is expected")
        try:
            return self.decode(value)
        except (ValueError, MalformedDocument) as error:
            raise MalformedDocument(f"{place}: {error}") from None

    def write(self, value: T, place: str) -> Any:
        """What is stored for `value` at `place`. Raises MalformedDocument."""
        if not _is(value, self.given):
            raise MalformedDocument(f"{place} is given {_kind(value)} where {self.name} is expected")
        try:
            return self.encode(value)
        except MalformedDocument as error:
            raise MalformedDocument(f"{place}: {error}") from None
        except (ValueError, ArithmeticError) as error:
            raise MalformedDocument(f"{place}: {value!r} does not fit {self.name}: {error}") from None


class Part(Protocol):
    """A sub-document's class."""

    @classmethod
    def from_document(cls, document: Document) -> Any: ...

    def to_document(self) -> Document: ...


P = TypeVar("P", bound=Part)


def _is(value: Any, types: tuple[type, ...]) -> bool:
    # bool is an int to Python, and no number to BSON.
    return isinstance(value, types) and (type(value) is not bool or bool in types or object in types)


def _kind(value: Any) -> str:
    return "null" if value is None else f"a value of type {type(value).__name__}"


def _same(value: T) -> T:
    return value


def _to_int32(value: int) -> int:
    if not -(2**31) <= value < 2**31:
        raise ValueError("it needs more than 32 bits")
    return int(value)


def _to_int64(value: int) -> Int64:
    if not -(2**63) <= value < 2**63:
        raise ValueError("it needs more than 64 bits")
    return Int64(value)


def _to_moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("it has no time zone; use datetime(…, tzinfo=UTC)")
    # BSON dates have milliseconds. Cut here, so that the object in hand is what will be read back.
    return value.astimezone(UTC).replace(microsecond=value.microsecond // 1000 * 1000)


def _from_day(value: datetime) -> date:
    if (value.hour, value.minute, value.second, value.microsecond) != (0, 0, 0, 0):
        raise ValueError("a day is expected, and there is a time of day")
    return value.date()


def _to_day(value: date) -> datetime:
    if isinstance(value, datetime):
        raise ValueError("a day is expected, and this has a time of day; use .date()")
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _to_duration(value: timedelta) -> Int64:
    return Int64(value // timedelta(microseconds=1))


def _from_duration(value: int) -> timedelta:
    return timedelta(microseconds=value)


def _to_decimal(value: Decimal) -> Decimal128:
    return Decimal128(value)


INT32: Codec[int] = Codec("an int32", (int,), (int,), int, _to_int32)
INT64: Codec[int] = Codec("an int64", (int,), (int,), int, _to_int64)
DOUBLE: Codec[float] = Codec("a double", (float,), (float, int), _same, float)
DECIMAL: Codec[Decimal] = Codec("a decimal128", (Decimal128,), (Decimal,), Decimal128.to_decimal, _to_decimal)
TEXT: Codec[str] = Codec("a string", (str,), (str,), _same, _same)
BOOL: Codec[bool] = Codec("a bool", (bool,), (bool,), _same, _same)
BYTES: Codec[bytes] = Codec("binary", (bytes,), (bytes,), bytes, bytes)
VECTOR: Codec[Binary] = Codec("a vector", (Binary,), (Binary,), _same, _same)
UUID4: Codec[UUID] = Codec("a UUID", (UUID,), (UUID,), _same, _same)
OBJECT_ID: Codec[ObjectId] = Codec("an ObjectId", (ObjectId,), (ObjectId,), _same, _same)
MOMENT: Codec[datetime] = Codec("a date", (datetime,), (datetime,), _same, _to_moment)
DAY: Codec[date] = Codec("a day", (datetime,), (date,), _from_day, _to_day)
DURATION: Codec[timedelta] = Codec("microseconds", (int,), (timedelta,), _from_duration, _to_duration)
OBJECT: Codec[Document] = Codec("an object", (dict,), (dict,), _same, _same)
ANY: Codec[Any] = Codec("any value", (object,), (object,), _same, _same)


def choice(*members: L) -> Codec[L]:
    """One of a column's ENUM members."""
    known = frozenset(members)

    def check(value: L) -> L:
        if value not in known:
            raise ValueError(f"{value!r} is none of {', '.join(map(repr, members))}")
        return value

    return Codec("one of its members", (str,), (str,), check, check)


def either(first: Codec[T], second: Codec[U]) -> Codec[T | U]:
    """A field that has two types, such as old numbers and new ObjectIds. Their Python types must differ."""

    def decode(value: Any) -> T | U:
        return first.decode(value) if _is(value, first.stored) else second.decode(value)

    def encode(value: Any) -> Any:
        return first.encode(value) if _is(value, first.given) else second.encode(value)

    name = f"{first.name} or {second.name}"
    return Codec(name, (*first.stored, *second.stored), (*first.given, *second.given), decode, encode)


def array(inner: Codec[T]) -> Codec[list[T]]:
    """An array of one type, or null elements where `inner` takes them."""

    def decode(values: list[Any]) -> list[T]:
        return [inner.read(value, f"element {number}") for number, value in enumerate(values)]

    def encode(values: list[T]) -> list[Any]:
        return [inner.write(value, f"element {number}") for number, value in enumerate(values)]

    return Codec(f"an array of {inner.name}", (list,), (list,), decode, encode)


def table(inner: Codec[T]) -> Codec[dict[str, T]]:
    """An object of one type under any names."""

    def decode(values: Document) -> dict[str, T]:
        return {name: inner.read(value, repr(name)) for name, value in values.items()}

    def encode(values: dict[str, T]) -> Document:
        return {name: inner.write(value, repr(name)) for name, value in values.items()}

    return Codec(f"an object of {inner.name}", (dict,), (dict,), decode, encode)


def or_null(inner: Codec[T]) -> Codec[T | None]:
    """Null as an element of an array or object."""

    def decode(value: Any) -> T | None:
        return None if value is None else inner.decode(value)

    def encode(value: T | None) -> Any:
        return None if value is None else inner.encode(value)

    none = type(None)
    return Codec(f"{inner.name} or null", (*inner.stored, none), (*inner.given, none), decode, encode)


@cache
def nested(part: type[P]) -> Codec[P]:
    """A sub-document."""

    def decode(value: Document) -> P:
        found: P = part.from_document(value)
        return found

    def encode(value: P) -> Document:
        return value.to_document()

    return Codec(f"a sub-document ({part.__name__})", (dict,), (part,), decode, encode)
