"""A folder of BSON files in mongodump's layout as a target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from migrator.model.check import Check
from migrator.model.plan import Capabilities, TargetCollection, TargetIdentity
from migrator.target.files.checks import checks
from migrator.target.files.database import StateDatabase
from migrator.target.files.folder import Folder
from migrator.target.files.lease_store import FilesLeaseStore
from migrator.target.files.place import FilesPlace
from migrator.target.files.records import FilesRecords
from migrator.target.files.state import FilesState
from migrator.target.files.verified import FilesVerifyState
from migrator.target.files.writer import MAX_DOCUMENT_BYTES, FilesWriter
from migrator.target.lease import HeldLease, Timing, hold
from migrator.target.publish import Publisher
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
    """Implements migrator.run.ports.Target; raises TargetError and TargetUnavailable."""

    def __init__(self, url: FilesUrl, timing: Timing | None = None) -> None:
        self._url = url
        self._folder = Folder(url.folder)
        self._database = StateDatabase(self._folder)
        self._place = FilesPlace(self._folder, self._database)
        self._timing = timing

    def identity(self) -> TargetIdentity:
        return TargetIdentity(str(self._url), _LAYOUT, _CAN)

    def inspect(self, names: Iterable[str]) -> tuple[TargetCollection, ...]:
        publisher = self.publisher()
        return tuple(publisher.inspect(name) for name in names)

    def checks(self) -> Iterator[Check]:
        return checks(self._folder)

    def lease(self, purpose: str) -> AbstractContextManager[HeldLease]:
        return self._lease(purpose)

    def state(self) -> FilesState:
        return FilesState(self._folder, self._database, self._place)

    def publisher(self) -> Publisher:
        return Publisher(self._place, FilesRecords(self._database), str(self._url))

    def writer(self, run_id: str) -> FilesWriter:
        return FilesWriter(self._folder, self._database)

    def handing_over(self) -> None:
        """Nobody writes to a folder of files."""

    def verifying(self) -> FilesVerifyState:
        return FilesVerifyState(self._folder, self._database, self._place)

    def following(self) -> None:
        """A folder is written once: nothing keeps it in step."""

    def close(self) -> None:
        """Nothing stays open between calls."""

    @contextmanager
    def _lease(self, purpose: str) -> Iterator[HeldLease]:
        with hold(FilesLeaseStore(self._database), purpose, str(self._url), self._timing) as lease:
            self.publisher().settle_all()
            self.state().clean()
            yield lease
