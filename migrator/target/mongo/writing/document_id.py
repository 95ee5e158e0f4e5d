"""The `_id` of a document whose other fields stay undecoded: documents may be large, and every write asks for it."""

from __future__ import annotations

from typing import Any

from bson import encode
from bson.raw_bson import RawBSONDocument

from migrator.target.mongo.connection.raw import RAW

# https://bsonspec.org/spec.html: type of an element -> bytes of its value.
_FIXED = {0x01: 8, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16}
# Types that begin with a length of four bytes -> bytes that it does not count.
_PREFIXED = {0x02: 4, 0x03: 0, 0x04: 0, 0x05: 5}
_NAME = b"_id\x00"
_TYPE, _VALUE = 4, 9  # where the first element's type and value begin when its name is `_id`


def id_document(bson: bytes) -> bytes:
    """The BSON document `{_id: ...}` of a document, byte for byte as in it."""
    size = _size(bson) if bson[_TYPE + 1 : _VALUE] == _NAME else None
    if size is None:
        return encode({"_id": RawBSONDocument(bson, RAW)["_id"]}, codec_options=RAW)
    element = bson[_TYPE : _VALUE + size]
    return (len(element) + 5).to_bytes(4, "little") + element + b"\x00"


def id_of(bson: bytes) -> Any:
    """The value of `_id`, with sub-documents as raw BSON."""
    return RawBSONDocument(id_document(bson), RAW)["_id"]


def _size(bson: bytes) -> int | None:
    """Bytes of the first element's value; None for a type that is not known here."""
    kind = bson[_TYPE]
    if kind in _FIXED:
        return _FIXED[kind]
    if kind in _PREFIXED:
        return int.from_bytes(bson[_VALUE : _VALUE + 4], "little") + _PREFIXED[kind]
    return None
