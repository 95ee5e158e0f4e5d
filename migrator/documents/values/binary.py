"""Bytes, UUIDs, ObjectIds and vectors."""

from __future__ import annotations

from migrator.documents.values.codec import BINARY, OBJECTID, Codec, Misfit, fixed
from migrator.documents.values.numbers import pack_int32
from migrator.model.mapping.representation import Representation
from migrator.model.schema.tables import Column

_UUID_HEAD = pack_int32(16) + b"\x04"


def binary(column: Column, value: Representation) -> Codec:
    return fixed(
        BINARY,
        lambda raw: pack_int32(len(raw)) + b"\x00" + raw,
        "pack_int32(len({v})) + b'\\x00' + {v}",
        pack_int32=pack_int32,
        len=len,
    )


def uuid(column: Column, value: Representation) -> Codec:
    if value.family == "binary":
        return fixed(BINARY, _uuid_from_bytes)
    return fixed(BINARY, _uuid_from_text)


def _uuid_from_bytes(raw: bytes) -> bytes:
    if len(raw) != 16:
        raise Misfit(f"has {len(raw)} bytes, a UUID has 16")
    return _UUID_HEAD + raw


def _uuid_from_text(raw: bytes) -> bytes:
    digits = raw.replace(b"-", b"")
    if len(digits) != 32:
        raise Misfit("is not a UUID: 32 hex digits, with or without dashes")
    return _UUID_HEAD + _from_hex(digits, "a UUID")


def objectid(column: Column, value: Representation) -> Codec:
    if value.family == "binary":
        return fixed(OBJECTID, _objectid_from_bytes)
    return fixed(OBJECTID, _objectid_from_text)


def _objectid_from_bytes(raw: bytes) -> bytes:
    if len(raw) != 12:
        raise Misfit(f"has {len(raw)} bytes, an ObjectId has 12")
    return raw


def _objectid_from_text(raw: bytes) -> bytes:
    if len(raw) != 24:
        raise Misfit("is not an ObjectId: 24 hex digits")
    return _from_hex(raw, "an ObjectId")


def _from_hex(digits: bytes, what: str) -> bytes:
    if not digits.isalnum():
        raise Misfit(f"is not {what}: it has characters that are no hex digits")
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        raise Misfit(f"is not {what}: it has characters that are no hex digits") from None


def vector(column: Column, value: Representation) -> Codec:
    """VECTOR is little-endian float32 on the wire, as BSON's binary subtype 9 wants it after its two-byte head."""
    return fixed(BINARY, lambda raw: pack_int32(len(raw) + 2) + b"\x09\x27\x00" + raw)
