"""From a root key to its document's `_id`, and back: for documents whose row is gone or can't be converted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, product

from migrator.documents.encode import document, element_head
from migrator.documents.values import Misfit, codec_for
from migrator.documents.values.codec import BINARY, DOCUMENT, INT32, INT64
from migrator.documents.values.origins import Origins, is_told, origins
from migrator.model.bson_elements import Element, elements
from migrator.model.mapping.tree import Collection, Field
from migrator.model.plan.chunk import Key
from migrator.model.schema.tables import Column

# Keys of many parts, each with several texts: more are never asked for.
_MOST_CANDIDATES = 256


def id_encoder(collection: Collection) -> Callable[[Key], bytes | None]:
    """A function from a root key to the BSON document `{_id: ...}`; None for a key that has no `_id`.

    A key whose value doesn't fit its type never became a document, so there is nothing to delete.
    """
    root = collection.root
    if not root.key:
        return lambda key: document(element_head(BINARY, "_id") + b"\x10\x00\x00\x00\x00" + key[0])
    fields = _id_fields(collection)
    parts = [_part(field) for field in fields]
    single = len(fields[0].path) == 1

    def encode(key: Key) -> bytes | None:
        try:
            body = [part(raw) for part, raw in zip(parts, key, strict=True)]
        except Misfit:
            return None
        return document(body[0] if single else element_head(DOCUMENT, "_id") + document(b"".join(body)))

    return encode


def key_candidates(collection: Collection) -> Callable[[bytes], tuple[Key, ...]]:
    """The way back: a function from `{_id: ...}` to the root keys, as the source prints them, that can have made it.

    Several where one `_id` has several texts (a UUID in upper or lower case), none for an `_id` that no key makes, and
    none for a root without a key, whose `_id` is a hash. Each is a key for which `id_encoder` gives back the very
    bytes, but for the size of whole numbers, which may have been another one before the column was altered; that a row
    has it is for the source to say. All such keys, when `tells_keys` says so.

    Raises:
        ValueError: for bytes that are no BSON document.
    """
    root = collection.root
    if not root.key:
        return lambda _: ()
    fields = _id_fields(collection)
    encode = id_encoder(collection)
    parts = [(field.path[-1], origins(field.column, field.value)) for field in fields]
    single = len(fields[0].path) == 1

    def candidates(identity: bytes) -> tuple[Key, ...]:
        found = list(elements(identity))
        if len(found) != 1 or found[0].name != "_id":
            return ()
        if not single:
            if found[0].type != DOCUMENT:
                return ()
            found = list(elements(found[0].payload))
        texts = _texts(parts, found)
        keys = islice(product(*texts), _MOST_CANDIDATES)
        wanted = _sizes_aside(identity)
        return tuple(key for key in dict.fromkeys(keys) if _sizes_aside(encode(key)) == wanted)

    return candidates


def _sizes_aside(identity: bytes | None) -> list[tuple[object, ...]] | None:
    """What is in a document, whole numbers of both sizes alike: to MongoDB these are the same `_id`."""
    return None if identity is None else [_size_aside(one) for one in elements(identity)]


def _size_aside(one: Element) -> tuple[object, ...]:
    if one.type in (INT32, INT64):
        return INT64, one.name, int.from_bytes(one.payload, "little", signed=True)
    if one.type == DOCUMENT:
        return one.type, one.name, _sizes_aside(one.payload)
    return one


def tells_keys(collection: Collection) -> bool:
    """Whether `key_candidates` names every key that can have made an `_id`.

    Not for texts that become a UUID or an ObjectId, whose hex digits may be in any mixture of cases, nor for hashes.
    """
    fields = _id_fields(collection)
    return bool(collection.root.key) and all(is_told(field.value) for field in fields)


def _id_fields(collection: Collection) -> list[Field]:
    """The `_id` fields in key order; none for a root without a key."""
    fields = {field.column.name: field for field in collection.root.fields if field.path[0] == "_id"}
    return [fields[column.name] for column in collection.root.key]


def _texts(parts: list[tuple[str, Origins]], found: list[Element]) -> list[list[bytes]]:
    if [name for name, _ in parts] != [one.name for one in found] and len(parts) > 1:
        return [[]]
    if len(parts) != len(found):
        return [[]]
    return [list(texts((one.type, one.payload))) for (_, texts), one in zip(parts, found, strict=True)]


def _part(field: Field) -> Callable[[bytes], bytes]:
    convert = codec_for(field.column, field.value, 1).convert
    selected = _as_field(field)
    name = field.path[-1].encode() + b"\x00"

    def part(raw: bytes) -> bytes:
        typed = convert(selected(raw))
        if typed is None:
            raise Misfit("is NULL")
        return typed[0] + name + typed[1]

    return part


def _as_field(field: Field) -> Callable[[bytes], bytes]:
    """From a key's text to what is selected for its field, where model.mapping.row_layout has two forms of one
    column."""
    column, value = field.column, field.value
    if value.family == "enum" and value.kind == "int32":
        return lambda raw: b"%d" % _member(column, raw)
    if value.family == "integer" and value.kind == "string" and column.zerofill:
        width = int(column.column_type.partition("(")[2].partition(")")[0])
        return lambda raw: raw.rjust(width, b"0")
    return lambda raw: raw


def _member(column: Column, raw: bytes) -> int:
    """An ENUM's index; 0 for the empty text of a value that was none of its members."""
    text = raw.decode()
    if text not in column.members and not text:
        return 0
    if text not in column.members:
        raise Misfit("is no member")
    return column.members.index(text) + 1
