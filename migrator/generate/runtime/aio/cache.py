"""Whole documents by their id, cached outside the database.

The cache may be slow, full, down or cut off at any time: reads then go to the database, writes go on. How old an object
can get: a write marks its document before and takes it out after, so only a write that can't reach the cache leaves an
old document there, until its time to live has run out.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Container, Sequence
from time import monotonic
from typing import Any

from ..cached import LEASE, WRITING, name_of, new_lease, packed, unpacked
from ..codec import Document
from .stores import Store, StoreDown

_LOG = logging.getLogger(__name__)

Load = Callable[[Sequence[Any]], Awaitable[list[Document]]]


class Cache:
    """A cache of documents.

    Args:
        store: see `stores.open_store`.
        seconds: time to live of a document; each lives up to a tenth shorter, so that not all end at once.
        collections: which are cached; None for all.
        marks: how long a mark of a read or write lasts; longer than either ever takes.
        patience: how long a reader waits for another that fills the same document.
        rest: how long a store that did not answer is left alone by readers.
    """

    def __init__(
        self,
        store: Store,
        *,
        seconds: float = 300.0,
        collections: Container[str] | None = None,
        marks: float = 30.0,
        patience: float = 0.5,
        rest: float = 1.0,
    ) -> None:
        self._store = store
        self._seconds = seconds
        self._collections = collections
        self._marks = marks
        self._patience = patience
        self._rest = rest
        self._resting_until = 0.0

    def holds(self, collection: str) -> bool:
        """Whether documents of this collection are cached."""
        return self._collections is None or collection in self._collections

    async def load(self, database: str, collection: str, keys: Sequence[Any], load: Load) -> list[Document]:
        """Documents by their ids, out of the cache as far as they are there, else by `load`, which fills it."""
        if monotonic() < self._resting_until:
            return await load(keys)
        names = {name_of(database, collection, key): key for key in keys}
        try:
            found, leases = await self._look(names)
        except StoreDown as error:
            self._down(error)
            return await load(keys)
        missing = [key for name, key in names.items() if name not in found]
        if not missing:
            return list(found.values())
        # One query for all, whether or not they may be put into the cache afterwards.
        loaded = await load(missing)
        await self._fill(database, collection, loaded, leases)
        return [*found.values(), *loaded]

    async def _look(self, names: dict[str, Any]) -> tuple[dict[str, Document], dict[str, bytes]]:
        """The documents that are there, and the marks that we made where there was nothing."""
        held = await self._store.get_many(list(names))
        wanted = {name: new_lease() for name in names if name not in held}
        added = await self._store.add_many(wanted, self._marks) if wanted else set()
        leases = {name: lease for name, lease in wanted.items() if name in added}
        found = {name: document for name, value in held.items() if (document := unpacked(value)) is not None}
        others = [name for name in names if name not in found and name not in leases]
        # Only what is being read is worth a wait: what is being written will not be there afterwards.
        awaited = [name for name in others if held.get(name, LEASE)[:1] != WRITING]
        until = monotonic() + self._patience
        while awaited and not leases and monotonic() < until:
            await asyncio.sleep(0.01)
            now = await self._store.get_many(awaited)
            found |= {name: document for name, value in now.items() if (document := unpacked(value)) is not None}
            awaited = [name for name in awaited if name in now and name not in found]
        return found, leases

    async def _fill(self, database: str, collection: str, loaded: Sequence[Document], leases: dict[str, bytes]) -> None:
        swaps = {}
        for document in loaded:
            name = name_of(database, collection, document["_id"])
            if name in leases:
                swaps[name] = (leases[name], packed(document))
        try:
            if swaps:
                lasting = {name: self._seconds * random.uniform(0.9, 1.0) for name in swaps}
                await self._store.swap_many(swaps, lasting)
            for name in leases.keys() - swaps.keys():
                # There is no such document; whoever makes it must not find our mark.
                await self._store.delete(name)
        except StoreDown as error:
            self._down(error)

    async def writing(self, database: str, collection: str, key: Any) -> None:
        """To be called before a write: nobody puts the document there until it is over."""
        if self.holds(collection):
            try:
                await self._store.set(name_of(database, collection, key), WRITING, self._marks)
            except StoreDown as error:
                self._untold(error)

    async def written(self, database: str, collection: str, key: Any) -> None:
        """To be called after a write, however it ended."""
        if self.holds(collection):
            try:
                await self._store.delete(name_of(database, collection, key))
            except StoreDown as error:
                self._untold(error)

    def _untold(self, error: StoreDown) -> None:
        _LOG.warning("the cache may show an old document for up to %.0f s: %s", self._seconds, error)

    def _down(self, error: StoreDown) -> None:
        self._resting_until = monotonic() + self._rest
        _LOG.warning("the cache does not answer, reading from the database: %s", error)
