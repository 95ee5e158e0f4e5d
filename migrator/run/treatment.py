"""What becomes of reaches: documents rebuilt at once, or a note in the state for later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from migrator.model.change import Reach, Scope
from migrator.model.position import Position
from migrator.model.tree import Collection
from migrator.run.climb import climb
from migrator.run.drain import Drainer
from migrator.run.rebuild import Rebuilder, Rebuilt
from migrator.run.sync_ports import Documents, FollowedSource, Snapshots, SyncState

Pending = Mapping[Scope, Sequence[Reach]]


@dataclass(frozen=True, slots=True)
class Served:
    """A collection that is kept in step, and where its documents are."""

    scope: Scope
    collection: Collection
    documents: Documents


class Treatment(Protocol):
    """Makes sure that the documents of reaches become right; when a call returns, nothing of it can be lost."""

    def take(self, pending: Pending, reached: Position) -> Rebuilt:
        """`reached`: behind the last event that led to these."""
        ...

    def work_off(self, reached: Position) -> Rebuilt | None:
        """Some of what waits; None when nothing does."""
        ...

    def close(self) -> None: ...


class Later:
    """Notes everything: for as long as the documents are being copied (their log may expire behind)."""

    def __init__(self, state: SyncState) -> None:
        self._state = state

    def take(self, pending: Pending, reached: Position) -> Rebuilt:
        for scope, reaches in pending.items():
            self._state.mark_dirty(scope, reaches)
        return Rebuilt()

    def work_off(self, reached: Position) -> Rebuilt | None:
        return None

    def close(self) -> None:
        """Nothing is open."""


class Now:
    """Rebuilds documents in a snapshot that contains what was read; notes what is too much for one batch."""

    def __init__(self, source: FollowedSource, state: SyncState, served: Sequence[Served]) -> None:
        self._state = state
        self._served = {each.scope: each for each in served}
        self._rebuilders = {
            each.scope: Rebuilder(each.scope, each.collection, each.documents, state) for each in served
        }
        self._drainers = {
            each.scope: Drainer(each.scope, each.collection, each.documents, self._rebuilders[each.scope], state)
            for each in served
        }
        self._loop = asyncio.new_event_loop()
        self._opened: AbstractAsyncContextManager[Snapshots] = source.snapshots()
        self._snapshots = self._loop.run_until_complete(self._opened.__aenter__())

    def take(self, pending: Pending, reached: Position) -> Rebuilt:
        return self._loop.run_until_complete(self._take(pending, reached)) if any(pending.values()) else Rebuilt()

    def work_off(self, reached: Position) -> Rebuilt | None:
        return self._loop.run_until_complete(self._work_off(reached))

    def close(self) -> None:
        try:
            self._loop.run_until_complete(self._opened.__aexit__(None, None, None))
        finally:
            self._loop.close()

    async def _take(self, pending: Pending, reached: Position) -> Rebuilt:
        total = Rebuilt()
        # DESIGN premise A: the snapshot contains every event already read.
        async with self._snapshots.at_least(reached) as snapshot:
            for scope, reaches in pending.items():
                climbed = await climb(snapshot, self._served[scope].collection, reaches)
                if climbed.waiting:
                    self._state.mark_dirty(scope, climbed.waiting)
                total += await self._rebuilders[scope].rebuild(snapshot, climbed.keys)
        return total

    async def _work_off(self, reached: Position) -> Rebuilt | None:
        waiting = [scope for scope in self._drainers if self._state.dirty(scope, 1)]
        if not waiting:
            return None
        total = Rebuilt()
        async with self._snapshots.at_least(reached) as snapshot:
            for scope in waiting:
                total += await self._drainers[scope].step(snapshot) or Rebuilt()
        return total
