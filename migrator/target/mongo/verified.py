"""What verify reads of a MongoDB database, and what it records there."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.cursor import Cursor

from migrator.model.change.events import Scope
from migrator.model.plan.chunk import Key, Rejected
from migrator.model.plan.run import Run
from migrator.model.report.sums import NodeSums, SummedNode
from migrator.model.report.verify import CollectionPass, Pass, Published
from migrator.model.serialize import from_json, to_json
from migrator.model.text.values import key_text
from migrator.target.mongo import sums
from migrator.target.mongo.connection.raw import RAW, bson_of
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state import records
from migrator.target.mongo.copy_state.collection_store import MongoCollectionStore
from migrator.target.mongo.copy_state.runs import RUNS, run_of
from migrator.target.mongo.leases.write_guard import UnguardedWrites
from migrator.target.mongo.sync_state.scope_documents import ScopeDocuments
from migrator.target.mongo.sync_state.scopes import of_scope
from migrator.target.published_mappings import published

PASSES = "_migrator_verify"

_IDS_AT_ONCE = 2000


class MongoStored:
    """Implements migrator.ports.verify.Stored."""

    def __init__(self, session: Session, collection: str) -> None:
        self._session = session
        self._collection = collection

    def prepare(self) -> None:
        """MongoDB has an index of `_id`."""

    def find(self, ids: Sequence[bytes]) -> list[bytes]:
        wanted = {"_id": {"$in": [RawBSONDocument(each, RAW)["_id"] for each in ids]}}
        return self._session.retried(lambda: [bson_of(found) for found in self._documents.find(wanted)])

    def count(self) -> int:
        return int(self._session.retried(lambda: self._documents.count_documents({})))

    def ids(self) -> Iterator[list[bytes]]:
        """One cursor over all: what is inserted or deleted meanwhile may be in it or not."""
        cursor = self._session.once(lambda: self._documents.find({}, {"_id": 1}, batch_size=_IDS_AT_ONCE))
        with cursor:
            while some := self._session.once(lambda: _some(cursor)):
                yield some

    def close(self) -> None:
        """The connections are the target's."""

    @property
    def _documents(self) -> Collection[Any]:
        return self._session.database.get_collection(self._collection, codec_options=RAW)


class MongoVerifyState:
    """Implements migrator.ports.verify.VerifyState."""

    def __init__(self, session: Session, place: MongoCollectionStore) -> None:
        self._session = session
        self._place = place

    def published(self) -> tuple[Published, ...]:
        names = self._session.retried(
            lambda: [found["_id"] for found in self._database[records.COLLECTION].find({}, {"_id": 1})]
        )
        return self.published_of(names)

    def published_of(self, names: Iterable[str]) -> tuple[Published, ...]:
        """Those of these names that `published` returns."""
        unguarded = UnguardedWrites(self._session)
        noted = records.MongoRecords(self._session, unguarded)
        return published(names, self._place, noted, self._run, ScopeDocuments(self._session, unguarded).renewed)

    def recorded(self, scope: Scope, keys: Sequence[Key]) -> frozenset[Key]:
        texts = {key: key_text(key) for key in keys}
        wanted = {**of_scope(scope), "rejected.document": {"$in": list(set(texts.values()))}}
        fields = {"rejected.document": 1, "key": 1}
        found = self._session.retried(lambda: list(self._database[records.REJECTED].find(wanted, fields)))
        # Different keys may have the same text. What sync records has the key's bytes, what the copy records has not.
        exact = {tuple(bytes(part) for part in each["key"]) for each in found if "key" in each}
        by_text = {each["rejected"]["document"] for each in found if "key" not in each}
        return frozenset(key for key, text in texts.items() if key in exact or text in by_text)

    def count_rejected(self, scope: Scope) -> int:
        wanted = of_scope(scope)
        return int(self._session.retried(lambda: self._database[records.REJECTED].count_documents(wanted)))

    def reasons(self, scope: Scope, limit: int) -> list[Rejected]:
        rejected, wanted = self._database[records.REJECTED], of_scope(scope)
        found = self._session.retried(lambda: list(rejected.find(wanted).sort("rejected.document", 1).limit(limit)))
        return [Rejected(**each["rejected"]) for each in found]

    def rejected(self, scope: Scope, limit: int) -> list[str]:
        wanted = of_scope(scope)
        stages = [{"$match": wanted}, {"$group": {"_id": "$rejected.document"}}, {"$limit": limit}]
        found = self._session.retried(lambda: list(self._database[records.REJECTED].aggregate(stages)))
        return [each["_id"] for each in found]

    def sums(self, collection: str, nodes: Sequence[SummedNode]) -> tuple[NodeSums, ...]:
        return sums.sums(self._session, collection, nodes)

    def last_pass(self) -> Pass | None:
        head = self._session.retried(lambda: self._database[PASSES].find_one({"_id": "pass"}))
        if head is None:
            return None
        found = from_json(Pass, head["text"], where=PASSES)
        parts = self._session.retried(lambda: list(self._database[PASSES].find({"pass": found.id}).sort("_id", 1)))
        collections = tuple(from_json(CollectionPass, zlib.decompress(each["packed"])) for each in parts)
        return Pass(found.id, found.started, found.position, collections, found.ended)

    def save_pass(self, one: Pass) -> None:
        """A document for each collection, since the faults of many would not fit one."""
        passes = self._database[PASSES]
        self._session.retried(lambda: passes.delete_many({"pass": {"$exists": True, "$ne": one.id}}))
        for each in one.collections:
            body = {"pass": one.id, "packed": zlib.compress(to_json(each).encode())}
            name = f"of {each.scope.collection}"
            self._session.retried(lambda name=name, body=body: passes.replace_one({"_id": name}, body, upsert=True))  # type: ignore[misc]
        text = to_json(Pass(one.id, one.started, one.position, (), one.ended))
        self._session.retried(lambda: passes.replace_one({"_id": "pass"}, {"text": text}, upsert=True))

    def stored(self, collection: str) -> MongoStored:
        return MongoStored(self._session, collection)

    def _run(self, run_id: str) -> Run | None:
        found = self._session.retried(lambda: self._database[RUNS].find_one({"_id": run_id}))
        return None if found is None else run_of(found)

    @property
    def _database(self) -> Any:
        return self._session.database


def _some(cursor: Cursor[RawBSONDocument]) -> list[bytes]:
    some: list[bytes] = []
    for found in cursor:
        some.append(bson_of(found))
        if len(some) >= _IDS_AT_ONCE:
            break
    return some
