"""Keyset paging: a page continues after the last document of the one before, however many precede it.

A cursor holds the sort's values of that document. Nothing is skipped or shown twice when documents come and go between
two pages, and the last page costs what the first one does, given an index on the sort.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import bson

from .codec import OPTIONS, Document
from .errors import BadCursor
from .query import Field, Sort, value_at

M = TypeVar("M")

# MongoDB's order of types (manual, Comparison/Sort Order), as $type spells them.
_ORDER = ("int", "long", "double", "decimal", "string", "object", "array", "binData", "objectId", "bool", "date")
_NUMBERS = frozenset(("int", "long", "double", "decimal"))


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """A page.

    Attributes:
        items: the documents, at most as many as asked for.
        next: what to give as `after` for the next page; None when this is the last.
    """

    items: list[M]
    next: str | None


def complete(sort: Sequence[Sort], key: Field[Any, Any]) -> tuple[Sort, ...]:
    """The sort with `_id` at its end, so that no two documents are equal to it.

    Raises:
        ValueError: a field of an array: a document would have several places.
    """
    for term in sort:
        if term.field.many:
            raise ValueError(f"pages can't be sorted by {term.field.path}, which is in an array")
    if any(term.field.path == "_id" for term in sort):
        return tuple(sort)
    return (*sort, Sort(key, sort[-1].direction if sort else 1))


def cursor_of(document: Document, sort: Sequence[Sort]) -> str:
    """Names the place right after `document`."""
    values = [value_at(document, term.field.path.split(".")) for term in sort]
    encoded = bson.encode({"sort": _signature(sort), "values": values}, codec_options=OPTIONS)
    return urlsafe_b64encode(encoded).decode().rstrip("=")


def rows_after(cursor: str, sort: Sequence[Sort]) -> Document:
    """The filter for everything after a cursor.

    Raises:
        BadCursor: it is broken, or made for another sort.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        content = bson.decode(urlsafe_b64decode(padded), codec_options=OPTIONS)
        signature, values = content["sort"], content["values"]
    except (ValueError, KeyError, TypeError, bson.errors.BSONError) as error:
        raise BadCursor(f"this is no cursor: {error}") from None
    if signature != _signature(sort) or not isinstance(values, list) or len(values) != len(sort):
        raise BadCursor("this cursor belongs to another sort; begin with the first page")
    cases: list[Document] = []
    same: Document = {}
    for term, value in zip(sort, values, strict=True):
        cases += [{**same, **further} for further in _further(term, value)]
        same[term.field.path] = value
    return {"$or": cases} if len(cases) != 1 else cases[0]


def _signature(sort: Sequence[Sort]) -> list[str]:
    return [f"{term.field.path} {term.direction}" for term in sort]


def _further(term: Sort, value: Any) -> list[Document]:
    """Filters of which one holds for what comes after `value`. Null and missing are before everything else."""
    path = term.field.path
    if value is None:
        return [{path: {"$ne": None}}] if term.direction == 1 else []
    found: list[Document] = [{path: {"$gt" if term.direction == 1 else "$lt": value}}]
    # Comparisons look at values of one type only; the other types are all before or all after.
    other = _other_types(term.field.types, value, term.direction)
    if other:
        found.append({path: {"$type": other}})
    if term.direction == -1:
        found.append({path: None})
    return found


def _other_types(types: Sequence[str], value: Any, direction: int) -> list[str]:
    if len(types) < 2:
        return []
    mine = _type_of(value)
    if mine in _NUMBERS:
        mine = "decimal" if direction == 1 else "int"
    place = _ORDER.index(mine)
    later = _ORDER[place + 1 :] if direction == 1 else _ORDER[:place]
    return [name for name in later if name in types]


def _type_of(value: Any) -> str:
    kinds = {bool: "bool", int: "int", float: "int", str: "string", dict: "object", bytes: "binData", list: "array"}
    for kind, name in kinds.items():
        if isinstance(value, kind):
            return name
    names = {"Decimal128": "int", "UUID": "binData", "Binary": "binData", "ObjectId": "objectId", "datetime": "date"}
    return names[type(value).__name__]
