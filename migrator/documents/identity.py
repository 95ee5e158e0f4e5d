"""The `_id` of a key alone, for deleting a document whose row is gone or can't be converted."""

from __future__ import annotations

from collections.abc import Callable

from migrator.documents.encode import document, element_head
from migrator.documents.values import Misfit, codec_for
from migrator.documents.values.codec import BINARY, DOCUMENT
from migrator.model.chunk import Key
from migrator.model.tree import Collection, Field


def id_encoder(collection: Collection) -> Callable[[Key], bytes | None]:
    """A function from a root key to the BSON document `{_id: ...}`; None for a key that has no `_id`.

    A key whose value doesn't fit its type never became a document, so there is nothing to delete.
    """
    root = collection.root
    if not root.key:
        return lambda key: document(element_head(BINARY, "_id") + b"\x10\x00\x00\x00\x00" + key[0])
    fields = {field.column.name: field for field in root.fields if field.path[0] == "_id" and field.sql is None}
    parts = [(_part(fields[column.name]), fields[column.name]) for column in root.key]

    def encode(key: Key) -> bytes | None:
        try:
            elements = [part(raw) for (part, _), raw in zip(parts, key, strict=True)]
        except Misfit:
            return None
        if len(parts[0][1].path) == 1:
            return document(elements[0])
        return document(element_head(DOCUMENT, "_id") + document(b"".join(elements)))

    return encode


def _part(field: Field) -> Callable[[bytes], bytes]:
    convert = codec_for(field.column, field.value, 1).convert
    name = field.path[-1].encode() + b"\x00"

    def part(raw: bytes) -> bytes:
        typed = convert(raw)
        if typed is None:
            raise Misfit("is NULL")
        return typed[0] + name + typed[1]

    return part
