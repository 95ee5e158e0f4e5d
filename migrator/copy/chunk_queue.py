"""Which chunk comes next: those an earlier process left, then new ones as the source's key ranges are planned."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from migrator.errors import Retryable
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Chunk, KeyRange
from migrator.model.plan.plan import CollectionPlan
from migrator.model.plan.run import CollectionProgress, Run
from migrator.ports.copy import Source, State
from migrator.workers.announcer import Announcer
from migrator.workers.retry import retrying

_PLANNED_AT_A_TIME = 32


class ChunkQueue:
    """The chunks of a run in order. Every chunk is in the state before it is handed out, so none can be lost."""

    def __init__(
        self,
        run: Run,
        plans: Sequence[CollectionPlan],
        source: Source,
        state: State,
        before: Mapping[str, CollectionProgress],
        holding: int,
        retry_seconds: float,
        announcer: Announcer,
    ) -> None:
        """
        Args:
            holding: number of the lease's holding under which the chunks are copied.
        """
        self._run = run
        self._holding = holding
        self._plans = iter(plans)
        self._source = source
        self._state = state
        self._before = before
        self._retry_seconds = retry_seconds
        self._announcer = announcer
        self._ready: deque[Chunk] = deque()
        self._ranges: Ranges | None = None

    def next(self) -> Chunk | None:
        """The next chunk, None when all have been handed out."""
        while not self._ready:
            if self._ranges is None and not self._open_next():
                return None
            self._fill()
        return self._ready.popleft()

    def _open_next(self) -> bool:
        plan = next(self._plans, None)
        if plan is None:
            return False
        name = plan.collection.name
        known = self._before.get(name, CollectionProgress(name))
        self._ready.extend(self._state.pending(self._run.id, name))
        if not known.planned:
            self._ranges = Ranges(
                plan.collection,
                plan.chunk_rows,
                self._source,
                known.last,
                self._retry_seconds,
                self._announcer,
                known.chunks,
            )
        return True

    def _fill(self) -> None:
        if self._ranges is None:
            return
        name, first = self._ranges.name, self._ranges.number
        ranges = self._ranges.take()
        if not ranges:
            self._state.all_planned(self._run.id, name)
            self._ranges = None
            return
        chunks = [
            Chunk(self._run.id, name, first + index, keys, holding=self._holding) for index, keys in enumerate(ranges)
        ]
        self._state.add_chunks(chunks)
        self._ready.extend(chunks)


class Ranges:
    """The key ranges of one collection that are not planned yet; a lost connection continues after the last one."""

    def __init__(
        self,
        collection: Collection,
        rows: int,
        source: Source,
        last: KeyRange | None,
        retry_seconds: float,
        announcer: Announcer,
        number: int = 0,
    ) -> None:
        """
        Args:
            rows: wanted root rows per range.
            last: the last range that is known already, None for none.
            number: how many are known.
        """
        self.name = collection.name
        self.number = number
        self._collection = collection
        self._rows = rows
        self._source = source
        self._last = last
        self._announcer = announcer
        self._retrying = retrying(retry_seconds, announcer)
        self._open: Iterator[KeyRange] | None = None

    def take(self) -> list[KeyRange]:
        """Some more ranges, none when they are all planned."""
        with self._announcer.waiting(f"the source to find key ranges of {self.name}", self._source.blocked):
            ranges = self._retrying(self._read)
        if ranges:
            self._last = ranges[-1]
            self.number += len(ranges)
        return ranges

    def _read(self) -> list[KeyRange]:
        if self._open is None:
            self._open = iter(self._source.chunks(self._collection, self._rows, self._last))
        try:
            return list(islice(self._open, _PLANNED_AT_A_TIME))
        except Retryable:
            self._open = None
            raise
