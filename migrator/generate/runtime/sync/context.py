# Generated from aio/context.py by migrator's dev/unasync.py. Edit that one.
"""What the repositories of one database share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypedDict, TypeVar, Unpack

from pymongo.synchronous.collection import Collection
from pymongo.synchronous.database import Database

from ..codec import OPTIONS, Document
from ..spec import AnySpec
from .cache import Cache
from .ids import IdMaker
from .outbox import GRACE, Outbox, Write

T = TypeVar("T")

INLINE = 1_000
"""See `Options.inline`."""

BATCH = 1_000
"""Documents a round trip: pymongo's own first batch of 101 would cost a page of 200 a second one."""


class Options(TypedDict, total=False):
    """How repositories work.

    Attributes:
        inline: how many documents elsewhere a write brings up to date itself before it leaves the rest to the fan-out;
            0 leaves all.
        transactions: whether the server has them; None asks it.
        grace: how long an unfinished fan-out is left to the process that began it; the same for all processes.
        cache: of whole documents; None for none.
    """

    inline: int
    transactions: bool | None
    grace: timedelta
    cache: Cache | None


class Context:
    """One database with its collections' descriptions.

    Args:
        database: of a MongoClient.
        specs: all collections by name.
        options: see Options.
    """

    def __init__(self, database: Database[Document], specs: Mapping[str, AnySpec], **options: Unpack[Options]) -> None:
        self.database = database
        self.specs = specs
        self.ids = IdMaker(database)
        self.cache = options.get("cache")
        self.outbox = Outbox(
            database,
            specs,
            options.get("inline", INLINE),
            options.get("transactions"),
            options.get("grace", GRACE),
            self.cache,
        )

    def collection(self, name: str) -> Collection[Document]:
        """A collection, opened so that values arrive as the codecs expect them."""
        return self.database.get_collection(name, OPTIONS)

    def load(self, spec: AnySpec, keys: Sequence[Any]) -> list[Document]:
        """The documents with these ids, as they are stored, in any order; those that don't exist are not among them."""
        if not keys:
            return []
        if self.cache is not None and self.cache.holds(spec.collection):
            return self.cache.load(self.database.name, spec.collection, keys, partial(self._load, spec))
        return self._load(spec, keys)

    def _load(self, spec: AnySpec, keys: Sequence[Any]) -> list[Document]:
        condition = {"_id": keys[0]} if len(keys) == 1 else {"_id": {"$in": list(keys)}}
        return self.collection(spec.collection).find(condition, batch_size=BATCH).to_list()

    def write(self, spec: AnySpec, key: Any, write: Write[T], touched: frozenset[str] | None = None) -> T:
        """Does a write of one document, and what follows from it elsewhere.

        Args:
            spec: of the collection.
            key: the document's stored `_id`.
            write: does it, in the session that it is given.
            touched: the paths that it changes; None for all.
        """
        return self.outbox.write(spec, key, write, touched)
