"""Collections of a MongoDB database: loaded under a name of their own, then renamed over the live one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure

from migrator.errors import NotOwned, TargetError, TargetUnavailable
from migrator.model.collection_names import staged_holding, staged_name
from migrator.model.mapping.tree import IndexSpec
from migrator.model.plan.plan import CollectionPlan
from migrator.target import indexes
from migrator.target.found_collection import FoundCollection
from migrator.target.mongo.connection.failure import translate
from migrator.target.mongo.connection.server_message import sentence
from migrator.target.mongo.connection.session import WRITE_MILLISECONDS, Session
from migrator.target.mongo.copy_state import index_progress
from migrator.target.mongo.copy_state.ensure import ensure_collection
from migrator.target.mongo.leases.store import MongoLease
from migrator.target.record import Record
from migrator.waits import Building

T = TypeVar("T")

_NAMESPACE_NOT_FOUND = 26
_INDEX_NOT_FOUND = 27
_NAMESPACE_EXISTS = 48
_BEING_INDEXED = (12586, 12587)  # BackgroundOperationInProgressForDatabase, ...ForNamespace
_DUPLICATE_KEY = 11000
# Faults of the server or the account, not of the index: they end the work instead of leaving one index out.
_NOT_THE_INDEX = (13, 18, 8000, 14031)


class MongoCollectionStore:
    """Implements migrator.target.store_protocols.CollectionStore.

    With a lease, a command that no transaction can hold (an index, a validator, a rename, a drop) is sent right after a
    look at the lease: one that was on its way when the process was stopped is all that can come late.
    """

    def __init__(self, session: Session, lease: MongoLease | None = None) -> None:
        self._session = session
        self._lease = lease

    @property
    def holding(self) -> int:
        return 0 if self._lease is None else self._lease.number

    def live(self, name: str) -> FoundCollection:
        """What is there under a name; views and capped collections too."""
        return self._session.retried(lambda: self._found(name))

    def identities(self, names: Iterable[str]) -> dict[str, str]:
        wanted = {"name": {"$in": list(names)}}
        found = self._session.retried(lambda: list(self._session.database.list_collections(filter=wanted)))
        return {each["name"]: _identity(each) for each in found}

    def create(self, run_id: str, name: str) -> None:
        self._changing(lambda: ensure_collection(self._session, self._mine(run_id, name)))

    def take_over(self, run_id: str, name: str) -> bool:
        return self._changing(lambda: self._take_over(run_id, name))

    def is_staged(self, run_id: str, name: str) -> bool:
        return self.live(self._mine(run_id, name)).exists

    def make_ready(
        self, run_id: str, plan: CollectionPlan, building: Building
    ) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
        staged = self._mine(run_id, plan.collection.name)
        result = self._build(staged, plan.collection.name, indexes.wanted(plan), building)
        if plan.validator:
            self.set_validator(staged, plan.validator)
        return result

    def swap(self, run_id: str, name: str, before: str) -> None:
        def rename() -> None:
            if self._renamed(run_id, name, before, self.holding):
                return  # by a call whose answer was lost
            self._session.database[self._mine(run_id, name)].rename(name, dropTarget=bool(before))

        try:
            self._changing(rename)
        except TargetError as error:
            cause = error.__cause__
            if isinstance(cause, OperationFailure) and cause.code == _NAMESPACE_EXISTS:
                raise NotOwned(
                    "a collection of this name has just appeared, and migrator did not make it",
                    where=error.where,
                    hint="Rename it or drop it, then apply again.",
                ) from error
            raise

    def swapped(self, run_id: str, name: str, before: str, holding: int) -> bool:
        return self._session.retried(lambda: self._renamed(run_id, name, before, holding))

    def complete_swap(self, record: Record) -> None:
        """MongoDB's rename keeps a collection's options; not every server that speaks its protocol does."""
        if record.validator and "validator" not in self.live(record.collection).options:
            self.set_validator(record.collection, record.validator)

    def discard(self, run_id: str, name: str) -> None:
        def drop() -> None:
            for holding, staged in self._staged(run_id, name):
                # What a later holding loads is not this one's to drop.
                if holding <= self.holding:
                    self._session.database.drop_collection(staged)

        self._changing(drop)

    def drop(self, name: str) -> None:
        """Drops a collection, whether or not it is there."""
        self._changing(lambda: self._session.database.drop_collection(name))

    def progress(self, run_id: str, name: str) -> str:
        return index_progress.of(self._session, (name, self._mine(run_id, name)))

    def alter(
        self, name: str, drop: Iterable[str], create: Sequence[IndexSpec], building: Building
    ) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
        for index in drop:
            self._changing(lambda index=index: self._drop_index(name, index))  # type: ignore[misc]
        return self._build(name, name, create, building)

    def set_validator(self, name: str, validator: str) -> None:
        """`moderate`: a document that was valid may not become invalid, but one that never was (a tightened rule, a
        row that policies let pass) can still be updated by the application, which `strict` would refuse.
        """
        rule = {"$jsonSchema": json.loads(validator)} if validator else {}
        self._changing(
            lambda: self._session.database.command(
                "collMod",
                name,
                validator=rule,
                validationLevel="moderate",
                validationAction="error",
                writeConcern={"w": "majority", "wtimeout": WRITE_MILLISECONDS},
            )
        )

    def fill(self, name: str, documents: Sequence[bytes]) -> None:
        def work() -> None:
            collection = self._session.database[name]
            collection.drop()
            ensure_collection(self._session, name)
            if documents:
                collection.insert_many([RawBSONDocument(each) for each in documents], ordered=False)

        self._changing(work)

    def _found(self, name: str) -> FoundCollection:
        database = self._session.database
        found = next(iter(database.list_collections(filter={"name": name})), None)
        if found is None:
            return FoundCollection(name)
        identity = _identity(found)
        if found.get("type") == "view":
            return FoundCollection(name, identity, 0, (), {"view": found.get("options", {})})
        collection = database[name]
        return FoundCollection(
            name=name,
            identity=identity,
            documents=collection.estimated_document_count(),
            indexes=tuple(dict(index) for index in collection.list_indexes()),
            options=found.get("options", {}),
        )

    def _changing(self, work: Callable[[], T]) -> T:
        """Does repeatable work, each time after a look at the lease (premise C)."""

        def checked() -> T:
            if self._lease is not None:
                self._lease.check()
            return work()

        return self._session.retried(checked)

    def _mine(self, run_id: str, name: str) -> str:
        return staged_name(name, run_id, self.holding)

    def _staged(self, run_id: str, name: str) -> list[tuple[int, str]]:
        """What there is of the run's loading, the highest holding last."""
        prefix = staged_name(name, run_id, 0)
        names = self._session.database.list_collection_names(filter={"name": {"$regex": f"^{re.escape(prefix)}"}})
        numbered = ((staged_holding(each, name, run_id), each) for each in names)
        return sorted((holding, each) for holding, each in numbered if holding is not None)

    def _take_over(self, run_id: str, name: str) -> bool:
        while staged := self._staged(run_id, name):
            holding, there = staged[-1]
            if holding >= self.holding:
                return holding == self.holding
            try:
                self._session.database[there].rename(self._mine(run_id, name))
            except OperationFailure as error:
                if error.code in _BEING_INDEXED:
                    # The predecessor's builds; this process begins them again. MongoDB manual, dropIndexes: since 4.4
                    # it ends builds that are under way.
                    self._session.database[there].drop_indexes()
                elif error.code != _NAMESPACE_NOT_FOUND:  # another process was faster: look again
                    raise
        return False

    def _renamed(self, run_id: str, name: str, before: str, holding: int) -> bool:
        if any(each >= holding for each, _ in self._staged(run_id, name)):
            return False
        live = self._found(name)
        return live.exists and live.identity != before

    def _drop_index(self, name: str, index: str) -> None:
        try:
            self._session.database[name].drop_index(index)
        except OperationFailure as error:
            if error.code not in (_INDEX_NOT_FOUND, _NAMESPACE_NOT_FOUND):
                raise

    def _build(
        self, name: str, shown: str, specs: Sequence[IndexSpec], building: Building
    ) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
        built, problems = [], []
        for number, spec in enumerate(specs, 1):
            with building(number, len(specs), spec.name):
                reason = self._changing(lambda spec=spec: self._build_one(name, spec))  # type: ignore[misc]
            if reason is None:
                built.append(spec)
            else:
                problems.append(indexes.problem(shown, spec, reason))
        return tuple(built), tuple(problems)

    def _build_one(self, name: str, spec: IndexSpec) -> str | None:
        """None, or why this index can't be had."""
        try:
            self._session.database.command(
                "createIndexes",
                name,
                indexes=[indexes.document(spec)],
                writeConcern={"w": "majority", "wtimeout": WRITE_MILLISECONDS},
            )
        except OperationFailure as error:
            if error.code in _NOT_THE_INDEX or isinstance(translate(error, ""), TargetUnavailable):
                raise
            return _reason(error)
        return None


def _reason(error: OperationFailure) -> str:
    details: Any = error.details or {}
    if error.code == _DUPLICATE_KEY and details.get("keyPattern"):
        return indexes.duplicate(details["keyPattern"])
    return sentence(error.code or 0, str(details.get("errmsg") or error), list(details.get("keyPattern") or ()))


def _identity(found: Mapping[str, Any]) -> str:
    """Renaming keeps a collection's UUID; services without UUIDs tell collections by their kind only."""
    uuid = found.get("info", {}).get("uuid")
    return bytes(uuid).hex() if isinstance(uuid, bytes) else str(uuid or found.get("type", "collection"))
