"""Copies one chunk: reads its rows in a snapshot, makes the documents, writes them. Runs in worker processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from itertools import count

from migrator.documents.assemble import Assembler
from migrator.documents.identity import id_encoder
from migrator.documents.reader import RowReader
from migrator.documents.refusal_streak import Streak, stop_if_hopeless
from migrator.errors import SourceUnavailable, Stopped
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Chunk, ChunkResult, Key, Refusal, Rejected
from migrator.model.plan.plan import Plan
from migrator.model.text.values import key_text
from migrator.ports.copy import Source, Writer
from migrator.ports.endpoints import Endpoints
from migrator.ports.sync import SyncableSource, SyncableTarget
from migrator.same_server import require_server
from migrator.waits import SILENT_WAITS, Waits
from migrator.workers.retry import retrying

OpenReader = Callable[[], AbstractAsyncContextManager[RowReader]]


CopyEndpoints = Endpoints[SyncableSource, SyncableTarget]


def require_planned_server(plan: Plan, source: Source) -> None:
    """Raises PlanRefused when `source` is not the server that the plan was made for."""
    require_server(
        source,
        plan.source,
        "the plan was made for",
        where=plan.source_address,
        first="Make a new plan against this server.",
    )


async def copy_chunk(
    chunk: Chunk,
    assembler: Assembler,
    open_reader: OpenReader,
    writer: Writer,
) -> ChunkResult:
    """Copies one chunk from one snapshot and notes it as done after every write was acknowledged (rule 5)."""
    started = time.monotonic()
    written = rows = size = 0
    rejected: list[Rejected] = []
    lost: list[Key] = []
    streak = Streak()
    writer.start(chunk)
    async with open_reader() as reader:
        async for batch in assembler.within(reader, chunk.range):
            refused = await asyncio.to_thread(writer.write, chunk, batch.documents)
            reasons = dict(refused)
            streak = streak.after(len(batch.documents) - len(reasons), refused)
            stop_if_hopeless(streak, chunk.collection)
            rejected += [*batch.rejected, *(_refused(assembler.collection, key, why) for key, why in reasons.items())]
            lost += [*batch.rejected_keys, *reasons]
            written += len(batch.documents) - len(reasons)
            size += sum(len(document.bson) for document in batch.documents)
            rows += batch.rows
    if chunk.attempt > 1 and lost:
        # An earlier attempt may have written what is rejected now.
        ids = map(id_encoder(assembler.collection), lost)
        writer.remove(chunk, [found for found in ids if found is not None])
    result = ChunkResult(chunk, written, rows, size, len(lost), time.monotonic() - started)
    writer.finish(result, rejected)
    return result


def _refused(collection: Collection, key: Key, why: Refusal) -> Rejected:
    name, root = key_text(key), collection.root.qualified
    return Rejected(collection.name, name, root, name, "", "", why.reason, why.said)


class ChunkHandler:
    """One worker process: its own connections, a fresh snapshot for every chunk, transient errors tried again."""

    def __init__(self, plan: Plan, ends: CopyEndpoints, retry_seconds: float, waits: Waits = SILENT_WAITS) -> None:
        self._source = ends.open_source()
        # Premise A: rows come from the server whose position was recorded.
        require_planned_server(plan, self._source)
        self._target = ends.open_target(waits)
        self._writer: Writer = self._target.writer()
        self._collections = {each.collection.name: each.collection for each in plan.collections}
        self._assembler: Assembler | None = None
        self._retrying = retrying(retry_seconds, waits)
        self._runner = asyncio.Runner()

    def __call__(self, chunk: Chunk) -> ChunkResult:
        attempts = count(chunk.attempt)
        return self._retrying(lambda: self._copy(replace(chunk, attempt=next(attempts))))

    def _copy(self, chunk: Chunk) -> ChunkResult:
        assembler = self._assembler_of(self._collections[chunk.collection])
        return self._runner.run(copy_chunk(chunk, assembler, self._open_reader, self._writer))

    def _assembler_of(self, collection: Collection) -> Assembler:
        """One at a time, since each caches rows: chunks come collection by collection."""
        if self._assembler is None or self._assembler.collection is not collection:
            self._assembler = Assembler(collection)
        return self._assembler

    def _open_reader(self) -> AbstractAsyncContextManager[RowReader]:
        return self._source.open_reader()


class OpenSharedSnapshot:
    """The task that comes before all chunks where workers share one moment: open your snapshot now."""


class SharedSnapshotHandler:
    """One worker process that reads every chunk in one snapshot, opened when it gets OpenSharedSnapshot."""

    def __init__(self, plan: Plan, ends: CopyEndpoints, retry_seconds: float, waits: Waits = SILENT_WAITS) -> None:
        self._chunks = _SharedSnapshotChunks(plan, ends, retry_seconds, waits)

    def __call__(self, task: Chunk | OpenSharedSnapshot) -> ChunkResult | None:
        if isinstance(task, OpenSharedSnapshot):
            self._chunks.open()
            return None
        return self._chunks(task)


class _SharedSnapshotChunks(ChunkHandler):
    """A fault of the source's connection loses the moment, so it is not tried again."""

    def open(self) -> None:
        self._is_open = self._source.open_reader()
        self._reader = self._runner.run(self._is_open.__aenter__())

    def _copy(self, chunk: Chunk) -> ChunkResult:
        try:
            return super()._copy(chunk)
        except SourceUnavailable as lost:
            raise Stopped(
                f"the connection that held the source's moment was lost: {lost.what}",
                where=lost.where,
                hint="Run the same apply again: it continues if the source has not changed since.",
            ) from lost

    def _open_reader(self) -> AbstractAsyncContextManager[RowReader]:
        return self._same_snapshot()

    @asynccontextmanager
    async def _same_snapshot(self) -> AsyncIterator[RowReader]:
        yield self._reader
