"""A MongoDB database as a target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from migrator.model.change.events import Scope
from migrator.model.collection_names import staged_name
from migrator.model.mapping.tree import Collection
from migrator.model.plan.plan import Capabilities, TargetCollection, TargetIdentity
from migrator.model.report.check import Check
from migrator.ports.sync_state import SyncState
from migrator.target.lease import LeaseCheck, Timing, describe, hold, live_owner, now
from migrator.target.mongo.checks import checks
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state.collection_store import MongoCollectionStore
from migrator.target.mongo.copy_state.records import MongoRecords
from migrator.target.mongo.copy_state.state import MongoState
from migrator.target.mongo.handovers import MongoHandovers
from migrator.target.mongo.leases import fencing_documents, transactors
from migrator.target.mongo.leases.activity_store import MongoActivityStore
from migrator.target.mongo.leases.store import LeaseId, MongoLease, MongoLeaseStore
from migrator.target.mongo.leases.write_guard import UnguardedWrites, WriteGuard, guard
from migrator.target.mongo.sync_state.scope_documents import ScopeDocuments
from migrator.target.mongo.sync_state.state import mongo_sync_state
from migrator.target.mongo.verified import MongoVerifyState
from migrator.target.mongo.writing import dollar_names
from migrator.target.mongo.writing.chunk_writer import MongoWriter
from migrator.target.mongo.writing.live import MongoDocuments
from migrator.target.publish import CollectionPublisher
from migrator.target.url import MongoUrl
from migrator.waits import SILENT_WAITS, Waits


class MongoTarget:
    """Implements migrator.ports.copy.Target and migrator.ports.sync.SyncTarget.

    Raises TargetError and TargetUnavailable.
    """

    def __init__(
        self,
        url: MongoUrl,
        timing: Timing | None = None,
        retry_seconds: float | None = None,
        waits: Waits = SILENT_WAITS,
    ) -> None:
        self._session = Session(url, retry_seconds, waits)
        self._timing = timing
        # One for each holding of a lease: two would collide on its fence.
        self._guards: dict[str, WriteGuard] = {}

    @property
    def database(self) -> str:
        """Its name."""
        return self._session.url.database

    def require_reachable(self) -> None:
        """
        Raises:
            TargetError, TargetUnavailable: when no server answers within a few seconds.
        """
        self._session.require_reachable()

    def identity(self) -> TargetIdentity:
        version, size = self._session.once(
            lambda: (self._session.client.server_info()["version"], self._session.max_document_bytes)
        )
        hello = self._session.once(lambda: self._session.client.admin.command("hello"))
        can = Capabilities(
            "mongodb", True, True, True, size, one_snapshot=False, dollar_names=dollar_names.expected(hello)
        )
        return TargetIdentity(self._session.url.address, version, can)

    def inspect(self, names: Iterable[str]) -> tuple[TargetCollection, ...]:
        publisher, documents = self.publisher(), ScopeDocuments(self._session, UnguardedWrites(self._session))
        runs = publisher.published()
        found = (publisher.inspect(name) for name in names)
        return tuple(
            replace(each, lost=documents.lost(Scope(runs[each.name], each.name))) if each.name in runs else each
            for each in found
        )

    def applied(self, names: Sequence[str]) -> dict[str, Collection]:
        return {each.collection.name: each.collection for each in self.verify_state().published_of(names) if each.same}

    def checks(self) -> Iterator[Check]:
        return checks(self._session)

    def lease(self, purpose: str) -> AbstractContextManager[MongoLease]:
        return self._lease(purpose)

    def state(self, lease: LeaseCheck | None = None) -> MongoState:
        return MongoState(self._session, self._place(lease), self._state_guard(lease))

    def publisher(self, lease: LeaseCheck | None = None) -> CollectionPublisher:
        records = MongoRecords(self._session, self._state_guard(lease))
        return CollectionPublisher(self._place(lease), records, self._session.url.address)

    def writer(self) -> MongoWriter:
        return MongoWriter(self._session)

    def cutover_state(self) -> MongoHandovers:
        return MongoHandovers(self._session)

    def verify_state(self) -> MongoVerifyState:
        return MongoVerifyState(self._session, self._place(None))

    def activity_store(self) -> MongoActivityStore:
        return MongoActivityStore(self._session, self._timing)

    def close(self) -> None:
        self._session.close()

    def sync_target(self) -> MongoTarget:
        """See migrator.ports.sync.SyncableTarget."""
        return self

    def sync_lease(self, purpose: str) -> AbstractContextManager[MongoLease]:
        return self._hold("sync", purpose)

    def sync_lease_owner(self) -> str | None:
        """See migrator.ports.sync.SyncTarget. Takes two seconds when the owner is on another machine."""
        store = MongoLeaseStore(self._session, "sync")
        owner = self._session.retried(lambda: live_owner(store, self._timing))
        return None if owner is None else f"{owner.purpose}: {describe(owner)}"

    def sync_state(self, lease: LeaseCheck | None = None) -> SyncState:
        return mongo_sync_state(self._session, self.publisher(), self._state_guard(lease))

    def documents(self, scope: Scope, lease: LeaseCheck, *, staged: bool) -> MongoDocuments:
        mine = _own(lease)
        if staged:
            name = staged_name(scope.collection, scope.run, mine.number)
            fence = fencing_documents.staged(self._session, scope)
        else:
            name, fence = scope.collection, fencing_documents.live(self._session, scope)
        return MongoDocuments(self._session, name, guard(self._session, mine, fence))

    def renewer(self, lease: LeaseCheck) -> CollectionPublisher:
        """See migrator.ports.sync.SyncTarget."""
        return self.publisher(lease)

    @contextmanager
    def _lease(self, purpose: str) -> Iterator[MongoLease]:
        with self._hold("target", purpose) as lease:
            self.publisher(lease).settle_all()
            self.state(lease).clean()
            yield lease

    @contextmanager
    def _hold(self, which: LeaseId, purpose: str) -> Iterator[MongoLease]:
        store = MongoLeaseStore(self._session, which)
        with hold(store, purpose, self._session.url.address, self._timing) as held:
            lease = MongoLease(which, held, store.number(held.token), now())
            transactors.end_predecessors(self._session, which)
            yield lease

    def _state_guard(self, lease: LeaseCheck | None) -> WriteGuard:
        if lease is None:
            return UnguardedWrites(self._session)
        mine = _own(lease)
        if mine.held.token not in self._guards:
            self._guards[mine.held.token] = guard(self._session, mine, fencing_documents.state(self._session, mine.id))
        return self._guards[mine.held.token]

    def _place(self, lease: LeaseCheck | None) -> MongoCollectionStore:
        return MongoCollectionStore(self._session, None if lease is None else _own(lease))


def _own(lease: LeaseCheck) -> MongoLease:
    if not isinstance(lease, MongoLease):
        raise TypeError("a lease that is not from this target")
    return lease
