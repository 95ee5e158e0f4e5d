"""The indexes of collections, asked of the server when they are first needed, and again after any definition."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from bson import CodecOptions, DatetimeConversion
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.mongodb_rules.documents import Index

_OPTIONS = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_MS)


class Catalog:
    """What is known of one server."""

    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self._client = client
        self._known: dict[tuple[str, str], tuple[Index, ...]] = {}
        # Counts definitions: what was asked before one is not kept after it.
        self._age = 0
        self._lock = threading.Lock()

    def indexes(self, database: str, collection: str) -> tuple[Index, ...]:
        """All indexes of a collection."""
        try:
            found = self._client[database][collection].list_indexes()
            return tuple(Index({**each, "key": dict(each["key"])}) for each in found)
        except OperationFailure:
            return ()

    def refusing(self, database: str, collection: str) -> tuple[Index, ...]:
        """Those that can't take every document."""
        with self._lock:
            known, age = self._known.get((database, collection)), self._age
        if known is not None:
            return known
        found = self.indexes(database, collection)
        refusing = tuple(each for each in found if each.can_refuse)
        with self._lock:
            if found and age == self._age:
                self._known[database, collection] = refusing
        return refusing

    def documents(self, database: str, collection: str) -> Iterator[Mapping[str, Any]]:
        """All documents of a collection."""
        yield from self._client[database].get_collection(collection, codec_options=_OPTIONS).find()

    def forget(self, database: str, collections: set[str] | None) -> None:
        """Before and after a definition of these collections; None for all of the database."""
        with self._lock:
            self._age += 1
            self._known = {
                name: found
                for name, found in self._known.items()
                if name[0] != database or (collections is not None and name[1] not in collections)
            }

    def clear(self) -> None:
        """The server was restarted."""
        with self._lock:
            self._age += 1
            self._known = {}


def name_of(keys: Mapping[str, Any]) -> str:
    """What MongoDB calls an index without a name."""
    return "_".join(f"{name}_{kind}" for name, kind in keys.items())
