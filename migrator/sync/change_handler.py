"""What is done with references: their documents are rebuilt at once, or recorded in the state for later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Protocol, TypeVar

from migrator.model.change.events import DocumentRef, Scope
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Key
from migrator.ports.sync import Documents, FollowedSource, RootKeyReader, Snapshots, SyncableSource
from migrator.ports.sync_state import DirtyRefs, SyncState
from migrator.sync.backlog import Backlog
from migrator.sync.dirty_queue import DirtyQueue
from migrator.sync.rebuild import Rebuilder, Rebuilt
from migrator.sync.root_keys import find_root_keys
from migrator.workers.announcer import Announcer

T = TypeVar("T")

Pending = Mapping[Scope, Sequence[DocumentRef]]


@dataclass(frozen=True, slots=True)
class SyncedCollection:
    """A collection that is kept in step, and where its documents are."""

    scope: Scope
    collection: Collection
    documents: Documents


class ChangeHandler(Protocol):
    """Makes sure that the documents of references become right; when a call returns, nothing of it can be lost."""

    def handle(self, pending: Pending, reached: Position) -> Rebuilt:
        """`reached`: the position after the last event that led to these."""
        ...

    def mark_dirty(self, scope: Scope, refs: Iterable[DocumentRef], why: str = "") -> None:
        """The documents of these are to be rebuilt later; `why` as for migrator.ports.sync_state.DirtyRefs.mark."""
        ...

    def renew(self, scope: Scope, collection: Collection) -> None:
        """From now on the documents are made by this mapping, and something of them may wait."""
        ...

    def process_dirty(self, reached: Position) -> Rebuilt | None:
        """Some of what waits; None when nothing does."""
        ...


class MarkDirty:
    """Records everything, as long as the documents are being copied (their log may expire meanwhile)."""

    def __init__(self, dirty: DirtyRefs) -> None:
        self._dirty = dirty

    def handle(self, pending: Pending, reached: Position) -> Rebuilt:
        for scope, refs in pending.items():
            self._dirty.mark(scope, refs)
        return Rebuilt()

    def mark_dirty(self, scope: Scope, refs: Iterable[DocumentRef], why: str = "") -> None:
        self._dirty.mark(scope, refs, why)

    def renew(self, scope: Scope, collection: Collection) -> None:
        """Nothing is made of it here."""

    def process_dirty(self, reached: Position) -> Rebuilt | None:
        return None


class OpenedSnapshots:
    """A source's snapshots, for callers that are not asynchronous and for the length of a block.

    Attributes:
        snapshots: within the block.
    """

    snapshots: Snapshots

    def __init__(self, source: FollowedSource) -> None:
        self._runner = asyncio.Runner()
        self._context: AbstractAsyncContextManager[Snapshots] = source.snapshots()

    def __enter__(self) -> OpenedSnapshots:
        with ExitStack() as on_failure:
            on_failure.callback(self._runner.close)
            self.snapshots = self.run(self._context.__aenter__())
            on_failure.pop_all()
        return self

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of what works with the snapshots."""
        return self._runner.run(work)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.run(self._context.__aexit__(None, None, None))
        finally:
            self._runner.close()


class RebuildNow:
    """Rebuilds documents in a snapshot that contains what was read, for the length of a block.

    What is too much for one batch is marked dirty.
    """

    def __init__(
        self, source: SyncableSource, state: SyncState, served: Sequence[SyncedCollection], announcer: Announcer
    ) -> None:
        self._state = state
        self._announcer = announcer
        self._blocked = source.blocked
        self._collections = {each.scope: each for each in served}
        self._rebuilds = {each.scope: _collection_rebuild(each, state) for each in served}
        self._backlog = Backlog(state.dirty, state.rejected, list(self._rebuilds))
        self._opened = OpenedSnapshots(source)

    def __enter__(self) -> RebuildNow:
        self._opened.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    def handle(self, pending: Pending, reached: Position) -> Rebuilt:
        return self._opened.run(self._rebuild(pending, reached))

    def mark_dirty(self, scope: Scope, refs: Iterable[DocumentRef], why: str = "") -> None:
        self._backlog.mark_dirty(scope, refs, why)

    def renew(self, scope: Scope, collection: Collection) -> None:
        self._collections[scope] = replace(self._collections[scope], collection=collection)
        self._rebuilds[scope] = _collection_rebuild(self._collections[scope], self._state)
        self._backlog.expect_dirty()

    def process_dirty(self, reached: Position) -> Rebuilt | None:
        dirty = self._backlog.dirty()
        conflicting = {} if dirty else self._backlog.conflicting()
        if not dirty and not conflicting:
            return None
        return self._opened.run(self._process_dirty(dirty, conflicting, reached))

    @asynccontextmanager
    async def _snapshot(self, reached: Position) -> AsyncIterator[RootKeyReader]:
        context = self._opened.snapshots.at_least(reached)
        async with AsyncExitStack() as stack:
            with self._announcer.waiting("the source to commit what it has logged", self._blocked):
                snapshot = await stack.enter_async_context(context)
            yield snapshot

    async def _rebuild(self, pending: Pending, reached: Position) -> Rebuilt:
        total = Rebuilt()
        # Premise A: the snapshot contains every event already read.
        async with self._snapshot(reached) as snapshot:
            for scope, refs in pending.items():
                line = self._rebuilds[scope]
                found = await find_root_keys(snapshot, line.collection, refs)
                if found.waiting:
                    self.mark_dirty(scope, found.waiting)
                total += await line.rebuilder.rebuild(snapshot, found.keys)
        self._backlog.count_rebuilt(total)
        return total

    async def _process_dirty(
        self, dirty: Sequence[Scope], conflicting: Mapping[Scope, Sequence[Key]], reached: Position
    ) -> Rebuilt:
        total = Rebuilt()
        async with self._snapshot(reached) as snapshot:
            for scope in dirty:
                total += await self._rebuilds[scope].dirty_queue.step(snapshot) or Rebuilt()
            for scope, keys in conflicting.items():
                total += await self._rebuilds[scope].rebuilder.rebuild(snapshot, keys)
        if dirty or total.written:
            self._backlog.count_rebuilt(total)
        return total


@dataclass(frozen=True, slots=True)
class _CollectionRebuild:
    """What works for one collection."""

    collection: Collection
    rebuilder: Rebuilder
    dirty_queue: DirtyQueue


def _collection_rebuild(served: SyncedCollection, state: SyncState) -> _CollectionRebuild:
    rebuilder = Rebuilder(served.scope, served.collection, served.documents, state.rejected)
    drainer = DirtyQueue(served.scope, served.collection, served.documents, rebuilder, state.dirty, state.rejected)
    return _CollectionRebuild(served.collection, rebuilder, drainer)
