"""Writes chunks: raw BSON inserts, and replaces for what an earlier try has written already.

Measured with 340-byte documents in batches of 2000: an insert costs the client 1.5 us a document, a replace with upsert
9 us, an insert that finds its `_id` taken 7 us. So every attempt inserts first and replaces what was there: a chunk
that was interrupted early costs little more than a new one.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property, partial
from itertools import islice
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, ReplaceOne
from pymongo.client_session import ClientSession

from migrator.errors import LeaseLost
from migrator.model.collection_names import staged_name
from migrator.model.plan.chunk import Chunk, ChunkResult, Document, Key, Refusal, Rejected
from migrator.target.mongo.connection.raw import RAW, bson_of
from migrator.target.mongo.connection.session import TRANSACTION, TRANSACTION_SECONDS, Session
from migrator.target.mongo.copy_state.state import CHUNKS, REJECTED, chunk_id
from migrator.target.mongo.leases import transactors, write_guard
from migrator.target.mongo.writing import bulk, dollar_names
from migrator.target.mongo.writing.bulk import Failure
from migrator.target.mongo.writing.document_id import id_of

_BATCH_DOCUMENTS = 2000
_BATCH_BYTES = 16_000_000


class MongoWriter:
    """Implements migrator.ports.copy.Writer."""

    def __init__(self, session: Session) -> None:
        self._session = session
        # Tells a repeated call of this writer from another process that is at the same attempt.
        self._token = secrets.token_hex(8)

    def start(self, chunk: Chunk) -> None:
        """Records the attempt.

        Raises:
            LeaseLost: when another process is at this attempt, or at a later one.
        """
        unclaimed = {"attempt": {"$lt": chunk.attempt}}
        mine = {"attempt": chunk.attempt, "by": self._token}
        self._update(
            chunk,
            # Premise C: not one that a later holding of the lease has taken over.
            {
                "_id": chunk_id(chunk),
                "done": False,
                "holding": {"$not": {"$gt": chunk.holding}},
                "$or": [unclaimed, mine],
            },
            {"$set": {"attempt": chunk.attempt, "by": self._token}},
        )

    def write(self, chunk: Chunk, documents: Sequence[Document]) -> list[tuple[Key, Refusal]]:
        """Inserts, replaces what is there already; see migrator.ports.copy.Writer."""
        limit = self._session.retried(lambda: self._session.max_document_bytes)
        fitting, refused = bulk.fitting(documents, limit)
        if self._takes_no_dollar_names(fitting):
            fitting, more = dollar_names.separated(fitting)
            refused += more
        for batch in bulk.batches(fitting, _BATCH_DOCUMENTS, _BATCH_BYTES, lambda document: len(document.bson)):
            refused += self._write_batch(chunk, batch)
        return refused

    def remove(self, chunk: Chunk, ids: Sequence[bytes]) -> None:
        """Deletes documents by `_id`."""
        rest = iter(ids)
        while some := [RawBSONDocument(each, RAW)["_id"] for each in islice(rest, _BATCH_DOCUMENTS)]:
            self._session.retried(lambda some=some: self._staged(chunk).delete_many({"_id": {"$in": some}}))  # type: ignore[misc]

    def finish(self, result: ChunkResult, rejected: Sequence[Rejected]) -> None:
        """Records the chunk as done.

        premise C: one transaction looks whose chunk it is, and writes what was rejected and that it is done.
        Without transactions the look comes first.

        Raises:
            LeaseLost: when another process has begun the chunk again.
        """
        chunk = result.chunk
        done = {
            "done": True,
            "documents": result.documents,
            "rows": result.rows,
            "bytes": result.bytes,
            "rejected": result.rejected,
            "seconds": result.seconds,
        }
        if not rejected and chunk.attempt == 1:
            self._update(chunk, self._mine(chunk), {"$set": done})
        elif self._session.cached(write_guard.has_transactions):
            self._session.retried(lambda: self._finish(chunk, done, rejected), TRANSACTION_SECONDS)
        else:
            self._ensure_mine(chunk)
            self._session.retried(lambda: self._replace_rejected(chunk, rejected, None))
            self._update(chunk, self._mine(chunk), {"$set": done})

    def close(self) -> None:
        """The connections are the target's."""

    def _write_batch(self, chunk: Chunk, batch: Sequence[Document]) -> list[tuple[Key, Refusal]]:
        raw = [RawBSONDocument(document.bson, RAW) for document in batch]

        def insert(some: Sequence[RawBSONDocument]) -> dict[int, Failure]:
            send = partial(self._staged(chunk).insert_many, some, ordered=False)
            return self._session.retried(lambda: bulk.outcome(self._where, send))

        failures = bulk.divided(insert, raw)
        taken = [index for index, failure in failures.items() if failure.is_duplicate]
        refused = {index: failure.refusal() for index, failure in failures.items() if not failure.is_duplicate}
        if taken:
            refused |= self._replace(chunk, raw, taken)
        return [(batch[index].key, refused[index]) for index in sorted(refused)]

    def _replace(self, chunk: Chunk, raw: Sequence[RawBSONDocument], which: Sequence[int]) -> dict[int, Refusal]:
        """Replaces documents that are there. A late worker must not put its older ones over another's."""
        self._ensure_mine(chunk)

        def replace(some: Sequence[RawBSONDocument]) -> dict[int, Failure]:
            reinserted = [self._is_reinserted(each) for each in some]
            writes: list[Any] = [
                InsertOne(each) if is_new else ReplaceOne({"_id": id_of(bson_of(each))}, each, upsert=True)
                for each, is_new in zip(some, reinserted, strict=True)
            ]
            gone = [id_of(bson_of(each)) for each, is_new in zip(some, reinserted, strict=True) if is_new]
            return self._session.retried(lambda: self._put(chunk, gone, writes))

        failures = bulk.divided(replace, [raw[index] for index in which])
        return {which[index]: failure.refusal() for index, failure in failures.items()}

    def _put(self, chunk: Chunk, gone: Sequence[Any], writes: Sequence[Any]) -> dict[int, Failure]:
        """Nobody reads the staged collection, so that a document may be missing between delete and insert."""
        if gone:
            self._staged(chunk).delete_many({"_id": {"$in": list(gone)}})
        return bulk.outcome(self._where, lambda: self._staged(chunk).bulk_write(writes, ordered=False))

    def _is_reinserted(self, raw: RawBSONDocument) -> bool:
        return dollar_names.path(bson_of(raw)) is not None and not self._session.cached(dollar_names.replaceable)

    def _takes_no_dollar_names(self, documents: Sequence[Document]) -> bool:
        """Whether `sync` could not change some of these documents later."""
        if self._session.cached(write_guard.has_transactions):
            return False
        some = any(dollar_names.path(document.bson) is not None for document in documents)
        return some and not self._session.cached(dollar_names.replaceable)

    def _finish(self, chunk: Chunk, done: dict[str, Any], rejected: Sequence[Rejected]) -> None:
        session = self._transactor
        with session.start_transaction(**TRANSACTION):
            chunks = self._session.database[CHUNKS]
            if not chunks.update_one(self._mine(chunk), {"$set": done}, session=session).matched_count:
                raise self._lost(chunk)
            self._replace_rejected(chunk, rejected, session)

    @cached_property
    def _transactor(self) -> ClientSession:
        return transactors.begin(self._session, "target")

    def _replace_rejected(self, chunk: Chunk, rejected: Sequence[Rejected], session: ClientSession | None) -> None:
        whose = {"run": chunk.run, "collection": chunk.collection, "chunk": chunk.number}
        documents = [
            {"_id": {**whose, "by": self._token, "n": n}, **whose, "rejected": asdict(each)}
            for n, each in enumerate(rejected)
        ]

        collection = self._session.database[REJECTED]
        collection.delete_many(whose, session=session)
        if documents:
            collection.insert_many(documents, ordered=False, session=session)

    def _mine(self, chunk: Chunk) -> dict[str, Any]:
        return {"_id": chunk_id(chunk), "attempt": chunk.attempt, "by": self._token}

    def _ensure_mine(self, chunk: Chunk) -> None:
        wanted = self._mine(chunk)
        if self._session.retried(lambda: self._session.database[CHUNKS].find_one(wanted, {"_id": 1})) is None:
            raise self._lost(chunk)

    def _update(self, chunk: Chunk, wanted: dict[str, Any], change: dict[str, Any]) -> None:
        done = self._session.retried(lambda: self._session.database[CHUNKS].update_one(wanted, change))
        if not done.matched_count:
            raise self._lost(chunk)

    def _lost(self, chunk: Chunk) -> LeaseLost:
        return LeaseLost(
            f"another process has begun chunk {chunk.number} again, or finished or forgot it",
            where=f"{self._session.url.address}, {chunk.collection}",
            hint="Let that one finish.",
        )

    @property
    def _where(self) -> str:
        return self._session.url.address

    def _staged(self, chunk: Chunk) -> Any:
        return self._session.database[staged_name(chunk.collection, chunk.run, chunk.holding)]
