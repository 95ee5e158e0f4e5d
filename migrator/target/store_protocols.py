"""What the shared parts (lease, publishing) need of a kind of target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from migrator.model.mapping.tree import IndexSpec
from migrator.model.plan.plan import CollectionPlan
from migrator.target.found_collection import FoundCollection
from migrator.target.record import Entry, Intent, Record
from migrator.waits import Building


class Records(Protocol):
    """The state's notes on collections. Every call is one atomic, durable step."""

    def get(self, name: str) -> Entry: ...

    def entries(self) -> dict[str, Entry]:
        """By name, all that have a record or an intent."""
        ...

    def unsettled(self) -> list[str]:
        """Names with an intent."""
        ...

    def intend(self, name: str, intent: Intent) -> None: ...

    def forget_intent(self, name: str) -> None: ...

    def settle(self, name: str, record: Record) -> None:
        """Saves the record and removes the intent."""
        ...

    def amend(self, name: str, change: Callable[[Record], Record]) -> Record:
        """Changes the record, if nobody else changes it meanwhile; `change` is asked again otherwise, and may raise.

        Raises:
            LeaseLost: when there is no record.
            TargetUnavailable: when somebody is about to replace the collection.
        """
        ...

    def rejected(self, name: str, run_id: str) -> int:
        """How many reasons for rejected documents a run recorded for a collection."""
        ...


class CollectionStore(Protocol):
    """Where collections are. Raises TargetError and TargetUnavailable."""

    def live(self, name: str) -> FoundCollection: ...

    def identities(self, names: Iterable[str]) -> dict[str, str]:
        """Of those that are live, as `live` tells them, and at a cost that doesn't grow with what they hold."""
        ...

    @property
    def holding(self) -> int:
        """Number of the holding of the lease for which this works; 0 for none: see `staged_name`."""
        ...

    def create(self, run_id: str, name: str) -> None:
        """An empty place to load, unless it is there."""
        ...

    def take_over(self, run_id: str, name: str) -> bool:
        """Moves what the run loaded to where this holding loads it (premise C). False when there is nothing.

        What was loaded is at the highest number: every holding moves it up before it writes. At lower numbers are
        only late writes.
        """
        ...

    def is_staged(self, run_id: str, name: str) -> bool:
        """Whether what the run loaded is where this holding loads it."""
        ...

    def make_ready(
        self, run_id: str, plan: CollectionPlan, building: Building
    ) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
        """Finishes what was loaded, indexes and validator included; `building` hears of each index.

        Returns the indexes that it has now, and problems with the others. Safe to repeat.
        """
        ...

    def swap(self, run_id: str, name: str, before: str) -> None:
        """Puts what was loaded in place of what is live, whose identity is `before` ("" for nothing).

        Raises:
            NotOwned: when `before` is "" and something is live.
        """
        ...

    def swapped(self, run_id: str, name: str, before: str, holding: int) -> bool:
        """After a crash: whether `swap` took place, at least half. Changes nothing.

        Args:
            holding: number of the holding that was about to swap.
        """
        ...

    def complete_swap(self, record: Record) -> None:
        """Finishes a swap that was begun; `record` is what it was to bring. Safe to repeat."""
        ...

    def discard(self, run_id: str, name: str) -> None:
        """Drops what this and earlier holdings loaded."""
        ...

    def progress(self, run_id: str, name: str) -> str:
        """How far the index is that is being built now, on what the run loaded or on what is live; "" where that can't
        be told."""
        ...

    def alter(
        self, name: str, drop: Iterable[str], create: Sequence[IndexSpec], building: Building
    ) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
        """Changes indexes of a live collection. Returns those that it created, and problems with the others."""
        ...

    def set_validator(self, name: str, validator: str) -> None:
        """Of a live collection; "" removes it."""
        ...

    def fill(self, name: str, documents: Sequence[bytes]) -> None:
        """Replaces a live collection's documents."""
        ...
