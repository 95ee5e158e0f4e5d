"""Removes changed documents from the cache of the application's repositories."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from migrator.model.change.events import Scope, WriteOutcome
from migrator.model.plan.chunk import Document
from migrator.ports.copy import ActivityStore, Lease
from migrator.ports.sync import Documents, Renewer, SyncTarget
from migrator.ports.sync_state import SyncState


class CacheInvalidator(Protocol):
    """What takes documents out of a cache."""

    def written_bson(self, collection: str, documents: Sequence[bytes]) -> bool:
        """Documents with these `_id`s, each in a BSON document, have changed; false when the cache can't be told."""
        ...


class Invalidating:
    """Implements migrator.ports.sync.Documents around another.

    A write is told after it was acknowledged and before the position is saved: after a crash both come again.
    """

    def __init__(self, documents: Documents, collection: str, invalidator: CacheInvalidator) -> None:
        self._documents = documents
        self._collection = collection
        self._invalidator = invalidator

    def write(self, documents: Sequence[Document], deletes: Sequence[bytes]) -> WriteOutcome:
        outcome = self._documents.write(documents, deletes)
        # Refused ones too: their old versions may be gone.
        self._invalidator.written_bson(self._collection, [*(each.bson for each in documents), *deletes])
        return outcome

    def ids(self, after: bytes | None, limit: int) -> list[bytes]:
        return self._documents.ids(after, limit)


class InvalidatingTarget:
    """Implements migrator.ports.sync.SyncTarget around another: writes to live collections are told."""

    def __init__(self, target: SyncTarget, invalidator: CacheInvalidator) -> None:
        self._target = target
        self._invalidator = invalidator

    def sync_lease(self, purpose: str) -> AbstractContextManager[Lease]:
        return self._target.sync_lease(purpose)

    def sync_lease_owner(self) -> str | None:
        return self._target.sync_lease_owner()

    def sync_state(self, lease: Lease | None = None) -> SyncState:
        return self._target.sync_state(lease)

    def activity_store(self) -> ActivityStore:
        return self._target.activity_store()

    def documents(self, scope: Scope, lease: Lease, *, staged: bool) -> Documents:
        documents = self._target.documents(scope, lease, staged=staged)
        return documents if staged else Invalidating(documents, scope.collection, self._invalidator)

    def renewer(self, lease: Lease) -> Renewer:
        return self._target.renewer(lease)
