"""The switch from the source to the target, as it is decided and recorded. All plain data."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.model.change.events import Scope
from migrator.model.change.position import Position


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter of new ids, and the column of the source whose AUTO_INCREMENT it goes on with.

    Rows that are no documents have ids, too, so the source knows the highest better than the documents do.

    Attributes:
        name: of the collection, and for embedded rows with the path: `orders`, `orders.items`.
    """

    name: str
    schema: str
    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Seed:
    """A counter's beginning: `last` is the highest id that the source has given out."""

    counter: str
    last: int


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist.

    Attributes:
        name: in a word: `sync`, `settings`, `rejected`, `verify`, `fence`, `catch-up`, `final verify`, `quiet`, `ids`.
        text: what was found, one sentence.
        ok: false for what a rehearsal passes over.
    """

    name: str
    text: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Handover:
    """One collection that the application writes to from now on.

    Attributes:
        at: ISO time, UTC.
        by: user and machine.
        position: nothing that was logged after it changed a table of the collection.
        verified: id of the verify that found it clean at that position.
        documents: how many were compared.
        seeds: the counters that were set.
    """

    scope: Scope
    at: str
    by: str
    position: Position
    verified: str
    documents: int
    seeds: tuple[Seed, ...] = ()


@dataclass(frozen=True, slots=True)
class CutoverResult:
    """What came of a checklist whose every gate was passed.

    Attributes:
        handovers: recorded, or what would have been in a rehearsal.
        warnings: what a person should know before switching.
    """

    rehearsed: bool
    steps: tuple[Step, ...]
    handovers: tuple[Handover, ...]
    warnings: tuple[str, ...]
