"""A worker process that compares documents: its own connections, a new snapshot for each comparison."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial

from migrator.documents.assemble import Assembler
from migrator.documents.reader import RowReader
from migrator.model.change.position import Position, ServerIdentity
from migrator.model.report.verify import Published
from migrator.ports.copy import Source
from migrator.ports.sync import SyncableSource
from migrator.ports.verify import VerifyEndpoints
from migrator.same_server import require_server
from migrator.verify.comparison import Comparer
from migrator.verify.tasks import (
    CompareAgain,
    Compared,
    CompareIds,
    CompareKeys,
    CompareRange,
    FoundIds,
    SearchRows,
    Task,
)
from migrator.waits import SILENT_WAITS, Waits
from migrator.workers.retry import retrying


class CompareHandler:
    """Compares one collection at a time, since a comparer caches rows that many parents share."""

    def __init__(
        self,
        published: Sequence[Published],
        ends: VerifyEndpoints,
        retry_seconds: float,
        following: bool,
        waits: Waits = SILENT_WAITS,
    ) -> None:
        """
        Args:
            published: what tasks may name.
            ends: how to open both sides.
            retry_seconds: how long transient errors are tried again.
            following: the target is kept in step, so looks that saw something say where the log ended.
        """
        self._source: SyncableSource = ends.open_source()
        for each in published:
            require_copied_server(each.server, self._source)
        self._state = ends.open_target(waits).verify_state()
        self._published = {each.scope.collection: each for each in published}
        self._retrying = retrying(retry_seconds, waits)
        self._here: Position | None = self._source.position() if following else None
        self._comparer: tuple[str, Comparer] | None = None
        self._runner = asyncio.Runner()

    def __call__(self, task: Task) -> Compared | FoundIds:
        return self._retrying(lambda: self._runner.run(self._do(task)))

    async def _do(self, task: Task) -> Compared | FoundIds:
        looker = self._comparer_of(task.collection)
        if isinstance(task, CompareAgain):
            return self._ended(await looker.again(self._open_reader, task))
        async with self._open_reader() as reader:
            match task:
                case CompareRange():
                    return self._ended(await looker.range(reader, task))
                case CompareKeys():
                    return self._ended(await looker.keys(reader, task))
                case CompareIds():
                    return self._ended(await looker.ids(reader, task))
                case SearchRows():
                    return await looker.search(reader, task)

    def _ended(self, compared: Compared) -> Compared:
        if self._here is None or not compared.suspects:
            return compared
        return replace(compared, end=self._source.log_status(self._here).end)

    def _comparer_of(self, name: str) -> Comparer:
        if self._comparer is None or self._comparer[0] != name:
            published = self._published[name]
            recorded = partial(self._state.recorded, published.scope)
            self._comparer = name, Comparer(Assembler(published.collection), self._state.stored(name), recorded)
        return self._comparer[1]

    def _open_reader(self) -> AbstractAsyncContextManager[RowReader]:
        return self._source.open_reader()


def require_copied_server(server: ServerIdentity, source: Source) -> None:
    """Raises PlanRefused when `source` is not the server that was copied from."""
    require_server(source, server, "the documents were copied from")
