"""A run: one apply, from its first chunk to its last rename, over as many processes and restarts as it takes."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.model.change.position import Position
from migrator.model.plan.chunk import KeyRange
from migrator.model.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Run:
    """What must be known to go on after a crash.

    Attributes:
        id: short and unique; part of the names of what is loaded next to the live collections.
        plan: what is being done.
        position: where the change log stood before the first snapshot (premise A); None without a change log.
        started: ISO time, UTC.
    """

    id: str
    plan: Plan
    position: Position | None
    started: str


@dataclass(frozen=True, slots=True)
class CollectionProgress:
    """How far a collection of a run is.

    Attributes:
        planned: no more chunks will come.
        last: range of the highest chunk planned so far.
        chunks: chunks planned so far.
        published: it is live.
        documents, rows, bytes, rejected: sums over the chunks that are done.
    """

    collection: str
    planned: bool = False
    last: KeyRange | None = None
    chunks: int = 0
    chunks_done: int = 0
    published: bool = False
    documents: int = 0
    rows: int = 0
    bytes: int = 0
    rejected: int = 0
