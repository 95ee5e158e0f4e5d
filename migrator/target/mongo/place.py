"""Collections of a MongoDB database: loaded under a name of their own, then renamed over the live one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.errors import CollectionInvalid, OperationFailure

from migrator.errors import NotOwned, TargetError, TargetUnavailable
from migrator.model.collection_names import staged_name
from migrator.model.plan import CollectionPlan
from migrator.model.tree import IndexSpec
from migrator.target import indexes
from migrator.target.mongo.failure import translate
from migrator.target.mongo.server_message import sentence
from migrator.target.mongo.session import WRITE_MILLISECONDS, Session
from migrator.target.record import Record
from migrator.target.structure import Seen

_NAMESPACE_NOT_FOUND = 26
_INDEX_NOT_FOUND = 27
_NAMESPACE_EXISTS = 48
_DUPLICATE_KEY = 11000
# Faults of the server or the account, not of the index: they end the work instead of leaving one index out.
_NOT_THE_INDEX = (13, 18, 8000, 14031)


class MongoPlace:
    """Implements migrator.target.ports.Place."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def live(self, name: str) -> Seen:
        """What is there under a name; views and capped collections too."""
        return self._session.steadily(lambda: self._look(name))

    def identities(self, names: Iterable[str]) -> dict[str, str]:
        wanted = {"name": {"$in": list(names)}}
        found = self._session.steadily(lambda: list(self._session.database.list_collections(filter=wanted)))
        return {each["name"]: _identity(each) for each in found}

    def create(self, run_id: str, name: str) -> None:
        self._session.steadily(lambda: self._create(staged_name(name, run_id)))

    def is_staged(self, run_id: str, name: str) -> bool:
        return self.live(staged_name(name, run_id)).exists

    def make_ready(self, run_id: str, plan: CollectionPlan) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
        staged = staged_name(plan.collection.name, run_id)
        result = self._build(staged, plan.collection.name, indexes.wanted(plan))
        if plan.validator:
            self.set_validator(staged, plan.validator)
        return result

    def swap(self, run_id: str, name: str, before: str) -> None:
        def rename() -> None:
            if self._renamed(run_id, name, before):
                return  # by a call whose answer was lost
            self._session.database[staged_name(name, run_id)].rename(name, dropTarget=bool(before))

        try:
            self._session.steadily(rename)
        except TargetError as error:
            cause = error.__cause__
            if isinstance(cause, OperationFailure) and cause.code == _NAMESPACE_EXISTS:
                raise NotOwned(
                    "a collection of this name has just appeared, and migrator did not make it",
                    where=error.where,
                    hint="Rename it or drop it, then apply again.",
                ) from error
            raise

    def swapped(self, run_id: str, name: str, before: str) -> bool:
        return self._session.steadily(lambda: self._renamed(run_id, name, before))

    def complete_swap(self, record: Record) -> None:
        """MongoDB's rename keeps a collection's options; not every server that speaks its protocol does."""
        if record.validator and "validator" not in self.live(record.collection).options:
            self.set_validator(record.collection, record.validator)

    def discard(self, run_id: str, name: str) -> None:
        self.drop(staged_name(name, run_id))

    def drop(self, name: str) -> None:
        """Drops a collection, whether or not it is there."""
        self._session.steadily(lambda: self._session.database.drop_collection(name))

    def alter(
        self, name: str, drop: Iterable[str], create: Sequence[IndexSpec]
    ) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
        for index in drop:
            self._session.steadily(lambda index=index: self._drop_index(name, index))  # type: ignore[misc]
        return self._build(name, name, create)

    def set_validator(self, name: str, validator: str) -> None:
        """`moderate`: a document that was valid may not become invalid, but one that never was (a tightened rule, a
        row that policies let pass) can still be updated by the application, which `strict` would refuse.
        """
        rule = {"$jsonSchema": json.loads(validator)} if validator else {}
        self._session.steadily(
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
            self._create(name)
            if documents:
                collection.insert_many([RawBSONDocument(each) for each in documents], ordered=False)

        self._session.steadily(work)

    def _look(self, name: str) -> Seen:
        database = self._session.database
        found = next(iter(database.list_collections(filter={"name": name})), None)
        if found is None:
            return Seen(name)
        identity = _identity(found)
        if found.get("type") == "view":
            return Seen(name, identity, 0, (), {"view": found.get("options", {})})
        collection = database[name]
        return Seen(
            name=name,
            identity=identity,
            documents=collection.estimated_document_count(),
            indexes=tuple(dict(index) for index in collection.list_indexes()),
            options=found.get("options", {}),
        )

    def _renamed(self, run_id: str, name: str, before: str) -> bool:
        if self._look(staged_name(name, run_id)).exists:
            return False
        live = self._look(name)
        return live.exists and live.identity != before

    def _create(self, name: str) -> None:
        try:
            self._session.database.create_collection(name)
        except CollectionInvalid:
            return  # the driver's word for "already exists"
        except OperationFailure as error:
            if error.code != _NAMESPACE_EXISTS:
                raise

    def _drop_index(self, name: str, index: str) -> None:
        try:
            self._session.database[name].drop_index(index)
        except OperationFailure as error:
            if error.code not in (_INDEX_NOT_FOUND, _NAMESPACE_NOT_FOUND):
                raise

    def _build(
        self, name: str, shown: str, specs: Sequence[IndexSpec]
    ) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
        built, problems = [], []
        for spec in specs:
            reason = self._session.steadily(lambda spec=spec: self._build_one(name, spec))  # type: ignore[misc]
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
