"""Leases as documents of `_migrator_leases`, and what a holding of one is known by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from migrator.errors import LeaseLost
from migrator.target.lease import HeldLease, Holding, Owner
from migrator.target.mongo import counter
from migrator.target.mongo.connection.session import Session
from migrator.target.process import ProcessId

LEASES = "_migrator_leases"
# `target`: apply's. `sync`: the right to write to live collections.
LeaseId = Literal["target", "sync"]

_HOLDINGS = "holdings"


@dataclass(frozen=True, slots=True)
class MongoLease:
    """Implements migrator.ports.copy.Lease.

    Attributes:
        id: which lease.
        held: keeps it alive.
        number: higher than that of every holding before this one: what a fence compares (premise C).
        since: when it was taken, by migrator.target.lease.now.
    """

    id: LeaseId
    held: HeldLease
    number: int
    since: float

    def check(self) -> None:
        self.held.check()


class MongoLeaseStore:
    """Implements migrator.target.lease.LeaseStore. Transient errors are the caller's to wait out: time matters here."""

    def __init__(self, session: Session, lease: LeaseId) -> None:
        self._session = session
        self._id = lease

    def read(self) -> Holding | None:
        found = self._session.once(lambda: self._leases.find_one({"_id": self._id}))
        return _holding(found) if found else None

    def take(self, owner: Owner, over: Holding | None) -> bool:
        fields = {**asdict(owner), "beat": 0}
        if over is None:
            return self._session.once(lambda: self._insert(fields))
        expected = {"_id": self._id, "token": over.owner.token, "beat": over.beat}
        return self._session.once(lambda: self._leases.replace_one(expected, fields).matched_count) == 1

    def renew(self, token: str, beat: int) -> bool:
        mine = {"_id": self._id, "token": token}
        change = {"$set": {"beat": beat}, "$currentDate": {"renewed": True}}
        return self._session.once(lambda: self._leases.update_one(mine, change).matched_count) == 1

    def release(self, token: str) -> None:
        self._session.once(lambda: self._leases.delete_one({"_id": self._id, "token": token}))

    def number(self, token: str) -> int:
        """Counts the holdings of all leases, and tells the number of the one that `token` is of.

        Looking afterwards whose lease it is makes sure that whoever takes it over gets a higher number: one that was
        stopped between taking the lease and counting must not come out on top.

        Raises:
            LeaseLost: when somebody has taken it over already.
        """
        number = counter.take(self._session, LEASES, _HOLDINGS, 1)
        found = self._session.retried(self.read)
        if found is None or found.owner.token != token:
            raise LeaseLost(
                "another process has taken over the work on this target",
                where=self._session.url.address,
                hint="Let that one finish.",
            )
        return number

    def _insert(self, fields: Mapping[str, Any]) -> bool:
        try:
            self._leases.insert_one({"_id": self._id, **fields})
        except DuplicateKeyError:
            return False
        return True

    @property
    def _leases(self) -> Collection[dict[str, Any]]:
        return self._session.database[LEASES]


def _holding(found: Mapping[str, Any]) -> Holding:
    process = ProcessId(**found["process"])
    owner = Owner(found["token"], process, found["purpose"], found["since"])
    return Holding(owner, found["beat"], found.get("renewed"))
