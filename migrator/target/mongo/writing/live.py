"""Changes single documents of a collection: replaced, inserted, deleted, each batch with a guard first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, DeleteOne, InsertOne, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from migrator.model.change.events import Conflict, WriteOutcome
from migrator.model.plan.chunk import Document, Key, Refusal
from migrator.target.mongo.connection.raw import RAW, bson_of
from migrator.target.mongo.connection.server_message import covered, index_kind
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.leases.write_guard import WriteGuard
from migrator.target.mongo.writing import bulk, dollar_names
from migrator.target.mongo.writing.bulk import Failure
from migrator.target.mongo.writing.document_id import id_document, id_of
from migrator.target.mongo.writing.rivals import Rivals

# A transaction stays far below the minute that a server gives it, and below 16 MB of log (MongoDB manual, Production
# Considerations for transactions).
_BATCH_DOCUMENTS = 1000
_BATCH_BYTES = 8_000_000
# An `_id` that becomes the same number of another type (a key that was altered from INT to BIGINT) is no change to
# MongoDB; not every server that speaks its protocol replaces such a document.
_IMMUTABLE_FIELD = 66


@dataclass(frozen=True, slots=True)
class _DocumentWrite:
    """A document to be put in place of what has its `_id`.

    Attributes:
        reinserted: the server doesn't replace such a document, so it is deleted and inserted.
    """

    document: Document
    raw: RawBSONDocument
    reinserted: bool

    @property
    def id(self) -> Any:
        """The value of `_id`."""
        return id_of(self.document.bson)

    @property
    def operation(self) -> InsertOne[Any] | ReplaceOne[Any]:
        if self.reinserted:
            return InsertOne(self.raw)
        return ReplaceOne({"_id": self.id}, self.raw, upsert=True)


@dataclass(frozen=True, slots=True)
class _WriteBatch:
    """What is sent at a time; the deletes come first."""

    deletes: tuple[Any, ...]
    writes: tuple[_DocumentWrite, ...]


class MongoDocuments:
    """Implements migrator.ports.sync.Documents.

    A document that is reported as a conflict is gone: its old version would hold on to values that others need now.
    """

    def __init__(self, session: Session, name: str, guard: WriteGuard) -> None:
        self._session = session
        self._name = name
        self._guard = guard

    def write(self, documents: Sequence[Document], deletes: Sequence[bytes]) -> WriteOutcome:
        """See migrator.ports.sync.Documents. An `_id` that is both written and deleted is written."""
        limit = self._session.retried(lambda: self._session.max_document_bytes)
        fitting, refused = bulk.fitting(documents, limit)
        writes, more = self._writes(fitting)
        refused += more
        by_id = {id_document(write.document.bson): write for write in writes}
        gone = [RawBSONDocument(each, RAW)["_id"] for each in deletes if bytes(each) not in by_id]
        failed = self._send_all(gone, by_id.values())
        if retyped := [write for write, failure in failed if failure.code == _IMMUTABLE_FIELD and not write.reinserted]:
            failed = [each for each in failed if each[0] not in retyped]
            failed += self._send_all((), [replace(write, reinserted=True) for write in retyped])
        refused += self._refusals(failed)
        taken = [write for write, failure in failed if failure.is_duplicate]
        if not taken:
            return WriteOutcome(tuple(refused))
        # Everything else is done, so who is still in the way is the old version of one of these, or no part of this
        # call, or the source has the value twice (edge case 51). Without their old versions, the first kind passes.
        failed = self._send_all([write.id for write in taken], taken)
        refused += self._refusals(failed)
        return WriteOutcome(tuple(refused), self._conflicts(failed))

    def ids(self, after: bytes | None, limit: int) -> list[bytes]:
        """See migrator.ports.sync.Documents."""
        return self._session.retried(lambda: self._ids(after, limit))

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

    def _writes(self, documents: Sequence[Document]) -> tuple[list[_DocumentWrite], list[tuple[Key, Refusal]]]:
        """How each document is written, and those that this server could not change later."""
        dollars = {each.key for each in documents if dollar_names.path(each.bson) is not None}
        if dollars:
            replaceable: bool = self._session.cached(dollar_names.replaceable)
            dollars = set() if replaceable else dollars
        refused: list[tuple[Key, Refusal]] = []
        # Without a transaction a document would be missing between delete and insert.
        if dollars and not self._guard.all_or_nothing:
            documents, refused = dollar_names.separated(documents)
        writes = [_DocumentWrite(each, RawBSONDocument(each.bson, RAW), each.key in dollars) for each in documents]
        # Those of a kind together: see `_bulk`.
        return sorted(writes, key=lambda write: write.reinserted), refused

    def _refusals(self, failed: Sequence[tuple[_DocumentWrite, Failure]]) -> list[tuple[Key, Refusal]]:
        refused = [(write.document.key, failure) for write, failure in failed if not failure.is_duplicate]
        kinds = {index_kind(failure.code) for _, failure in refused} - {""}
        fields = self._session.retried(lambda: self._fields_of(kinds)) if kinds else {}
        return [(key, failure.refusal(fields.get(index_kind(failure.code), ()))) for key, failure in refused]

    def _fields_of(self, kinds: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The fields under the collection's indexes of these kinds."""
        indexes = list(self._collection.list_indexes())
        return {kind: covered(indexes, kind) for kind in kinds}

    def _send_all(
        self, deletes: Iterable[Any], writes: Iterable[_DocumentWrite]
    ) -> list[tuple[_DocumentWrite, Failure]]:
        """Sends everything; the writes that failed, each with its reason."""
        failed: list[tuple[_DocumentWrite, Failure]] = []
        for part in _parts(deletes, writes):
            failed += self._send(part)
        return failed

    def _send(self, part: _WriteBatch) -> Iterator[tuple[_DocumentWrite, Failure]]:
        waiting = [part]
        while waiting:
            part = waiting.pop()
            try:
                failures = self._guard.run(partial(self._bulk, part))
            except bulk.BatchRefused as refused:
                # The whole command was refused, for one document that nothing names.
                if len(part.writes) == 1:
                    yield part.writes[0], refused.failure
                    waiting += [_WriteBatch(part.deletes, ())] if part.deletes else []
                else:
                    waiting += reversed(_halves(part.deletes, part.writes))
                continue
            for index in sorted(failures):
                yield part.writes[index], failures[index]
            if failures and self._guard.all_or_nothing:
                # A transaction ends at its first failure: what stood before that is known to be right.
                first = min(failures)
                rest = [write for index, write in enumerate(part.writes) if index > first and index not in failures]
                # The deletes and what stood before come first from the pile. What came after is halved, so that a batch
                # of nothing but such failures is not sent as often as it has documents.
                again = _WriteBatch(part.deletes, part.writes[:first]), *_halves((), tuple(rest))
                waiting += reversed([each for each in again if each.deletes or each.writes])

    def _bulk(self, part: _WriteBatch, session: ClientSession | None) -> dict[int, Failure]:
        gone = [*part.deletes, *(write.id for write in part.writes if write.reinserted)]
        deletes = [DeleteOne({"_id": each}) for each in gone]
        collection, where = self._collection, f"{self._session.url.address}, {self._name}"
        if deletes:
            collection.bulk_write(deletes, ordered=False, session=session)
        sent = 0
        # A command for each kind: in a transaction that the first one ended by a failure, no second one can be sent.
        for _, some in groupby(part.writes, lambda write: write.reinserted):
            operations = [write.operation for write in some]
            send = partial(collection.bulk_write, operations, ordered=False, session=session)
            if failures := bulk.outcome(where, send):
                return {sent + index: failure for index, failure in failures.items()}
            sent += len(operations)
        return {}

    def _conflicts(self, failed: Sequence[tuple[_DocumentWrite, Failure]]) -> tuple[Conflict, ...]:
        taken = [(write, failure) for write, failure in failed if failure.is_duplicate]
        if not taken:
            return ()
        rivals = self._session.retried(lambda: Rivals(self._collection))
        return tuple(self._conflict(write.document.key, write.raw, failure, rivals) for write, failure in taken)

    def _conflict(self, key: Key, raw: Mapping[str, Any], failure: Failure, rivals: Rivals) -> Conflict:
        other = self._session.retried(lambda: rivals.find(raw, failure.pattern))
        refusal = failure.refusal()
        return Conflict(key, other, refusal.reason, refusal.said)

    @property
    def _collection(self) -> Collection[Any]:
        return self._session.database[self._name]


def _parts(deletes: Iterable[Any], writes: Iterable[_DocumentWrite]) -> Iterator[_WriteBatch]:
    """Deletes before writes; few enough of both go together, so that nobody sees one without the other."""
    rest: tuple[Any, ...] = ()
    for some in bulk.batches(deletes, _BATCH_DOCUMENTS, _BATCH_BYTES, lambda _: 0):
        if rest:
            yield _WriteBatch(rest, ())
        rest = tuple(some)
    for batch in bulk.batches(writes, _BATCH_DOCUMENTS, _BATCH_BYTES, lambda write: len(write.document.bson)):
        yield _WriteBatch(rest, tuple(batch))
        rest = ()
    if rest:
        yield _WriteBatch(rest, ())


def _halves(deletes: tuple[Any, ...], writes: tuple[_DocumentWrite, ...]) -> list[_WriteBatch]:
    half = len(writes) // 2
    return [_WriteBatch(deletes, writes[:half]), _WriteBatch((), writes[half:])]
