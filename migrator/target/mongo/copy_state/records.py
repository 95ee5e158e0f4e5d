"""Records of published collections as documents of `_migrator_collections`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pymongo.client_session import ClientSession

from migrator.errors import LeaseLost, TargetUnavailable
from migrator.model.serialize import from_json, to_json
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state.ensure import ensure_collection
from migrator.target.mongo.leases.write_guard import WriteGuard, guarded
from migrator.target.record import Entry, Intent, Record

COLLECTION = "_migrator_collections"
REJECTED = "_migrator_rejected"

_RESTART = "Start sync again."
_LET = "Let apply finish."


class MongoRecords:
    """Implements migrator.target.store_protocols.Records."""

    def __init__(self, session: Session, guard: WriteGuard) -> None:
        self._session = session
        self._guard = guard

    def get(self, name: str) -> Entry:
        return _entry(name, self._session.retried(lambda: self._collections.find_one({"_id": name})) or {})

    def entries(self) -> dict[str, Entry]:
        found = self._session.retried(lambda: list(self._collections.find({}, {"record": 1, "intent": 1})))
        return {each["_id"]: _entry(each["_id"], each) for each in found}

    def unsettled(self) -> list[str]:
        return self._session.retried(
            lambda: [found["_id"] for found in self._collections.find({"intent": {"$exists": True}})]
        )

    def intend(self, name: str, intent: Intent) -> None:
        self._update(name, {"$set": {"intent": to_json(intent)}})

    def forget_intent(self, name: str) -> None:
        self._update(name, {"$unset": {"intent": ""}})

    def settle(self, name: str, record: Record) -> None:
        # `run` stands by itself too, for State.progress.
        self._update(name, {"$set": {"run": record.run, "record": to_json(record)}, "$unset": {"intent": ""}})

    def amend(self, name: str, change: Callable[[Record], Record]) -> Record:
        where = f"{self._session.url.address}, {name}"
        while True:
            found = self._session.retried(lambda: self._collections.find_one({"_id": name})) or {}
            record = _entry(name, found).record
            if record is None:
                raise LeaseLost("the state no longer contains this collection", where=where, hint=_RESTART)
            if "intent" in found:
                raise TargetUnavailable("somebody is about to replace this collection", where=where, hint=_LET)
            changed = change(record)
            if changed == record or self._replaced(name, found["record"], changed):
                return changed

    def _replaced(self, name: str, before: str, record: Record) -> bool:
        """Whether the record was still `before`, and is changed now."""
        wanted = {"_id": name, "record": before, "intent": {"$exists": False}}
        replaced: list[int] = []

        def work(session: ClientSession | None) -> None:
            text = to_json(record)
            result = self._collections.update_one(wanted, {"$set": {"record": text}}, session=session)
            # An answer that was lost: it is what was to be written.
            done = result.matched_count or self._collections.count_documents(
                {"_id": name, "record": text}, session=session
            )
            replaced[:] = [done]

        guarded(self._guard, work)
        return bool(replaced[0])

    def rejected(self, name: str, run_id: str) -> int:
        wanted = {"run": run_id, "collection": name}
        return int(self._session.retried(lambda: self._session.database[REJECTED].count_documents(wanted)))

    def _update(self, name: str, change: dict[str, Any]) -> None:
        """Premise C: a late intent would keep sync from writing, a late record say what is no longer so."""
        self._session.cached(_prepare)
        guarded(
            self._guard,
            lambda session: self._collections.update_one({"_id": name}, change, upsert=True, session=session),
        )

    @property
    def _collections(self) -> Any:
        return self._session.database[COLLECTION]


def _prepare(session: Session) -> bool:
    session.retried(lambda: ensure_collection(session, COLLECTION))
    return True


def _entry(name: str, found: Mapping[str, Any]) -> Entry:
    record, intent = found.get("record"), found.get("intent")
    return Entry(
        from_json(Record, record, where=f"{COLLECTION}, {name}") if record else None,
        from_json(Intent, intent, where=f"{COLLECTION}, {name}") if intent else None,
    )
