"""Strings, and whatever the mapping wants as the text that MySQL prints."""

from __future__ import annotations

from migrator.documents.values.codec import BINARY, STRING, Codec, Misfit, Typed, fixed
from migrator.documents.values.numbers import pack_int32, shortest_float32
from migrator.model.mapping.representation import Representation
from migrator.model.schema.tables import Column

_STRING = "pack_int32(len({v}) + 1) + ({v} if {v}.isascii() else valid({v})) + b'\\x00'"


def string(column: Column, value: Representation) -> Codec:
    if value.family == "bit":
        return fixed(STRING, lambda raw: string_payload(b"%d" % int.from_bytes(raw, "big")))
    if value.family == "float":
        return fixed(STRING, lambda raw: string_payload(_float_text(float(raw))))
    valid = ascii_only if column.charset == "ascii" and value.family == "text" else utf8
    names = {"pack_int32": pack_int32, "len": len, "valid": valid}
    if value.family == "text" and value.policies.invalid_text == "binary":

        def convert(raw: bytes) -> Typed:
            try:
                return STRING, string_payload(valid(raw))
            except Misfit:
                return BINARY, pack_int32(len(raw)) + b"\x00" + raw

        return Codec(convert, STRING, _STRING, names)
    return fixed(STRING, lambda raw: string_payload(valid(raw)), _STRING, **names)


def _float_text(wide: float) -> bytes:
    """A FLOAT's shortest decimal; what the server prints is cut to six digits."""
    return repr(shortest_float32(wide)).removesuffix(".0").encode()


def string_payload(raw: bytes) -> bytes:
    """BSON string of UTF-8 bytes."""
    return pack_int32(len(raw) + 1) + raw + b"\x00"


def utf8(raw: bytes) -> bytes:
    """`raw` if it is UTF-8 as BSON wants it: no lone surrogates, no overlong forms.

    Raises:
        Misfit: otherwise.
    """
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        raise Misfit(
            f"is not valid text: {error.reason} at byte {error.start}; policy invalid_text: binary allows it"
        ) from None
    return raw


def ascii_only(raw: bytes) -> bytes:
    """`raw` if it is ASCII: a column declared so can hold other bytes (edge case 11)."""
    if not raw.isascii():
        raise Misfit("is not ASCII, as its column is declared; policy invalid_text: binary allows it")
    return raw
