"""The elements of a BSON document as they stand in its bytes (bsonspec.org/spec.html), without decoding them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct
from typing import NamedTuple

_int32 = Struct("<i").unpack_from


class Element(NamedTuple):
    """One element: `type` is its type byte, `payload` what follows its name."""

    type: bytes
    name: str
    payload: bytes


def elements(document: bytes) -> Iterator[Element]:
    """The elements of a document (or of an array, whose names are its indexes) in order.

    Raises:
        ValueError: for bytes that are no BSON document.
    """
    end = len(document) - 1
    if len(document) < 5 or _int32(document)[0] != len(document) or document[end] != 0:
        raise ValueError("not a BSON document")
    at = 4
    while at < end:
        kind = document[at : at + 1]
        size = _SIZES.get(kind)
        if size is None:
            raise ValueError(f"BSON has no type 0x{kind.hex()}")
        name_end = document.index(b"\x00", at + 1)
        start = name_end + 1
        stop = start + size(document, start)
        if stop > end:
            raise ValueError("an element ends after the end of its document")
        yield Element(kind, document[at + 1 : name_end].decode(), document[start:stop])
        at = stop


def identity_of(document: bytes) -> bytes:
    """The BSON document `{_id: ...}` of a document; `{}` of one that has no `_id`.

    Raises:
        ValueError: for bytes that are no BSON document.
    """
    if document[5:9] == b"_id\x00":
        size = _SIZES.get(document[4:5])
        if size is not None:
            return _around(document[4 : 9 + size(document, 9)])
    for found in elements(document):
        if found.name == "_id":
            return _around(found.type + b"_id\x00" + found.payload)
    return _around(b"")


def _around(element: bytes) -> bytes:
    return (len(element) + 5).to_bytes(4, "little") + element + b"\x00"


def _always(size: int) -> Callable[[bytes, int], int]:
    return lambda document, at: size


def _counted(more: int) -> Callable[[bytes, int], int]:
    """An int32 length that doesn't count itself, nor what else precedes the bytes."""
    return lambda document, at: _int32(document, at)[0] + more


def _regex(document: bytes, at: int) -> int:
    """Two strings that end in a NUL each."""
    return document.index(b"\x00", document.index(b"\x00", at) + 1) + 1 - at


_SIZES: dict[bytes, Callable[[bytes, int], int]] = {
    b"\x01": _always(8),  # double
    b"\x02": _counted(4),  # string
    b"\x03": _counted(0),  # document
    b"\x04": _counted(0),  # array
    b"\x05": _counted(5),  # binary
    b"\x06": _always(0),  # undefined
    b"\x07": _always(12),  # ObjectId
    b"\x08": _always(1),  # bool
    b"\x09": _always(8),  # date
    b"\x0a": _always(0),  # null
    b"\x0b": _regex,
    b"\x0c": _counted(16),  # DBPointer
    b"\x0d": _counted(4),  # code
    b"\x0e": _counted(4),  # symbol
    b"\x0f": _counted(0),  # code with scope
    b"\x10": _always(4),  # int32
    b"\x11": _always(8),  # timestamp
    b"\x12": _always(8),  # int64
    b"\x13": _always(16),  # Decimal128
    b"\xff": _always(0),  # min key
    b"\x7f": _always(0),  # max key
}
