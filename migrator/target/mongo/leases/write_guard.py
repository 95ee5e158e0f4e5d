"""Keeps a process that lost its lease from changing anything (premise C).

Looking at the lease before a write is not enough: a process may be stopped right after the look, lose the lease, wake
up and send the write, over what its successor wrote since. So where the server has transactions, a write goes into one
transaction together with a mark on a *fence*: a document that holds the number of the latest holding of the lease that
wrote here. Numbers grow with every holding. A mark by a lower number than the fence's finds nothing to mark, and the
transaction is given up; two at once collide on the fence, and one of them is begun again.

Until the successor's first write a late write still succeeds. It does no harm: the late process has saved no position
for it, so the successor does the same work again, from a later snapshot.

A server by itself has no transactions. There a write has a time limit, kept by the driver and by the server, and who
took over a lease that was not given back waits that long before its first write. That covers a hanging network and a
busy server. It does not cover a process that is stopped between look and send for longer than lease and limit last.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pymongo
from pymongo.client_session import ClientSession
from pymongo.errors import ConfigurationError, OperationFailure

from migrator.errors import LeaseLost, MigratorError, TargetUnavailable
from migrator.target.lease import now
from migrator.target.mongo.connection.session import TRANSACTION, TRANSACTION_SECONDS, Session
from migrator.target.mongo.leases import transactors
from migrator.target.mongo.leases.store import LEASES, MongoLease
from migrator.target.mongo.writing.bulk import Failure

WRITE_LIMIT_SECONDS = 15.0
# Of a server by itself, and of services that speak the protocol without transactions.
# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_NO_TRANSACTIONS = frozenset(
    (
        20,  # IllegalOperation: "Transaction numbers are only allowed on a replica set member or mongos"
        59,  # CommandNotFound
        72,  # InvalidOptions
        115,  # CommandNotSupported
        238,  # NotImplemented
        263,  # OperationNotSupportedInTransaction
        303,  # FeatureNotSupported
        40415,  # an unknown field of a command
    )
)

Work = Callable[[ClientSession | None], dict[int, Failure]]


@dataclass(frozen=True, slots=True)
class FencingDocument:
    """A document that a write must be able to mark.

    Attributes:
        collection: where it is.
        wanted: its `_id`, and what else must be true of it for the write to be right.
        why_not: an error when it is not, after a look at the document as it is (None for gone).
    """

    collection: str
    wanted: Mapping[str, Any]
    why_not: Callable[[Mapping[str, Any] | None], MigratorError | None]


class WriteGuard(Protocol):
    """How writes are sent."""

    @property
    def all_or_nothing(self) -> bool:
        """Whether nothing at all was done by work that failed in part."""
        ...

    def run(self, work: Work) -> dict[int, Failure]:
        """Does `work`, which must be repeatable and pass on the session that it is given.

        Raises:
            LeaseLost: when this process is no longer the one writer.
        """
        ...


class UnguardedWrites:
    """For what any process may write."""

    all_or_nothing = False

    def __init__(self, session: Session) -> None:
        self._session = session

    def run(self, work: Work) -> dict[int, Failure]:
        return self._session.retried(lambda: work(None))


class FencedWrites:
    """Each piece of work in a transaction that marks the fence."""

    all_or_nothing = True

    def __init__(self, session: Session, lease: MongoLease, fence: FencingDocument) -> None:
        self._session = session
        self._lease = lease
        self._fence = fence
        # A session of the driver has one user at a time.
        self._turn = threading.Lock()

    def run(self, work: Work) -> dict[int, Failure]:
        # Where a predecessor's transaction could not be ended, the server has to give it up first.
        more = TRANSACTION_SECONDS if self._lease.held.inherited else 0.0
        with self._turn, _whose_lease(self._lease):
            return self._session.retried(lambda: self._transact(work), more)

    @cached_property
    def _transactor(self) -> ClientSession:
        return transactors.begin(self._session, self._lease.id)

    def _transact(self, work: Work) -> dict[int, Failure]:
        session = self._transactor
        self._lease.check()
        with session.start_transaction(**TRANSACTION):
            passed = self._mark(session)
            failures = work(session) if passed else {}
            if failures or not passed:
                session.abort_transaction()
        if not passed:
            raise self._reason()
        return failures

    def _mark(self, session: ClientSession) -> bool:
        field = f"fences.{self._lease.id}"
        mine = {"$or": [{field: {"$exists": False}}, {field: {"$lte": self._lease.number}}]}
        # Counting makes it a write even when the number stands there already: one that changes nothing collides with
        # nothing.
        change = {"$set": {field: self._lease.number}, "$inc": {"marks": 1}}
        fences = self._session.database[self._fence.collection]
        return fences.update_one({**self._fence.wanted, **mine}, change, session=session).matched_count == 1

    def _reason(self) -> MigratorError:
        fences = self._session.database[self._fence.collection]
        found = fences.find_one({"_id": self._fence.wanted["_id"]})
        return self._fence.why_not(found) or LeaseLost(
            "another process has taken over the work on this target",
            where=f"{self._session.url.address}, {self._fence.collection}",
            hint="Let that one continue.",
        )


class TimeLimitedWrites:
    """Each piece of work within a time limit, the first not before a predecessor's has passed."""

    all_or_nothing = False

    def __init__(self, session: Session, lease: MongoLease, limit: float) -> None:
        self._session = session
        self._lease = lease
        self._limit = limit

    def run(self, work: Work) -> dict[int, Failure]:
        self._wait()
        with _whose_lease(self._lease):
            return self._session.retried(lambda: self._limited(work))

    def _wait(self) -> None:
        """What a predecessor sent may be at work in the server for so long."""
        while self._lease.held.inherited and (left := self._lease.since + self._limit - now()) > 0:
            self._lease.check()
            time.sleep(min(left, 0.2))

    def _limited(self, work: Work) -> dict[int, Failure]:
        self._lease.check()
        with pymongo.timeout(self._limit):
            return work(None)


@contextmanager
def _whose_lease(lease: MongoLease) -> Iterator[None]:
    """One that was stopped for long sees its transaction or its connection gone, and is told why."""
    try:
        yield
    except TargetUnavailable:
        lease.check()
        raise


def guarded(guard: WriteGuard, work: Callable[[ClientSession | None], object]) -> None:
    """Does work that is done as a whole or raises; see `WriteGuard.run`."""

    def whole(session: ClientSession | None) -> dict[int, Failure]:
        work(session)
        return {}

    guard.run(whole)


def guard(session: Session, lease: MongoLease, fence: FencingDocument) -> WriteGuard:
    """The strongest that the server allows."""
    if session.cached(has_transactions):
        return FencedWrites(session, lease, fence)
    return TimeLimitedWrites(session, lease, WRITE_LIMIT_SECONDS)


def has_transactions(session: Session) -> bool:
    """Tries one; a server's word for its kind does not tell."""

    def attempt() -> bool:
        try:
            with session.client.start_session() as client, client.start_transaction(**TRANSACTION):
                leases = session.database[LEASES]
                leases.update_one({"_id": "transactions"}, {"$inc": {"n": 1}}, session=client)
        except ConfigurationError:
            return False
        except OperationFailure as error:
            if error.code in _NO_TRANSACTIONS:
                return False
            raise
        return True

    return session.retried(attempt)
