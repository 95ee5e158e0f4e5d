"""A folder of BSON files in mongodump's layout as a target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from migrator.model.mapping.tree import Collection
from migrator.model.plan.plan import Capabilities, TargetCollection, TargetIdentity
from migrator.model.report.check import Check
from migrator.target.files.activity_store import FilesActivityStore
from migrator.target.files.checks import checks
from migrator.target.files.collection_store import FilesCollectionStore
from migrator.target.files.database import AnyDatabase, LeasedDatabase, StateDatabase
from migrator.target.files.folder import Folder
from migrator.target.files.lease_store import FilesLease, FilesLeaseStore
from migrator.target.files.records import FilesRecords
from migrator.target.files.state import FilesState
from migrator.target.files.verified import FilesVerifyState
from migrator.target.files.writer import MAX_DOCUMENT_BYTES, FilesWriter
from migrator.target.lease import LeaseCheck, Timing, hold
from migrator.target.publish import CollectionPublisher
from migrator.target.url import FilesUrl

_LAYOUT = "BSON files as of mongodump"
_CAN = Capabilities(
    "files",
    rename=True,
    unique_indexes=False,
    validators=True,
    max_document_bytes=MAX_DOCUMENT_BYTES,
    one_snapshot=True,
)


class FilesTarget:
    """Implements migrator.ports.copy.Target; raises TargetError and TargetUnavailable."""

    def __init__(self, url: FilesUrl, timing: Timing | None = None) -> None:
        self._url = url
        self._folder = Folder(url.folder)
        self._database = StateDatabase(self._folder)
        self._timing = timing

    def require_reachable(self) -> None:
        """A folder needs no answer."""

    def identity(self) -> TargetIdentity:
        return TargetIdentity(str(self._url), _LAYOUT, _CAN)

    def inspect(self, names: Iterable[str]) -> tuple[TargetCollection, ...]:
        publisher = self.publisher()
        return tuple(publisher.inspect(name) for name in names)

    def applied(self, names: Sequence[str]) -> dict[str, Collection]:
        return {each.collection.name: each.collection for each in self.verify_state().published_of(names) if each.same}

    def checks(self) -> Iterator[Check]:
        return checks(self._folder)

    def lease(self, purpose: str) -> AbstractContextManager[FilesLease]:
        return self._lease(purpose)

    def state(self, lease: LeaseCheck | None = None) -> FilesState:
        return FilesState(self._folder, self._database_of(lease), self._place(lease))

    def publisher(self, lease: LeaseCheck | None = None) -> CollectionPublisher:
        return CollectionPublisher(self._place(lease), FilesRecords(self._database_of(lease)), str(self._url))

    def writer(self) -> FilesWriter:
        return FilesWriter(self._folder, self._database)

    def cutover_state(self) -> None:
        """Nobody writes to a folder of files."""

    def verify_state(self) -> FilesVerifyState:
        return FilesVerifyState(self._folder, self._database, self._place(None))

    def activity_store(self) -> FilesActivityStore:
        return FilesActivityStore(self._database, FilesLeaseStore(self._database, str(self._url)), self._timing)

    def sync_target(self) -> None:
        """A folder is written once: nothing keeps it in step."""

    def close(self) -> None:
        """Nothing stays open between calls."""

    @contextmanager
    def _lease(self, purpose: str) -> Iterator[FilesLease]:
        store = FilesLeaseStore(self._database, str(self._url))
        with hold(store, purpose, str(self._url), self._timing) as held:
            lease = FilesLease(held, store.number(held.token))
            self.publisher(lease).settle_all()
            self.state(lease).clean()
            yield lease

    def _place(self, lease: LeaseCheck | None) -> FilesCollectionStore:
        return FilesCollectionStore(self._folder, self._database_of(lease), None if lease is None else _own(lease))

    def _database_of(self, lease: LeaseCheck | None) -> AnyDatabase:
        if lease is None:
            return self._database
        return LeasedDatabase(self._database, _own(lease).held.token, str(self._url))


def _own(lease: LeaseCheck) -> FilesLease:
    if not isinstance(lease, FilesLease):
        raise TypeError("a lease that is not from this target")
    return lease
