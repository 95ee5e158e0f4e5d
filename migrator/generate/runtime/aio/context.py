"""What the repositories of one database share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from ..codec import OPTIONS, Document
from ..spec import AnySpec
from .ids import IdMaker

T = TypeVar("T")

BATCH = 1_000
"""Documents a round trip: pymongo's own first batch of 101 would cost a page of 200 a second one."""

Write = Callable[[AsyncClientSession | None], Awaitable[T]]


class Context:
    """One database with its collections' descriptions.

    Args:
        database: of an AsyncMongoClient.
        specs: all collections by name.
    """

    def __init__(self, database: AsyncDatabase[Document], specs: Mapping[str, AnySpec]) -> None:
        self.database = database
        self.specs = specs
        self.ids = IdMaker(database)

    def collection(self, name: str) -> AsyncCollection[Document]:
        """A collection, opened so that values arrive as the codecs expect them."""
        return self.database.get_collection(name, OPTIONS)

    async def load(self, spec: AnySpec, keys: Sequence[Any]) -> list[Document]:
        """The documents with these ids, as they are stored, in any order; those that don't exist are not among them."""
        if not keys:
            return []
        condition = {"_id": keys[0]} if len(keys) == 1 else {"_id": {"$in": list(keys)}}
        return await self.collection(spec.collection).find(condition, batch_size=BATCH).to_list()

    async def write(self, spec: AnySpec, key: Any, write: Write[T], touched: frozenset[str] | None = None) -> T:
        """Does a write of one document, and what follows from it elsewhere.

        Args:
            spec: of the collection.
            key: the document's stored `_id`.
            write: does it, in the session that it is given.
            touched: the paths that it changes; None for all.
        """
        return await write(None)
