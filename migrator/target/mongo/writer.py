"""Writes chunks: raw BSON inserts, and replaces for what an earlier try has written already.

Measured with 340-byte documents in batches of 2000: an insert costs the client 1.5 us a document, a replace with upsert
9 us, an insert that finds its `_id` taken 7 us. So every attempt inserts first and replaces what was there: a chunk
that was interrupted early costs little more than a new one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from bson import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from migrator.errors import LeaseLost
from migrator.model.chunk import Chunk, ChunkResult, Document, Key, Rejected
from migrator.target.mongo.failure import first_failure, from_code, is_passing
from migrator.target.mongo.session import Session
from migrator.target.mongo.state import CHUNKS, REJECTED, chunk_id
from migrator.target.names import staged_name

_BATCH_DOCUMENTS = 2000
_BATCH_BYTES = 16_000_000
_DUPLICATE_KEY = 11000
# What the server says of one document, and will say again however often it is sent.
# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_REFUSED = frozenset(
    (
        2,  # BadValue: `$` in a sub-document of _id
        14,  # TypeMismatch
        15,  # Overflow: nested too deeply
        22,  # InvalidBSON
        28,  # PathNotViable
        52,  # DollarPrefixedFieldName
        53,  # InvalidIdField
        55,  # InvalidDBRef
        56,  # EmptyFieldName
        57,  # DottedFieldName
        121,  # DocumentValidationFailure
        10334,  # BSONObjectTooLarge
        17280,  # KeyTooLong
        17419,  # an update made it too large
        17420,  # the same for a replacement
    )
)
# Dates outside of Python's range are looked past, sub-documents stay bytes.
_RAW = CodecOptions(document_class=RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_MS)


class MongoWriter:
    """Implements migrator.run.ports.Writer."""

    def __init__(self, session: Session, run_id: str) -> None:
        self._session = session
        self._run_id = run_id
        # Tells a repeated call of this writer from another process that is at the same attempt.
        self._token = secrets.token_hex(8)

    def start(self, chunk: Chunk) -> None:
        """Notes the attempt.

        Raises:
            LeaseLost: when another process is at this attempt, or at a later one.
        """
        unclaimed = {"attempt": {"$lt": chunk.attempt}}
        mine = {"attempt": chunk.attempt, "by": self._token}
        self._update(
            chunk,
            {"_id": chunk_id(chunk), "done": False, "$or": [unclaimed, mine]},
            {"$set": {"attempt": chunk.attempt, "by": self._token}},
        )

    def write(self, chunk: Chunk, documents: Sequence[Document]) -> list[tuple[Key, str]]:
        """Inserts, replaces what is there already; see migrator.run.ports.Writer."""
        limit = self._session.steadily(lambda: self._session.max_document_bytes)
        refused: list[tuple[Key, str]] = []
        fitting: list[Document] = []
        for document in documents:
            if len(document.bson) > limit:
                refused.append((document.key, f"a document of {len(document.bson)} bytes; {limit} are allowed"))
            else:
                fitting.append(document)
        for batch in _batches(fitting):
            refused += self._write_batch(chunk, batch)
        return refused

    def remove(self, chunk: Chunk, ids: Sequence[bytes]) -> None:
        """Deletes documents by `_id`."""
        rest = iter(ids)
        while some := [RawBSONDocument(each, _RAW)["_id"] for each in islice(rest, _BATCH_DOCUMENTS)]:
            self._session.steadily(lambda some=some: self._staged(chunk).delete_many({"_id": {"$in": some}}))  # type: ignore[misc]

    def finish(self, result: ChunkResult, rejected: Sequence[Rejected]) -> None:
        """Notes the chunk as done.

        Raises:
            LeaseLost: when another process has begun the chunk again.
        """
        chunk = result.chunk
        self._replace_rejected(chunk, rejected)
        done = {
            "done": True,
            "documents": result.documents,
            "rows": result.rows,
            "bytes": result.bytes,
            "rejected": result.rejected,
            "seconds": result.seconds,
        }
        self._update(chunk, {"_id": chunk_id(chunk), "attempt": chunk.attempt, "by": self._token}, {"$set": done})

    def close(self) -> None:
        """The connections are the target's."""

    def _write_batch(self, chunk: Chunk, batch: Sequence[Document]) -> list[tuple[Key, str]]:
        raw = [RawBSONDocument(document.bson, _RAW) for document in batch]

        def insert() -> dict[int, tuple[int, str]]:
            try:
                self._staged(chunk).insert_many(raw, ordered=False)
            except BulkWriteError as error:
                return self._failures(error)
            return {}

        failures = self._session.steadily(insert)
        taken = [index for index, (code, _) in failures.items() if code == _DUPLICATE_KEY]
        refused = {index: text for index, (code, text) in failures.items() if code != _DUPLICATE_KEY}
        if taken:
            refused |= self._replace(chunk, raw, taken)
        return [(batch[index].key, refused[index]) for index in sorted(refused)]

    def _replace(self, chunk: Chunk, raw: Sequence[RawBSONDocument], which: Sequence[int]) -> dict[int, str]:
        """Replaces documents that are there. A late worker must not put its older ones over another's."""
        self._ensure_mine(chunk)
        writes: list[ReplaceOne[RawBSONDocument]] = [
            ReplaceOne({"_id": raw[index]["_id"]}, raw[index], upsert=True) for index in which
        ]

        def replace() -> dict[int, tuple[int, str]]:
            try:
                self._staged(chunk).bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                return self._failures(error)
            return {}

        return {which[index]: text for index, (_, text) in self._session.steadily(replace).items()}

    def _failures(self, error: BulkWriteError) -> dict[int, tuple[int, str]]:
        """Code and text by index of the documents that were refused for good or are there already.

        Raises:
            TargetUnavailable, TargetError: when something else went wrong too.
        """
        details = error.details
        where = self._session.url.address
        failures = details.get("writeErrors", [])
        serious = [each for each in failures if each["code"] not in _REFUSED and each["code"] != _DUPLICATE_KEY]
        # Errors for good come first: trying the others again would be in vain.
        for each in sorted(serious, key=lambda each: is_passing(each["code"])):
            raise from_code(each["code"], each["errmsg"], where) from error
        if details.get("writeConcernErrors"):
            raise from_code(*first_failure({"writeConcernErrors": details["writeConcernErrors"]}), where) from error
        return {each["index"]: (each["code"], each["errmsg"]) for each in failures}

    def _replace_rejected(self, chunk: Chunk, rejected: Sequence[Rejected]) -> None:
        whose = {"run": chunk.run, "collection": chunk.collection, "chunk": chunk.number}
        documents = [
            {"_id": {**whose, "by": self._token, "n": n}, **whose, "rejected": asdict(each)}
            for n, each in enumerate(rejected)
        ]

        def work() -> None:
            collection = self._session.database[REJECTED]
            collection.delete_many(whose)
            if documents:
                collection.insert_many(documents, ordered=False)

        self._session.steadily(work)

    def _ensure_mine(self, chunk: Chunk) -> None:
        wanted = {"_id": chunk_id(chunk), "attempt": chunk.attempt, "by": self._token}
        if self._session.steadily(lambda: self._session.database[CHUNKS].find_one(wanted, {"_id": 1})) is None:
            raise self._lost(chunk)

    def _update(self, chunk: Chunk, wanted: dict[str, Any], change: dict[str, Any]) -> None:
        done = self._session.steadily(lambda: self._session.database[CHUNKS].update_one(wanted, change))
        if not done.matched_count:
            raise self._lost(chunk)

    def _lost(self, chunk: Chunk) -> LeaseLost:
        return LeaseLost(
            f"another process has begun chunk {chunk.number} again, or finished or forgot it",
            where=f"{self._session.url.address}, {chunk.collection}",
            hint="Let that one finish.",
        )

    def _staged(self, chunk: Chunk) -> Any:
        return self._session.database[staged_name(chunk.collection, self._run_id)]


def _batches(documents: Sequence[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    size = 0
    for document in documents:
        if batch and (len(batch) == _BATCH_DOCUMENTS or size + len(document.bson) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += len(document.bson)
    if batch:
        yield batch
