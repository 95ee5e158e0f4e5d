"""The repository of any collection; generated ones only say which collection it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar, overload

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor

from ..codec import Document
from ..document import Root, refresh
from ..errors import Conflict, NotFound
from ..join import steps
from ..keys import comparable
from ..paging import Page, complete, cursor_of, rows_after
from ..query import Changes, Field, Filter, Sort, Where, filter_document, select, update_document, value_at
from ..spec import Spec
from .context import BATCH, Context
from .joiner import Joiner

M = TypeVar("M", bound=Root)
K = TypeVar("K")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

Missing = Literal["none", "error"]


class Repository(Generic[M, K]):
    """Reads and writes the documents of one collection.

    Every reading method takes:
        include: references to read along, dotted to go further: `["warehouse", "customer.orders"]`. One query a step
            for all documents together, whatever their number.
        missing: what a reference to nothing gives: None, or the error MissingPartner.
    """

    def __init__(self, context: Context, spec: Spec[M, K]) -> None:
        self._context = context
        self._spec = spec
        self._joiner = Joiner(context)

    @property
    def collection(self) -> AsyncCollection[Document]:
        """pymongo's own collection, for everything else. Writes through it don't reach the copies elsewhere."""
        return self._context.collection(self._spec.collection)

    # --- reading ------------------------------------------------------------------------------------------------

    async def get(self, key: K, *, include: Iterable[str] = (), missing: Missing = "none") -> M | None:
        """The document with this id, or None."""
        (found,) = await self.get_many([key], include=include, missing=missing)
        return found

    async def get_many(
        self, keys: Sequence[K], *, include: Iterable[str] = (), missing: Missing = "none"
    ) -> list[M | None]:
        """The documents with these ids, in the order of `keys`, None where there is none."""
        stored = [self._stored_key(key) for key in keys]
        documents = await self._context.load(self._spec, stored)
        by_key = {comparable(document["_id"]): document for document in documents}
        made = await self._models(list(by_key.values()), include, missing)
        models = dict(zip(by_key, made, strict=True))
        return [models.get(comparable(key)) for key in stored]

    async def find(
        self,
        where: Where = None,
        *,
        sort: Sequence[Sort] = (),
        limit: int = 0,
        skip: int = 0,
        include: Iterable[str] = (),
        missing: Missing = "none",
    ) -> list[M]:
        """All documents for which the filter holds; `limit` 0 is no limit."""
        documents = await self._cursor(where, sort, limit, skip).to_list()
        return await self._models(documents, include, missing)

    async def first(
        self, where: Where = None, *, sort: Sequence[Sort] = (), include: Iterable[str] = (), missing: Missing = "none"
    ) -> M | None:
        """The first of them, or None."""
        found = await self.find(where, sort=sort, limit=1, include=include, missing=missing)
        return found[0] if found else None

    async def iterate(
        self,
        where: Where = None,
        *,
        sort: Sequence[Sort] = (),
        batch: int = 500,
        include: Iterable[str] = (),
        missing: Missing = "none",
    ) -> AsyncIterator[M]:
        """All of them, one by one; at most `batch` are in memory, and partners are read for so many at once."""
        include = tuple(include)
        waiting: list[Document] = []
        async for document in self._cursor(where, sort, 0, 0).batch_size(batch):
            waiting.append(document)
            if len(waiting) == batch:
                for model in await self._models(waiting, include, missing):
                    yield model
                waiting = []
        for model in await self._models(waiting, include, missing):
            yield model

    async def page(
        self,
        where: Where = None,
        *,
        sort: Sequence[Sort] = (),
        limit: int = 100,
        after: str | None = None,
        include: Iterable[str] = (),
        missing: Missing = "none",
    ) -> Page[M]:
        """A page of `limit` documents after the cursor `after`; the sort is completed by the id.

        Raises:
            BadCursor: `after` is broken or of another sort.
            ValueError: the sort is by a field in an array.
        """
        order = complete(sort, self._spec.key)
        condition = filter_document(where)
        if after is not None:
            condition = {"$and": [condition, rows_after(after, order)]} if condition else rows_after(after, order)
        documents = await self._cursor(Filter(condition), order, limit + 1, 0).to_list()
        more = len(documents) > limit
        shown = documents[:limit]
        following = cursor_of(shown[-1], order) if more and shown else None
        return Page(await self._models(shown, include, missing), following)

    async def count(self, where: Where = None) -> int:
        """How many there are."""
        return await self.collection.count_documents(filter_document(where))

    @overload
    async def values(
        self, a: Field[Any, A], /, *, where: Where = ..., sort: Sequence[Sort] = ..., limit: int = ...
    ) -> list[tuple[A]]: ...

    @overload
    async def values(
        self, a: Field[Any, A], b: Field[Any, B], /, *, where: Where = ..., sort: Sequence[Sort] = ..., limit: int = ...
    ) -> list[tuple[A, B]]: ...

    @overload
    async def values(
        self,
        a: Field[Any, A],
        b: Field[Any, B],
        c: Field[Any, C],
        /,
        *,
        where: Where = ...,
        sort: Sequence[Sort] = ...,
        limit: int = ...,
    ) -> list[tuple[A, B, C]]: ...

    @overload
    async def values(
        self,
        a: Field[Any, A],
        b: Field[Any, B],
        c: Field[Any, C],
        d: Field[Any, D],
        /,
        *,
        where: Where = ...,
        sort: Sequence[Sort] = ...,
        limit: int = ...,
    ) -> list[tuple[A, B, C, D]]: ...

    @overload
    async def values(
        self, /, *fields: Field[Any, Any], where: Where = ..., sort: Sequence[Sort] = ..., limit: int = ...
    ) -> list[tuple[Any, ...]]: ...

    async def values(
        self, /, *fields: Field[Any, Any], where: Where = None, sort: Sequence[Sort] = (), limit: int = 0
    ) -> Any:
        """Only these fields of each document, as tuples: less to send and to decode than whole documents."""
        wanted = {field.path: 1 for field in fields}
        projection = wanted if any(path.split(".")[0] == "_id" for path in wanted) else {**wanted, "_id": 0}
        cursor = self._cursor(where, sort, limit, 0, projection)
        return [tuple(select(document, field) for field in fields) for document in await cursor.to_list()]

    # --- writing ------------------------------------------------------------------------------------------------

    async def insert(self, model: M) -> M:
        """Stores a new document; gives ids where they are still NEW_ID, in the object too.

        Raises:
            Taken: the id, or another unique value, is taken.
            Refused: the server does not take the document, for what is in it.
            MissingSequence: ids are counted, and the counter was never seeded.
        """
        document = model.to_document()
        await self._context.ids.fill(document, self._spec)

        async def write(session: AsyncClientSession | None) -> None:
            await self.collection.insert_one(document, session=session)

        await self._context.write(self._spec, document["_id"], write)
        refresh(model, await self._with_copies(document))
        return model

    async def replace(self, model: M) -> M:
        """Stores a document in place of the one with its id; new rows inside it get their ids.

        Raises:
            NotFound: there is none with this id.
            Conflict: it was written since this one was read (only with a version column).
            Refused: the server does not take the document, for what is in it.
        """
        document = model.to_document()
        await self._context.ids.fill(document, self._spec)
        condition: Document = {"_id": document["_id"]}
        if self._spec.version:
            before = value_at(document, self._spec.version.split("."))
            condition[self._spec.version] = before
            _put(document, self._spec.version, type(before)(before + 1))

        async def write(session: AsyncClientSession | None) -> None:
            result = await self.collection.replace_one(condition, document, session=session)
            if not result.matched_count:
                raise await self._why_not(document["_id"], session)

        await self._context.write(self._spec, document["_id"], write)
        refresh(model, await self._with_copies(document))
        return model

    async def update(self, key: K, changes: Changes, *, version: int | None = None) -> M:
        """Changes some fields of a document and returns it as it is afterwards.

        Args:
            key: its id.
            changes: `[OrderFields.state.set("paid")]`, or a MongoDB update such as `{"$set": {"state": "paid"}}`.
            version: with a version column: the version that the caller has seen.

        Raises:
            NotFound: there is none with this id.
            Conflict: it has another version than the caller has seen.
            Refused: the server does not take the document that would come of it.
        """
        stored = self._stored_key(key)
        update = update_document(changes)
        condition: Document = {"_id": stored}
        if self._spec.version:
            update.setdefault("$inc", {})[self._spec.version] = 1
        condition |= self._version_is(version)

        async def write(session: AsyncClientSession | None) -> Document:
            found = await self.collection.find_one_and_update(
                condition, update, return_document=ReturnDocument.AFTER, session=session
            )
            if found is None:
                raise await self._why_not(stored, session)
            return found

        after = await self._context.write(self._spec, stored, write, _touched(update))
        return self._spec.model.from_document(await self._with_copies(after))

    async def delete(self, key: K, *, version: int | None = None) -> bool:
        """Deletes a document; false when there was none.

        Raises:
            Conflict: it has another version than the caller has seen.
        """
        stored = self._stored_key(key)
        condition: Document = {"_id": stored} | self._version_is(version)

        async def write(session: AsyncClientSession | None) -> bool:
            result = await self.collection.delete_one(condition, session=session)
            if not result.deleted_count and version is not None:
                problem = await self._why_not(stored, session)
                if isinstance(problem, Conflict):
                    raise problem
            return bool(result.deleted_count)

        return await self._context.write(self._spec, stored, write)

    # --- inside -------------------------------------------------------------------------------------------------

    def _cursor(
        self,
        where: Where,
        sort: Sequence[Sort],
        limit: int,
        skip: int,
        projection: Mapping[str, Any] | None = None,
    ) -> AsyncCursor[Document]:
        cursor = self.collection.find(filter_document(where), projection, batch_size=BATCH)
        if sort:
            cursor = cursor.sort([(term.field.path, term.direction) for term in sort])
        return cursor.skip(skip).limit(limit)

    async def _models(self, documents: list[Document], include: Iterable[str], missing: Missing) -> list[M]:
        tree = steps(include, self._spec, self._context.specs)
        make: Callable[[Document], M] = self._spec.model.from_document
        models = [make(document) for document in documents]
        await self._joiner.join(documents, models, tree, strict=missing == "error")
        return models

    def _stored_key(self, key: K) -> Any:
        return self._spec.key.codec.write(key, f"{self._spec.collection}._id")

    async def _with_copies(self, document: Document) -> Document:
        """The document as the follow-up of its write left it."""
        if not self._spec.copies.tree:
            return document
        return await self.collection.find_one({"_id": document["_id"]}) or document

    def _version_is(self, version: int | None) -> Document:
        if version is None:
            return {}
        if not self._spec.version:
            raise ValueError(f"{self._spec.collection} has no version column")
        return {self._spec.version: version}

    async def _why_not(self, stored: Any, session: AsyncClientSession | None) -> NotFound | Conflict:
        there = await self.collection.find_one({"_id": stored}, session=session)
        name = f"{self._spec.collection} (_id {stored!r})"
        if there is None:
            return NotFound(f"{name} does not exist")
        return Conflict(f"{name} was changed by somebody else; read it again")


def _touched(update: Document) -> frozenset[str]:
    """The paths that an update writes, without positions in arrays."""
    paths = [path for fields in update.values() for path in fields]
    paths += update.get("$rename", {}).values()
    names = ([name for name in path.split(".") if not (name.isdigit() or name.startswith("$"))] for path in paths)
    return frozenset(".".join(each) for each in names)


def _put(document: Document, path: str, value: Any) -> None:
    *above, name = path.split(".")
    for part in above:
        document = document[part]
    document[name] = value
