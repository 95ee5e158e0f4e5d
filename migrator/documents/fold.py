"""Puts the finished rows of a child node together into the elements that its parents' documents take in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from migrator.documents.encode import MapKeyTwice, Match, RowEncoder, document, element_head
from migrator.documents.reader import Row
from migrator.documents.values.codec import ARRAY, DOCUMENT, Misfit, Typed
from migrator.documents.values.nested import check_key
from migrator.documents.values.numbers import pack_int32
from migrator.model.plan.chunk import Rejected
from migrator.model.text.values import key_text, printable

# MongoDB's limit for one document (MongoDB manual, Limits).
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ValueFault:
    """One reason why a document can't be made, before it is known which document that is."""

    table: str
    key: str
    column: str
    value: str
    reason: str

    def of(self, collection: str, key: str) -> Rejected:
        """The same reason as a record of one document."""
        return Rejected(collection, key, self.table, self.key, self.column, self.value, self.reason)


class FailedElement(tuple[ValueFault, ...]):
    """Stands in place of an element whose rows can't be converted; joining it fails, which rejects the parent too."""

    __slots__ = ()


Elements = dict[Match, "bytes | FailedElement"]


@lru_cache(64)
def _heads_to(type_byte: bytes, count: int) -> tuple[bytes, ...]:
    return tuple(element_head(type_byte, str(index)) for index in range(count))


def _heads(type_byte: bytes, count: int) -> tuple[bytes, ...]:
    """The heads of array elements "0", "1" and so on, at least `count`; by powers of two, so that few are kept."""
    return _heads_to(type_byte, max(64, 1 << count.bit_length()))


def faults_of(encoder: RowEncoder, row: Row, elements: Sequence[Elements], error: Exception) -> FailedElement:
    """Why a row's document could not be made: its own values, and what its children brought up.

    Raises:
        Exception: `error` itself when no value explains it, since that is a fault of migrator's own.
    """
    key = key_text(encoder.key(row))
    faults = [
        ValueFault(
            encoder.node.qualified,
            key,
            value.field.sql or value.field.column.name,
            printable(row[value.position] or b""),
            reason,
        )
        for value, reason in encoder.misfits(row)
    ]
    for link, found in zip(encoder.links, elements, strict=True):
        element = found.get(link.key(row))
        if isinstance(element, FailedElement):
            faults += element
    faults += _given_twice(encoder, row, elements, error)
    if not faults:
        raise error
    return FailedElement(faults)


def _given_twice(encoder: RowEncoder, row: Row, elements: Sequence[Elements], error: Exception) -> Iterator[ValueFault]:
    """The key that two of the tables that fill a map of this row have."""
    if isinstance(error, MapKeyTwice):
        try:
            encoder.body(row, *elements)
        except MapKeyTwice as own:
            reason = "is the key of rows of two tables that fill one map"
            key = key_text(encoder.key(row))
            yield ValueFault(encoder.node.qualified, key, own.place, printable(own.key.encode()), reason)
        except Exception:
            return


def fold_rows(encoder: RowEncoder, groups: dict[Match, list[Row]], elements: Sequence[Elements]) -> Elements:
    """The element of each group of rows: a sub-document, an array or an object."""
    fold = {"one": _one, "many": _many, "scalars": _scalars, "map": _map, "value": _value}[encoder.node.shape]
    folded: Elements = {}
    for match, rows in groups.items():
        try:
            folded[match] = fold(encoder, rows, elements)
        except Exception as error:
            folded[match] = FailedElement(_all_faults(encoder, rows, elements, error))
    return folded


def _all_faults(
    encoder: RowEncoder, rows: Sequence[Row], elements: Sequence[Elements], error: Exception
) -> list[ValueFault]:
    if isinstance(error, _GroupFault):
        return [error.fault]
    found: list[ValueFault] = []
    for row in rows:
        try:
            found += faults_of(encoder, row, elements, error)
        except Exception as same:
            if same is not error:
                raise
    if not found:
        raise error
    return found


class _GroupFault(Exception):
    """A fault of several rows together."""

    def __init__(self, encoder: RowEncoder, row: Row, column: str, value: bytes, reason: str) -> None:
        super().__init__(reason)
        self.fault = ValueFault(encoder.node.qualified, key_text(encoder.key(row)), column, printable(value), reason)


def _one(encoder: RowEncoder, rows: Sequence[Row], elements: Sequence[Elements]) -> bytes:
    if len(rows) > 1:
        raise _GroupFault(encoder, rows[1], "", b"", "is one of several rows where the mapping says there is one")
    body = encoder.body(rows[0], *elements)
    return body if encoder.node.flatten else encoder.head + document(body)


def _many(encoder: RowEncoder, rows: Sequence[Row], elements: Sequence[Elements]) -> bytes:
    encode = encoder.body
    parts: list[bytes] = []
    for head, row in zip(_heads(DOCUMENT, len(rows)), rows, strict=False):
        body = encode(row, *elements)
        parts += (head, pack_int32(len(body) + 5), body, b"\x00")
    return encoder.head + document(b"".join(parts))


def _scalars(encoder: RowEncoder, rows: Sequence[Row], elements: Sequence[Elements]) -> bytes:
    parts: list[bytes] = []
    count = 0
    for row in rows:
        typed = encoder.value(row)
        if typed is not None:
            parts += (_heads(typed[0], count + 1)[count], typed[1])
            count += 1
    return encoder.head + document(b"".join(parts))


def _value(encoder: RowEncoder, rows: Sequence[Row], elements: Sequence[Elements]) -> bytes:
    typed = encoder.value(rows[0])
    return b"" if typed is None else element_head(typed[0], encoder.node.path[-1]) + typed[1]


def _map(encoder: RowEncoder, rows: Sequence[Row], elements: Sequence[Elements]) -> bytes:
    if encoder.node.duplicates == "all":
        return _map_of_arrays(encoder, rows)
    parts: dict[bytes, bytes] = {}
    for row in rows:
        key = _map_key(encoder, row)
        if key in parts:
            if encoder.node.duplicates == "first":
                continue
            if encoder.node.duplicates == "reject":
                column = encoder.node.map_key
                raise _GroupFault(encoder, row, column.name if column else "", key, "is the key of two rows of one map")
            # The last row also decides where the key stands.
            del parts[key]
        typed: Typed | None = encoder.value(row)
        parts[key] = b"" if typed is None else typed[0] + key + b"\x00" + typed[1]
    return encoder.head + document(b"".join(parts.values()))


def _map_of_arrays(encoder: RowEncoder, rows: Sequence[Row]) -> bytes:
    """An array of all values under each key, in the order of the rows."""
    values: dict[bytes, list[Typed]] = {}
    for row in rows:
        mine = values.setdefault(_map_key(encoder, row), [])
        typed = encoder.value(row)
        mine += [] if typed is None else [typed]
    parts: list[bytes] = []
    for key, found in values.items():
        heads = _heads_of(found)
        body = b"".join(part for head, typed in zip(heads, found, strict=True) for part in (head, typed[1]))
        parts.append(ARRAY + key + b"\x00" + document(body))
    return encoder.head + document(b"".join(parts))


def _heads_of(values: Sequence[Typed]) -> list[bytes]:
    """The heads of an array's elements."""
    return [_heads(typed[0], place + 1)[place] for place, typed in enumerate(values)]


def _map_key(encoder: RowEncoder, row: Row) -> bytes:
    column = encoder.node.map_key
    assert column is not None
    assert encoder.map_key is not None
    raw = row[encoder.map_key]
    if raw is None:
        raise _GroupFault(encoder, row, column.name, b"", "is NULL and can't be the key of a map")
    try:
        text = raw.decode()
        if "\x00" in text:
            raise Misfit("has a NUL, which no field name can have")
        if encoder.values[0].field.value.policies.json_keys == "reject":
            check_key(text)
    except UnicodeDecodeError:
        raise _GroupFault(encoder, row, column.name, raw, "is not valid text and can't be the key of a map") from None
    except Misfit as misfit:
        raise _GroupFault(encoder, row, column.name, raw, misfit.reason) from None
    return raw


def root_bytes(encoder: RowEncoder, row: Row, elements: Sequence[Elements]) -> bytes | FailedElement:
    """A root row's document, or why there is none."""
    try:
        finished = document(encoder.body(row, *elements))
    except Exception as error:
        return faults_of(encoder, row, elements, error)
    if len(finished) > MAX_DOCUMENT_BYTES:
        megabytes = len(finished) / 1024 / 1024
        reason = (
            f"makes a document of {megabytes:.1f} MB, above MongoDB's 16 MB; use limit:, references or fewer columns"
        )
        return FailedElement([ValueFault(encoder.node.qualified, key_text(encoder.key(row)), "", "", reason)])
    return finished
