"""Puts documents right: by writing them, or by handing their keys to the sync at work (DESIGN premise C)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from migrator.model.change import Reach, Scope
from migrator.model.verify import Published, Suspect
from migrator.run.ports import Lease, Source
from migrator.run.rebuild import Rebuilder
from migrator.run.retry import retrying
from migrator.run.sync_ports import Documents, SyncTarget


@dataclass(frozen=True, slots=True)
class _Opened:
    documents: Documents
    rebuilder: Rebuilder


@dataclass
class Writing:
    """Repairs with nobody else at work: under the lease that a sync would have, so that none begins meanwhile.

    Raises:
        LeaseHeld: when a sync has just begun, or an apply replaces a collection.
    """

    source: Source
    target: SyncTarget
    retry_seconds: float
    stack: ExitStack
    _lease: Lease | None = None
    _opened: dict[Scope, _Opened] = field(default_factory=dict)

    def repair(self, published: Published, suspects: Sequence[Suspect]) -> None:
        """Returns when every write was acknowledged."""
        retrying(self.retry_seconds)(lambda: asyncio.run(self._repair(published, suspects)))

    async def _repair(self, published: Published, suspects: Sequence[Suspect]) -> None:
        opened = self._open(published)
        # Replacing 1.0 by 1 would be an attempt to change an _id; a document without a row has no key to rebuild.
        deletes = [bytes(each.stored) for each in suspects if each.stored is not None]
        deletes += [bytes(each.fault.identity) for each in suspects if not each.fault.keys]
        if deletes:
            opened.documents.write((), deletes)
        async with self.source.open_reader() as reader:
            await opened.rebuilder.rebuild(reader, [key for each in suspects for key in each.fault.keys])

    def _open(self, published: Published) -> _Opened:
        if self._lease is None:
            self._lease = self.stack.enter_context(self.target.sync_lease("verify --repair"))
        self._lease.check()
        scope = published.scope
        if scope not in self._opened:
            documents = self.target.documents(scope, self._lease, staged=False)
            rebuilder = Rebuilder(scope, published.collection, documents, self.target.sync_state(self._lease))
            self._opened[scope] = _Opened(documents, rebuilder)
        return self._opened[scope]


@dataclass(frozen=True)
class Handing:
    """Repairs by the sync at work: it rebuilds what is noted for it."""

    target: SyncTarget

    def repair(self, published: Published, suspects: Sequence[Suspect]) -> None:
        """Returns when the keys are noted; they are settled when the sync has been there."""
        root = published.collection.root.id
        reaches = [Reach(root, "key", key) for each in suspects for key in each.fault.keys]
        self.target.sync_state().mark_dirty(published.scope, reaches)


def beyond_sync(suspect: Suspect) -> str:
    """Why a sync can't put this right, "" when it can: it works by root keys."""
    if suspect.stored is not None:
        return "its _id has another type: a sync can't change that; stop it, and repair then"
    if not suspect.fault.keys:
        return "no row can have made this _id, so a sync won't touch it; stop it, and repair then"
    return ""
