"""The options of an apply, what it reports while it works, and its result."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from migrator.copy.catch_up_trend import CatchUp
from migrator.model.plan.chunk import ChunkResult
from migrator.model.plan.run import CollectionProgress, Run
from migrator.workers.announcer import ActivityListener


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How gently and how far.

    Attributes:
        workers: reader processes; 0 chooses by the number of cores.
        max_threads_running: pause while the source's Threads_running is above it; None never pauses.
        max_replica_lag: pause while the watched replica (`?replica=` in the source's URL) is more seconds behind.
        restart: forget an unfinished run and begin again.
        retry_seconds: how long transient errors of source and target are tried again before the work stops.
    """

    workers: int = 0
    max_threads_running: int | None = None
    max_replica_lag: float | None = None
    restart: bool = False
    retry_seconds: float = 60.0

    @property
    def processes(self) -> int:
        """Reader processes: as many as asked for, or by the number of cores."""
        return self.workers or max(2, min(8, os.cpu_count() or 2))


class PauseObserver(Protocol):
    """Hears when the source is spared."""

    def paused(self, reason: str) -> None: ...

    def continued(self) -> None: ...


class Observer(PauseObserver, ActivityListener, Protocol):
    """Hears of the work as it goes on; called in the process that runs `apply`, but for `doing` from one thread."""

    def started(self, run: Run, progress: Mapping[str, CollectionProgress], *, resumed: bool) -> None: ...

    def chunk_done(self, result: ChunkResult) -> None: ...

    def catching_up(self, progress: CatchUp) -> None:
        """About once a second while changes made during the copy are brought in."""
        ...

    def published(self, collection: str) -> None: ...

    def note(self, text: str) -> None:
        """Something a person wants to know now: a retry, a restart of a copy, a lease waited for."""
        ...


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What came of it.

    Attributes:
        run: id of the run, "" when there was nothing to do.
        progress: by collection.
        rejected: documents' reasons recorded; see the state for all of them.
        problems: what could not be finished, one sentence each (unique indexes over duplicates).
    """

    run: str
    progress: Mapping[str, CollectionProgress]
    rejected: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SampleResult:
    """A trial collection next to the real one."""

    collection: str
    name: str
    documents: int
    rejected: int
