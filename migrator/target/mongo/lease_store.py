"""The lease as a document of `_migrator_leases`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from migrator.target.lease import Holding, Owner
from migrator.target.mongo.session import Session
from migrator.target.process import ProcessId

_ID = "target"


class MongoLeaseStore:
    """Implements migrator.target.lease.LeaseStore. Passing faults are the caller's to wait out: time matters here."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self) -> Holding | None:
        found = self._session.once(lambda: self._leases.find_one({"_id": _ID}))
        return _holding(found) if found else None

    def take(self, owner: Owner, over: Holding | None) -> bool:
        fields = {**asdict(owner), "beat": 0}
        if over is None:
            return self._session.once(lambda: self._insert(fields))
        expected = {"_id": _ID, "token": over.owner.token, "beat": over.beat}
        return self._session.once(lambda: self._leases.replace_one(expected, fields).matched_count) == 1

    def renew(self, token: str, beat: int) -> bool:
        mine, change = {"_id": _ID, "token": token}, {"$set": {"beat": beat}}
        return self._session.once(lambda: self._leases.update_one(mine, change).matched_count) == 1

    def release(self, token: str) -> None:
        self._session.once(lambda: self._leases.delete_one({"_id": _ID, "token": token}))

    def _insert(self, fields: Mapping[str, Any]) -> bool:
        try:
            self._leases.insert_one({"_id": _ID, **fields})
        except DuplicateKeyError:
            return False
        return True

    @property
    def _leases(self) -> Collection[dict[str, Any]]:
        return self._session.database["_migrator_leases"]


def _holding(found: Mapping[str, Any]) -> Holding:
    process = ProcessId(**found["process"])
    return Holding(Owner(found["token"], process, found["purpose"], found["since"]), found["beat"])
