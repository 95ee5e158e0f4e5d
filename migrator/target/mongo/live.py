"""Changes single documents of a collection: replaced, inserted, deleted, each batch behind a guard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DeleteOne, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from migrator.model.change import Conflict, WriteOutcome
from migrator.model.chunk import Document, Key
from migrator.target.mongo import bulk
from migrator.target.mongo.bulk import Failure
from migrator.target.mongo.fence import Guard
from migrator.target.mongo.raw import RAW, bson_of
from migrator.target.mongo.rivals import Rivals
from migrator.target.mongo.session import Session

# A transaction stays far below the minute that a server gives it, and below 16 MB of log (MongoDB manual, Production
# Considerations for transactions).
_BATCH_DOCUMENTS = 1000
_BATCH_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class _Write:
    """A document to be put in place of what has its `_id`."""

    document: Document
    raw: RawBSONDocument

    @classmethod
    def of(cls, document: Document) -> _Write:
        return cls(document, RawBSONDocument(document.bson, RAW))

    def replacement(self) -> ReplaceOne[Any]:
        return ReplaceOne({"_id": self.raw["_id"]}, self.raw, upsert=True)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is sent at a time; the deletes come first."""

    deletes: tuple[Any, ...]
    writes: tuple[_Write, ...]


class MongoDocuments:
    """Implements migrator.run.sync_ports.Documents.

    A document that is reported as a conflict is gone: its old version would hold on to values that others need now.
    """

    def __init__(self, session: Session, name: str, guard: Guard) -> None:
        self._session = session
        self._name = name
        self._guard = guard

    def write(self, documents: Sequence[Document], deletes: Sequence[bytes]) -> WriteOutcome:
        """See migrator.run.sync_ports.Documents. An `_id` that is both written and deleted is written."""
        limit = self._session.steadily(lambda: self._session.max_document_bytes)
        fitting, refused = bulk.fitting(documents, limit)
        writes = {_id_of(write.raw): write for write in map(_Write.of, fitting)}
        gone = [RawBSONDocument(each, RAW)["_id"] for each in deletes if bytes(each) not in writes]
        failed = self._send_all(gone, writes.values())
        refused += [(write.document.key, failure.text) for write, failure in failed if not failure.is_duplicate]
        taken = [write for write, failure in failed if failure.is_duplicate]
        if not taken:
            return WriteOutcome(tuple(refused))
        # Everything else is done, so who is still in the way is the old version of one of these, or no part of this
        # call, or the source has the value twice (EDGE_CASES 51). Without their old versions, the first kind passes.
        failed = self._send_all([write.raw["_id"] for write in taken], taken)
        refused += [(write.document.key, failure.text) for write, failure in failed if not failure.is_duplicate]
        return WriteOutcome(tuple(refused), self._conflicts(failed))

    def ids(self, after: bytes | None, limit: int) -> list[bytes]:
        """See migrator.run.sync_ports.Documents."""
        return self._session.steadily(lambda: self._ids(after, limit))

    def _ids(self, after: bytes | None, limit: int) -> list[bytes]:
        if limit < 1:
            return []
        collection = self._collection.with_options(codec_options=RAW)
        found = collection.find({}, {"_id": 1}).sort("_id", ASCENDING).limit(limit)
        if after is not None:
            # Bounds of the index go through all types in the server's order; `$gt` stays within the type of `after`.
            last = RawBSONDocument(after, RAW)["_id"]
            found = found.min([("_id", last)]).hint([("_id", ASCENDING)]).limit(limit + 1)
        ids = [bson_of(each) for each in found]
        return ids[1:] if ids and ids[0] == after else ids[:limit]

    def _send_all(self, deletes: Iterable[Any], writes: Iterable[_Write]) -> list[tuple[_Write, Failure]]:
        """Sends everything; the writes that failed, each with its reason."""
        failed: list[tuple[_Write, Failure]] = []
        for part in _parts(deletes, writes):
            failed += self._send(part)
        return failed

    def _send(self, part: _Part) -> Iterator[tuple[_Write, Failure]]:
        waiting = [part]
        while waiting:
            part = waiting.pop()
            failures = self._guard.run(partial(self._bulk, part))
            for index in sorted(failures):
                yield part.writes[index], failures[index]
            if failures and self._guard.all_or_nothing:
                # A transaction ends at its first failure: what stood before that is known to be right.
                first = min(failures)
                rest = (write for index, write in enumerate(part.writes) if index > first and index not in failures)
                # The deletes and what stood before come first from the pile.
                again = _Part((), tuple(rest)), _Part(part.deletes, part.writes[:first])
                waiting += [each for each in again if each.deletes or each.writes]

    def _bulk(self, part: _Part, session: ClientSession | None) -> dict[int, Failure]:
        deletes = [DeleteOne({"_id": each}) for each in part.deletes]
        writes: list[ReplaceOne[Any]] = [
            ReplaceOne({"_id": each.raw["_id"]}, each.raw, upsert=True) for each in part.writes
        ]
        collection = self._collection
        if deletes:
            collection.bulk_write(deletes, ordered=False, session=session)
        if not writes:
            return {}
        send = partial(collection.bulk_write, writes, ordered=False, session=session)
        return bulk.outcome(f"{self._session.url.address}, {self._name}", send)

    def _conflicts(self, failed: Sequence[tuple[_Write, Failure]]) -> tuple[Conflict, ...]:
        taken = [(write, failure) for write, failure in failed if failure.is_duplicate]
        if not taken:
            return ()
        rivals = self._session.steadily(lambda: Rivals(self._collection))
        return tuple(self._conflict(write.document.key, write.raw, failure, rivals) for write, failure in taken)

    def _conflict(self, key: Key, raw: Mapping[str, Any], failure: Failure, rivals: Rivals) -> Conflict:
        other = self._session.steadily(lambda: rivals.find(raw, failure.pattern))
        return Conflict(key, other, f"another document has the same unique value: {failure.text}")

    @property
    def _collection(self) -> Collection[Any]:
        return self._session.database[self._name]


def _parts(deletes: Iterable[Any], writes: Iterable[_Write]) -> Iterator[_Part]:
    """Deletes before writes; few enough of both go together, so that nobody sees one without the other."""
    rest: tuple[Any, ...] = ()
    for some in bulk.batches(deletes, _BATCH_DOCUMENTS, _BATCH_BYTES, lambda _: 0):
        if rest:
            yield _Part(rest, ())
        rest = tuple(some)
    for batch in bulk.batches(writes, _BATCH_DOCUMENTS, _BATCH_BYTES, lambda write: len(write.document.bson)):
        yield _Part(rest, tuple(batch))
        rest = ()
    if rest:
        yield _Part(rest, ())


def _id_of(raw: RawBSONDocument) -> bytes:
    """The BSON document `{_id: ...}` of a document."""
    return encode({"_id": raw["_id"]}, codec_options=RAW)
