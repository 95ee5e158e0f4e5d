"""Documents that sync could not make, in `_migrator_rejected`, as those of the copy are (edge case 55)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bson import Int64
from pymongo import ASCENDING, DeleteMany, IndexModel, InsertOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from migrator.model.change.events import Scope
from migrator.model.plan.chunk import Key, Rejected
from migrator.model.text.values import key_text
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state.records import REJECTED
from migrator.target.mongo.leases.write_guard import WriteGuard, guarded
from migrator.target.mongo.sync_state.marks import take_marks
from migrator.target.mongo.sync_state.scopes import of_scope
from migrator.target.mongo.writing import bulk
from migrator.target.mongo.writing.entries import BATCH_BYTES

# After the chunks of the copy in the order of `_migrator_rejected`.
_NO_CHUNK = 1 << 40
_BATCH = 1000
_NO_LIMIT = 0  # as the server has it
_INDEXES = [
    IndexModel([("run", ASCENDING), ("collection", ASCENDING), ("rejected.document", ASCENDING)]),
    IndexModel([("run", ASCENDING), ("collection", ASCENDING), ("conflict", ASCENDING), ("tried", ASCENDING)]),
]


class MongoRejectedDocuments:
    """Implements migrator.ports.sync_state.RejectedDocuments.

    What the copy recorded has the document's key as text only, what sync records has its bytes too.
    """

    def __init__(self, session: Session, guard: WriteGuard) -> None:
        self._session = session
        self._guard = guard

    def record(self, scope: Scope, keys: Sequence[Key], rejected: Sequence[Rejected], *, conflict: bool) -> None:
        reasons: dict[str, list[Rejected]] = {}
        for each in rejected:
            reasons.setdefault(each.document, []).append(each)
        if unexplained := [key for key in keys if key_text(key) not in reasons]:
            raise ValueError(f"no reason for {key_text(unexplained[0])}")
        for some in bulk.batches(keys, _BATCH, BATCH_BYTES, lambda key: 500 * len(reasons[key_text(key)])):
            tried = take_marks(self._session, len(some)) if conflict else 0
            new = [
                _document(scope, key, number, each, tried + place if conflict and number == 0 else None)
                for place, key in enumerate(some)
                for number, each in enumerate(reasons[key_text(key)])
            ]
            self._replace(scope, some, new)

    def clear(self, scope: Scope, keys: Sequence[Key]) -> None:
        for some in bulk.batches(keys, _BATCH, BATCH_BYTES, lambda key: sum(map(len, key))):
            self._replace(scope, some, ())

    def any(self, scope: Scope) -> bool:
        wanted = of_scope(scope)
        found: list[Any] = []

        def look(session: ClientSession | None) -> None:
            found[:] = self._rejected.find(wanted, {"_id": 1}, session=session).limit(1)

        # Premise C: after the guard, since the answer is kept, and a predecessor's late record would not be in it.
        guarded(self._guard, look)
        return bool(found)

    def among(self, scope: Scope, keys: Sequence[Key]) -> frozenset[Key]:
        fields = {"key": 1, "rejected.document": 1}
        found: list[Any] = []
        for some in bulk.batches(keys, _BATCH, BATCH_BYTES, lambda key: sum(map(len, key))):
            wanted = _of_documents(scope, some)
            found += self._session.retried(lambda wanted=wanted: list(self._rejected.find(wanted, fields)))  # type: ignore[misc]
        # The copy recorded its documents by text only.
        exact = {_key(each) for each in found if "key" in each}
        texts = {each["rejected"]["document"] for each in found if "key" not in each}
        return frozenset(key for key in keys if key in exact or key_text(key) in texts)

    def keys(self, scope: Scope, after: str | None, limit: int) -> list[tuple[str, Key]]:
        # One of a document's reasons is enough.
        wanted = {**of_scope(scope), "number": 0}
        later = {} if after is None else {"rejected.document": {"$gt": after}}
        found = self._keys({**wanted, **later}, limit)
        if len(found) < limit:
            return found
        # The last one's text may continue after the limit.
        last = found[-1][0]
        before = [each for each in found if each[0] != last]
        return before or self._keys({**wanted, "rejected.document": last}, _NO_LIMIT)

    def forget_copied(self, scope: Scope) -> None:
        def work(session: ClientSession | None) -> None:
            wanted = {**of_scope(scope), "key": {"$exists": False}}
            self._rejected.delete_many(wanted, session=session)

        self._session.cached(_prepare)
        guarded(self._guard, work)

    def conflicting(self, scope: Scope, limit: int) -> list[Key]:
        if limit < 1:
            return []
        wanted = {**of_scope(scope), "conflict": True}
        found = self._session.retried(
            lambda: list(self._rejected.find(wanted, {"key": 1}).sort("tried", ASCENDING).limit(limit))
        )
        return list(map(_key, found))

    def _keys(self, wanted: Mapping[str, Any], limit: int) -> list[tuple[str, Key]]:
        order = [("rejected.document", ASCENDING)]
        fields = {"key": 1, "rejected.document": 1}
        found = self._session.retried(lambda: list(self._rejected.find(wanted, fields).sort(order).limit(limit)))
        return [(each["rejected"]["document"], _key(each)) for each in found]

    def _replace(self, scope: Scope, keys: Sequence[Key], new: Iterable[Mapping[str, Any]]) -> None:
        self._session.cached(_prepare)
        # Ordered: a crash in the middle leaves a position that has this document's change before it.
        operations: list[Any] = [DeleteMany(_of_documents(scope, keys)), *map(InsertOne, new)]

        def work(session: ClientSession | None) -> None:
            self._rejected.bulk_write(operations, ordered=True, session=session)

        guarded(self._guard, work)

    @property
    def _rejected(self) -> Collection[Any]:
        return self._session.database[REJECTED]


def _prepare(session: Session) -> bool:
    session.retried(lambda: session.database[REJECTED].create_indexes(_INDEXES))
    return True


def _of_documents(scope: Scope, keys: Sequence[Key]) -> dict[str, Any]:
    """Keys of different documents may read the same: those of sync are told apart by their bytes."""
    return {
        **of_scope(scope),
        "rejected.document": {"$in": list({key_text(key) for key in keys})},
        "$or": [{"key": {"$exists": False}}, {"key": {"$in": list(keys)}}],
    }


def _document(scope: Scope, key: Key, number: int, rejected: Rejected, tried: int | None) -> dict[str, Any]:
    return {
        **of_scope(scope),
        "chunk": Int64(_NO_CHUNK),
        "number": number,
        "key": key,
        "rejected": asdict(rejected),
        **({} if tried is None else {"conflict": True, "tried": Int64(tried)}),
    }


def _key(document: Mapping[str, Any]) -> Key:
    return tuple(bytes(part) for part in document["key"])
