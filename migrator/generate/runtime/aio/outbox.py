"""Writes with what follows from them: copies elsewhere, and caches.

A write and an entry of the outbox are stored together, in one transaction. Where the server has none, the entry comes
first and is confirmed after the write; an entry that nobody confirmed is followed up after a while all the same. Both
are right because an entry names a document and carries no value: following it up makes the copies what the rows say
by then, so doing it in vain, twice, or late is harmless.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pymongo
from bson.errors import InvalidDocument
from bson.objectid import ObjectId
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure, PyMongoError

from ..codec import OPTIONS, Document
from ..copies import Own, Target, Tree, overlap, target_keys
from ..errors import Refused
from ..failing import Failing, UnknownCollection
from ..keys import Key, comparable, distinct, keys_filter
from ..paging import cursor_of, rows_after
from ..query import Sort
from ..refusing import is_about_a_document, refused, told
from ..spec import AnySpec
from .cache import Cache
from .refresher import Busy, Gone, Refresher, changed_fields

T = TypeVar("T")

OUTBOX = "outbox"
"""The collection of entries."""

PAGE = 100
"""Documents that are looked at in one step of a fan-out."""

GRACE = timedelta(seconds=60)
"""After this an entry that was not confirmed, or whose worker is gone, is taken by another. Without transactions, a
write that needs half as long is given up, on the server too."""

_LOG = logging.getLogger(__name__)

Write = Callable[[AsyncClientSession | None], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class Follow:
    """What follows from a write: the targets whose copies change, and whether its own copies are to be made."""

    targets: tuple[Target, ...]
    own: bool

    def __bool__(self) -> bool:
        return bool(self.targets) or self.own


def follow(spec: AnySpec, touched: frozenset[str] | None) -> Follow:
    """What a write at these paths (None: anywhere) makes necessary."""
    copies = spec.copies
    if touched is None:
        return Follow(copies.targets, bool(copies.tree))
    targets = tuple(each for each in copies.targets if _touches(touched, each.reads))
    return Follow(targets, _touches(touched, copies.reads))


def _touches(touched: frozenset[str], reads: Sequence[str]) -> bool:
    return any(overlap(one, other) for one in touched for other in reads)


class Outbox:
    """The outbox of one database.

    Args:
        database: where the documents and the outbox are.
        specs: all collections by name.
        inline: how many documents elsewhere a write follows up itself before it leaves the rest to `run`.
        transactions: whether the server has them; None asks it.
        grace: see GRACE; the same for all processes.
        cache: is told of every write.
    """

    def __init__(
        self,
        database: AsyncDatabase[Document],
        specs: Mapping[str, AnySpec],
        inline: int,
        transactions: bool | None,
        grace: timedelta,
        cache: Cache | None,
    ) -> None:
        self._cache = cache
        self._grace = grace
        self._database = database
        self._specs = specs
        self._inline = inline
        self._transactions = transactions
        self._refresher = Refresher(database)

    @property
    def _entries(self) -> AsyncCollection[Document]:
        return self._database.get_collection(OUTBOX, OPTIONS)

    def _documents(self, collection: str) -> AsyncCollection[Document]:
        return self._database.get_collection(collection, OPTIONS)

    # --- writing ------------------------------------------------------------------------------------------------

    async def write(self, spec: AnySpec, key: Any, write: Write[T], touched: frozenset[str] | None) -> T:
        """Does the write of one document, and follows it up as far as `inline` goes."""
        write = _naming(spec, key, write)
        wanted = follow(spec, touched)
        if not wanted:
            return await self._guarded(spec, key, write, None)
        claimed = datetime.now(UTC) if self._inline > 0 else None
        result, entry = await self._record(spec, key, write, wanted, claimed)
        if claimed is not None:
            await self._follow_now(entry)
        return result

    async def _record(
        self, spec: AnySpec, key: Any, write: Write[T], wanted: Follow, claimed: datetime | None
    ) -> tuple[T, Document]:
        """The write and its entry, together; `claimed` keeps others from following it up at the same time."""
        if await self._has_transactions():
            return await self._in_transaction(spec, key, write, wanted, claimed)
        return await self._one_by_one(spec, key, write, wanted, claimed)

    async def _in_transaction(
        self, spec: AnySpec, key: Any, write: Write[T], wanted: Follow, claimed: datetime | None
    ) -> tuple[T, Document]:
        async def both(session: AsyncClientSession | None) -> tuple[T, Document]:
            before = await self._read(spec, key, session) if wanted.targets else None
            result = await write(session)
            after = await self._read(spec, key, session) if wanted.targets else None
            entry = _entry(spec, key, wanted, before, after, claimed)
            await self._entries.insert_one(entry, session=session)
            return result, entry

        async def transaction(_: AsyncClientSession | None) -> tuple[T, Document]:
            async with self._database.client.start_session() as session:
                return await session.with_transaction(both)

        # Around the whole transaction: what it writes shows only at its end.
        return await self._guarded(spec, key, transaction, None)

    async def _one_by_one(
        self, spec: AnySpec, key: Any, write: Write[T], wanted: Follow, claimed: datetime | None
    ) -> tuple[T, Document]:
        before = await self._read(spec, key, None) if wanted.targets else None
        entry = _entry(spec, key, wanted, before, None, claimed, ready=False)
        await self._entries.insert_one(entry)
        try:
            with pymongo.timeout(self._grace.total_seconds() / 2):
                result = await self._guarded(spec, key, write, None)
        except Exception as error:
            # Whether it was written is not known after most of the driver's errors: the entry stays and is followed up
            # later.
            if isinstance(error, Refused) or not isinstance(error, PyMongoError):
                await self._entries.delete_one({"_id": entry["_id"]})
            raise
        after = await self._read(spec, key, None) if wanted.targets else None
        entry = {**_entry(spec, key, wanted, before, after, claimed), "_id": entry["_id"]}
        await self._entries.replace_one({"_id": entry["_id"]}, entry)
        return result, entry

    async def _guarded(self, spec: AnySpec, key: Any, write: Write[T], session: AsyncClientSession | None) -> T:
        """A write of which the cache hears before and after."""
        if self._cache is None:
            return await write(session)
        name = self._database.name
        await self._cache.writing(name, spec.collection, key)
        try:
            return await write(session)
        finally:
            await self._cache.written(name, spec.collection, key)

    async def _read(self, spec: AnySpec, key: Any, session: AsyncClientSession | None) -> Document | None:
        return await self._documents(spec.collection).find_one({"_id": key}, session=session)

    async def _has_transactions(self) -> bool:
        if self._transactions is None:
            hello = await self._database.client.admin.command("hello")
            # A replica set or a sharded cluster; a server alone has none.
            self._transactions = "setName" in hello or hello.get("msg") == "isdbgrid"
        return self._transactions

    async def _follow_now(self, entry: Document) -> None:
        budget = self._inline
        waiting = [entry]
        try:
            while waiting and budget > 0:
                finished, used, more = await self._follow(waiting[0], budget)
                budget -= used
                waiting += more
                if not finished:
                    break
                waiting.pop(0)
            if waiting:
                ids = [each["_id"] for each in waiting]
                await self._entries.update_many({"_id": {"$in": ids}}, {"$set": {"claimed": None}})
        except (PyMongoError, Refused, Busy) as error:
            # The write itself is done; its entry stays, and whoever runs the fan-out next finishes it.
            _LOG.warning("copies of %s %r are left to the fan-out: %s", entry["collection"], entry["key"], _why(error))

    # --- following up -------------------------------------------------------------------------------------------

    async def run(self, limit: int | None = None) -> int:
        """Follows up what is waiting, until nothing is or `limit` entries are done; returns how many were done.

        Any number of processes may run it. What one that was killed has begun, another goes on with after GRACE. So is
        an entry tried again that can't be followed up: it keeps no other waiting, and `failing` tells of it.

        Raises:
            PyMongoError: when the server can't be reached, or lets nobody in.
        """
        done = 0
        while limit is None or done < limit:
            entry = await self._claim()
            if entry is None:
                break
            done += await self._finish(entry)
        return done

    async def failing(self) -> list[Failing]:
        """The entries that could not be followed up when they were last tried, oldest first."""
        found = await self._entries.find({"error": {"$exists": True}}).sort("_id", 1).to_list()
        return [Failing(each["collection"], each["key"], each["error"], each["tries"]) for each in found]

    async def _finish(self, entry: Document) -> bool:
        """False when it can't be; it stays claimed, so that it is let alone for GRACE."""
        try:
            finished = False
            while not finished:
                finished, _, _ = await self._follow(entry, PAGE)
        except (OperationFailure, InvalidDocument, Refused, Busy, UnknownCollection) as error:
            if not _is_of_its_document(error):
                raise
            _LOG.warning("copies of %s %r can't be made: %s", entry["collection"], entry["key"], _why(error))
            noted = {"$set": {"error": _why(error), "claimed": datetime.now(UTC)}, "$inc": {"tries": 1}}
            await self._entries.update_one({"_id": entry["_id"]}, noted)
            return False
        return True

    async def waiting(self) -> int:
        """How many entries there are."""
        return await self._entries.count_documents({})

    async def _claim(self) -> Document | None:
        now = datetime.now(UTC)
        late = now - self._grace
        untouched = {"claimed": None, "$or": [{"ready": True}, {"at": {"$lt": late}}]}
        free = {"$or": [untouched, {"claimed": {"$lt": late}}]}
        return await self._entries.find_one_and_update(
            free, {"$set": {"claimed": now}}, sort=[("_id", 1)], return_document=ReturnDocument.AFTER
        )

    async def _follow(self, entry: Document, budget: int) -> tuple[bool, int, list[Document]]:
        """Goes on with an entry.

        Returns:
            Whether it is finished, how many documents were looked at, and the entries that its own writes made.
        """
        spec = self._specs.get(entry["collection"])
        if spec is None:
            raise UnknownCollection("the package has no such collection: generate it with the mapping that has it")
        key = entry["key"]
        used = 0
        made: list[Document] = []
        if entry["own"]:
            made += await self._refresh(spec, [key], spec.copies.tree, frozenset())
            used += 1
            await self._save(entry, {"own": False})
        current = await self._read(spec, key, None)
        targets = {target.name: target for target in spec.copies.targets}
        while entry["targets"]:
            step = entry["targets"][0]
            target = targets.get(step["name"])
            if target is None:
                # The package was generated again without it.
                await self._save(entry, {"targets": entry["targets"][1:], "after": None})
                continue
            keys = distinct([*map(tuple, step["keys"]), *target_keys(current, target)])
            page = await self._page(target, keys, entry["after"])
            holder = self._specs[target.collection]
            gone = _gone(spec, target, step)
            only = _only(holder.copies.tree, target.name.partition(":")[2].split("."))
            made += await self._refresh(holder, [each["_id"] for each in page], only, gone)
            used += len(page)
            if len(page) < PAGE:
                await self._save(entry, {"targets": entry["targets"][1:], "after": None})
            else:
                await self._save(entry, {"after": cursor_of(page[-1], [Sort(holder.key, 1)])})
                if used >= budget:
                    return False, used, made
        await self._entries.delete_one({"_id": entry["_id"]})
        return True, used, made

    async def _save(self, entry: Document, progress: Document) -> None:
        entry |= progress
        update = {**progress, "claimed": datetime.now(UTC)}
        await self._entries.update_one({"_id": entry["_id"]}, {"$set": update})

    async def _page(self, target: Target, keys: Sequence[Key], after: str | None) -> list[Document]:
        if not keys:
            return []
        condition = keys_filter(keys, target.find, ())
        if after is not None:
            condition = {"$and": [condition, rows_after(after, [Sort(self._specs[target.collection].key, 1)])]}
        found = self._documents(target.collection).find(condition, {"_id": 1}).sort("_id", 1).limit(PAGE)
        return await found.to_list()

    async def _refresh(self, spec: AnySpec, keys: Sequence[Any], tree: Tree, gone: Gone) -> list[Document]:
        """Makes copies in documents again; what is copied on from them gets entries, which are returned."""
        made: list[Document] = []

        async def changed(before: Document, after: Document) -> bool:
            wanted = Follow(follow(spec, frozenset(changed_fields(before, after))).targets, own=False)

            async def store(session: AsyncClientSession | None) -> bool:
                return await self._refresher.store(spec.collection, before, after, session)

            named = _naming(spec, before["_id"], store)
            if not wanted:
                return await self._guarded(spec, before["_id"], named, None)
            stored, entry = await self._record(spec, before["_id"], named, wanted, None)
            made.append(entry)
            return stored

        await self._refresher.refresh(spec.collection, tree, keys, gone, changed)
        return made


def _naming(spec: AnySpec, key: Any, write: Write[T]) -> Write[T]:
    """The same write; what the server refuses about the document becomes an error that names it."""

    async def named(session: AsyncClientSession | None) -> T:
        try:
            return await write(session)
        except PyMongoError as error:
            if isinstance(error, Refused) or not is_about_a_document(error):
                raise
            # The driver's error would show the whole document in every traceback.
            raise refused(error, spec.collection, key) from None

    return named


def _is_of_its_document(error: Exception) -> bool:
    return isinstance(error, Refused) or not isinstance(error, OperationFailure) or is_about_a_document(error)


def _why(error: Exception) -> str:
    return told(error) if isinstance(error, PyMongoError) and not isinstance(error, Refused) else str(error)


def _entry(
    spec: AnySpec,
    key: Any,
    wanted: Follow,
    before: Document | None,
    after: Document | None,
    claimed: datetime | None,
    *,
    ready: bool = True,
) -> Document:
    steps = []
    for target in wanted.targets:
        old, new = distinct(target_keys(before, target)), target_keys(after, target)
        there = {comparable(each) for each in new}
        gone = [list(each) for each in old if ready and comparable(each) not in there]
        steps.append({"name": target.name, "keys": [list(each) for each in distinct([*old, *new])], "gone": gone})
    return {
        "_id": ObjectId(),
        "collection": spec.collection,
        "key": key,
        "own": wanted.own,
        "targets": steps,
        "after": None,
        "ready": ready,
        "at": datetime.now(UTC),
        "claimed": claimed if ready else None,
    }


def _gone(spec: AnySpec, target: Target, step: Document) -> Gone:
    return frozenset((f"{spec.collection}:{target.rows}", comparable(tuple(key))) for key in step["gone"])


def _only(tree: Tree, path: Sequence[str]) -> Tree:
    """The branch of a tree that leads to a copy."""
    for node in tree:
        here = node.path.split(".")
        if path[: len(here)] != here:
            continue
        if isinstance(node, Own):
            inner = _only(node.parts, path[len(here) :])
            if inner:
                return (Own(node.path, inner),)
        elif path == here:
            return (node,)
    return ()
