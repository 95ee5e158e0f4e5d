"""Whether an index can hold a document, and if not, which field is why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import bson
from bson import Binary, DatetimeMS, Decimal128, Int64, ObjectId

from migrator.indexing.collations import parts, text_key
from migrator.indexing.geometry import geo_problem
from migrator.indexing.languages import language_problem
from migrator.indexing.paths import Document, array_gone_through, first_array, values_at
from migrator.indexing.plain import EMPTY_ARRAY, NoKeys, plain_keys
from migrator.model.mapping.tree import IndexSpec

_EMPTY: tuple[object, ...] = (None, {}, [])


@dataclass(frozen=True, slots=True)
class IndexRefusal:
    """Why an index refuses a document.

    Attributes:
        path: the field, as the index or the document names it.
        reason: completes "<path> ..."; never shows a value.
    """

    path: str
    reason: str


def refusal(spec: IndexSpec, document: Document) -> IndexRefusal | None:
    """Why MongoDB refuses to put `document` into the index, or None where it takes it.

    Args:
        spec: an index that a server takes as such.
        document: as `bson.decode` makes it, of plain dicts and lists.
    """
    if not _is_covered(spec, document):
        return None
    kinds = {direction for _, direction in spec.keys}
    if "2dsphere" in kinds:
        return _spherical(spec, document)
    if "text" in kinds:
        return _text(spec, document)
    if "hashed" in kinds:
        return _hashed(spec, document)
    return _plain(spec, document)


def keys(spec: IndexSpec, document: Document) -> frozenset[bytes]:
    """The document's keys in an ordinary index as bytes: two documents with one in common can't be in a unique index.

    None at all where a partial index leaves the document out. Text is compared as far as it is sure what the index's
    collation makes of it.

    Raises:
        NoKeys: when the index refuses the document.
    """
    if not _is_covered(spec, document):
        return frozenset()
    collation = parts(spec.collation)
    found = plain_keys(document, [path for path, _ in spec.keys])
    return frozenset(bson.encode({"": [_compared(value, collation) for value in key]}) for key in found)


def _compared(value: Any, collation: tuple[str, int] | None) -> Any:
    if isinstance(value, str) and collation is not None:
        return text_key(value, *collation)
    if isinstance(value, Mapping) and collation is not None:
        return {name: _compared(inner, collation) for name, inner in value.items()}
    return list(value) if value is EMPTY_ARRAY else value


def _plain(spec: IndexSpec, document: Document) -> IndexRefusal | None:
    try:
        for _ in plain_keys(document, [path for path, _ in spec.keys]):
            pass
    except NoKeys as refused:
        return IndexRefusal(refused.path, refused.reason)
    return None


def _spherical(spec: IndexSpec, document: Document) -> IndexRefusal | None:
    for path, direction in spec.keys:
        values = [*values_at(document, path)] if direction == "2dsphere" else []
        if _counts_as_missing(values):
            continue
        for value in values:
            reason = geo_problem(value)
            if reason is None:
                continue
            if value is None:
                reason = "is null next to other values in an array: MongoDB accepts it when it is alone, or left out"
            return IndexRefusal(path, reason)
    return None


def _counts_as_missing(values: list[Any]) -> bool:
    """Null, {} and [] count as no value, but only where there is nothing else: the same value several times is one."""
    return any(all(value == empty for value in values) for empty in _EMPTY)


def _text(spec: IndexSpec, document: Document) -> IndexRefusal | None:
    for path, direction in spec.keys:
        if direction == "text":
            continue
        array = array_gone_through(document, path)
        if array is not None:
            return IndexRefusal(
                path, f"has an array at {array}: only the text fields of a text index may go through arrays"
            )
    found = language_problem(document, [path for path, direction in spec.keys if direction == "text"])
    return None if found is None else IndexRefusal(*found)


def _hashed(spec: IndexSpec, document: Document) -> IndexRefusal | None:
    for path, _ in spec.keys:
        array = first_array(document, path)
        if array is not None:
            return IndexRefusal(path, f"has an array at {array}, and there is no hashed index over arrays")
    return None


def _is_covered(spec: IndexSpec, document: Document) -> bool:
    """Whether a partial index has the document at all: each field that can be null has a value of its types."""
    if not spec.unique:
        return True
    return all(any(_bson_type(value) in types for value in _expanded(document, path)) for path, types in spec.nullable)


def _expanded(document: Document, path: str) -> list[Any]:
    found = [*values_at(document, path)]
    return [*found, *(element for value in found if isinstance(value, list) for element in value)]


def _bson_type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case Int64():
            return "long"
        case int():
            return "int" if -(2**31) <= value < 2**31 else "long"
        case float():
            return "double"
        case Decimal128():
            return "decimal"
        case str():
            return "string"
        case Mapping():
            return "object"
        case list():
            return "array"
        case datetime() | DatetimeMS():
            return "date"
        case ObjectId():
            return "objectId"
        case bytes() | Binary():
            return "binData"
    return type(value).__name__
