"""Corrects documents: by writing them, or by handing their keys to the running sync (premise C)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from migrator.model.change.events import DocumentRef, Scope
from migrator.model.change.position import Position
from migrator.model.report.verify import Published, Suspect
from migrator.ports.copy import Lease, Source
from migrator.ports.sync import Documents, SyncTarget
from migrator.sync.rebuild import Rebuilder
from migrator.workers.retry import retrying


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of it.

    Attributes:
        begun: these should be right, at the latest when the sync has passed `end`.
        left: these can't be put right now, each with the reason.
        end: None where no sync has to do it.
    """

    begun: tuple[Suspect, ...]
    left: tuple[tuple[Suspect, str], ...] = ()
    end: Position | None = None


class Repairer:
    """Repairs of one verify."""

    def __init__(
        self,
        source: Source,
        target: SyncTarget,
        serves: Callable[[Published], bool],
        end: Callable[[], Position | None],
        retry_seconds: float,
        stack: ExitStack,
    ) -> None:
        """
        Args:
            serves: whether a sync is at work on a collection.
            end: where the source's log ends now.
            stack: the lease is held until it ends.
        """
        self._target = target
        self._serves = serves
        self._end = end
        self._writing = _DirectRepair(source, target, retry_seconds, stack)

    def repair(self, published: Published, suspects: Sequence[Suspect]) -> Repaired:
        """Writes, or notes for the sync at work what it is to rebuild.

        Raises:
            LeaseHeld: when a sync has just begun, or an apply replaces a collection.
        """
        if not self._serves(published):
            self._writing.repair(published, suspects)
            return Repaired(tuple(suspects))
        left = [(each, why) for each in suspects if (why := _beyond_sync(each))]
        begun = tuple(each for each in suspects if not _beyond_sync(each))
        if begun:
            root = published.collection.root.id
            refs = [DocumentRef(root, "key", key) for each in begun for key in each.fault.keys]
            self._target.sync_state().dirty.mark(published.scope, refs)
        return Repaired(begun, tuple(left), self._end())


@dataclass(frozen=True, slots=True)
class _RepairedCollection:
    documents: Documents
    rebuilder: Rebuilder


class _DirectRepair:
    """With nobody else at work: under the lease that a sync would have, so that none begins meanwhile."""

    def __init__(self, source: Source, target: SyncTarget, retry_seconds: float, stack: ExitStack) -> None:
        self._source = source
        self._target = target
        self._retry_seconds = retry_seconds
        self._stack = stack
        self._lease: Lease | None = None
        self._opened: dict[Scope, _RepairedCollection] = {}

    def repair(self, published: Published, suspects: Sequence[Suspect]) -> None:
        """Returns when every write was acknowledged."""
        retrying(self._retry_seconds)(lambda: asyncio.run(self._repair(published, suspects)))

    async def _repair(self, published: Published, suspects: Sequence[Suspect]) -> None:
        opened = self._open(published)
        # Replacing 1.0 by 1 would be an attempt to change an _id; a document without a row has no key to rebuild.
        deletes = [bytes(each.stored) for each in suspects if each.stored is not None]
        deletes += [bytes(each.fault.identity) for each in suspects if not each.fault.keys]
        if deletes:
            opened.documents.write((), deletes)
        async with self._source.open_reader() as reader:
            await opened.rebuilder.rebuild(reader, [key for each in suspects for key in each.fault.keys])

    def _open(self, published: Published) -> _RepairedCollection:
        if self._lease is None:
            self._lease = self._stack.enter_context(self._target.sync_lease("verify --repair"))
        self._lease.check()
        scope = published.scope
        if scope not in self._opened:
            documents = self._target.documents(scope, self._lease, staged=False)
            rebuilder = Rebuilder(scope, published.collection, documents, self._target.sync_state(self._lease).rejected)
            self._opened[scope] = _RepairedCollection(documents, rebuilder)
        return self._opened[scope]


def _beyond_sync(suspect: Suspect) -> str:
    """Why a sync can't put this right, "" when it can: it works by root keys."""
    if suspect.stored is not None:
        return "its _id has another type, which a sync can't change: stop it, and repair then"
    if not suspect.fault.keys:
        return "no row can have made this _id, so a sync does not change it: stop it, and repair then"
    return ""
