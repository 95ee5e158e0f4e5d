"""Document references whose documents are still to be rebuilt, as documents of `_migrator_dirty`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bson import Int64
from pymongo import ASCENDING, DeleteMany, IndexModel, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from migrator.model.change.events import WIDE, DirtyEntry, DocumentRef, Scope
from migrator.model.plan.chunk import Key
from migrator.target.mongo.connection.clock import server_time
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.leases.write_guard import WriteGuard, guarded
from migrator.target.mongo.sync_state.marks import take_marks
from migrator.target.mongo.sync_state.scopes import of_scope
from migrator.target.mongo.writing import bulk
from migrator.target.mongo.writing.entries import BATCH, BATCH_BYTES, entry_id, put

DIRTY = "_migrator_dirty"

# By scope, the oldest mark first.
_INDEXES = [IndexModel([("run", ASCENDING), ("collection", ASCENDING), ("mark", ASCENDING)])]
# What an entry that is recorded again says in place of what it said.
_OF_A_BEGINNING = ("after", "done", "why", "since")


class MongoDirtyRefs:
    """Implements migrator.ports.sync_state.DirtyRefs.

    An entry that is marked again gets a higher mark and starts again: it is put after the others, so that one that is
    marked all the time keeps none of them waiting.
    """

    def __init__(self, session: Session, guard: WriteGuard) -> None:
        self._session = session
        self._guard = guard

    def mark(self, scope: Scope, refs: Iterable[DocumentRef], why: str = "") -> None:
        for some in bulk.batches(refs, BATCH, BATCH_BYTES, _size):
            guarded(self._guard, self.marking(scope, some, why))

    def marking(self, scope: Scope, refs: Iterable[DocumentRef], why: str) -> Callable[[ClientSession | None], None]:
        """What marks a few references, as part of a work that a guard runs."""
        self._session.cached(_prepare)
        # Of several times in one call the last counts, as with several calls.
        entries = dict(reversed({_id(scope, ref): ref for ref in reversed(list(refs))}.items()))
        first = take_marks(self._session, len(entries)) if entries else 0
        # Only of a whole collection somebody asks since when, and the answer of the server's clock takes its time.
        is_wide = any(ref.kind in WIDE for ref in entries.values())
        reason = {"why": why, "since": server_time(self._session)} if is_wide else {}
        documents = {
            name: _document(name, scope, ref, first + place, reason if ref.kind in WIDE else {})
            for place, (name, ref) in enumerate(entries.items())
        }
        return partial(self._put, documents)

    def oldest(self, scope: Scope, limit: int) -> list[DirtyEntry]:
        if limit < 1:
            return []
        order = [("mark", ASCENDING)]
        found = self._session.retried(lambda: list(self._dirty.find(of_scope(scope)).sort(order).limit(limit)))
        return [_entry(each) for each in found]

    def count(self, scopes: Iterable[Scope]) -> int:
        return sum(self._session.retried(lambda one=one: self._dirty.count_documents(of_scope(one))) for one in scopes)  # type: ignore[misc]

    def wide(self, scope: Scope) -> list[DirtyEntry]:
        """Looked for by their ids: there may be very many entries."""
        # The root's node has the collection's name.
        names = [_id(scope, DocumentRef(scope.collection, kind, ())) for kind in WIDE]
        wanted = {"_id": {"$in": names}}
        found = self._session.retried(lambda: list(self._dirty.find(wanted).sort([("mark", ASCENDING)])))
        return [_entry(each) for each in found]

    def advance(self, scope: Scope, entry: DirtyEntry, after: Key, done: int) -> None:
        change = {"$set": {"after": after, "done": Int64(done)}}
        self._write(UpdateOne(_by_marks(scope, [entry]), change))

    def settle(self, scope: Scope, entries: Iterable[DirtyEntry]) -> None:
        for some in bulk.batches(entries, BATCH, BATCH_BYTES, lambda _: 0):
            self._write(DeleteMany(_by_marks(scope, some)))

    def scopes(self) -> set[Scope]:
        """All that have an entry."""
        runs = self._session.retried(lambda: self._dirty.distinct("run"))
        return {Scope(run, name) for run in runs for name in self._collections(run)}

    def forget(self, scope: Scope) -> None:
        self._session.retried(lambda: self._dirty.delete_many(of_scope(scope)))

    def _put(self, documents: Mapping[bytes, dict[str, Any]], session: ClientSession | None) -> None:
        if documents:
            put(self._dirty, documents, _again, session)

    def _collections(self, run: str) -> list[str]:
        return self._session.retried(lambda: self._dirty.distinct("collection", {"run": run}))

    def _write(self, operation: UpdateOne | DeleteMany) -> None:
        def work(session: ClientSession | None) -> None:
            self._dirty.bulk_write([operation], session=session)

        guarded(self._guard, work)

    @property
    def _dirty(self) -> Collection[dict[str, Any]]:
        return self._session.database[DIRTY]


def _prepare(session: Session) -> bool:
    session.retried(lambda: session.database[DIRTY].create_indexes(_INDEXES))
    return True


def _id(scope: Scope, ref: DocumentRef) -> bytes:
    names = (scope.run, scope.collection, ref.node, ref.kind)
    return entry_id(*(name.encode() for name in names), *ref.values)


def _document(name: bytes, scope: Scope, ref: DocumentRef, mark: int, reason: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "_id": name,
        **of_scope(scope),
        "node": ref.node,
        "hop": ref.kind,
        "values": ref.values,
        "after": None,
        "done": Int64(0),
        "mark": Int64(mark),
        **reason,
    }


def _again(document: dict[str, Any]) -> UpdateOne:
    # Of two calls at once the later number stays; the work starts again in any case.
    begun = {key: value for key, value in document.items() if key in _OF_A_BEGINNING}
    once = {key: value for key, value in document.items() if key not in ("_id", "mark", *_OF_A_BEGINNING)}
    change = {"$max": {"mark": document["mark"]}, "$set": begun, "$setOnInsert": once}
    return UpdateOne({"_id": document["_id"]}, change, upsert=True)


def _by_marks(scope: Scope, entries: Sequence[DirtyEntry]) -> dict[str, Any]:
    """No mark is given twice: an entry that was recorded again has another one."""
    return {**of_scope(scope), "mark": {"$in": [Int64(entry.mark) for entry in entries]}}


def _entry(found: dict[str, Any]) -> DirtyEntry:
    after, since = found["after"], found.get("since")
    return DirtyEntry(
        DocumentRef(found["node"], found["hop"], tuple(bytes(value) for value in found["values"])),
        None if after is None else tuple(bytes(part) for part in after),
        int(found["mark"]),
        # Earlier versions did not say the rest.
        int(found.get("done", 0)),
        str(found.get("why", "")),
        _in_utc(since) if isinstance(since, datetime) else None,
    )


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _size(ref: DocumentRef) -> int:
    return sum(map(len, ref.values)) + len(ref.node) + 200
