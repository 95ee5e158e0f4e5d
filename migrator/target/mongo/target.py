"""A MongoDB database as a target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from migrator.model.check import Check
from migrator.model.plan import Capabilities, TargetCollection, TargetIdentity
from migrator.target.lease import HeldLease, Timing, hold
from migrator.target.mongo.checks import checks
from migrator.target.mongo.lease_store import MongoLeaseStore
from migrator.target.mongo.place import MongoPlace
from migrator.target.mongo.records import MongoRecords
from migrator.target.mongo.session import Session
from migrator.target.mongo.state import MongoState
from migrator.target.mongo.verified import MongoVerifyState
from migrator.target.mongo.writer import MongoWriter
from migrator.target.publish import Publisher
from migrator.target.url import MongoUrl


class MongoTarget:
    """Implements migrator.run.ports.Target; raises TargetError and TargetUnavailable."""

    def __init__(self, url: MongoUrl, timing: Timing | None = None, retry_seconds: float | None = None) -> None:
        self._session = Session(url, retry_seconds)
        self._place = MongoPlace(self._session)
        self._timing = timing

    def identity(self) -> TargetIdentity:
        version, size = self._session.once(
            lambda: (self._session.client.server_info()["version"], self._session.max_document_bytes)
        )
        can = Capabilities("mongodb", True, True, True, size, one_snapshot=False)
        return TargetIdentity(self._session.url.address, version, can)

    def inspect(self, names: Iterable[str]) -> tuple[TargetCollection, ...]:
        publisher = self.publisher()
        return tuple(publisher.inspect(name) for name in names)

    def checks(self) -> Iterator[Check]:
        return checks(self._session)

    def lease(self, purpose: str) -> AbstractContextManager[HeldLease]:
        return self._lease(purpose)

    def state(self) -> MongoState:
        return MongoState(self._session, self._place)

    def publisher(self) -> Publisher:
        return Publisher(self._place, MongoRecords(self._session), self._session.url.address)

    def writer(self, run_id: str) -> MongoWriter:
        return MongoWriter(self._session, run_id)

    def verifying(self) -> MongoVerifyState:
        return MongoVerifyState(self._session, self._place)

    def close(self) -> None:
        self._session.close()

    @contextmanager
    def _lease(self, purpose: str) -> Iterator[HeldLease]:
        with hold(MongoLeaseStore(self._session), purpose, self._session.url.address, self._timing) as lease:
            self.publisher().settle_all()
            self.state().clean()
            yield lease
