"""New ids: counters in one collection, ObjectIds, UUIDs, or the application's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from bson.int64 import Int64
from bson.objectid import ObjectId
from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from ..codec import OPTIONS, Document
from ..document import NEW_ID
from ..errors import MissingSequence
from ..spec import AnySpec, Identity, Ids

SEQUENCES = "sequences"
"""The collection of counters: {_id: name, last: the highest id given out}."""


class IdMaker:
    """Makes ids of new documents and of new rows inside them."""

    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self._database = database

    @property
    def _counters(self) -> AsyncCollection[Document]:
        return self._database.get_collection(SEQUENCES, OPTIONS)

    async def next(self, sequence: str, count: int = 1) -> range:
        """`count` ids that nobody else gets. An id that is not used in the end is lost, as with AUTO_INCREMENT.

        Raises:
            MissingSequence: the counter was never seeded.
        """
        counter = await self._counters.find_one_and_update(
            {"_id": sequence}, {"$inc": {"last": count}}, return_document=ReturnDocument.AFTER
        )
        if counter is None:
            raise MissingSequence(f"the sequence {sequence!r} is not seeded; call seed_sequences() once after cutover")
        last = int(counter["last"])
        return range(last - count + 1, last + 1)

    async def seed(self, sequence: str, at_least: int) -> None:
        """Makes the counter continue after `at_least`; never decreases it."""
        await self._counters.update_one({"_id": sequence}, {"$max": {"last": Int64(at_least)}}, upsert=True)

    async def seed_all(self, specs: Mapping[str, AnySpec]) -> None:
        """Seeds every counter with the highest id that the documents hold."""
        for spec in specs.values():
            if spec.ids == "sequence":
                await self.seed(spec.collection, await self.highest(spec, "_id"))
            for identity in spec.identities:
                if identity.ids == "sequence":
                    await self.seed(identity.sequence, await self.highest(spec, identity.path))

    async def highest(self, spec: AnySpec, path: str) -> int:
        """The highest number at a path in a collection's documents; 0 for none."""
        parts = path.split(".")
        stages: list[dict[str, Any]] = []
        for end in range(1, len(parts)):
            # A no-op where it is no array. Sub-documents that are null drop out, and have no id.
            stages.append({"$unwind": "$" + ".".join(parts[:end])})
        stages.append({"$group": {"_id": None, "highest": {"$max": f"${path}"}}})
        found = await (await self._database.get_collection(spec.collection, OPTIONS).aggregate(stages)).to_list()
        highest = found[0]["highest"] if found else None
        return int(highest) if isinstance(highest, int) else 0

    async def fill(self, document: Document, spec: AnySpec) -> None:
        """Gives ids to the document, where it has none, and to the new rows inside it.

        Raises:
            MissingSequence: a counter was never seeded.
            ValueError: the application makes these ids, and didn't.
        """
        if document.get("_id", NEW_ID) is NEW_ID:
            document_id = await self._make(spec.ids, spec.collection, 1, spec.collection)
            rest = dict(document)
            document.clear()
            document.update({"_id": document_id[0], **rest})
        for identity in spec.identities:
            await self._fill_rows(document, identity)

    async def _fill_rows(self, document: Document, identity: Identity) -> None:
        *path, name = identity.path.split(".")
        rows = [row for row in _rows(document, path) if name not in row]
        if not rows:
            return
        for row, made in zip(
            rows, await self._make(identity.ids, identity.sequence, len(rows), identity.path), strict=True
        ):
            rest = dict(row)
            row.clear()
            row.update({name: made, **rest})

    async def _make(self, ids: Ids, sequence: str, count: int, what: str) -> list[Any]:
        match ids:
            case "sequence":
                return [Int64(each) for each in await self.next(sequence, count)]
            case "objectid":
                return [ObjectId() for _ in range(count)]
            case "uuid":
                return [uuid4() for _ in range(count)]
        raise ValueError(f"{what}: the mapping says that the application makes these ids; give one")


def _rows(value: Any, path: list[str]) -> list[Document]:
    """The sub-documents at a path, through arrays."""
    if isinstance(value, list):
        return [row for each in value for row in _rows(each, path)]
    if not isinstance(value, dict):
        return []
    return _rows(value.get(path[0]), path[1:]) if path else [value]
