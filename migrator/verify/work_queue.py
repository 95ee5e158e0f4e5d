"""What is compared next: the documents of key ranges, then those of the target that no row may make."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from migrator.copy.chunk_queue import Ranges
from migrator.model.report.verify import Published, Selection
from migrator.ports.copy import Source
from migrator.ports.verify import VerifyState
from migrator.verify.collection_pass import PassTracker
from migrator.verify.selection import key_tasks, parse_key, sampled_tasks
from migrator.verify.tasks import CompareIds, CompareRange, Task
from migrator.workers.announcer import Announcer


@dataclass(frozen=True, slots=True)
class QueuedTask:
    """A task, and which part of a collection's course it is."""

    tracker: PassTracker
    number: int
    task: Task


class WorkQueue:
    """One collection after the other. Documents that no row makes are looked for when its ranges have come back."""

    def __init__(
        self,
        courses: Sequence[PassTracker],
        source: Source,
        state: VerifyState,
        wanted: Selection,
        serves: Callable[[Published], bool],
        retry_seconds: float,
        announcer: Announcer,
    ) -> None:
        """
        Args:
            serves: whether a sync changes the target meanwhile, so that counting proves nothing.
        """
        self._left = deque(courses)
        self._source = source
        self._state = state
        self._wanted = wanted
        self._serves = serves
        self._retry_seconds = retry_seconds
        self._announcer = announcer
        self._ranges: Ranges | None = None
        self._ready: deque[tuple[Task, bool]] = deque()
        self._ids: Iterator[list[bytes]] | None = None

    @property
    def done(self) -> bool:
        """Everything has been handed out."""
        return not self._left

    def next(self) -> QueuedTask | None:
        """The next part; None when there is none now, since others have to come back first, or none at all."""
        while self._left:
            tracker = self._left[0]
            if not tracker.ranges_done:
                if not self._ready and not self._take_ranges(tracker):
                    tracker.ranges_done = True
                    continue
                task, whole = self._ready.popleft()
                within = task.range if whole and isinstance(task, CompareRange) else None
                return QueuedTask(tracker, tracker.begin(within), task)
            if not tracker.returned:
                return None
            if not tracker.extras_done:
                extra = self._next_ids(tracker)
                if extra is not None:
                    return QueuedTask(tracker, tracker.begin(None), extra)
                tracker.extras_done = True
            self._ranges = self._ids = None
            self._left.popleft()
        return None

    def _take_ranges(self, tracker: PassTracker) -> bool:
        published, wanted = tracker.published, self._wanted
        collection, name = published.collection, published.scope.collection
        if self._ranges is None:
            self._ranges = Ranges(
                collection, published.chunk_rows, self._source, tracker.last, self._retry_seconds, self._announcer
            )
            if wanted.keys:
                keys = [parse_key(text, collection) for text in wanted.keys]
                self._ready.extend((task, False) for task in key_tasks(collection, keys))
                return bool(self._ready)
            if wanted.sample is not None:
                ranges = iter(lambda: self._ranges.take() if self._ranges else [], [])
                every = (one for some in ranges for one in some)
                self._ready.extend((task, False) for task in sampled_tasks(collection, every, wanted.sample))
                return bool(self._ready)
        if wanted.keys or wanted.sample is not None:
            return False
        first = self._ranges.number
        some = self._ranges.take()
        self._ready.extend((CompareRange(name, first + index, each), True) for index, each in enumerate(some))
        return bool(some)

    def _next_ids(self, tracker: PassTracker) -> Task | None:
        published = tracker.published
        if self._wanted.keys or self._wanted.sample is not None or not published.collection.root.key:
            return None
        name = published.scope.collection
        if self._ids is None:
            stored = self._state.stored(name)
            if not self._serves(published) and stored.count() == tracker.tally.found:
                # As many as the source's documents were found among: no other is there.
                return None
            self._ids = stored.ids()
        some = next(self._ids, None)
        return None if some is None else CompareIds(name, tuple(some))
