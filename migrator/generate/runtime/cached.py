"""How cached documents are named and marked: the same for every process, and for whoever invalidates from outside.

Under a document's name stands one of three things:

    V and the document's BSON      a value
    L and a token                  somebody is reading it from the database, to put it here
    W                              it is being written

A filler swaps its own mark for the value. When a write came in between, its mark is gone, the swap fails, and the old
document it read is not put back. Every mark runs out by itself, every value after its time to live.
"""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import Any

import bson
from bson.int64 import Int64

from .codec import OPTIONS, Document

VALUE, LEASE, WRITING = b"V", b"L", b"W"


def name_of(database: str, collection: str, key: Any) -> str:
    """The name of a document in the cache: short and printable, whatever its `_id` is."""
    content = bson.encode({"d": database, "c": collection, "k": _canonical(key)}, codec_options=OPTIONS)
    return f"doc:{blake2b(content, digest_size=20).hexdigest()}"


def _canonical(value: Any) -> Any:
    # MongoDB finds an int32 and an int64 equal.
    if isinstance(value, dict):
        return {name: _canonical(each) for name, each in value.items()}
    return Int64(value) if type(value) is int else value


def new_lease() -> bytes:
    """A mark that nobody else has."""
    return LEASE + secrets.token_bytes(12)


def packed(document: Document) -> bytes:
    """A document as it stands in the cache."""
    return VALUE + bson.encode(document, codec_options=OPTIONS)


def unpacked(held: bytes | None) -> Document | None:
    """The document, None for a mark or nothing."""
    if held is None or held[:1] != VALUE:
        return None
    return bson.decode(held[1:], codec_options=OPTIONS)
