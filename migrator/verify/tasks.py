"""What worker processes have to compare, and their answers. All plain data."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.model.change.position import Position
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.report.verify import Suspect, Tally


@dataclass(frozen=True, slots=True)
class CompareRange:
    """Compare every document of a key range; `limit` of them when given.

    Attributes:
        number: counts from 0 within the collection, in key order.
    """

    collection: str
    number: int
    range: KeyRange
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class CompareKeys:
    """Compare the documents of these root keys; a key that neither side knows is fine."""

    collection: str
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class CompareIds:
    """Tell which of these documents of the target no row makes."""

    collection: str
    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class CompareAgain:
    """Look at these documents again, in a new snapshot."""

    collection: str
    suspects: tuple[Suspect, ...]


@dataclass(frozen=True, slots=True)
class SearchRows:
    """Read every root row for those that make one of these `_id`: for those whose key can't be told from the `_id`."""

    collection: str
    ids: tuple[bytes, ...]


Task = CompareRange | CompareKeys | CompareIds | CompareAgain | SearchRows


@dataclass(frozen=True, slots=True)
class Compared:
    """What a look saw.

    Attributes:
        tally: of what is right, and rows read.
        suspects: the rest.
        end: where the source's log ended after the look's snapshot was taken, for a target that is kept in step; the
            snapshot holds nothing that was logged after it.
    """

    tally: Tally
    suspects: tuple[Suspect, ...]
    end: Position | None = None


@dataclass(frozen=True, slots=True)
class FoundIds:
    """The `_id`s that rows were found for."""

    ids: frozenset[bytes]
