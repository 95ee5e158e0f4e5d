"""Finds the document that keeps another one out by a unique value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.collation import Collation
from pymongo.collection import Collection
from pymongo.read_concern import ReadConcern

from migrator.target.mongo.connection.raw import RAW, bson_of


class Rivals:
    """Looks through the unique indexes of one collection, as they were when it was made."""

    def __init__(self, collection: Collection[Any]) -> None:
        self._indexes = [index for index in collection.list_indexes() if index.get("unique")]
        # What the index has, has perhaps not reached a majority.
        self._collection = collection.with_options(codec_options=RAW, read_concern=ReadConcern("local"))

    def find(self, document: Mapping[str, Any], pattern: Mapping[str, Any]) -> bytes | None:
        """`{_id: ...}` of a document that has what `document` would have in a unique index; None when there is none.

        Args:
            pattern: the index's keys, where the server told them. Its word for the values is of no use under a
                collation, so they are taken from the document.
        """
        for index in self._indexes:
            if pattern and list(index["key"]) != list(pattern):
                continue
            found = self._collection.find_one(
                _same(document, index), {"_id": 1}, collation=_collation(index.get("collation"))
            )
            if found is not None:
                return bson_of(found)
        return None


def _same(document: Mapping[str, Any], index: Mapping[str, Any]) -> dict[str, Any]:
    terms: list[dict[str, Any]] = [{"_id": {"$ne": document["_id"]}}]
    for path in index["key"]:
        values = list(_values(document, path.split(".")))
        # None is equal to a field that isn't there, as in the index.
        terms.append({path: {"$in": values or [None]}})
    if partial := index.get("partialFilterExpression"):
        terms.append(dict(partial))
    return {"$and": terms}


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    """What an index has for a path: each element of an array by itself."""
    if isinstance(value, list):
        for each in value:
            yield from _values(each, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _values(value[path[0]], path[1:])


def _collation(found: Mapping[str, Any] | None) -> Collation | None:
    if not found:
        return None
    known = {key: value for key, value in found.items() if key != "version"}
    locale = known.pop("locale")
    return Collation(locale, **known)
