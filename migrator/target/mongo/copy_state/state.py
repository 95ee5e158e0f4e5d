"""Runs, chunks and rejected rows in the `_migrator_*` collections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from bson import Int64
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne
from pymongo.client_session import ClientSession

from migrator.errors import TargetError
from migrator.model.collection_names import staged_by
from migrator.model.plan.chunk import Chunk, KeyRange, Rejected
from migrator.model.plan.run import CollectionProgress, Run
from migrator.model.serialize import from_json, to_json
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state import records
from migrator.target.mongo.copy_state.collection_store import MongoCollectionStore
from migrator.target.mongo.copy_state.ensure import ensure_collection
from migrator.target.mongo.copy_state.runs import RUNS, run_body, run_of
from migrator.target.mongo.leases.write_guard import WriteGuard, guarded
from migrator.target.mongo.sync_state import leftovers
from migrator.target.mongo.writing.entries import BATCH

CHUNKS = "_migrator_chunks"
REJECTED = records.REJECTED

# Ascending numbers within these: `pending` and the last chunk planned come straight from an index.
_CHUNK_INDEXES = [
    IndexModel([("run", ASCENDING), ("collection", ASCENDING), ("number", ASCENDING)]),
    IndexModel([("run", ASCENDING), ("collection", ASCENDING), ("done", ASCENDING), ("number", ASCENDING)]),
]
_REJECTED_INDEXES = [IndexModel([("run", ASCENDING), ("collection", ASCENDING), ("chunk", ASCENDING)])]


def chunk_id(chunk: Chunk) -> dict[str, Any]:
    """`_id` of a chunk's document."""
    return {"run": chunk.run, "collection": chunk.collection, "number": chunk.number}


class MongoState:
    """Implements migrator.ports.copy.State."""

    def __init__(self, session: Session, place: MongoCollectionStore, guard: WriteGuard) -> None:
        self._session = session
        self._place = place
        self._guard = guard

    def open_run(self) -> Run | None:
        found = self._session.retried(lambda: self._runs.find_one({"status": "open"}))
        return None if found is None else run_of(found)

    def begin(self, run: Run) -> None:
        names = [plan.collection.name for plan in run.plan.collections]
        document = {
            "status": "open",
            "started": run.started,
            "collections": [{"name": name, "planned": False} for name in names],
            **run_body(run),
        }
        self._session.cached(_prepare)
        # The sums of finished runs are of no use any more; their rejected rows stay, for people.
        self._delete(self._chunks, {"run": {"$ne": run.id}})
        self._write(lambda session: self._runs.replace_one({"_id": run.id}, document, upsert=True, session=session))

    def take_over(self, run_id: str) -> None:
        holding = self._place.holding
        wanted = {"run": run_id, "done": False, **_of_earlier(holding)}
        # Neither started nor finished by a predecessor's worker from now on: see MongoWriter.
        change = {"$set": {"holding": Int64(holding), "by": ""}}
        self._write(lambda session: self._chunks.update_many(wanted, change, session=session))

    def finish(self, run_id: str, status: Literal["done", "abandoned"]) -> None:
        change = {"$set": {"status": status}}
        self._write(lambda session: self._runs.update_one({"_id": run_id}, change, session=session))
        self.clean()

    def clean(self) -> None:
        """Drops what finished runs left, late writes included: next to the live collections, and of sync."""
        names = self._session.retried(self._session.database.list_collection_names)
        for name in names:
            run = staged_by(name)
            if run is not None and self._is_finished(run):
                self._place.drop(name)
        leftovers.forget(self._session)

    def add_chunks(self, chunks: Sequence[Chunk]) -> None:
        # In order: a crash in the middle must not leave a gap, planning continues after the highest number.
        writes = [
            UpdateOne({"_id": chunk_id(chunk)}, {"$setOnInsert": _chunk_fields(chunk)}, upsert=True) for chunk in chunks
        ]
        if writes:
            self._write(lambda session: self._chunks.bulk_write(writes, ordered=True, session=session))

    def all_planned(self, run_id: str, collection: str) -> None:
        self._set_planned(run_id, collection, True)

    def progress(self, run_id: str) -> dict[str, CollectionProgress]:
        run = self._session.retried(lambda: self._runs.find_one({"_id": run_id}, {"collections": 1}))
        if run is None:
            return {}
        sums = {found["_id"]: found for found in self._session.retried(lambda: self._sums(run_id))}
        live = self._session.retried(lambda: self._published(run_id))
        return {
            each["name"]: self._progress(run_id, each, sums.get(each["name"], {}), each["name"] in live)
            for each in run["collections"]
        }

    def pending(self, run_id: str, collection: str) -> list[Chunk]:
        wanted = {"run": run_id, "collection": collection, "done": False}
        found = self._session.retried(lambda: list(self._chunks.find(wanted).sort("number", ASCENDING)))
        return [
            Chunk(
                run_id,
                collection,
                each["number"],
                from_json(KeyRange, each["range"]),
                each["attempt"] + 1,
                self._place.holding,
            )
            for each in found
        ]

    def reset(self, run_id: str, collection: str) -> None:
        wanted = {"run": run_id, "collection": collection}
        self._delete(self._chunks, wanted)
        self._delete(self._rejected, wanted)
        self._set_planned(run_id, collection, False)
        self._place.discard(run_id, collection)

    def rejected(self, run_id: str, limit: int) -> list[Rejected]:
        order = [("collection", ASCENDING), ("chunk", ASCENDING)]
        found = self._session.retried(lambda: list(self._rejected.find({"run": run_id}).sort(order).limit(limit)))
        return [Rejected(**each["rejected"]) for each in found]

    def count_rejected(self, run_id: str) -> int:
        return int(self._session.retried(lambda: self._rejected.count_documents({"run": run_id})))

    def _progress(
        self, run_id: str, collection: Mapping[str, Any], sums: Mapping[str, Any], published: bool
    ) -> CollectionProgress:
        name = collection["name"]
        last = self._last(run_id, name) if sums else None
        return CollectionProgress(
            collection=name,
            planned=collection["planned"],
            last=last,
            published=published,
            **{key: sums.get(key, 0) for key in ("chunks", "chunks_done", "documents", "rows", "bytes", "rejected")},
        )

    def _sums(self, run_id: str) -> list[dict[str, Any]]:
        totals = {key: {"$sum": f"${key}"} for key in ("documents", "rows", "bytes", "rejected")}
        done = {"$sum": {"$cond": ["$done", 1, 0]}}
        group = {"_id": "$collection", "chunks": {"$sum": 1}, "chunks_done": done, **totals}
        return list(self._chunks.aggregate([{"$match": {"run": run_id}}, {"$group": group}]))

    def _published(self, run_id: str) -> set[str]:
        """The record of a collection names the run that published it: no second note that could disagree."""
        return {found["_id"] for found in self._session.database[records.COLLECTION].find({"run": run_id})}

    def _last(self, run_id: str, collection: str) -> KeyRange | None:
        wanted = {"run": run_id, "collection": collection}
        found = self._session.retried(lambda: self._chunks.find_one(wanted, sort=[("number", DESCENDING)]))
        return from_json(KeyRange, found["range"]) if found else None

    def _set_planned(self, run_id: str, collection: str, planned: bool) -> None:
        wanted = {"_id": run_id, "collections.name": collection}
        change = {"$set": {"collections.$.planned": planned}}

        def update(session: ClientSession | None) -> None:
            if not self._runs.update_one(wanted, change, session=session).matched_count:
                raise TargetError(
                    f"the state has no run {run_id} with a collection {collection}",
                    where=f"{self._session.url.address}, {RUNS}",
                    hint="Somebody removed it; apply again with --restart.",
                )

        self._write(update)

    def _write(self, work: Callable[[ClientSession | None], object]) -> None:
        """Premise C: a process that lost the lease changes nothing of what its successor goes by."""
        guarded(self._guard, work)

    def _delete(self, collection: Any, wanted: Mapping[str, Any]) -> None:
        """Some at a time: a transaction must not last long."""
        while ids := self._session.retried(
            lambda: [each["_id"] for each in collection.find(wanted, {"_id": 1}).limit(BATCH)]
        ):
            some = {"_id": {"$in": ids}}
            self._write(lambda session, some=some: collection.delete_many(some, session=session))  # type: ignore[misc]

    def _is_finished(self, run_id: str) -> bool:
        found = self._session.retried(lambda: self._runs.find_one({"_id": run_id}, {"status": 1}))
        return found is not None and found["status"] != "open"

    @property
    def _runs(self) -> Any:
        return self._session.database[RUNS]

    @property
    def _chunks(self) -> Any:
        return self._session.database[CHUNKS]

    @property
    def _rejected(self) -> Any:
        return self._session.database[REJECTED]


def _prepare(session: Session) -> bool:
    """Makes the collections and their indexes, which not every server does within a transaction."""
    database = session.database
    session.retried(lambda: database[CHUNKS].create_indexes(_CHUNK_INDEXES))
    session.retried(lambda: database[REJECTED].create_indexes(_REJECTED_INDEXES))
    session.retried(lambda: ensure_collection(session, RUNS))
    return True


def _of_earlier(holding: int) -> dict[str, Any]:
    """Chunks of holdings before this one. Those of older versions name none."""
    return {"$or": [{"holding": {"$exists": False}}, {"holding": {"$lt": holding}}]}


def _chunk_fields(chunk: Chunk) -> dict[str, Any]:
    return {
        "run": chunk.run,
        "collection": chunk.collection,
        "number": chunk.number,
        "range": to_json(chunk.range),
        "attempt": 0,
        "holding": Int64(chunk.holding),
        "done": False,
    }
