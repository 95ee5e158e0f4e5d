"""What sync keeps in the target, a protocol a role. What a call wrote is durable on a majority when it returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from migrator.model.change.events import (
    DirtyEntry,
    DocumentRef,
    KnownTables,
    Scope,
    SyncReport,
    TableName,
    TrackedChange,
    TrackedRow,
)
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Key, Rejected


class LiveCollections(Protocol):
    """Which collections there are to follow, and what their documents are made by."""

    def published(self) -> dict[str, str]:
        """Collection -> run, of everything live that an apply made (not what was adopted)."""
        ...

    def handed_over(self) -> dict[str, str]:
        """Collection -> when and by whom it was handed over to the application, one sentence: sync leaves it alone."""
        ...

    def mapping(self, scope: Scope) -> Collection:
        """The mapping as it was frozen in the run's plan (premise D), with the columns of its last renewal."""
        ...

    def renew(self, scope: Scope, mapping: Collection, refs: Iterable[DocumentRef], why: str) -> None:
        """Saves the same mapping with other columns, and marks `refs` dirty because of them.

        The references are marked before the mapping is saved, or in one transaction with it. `why` as of
        `DirtyRefs.mark`.
        """
        ...


class Positions(Protocol):
    """Where each collection stands in the log (rule 5)."""

    def load(self, scopes: Iterable[Scope]) -> dict[Scope, Position]:
        """A scope that has no position yet is left out."""
        ...

    def save(
        self,
        scopes: Iterable[Scope],
        position: Position,
        tracked: Sequence[TrackedChange] = (),
        known: Mapping[Scope, KnownTables] | None = None,
    ) -> None:
        """Everything before `position` is in the documents of these, or dirty in the state (rule 5).

        Before that, changes tracked rows in the given order. It is one transaction with the positions where the
        target has transactions and the rows fit in one.

        Args:
            known: by scope, what the tables look like from `position` on, where that changed.
        """
        ...

    def known_tables(self, scopes: Iterable[Scope]) -> dict[Scope, KnownTables]:
        """What the tables of each look like from its position on. Scopes of which that is not saved are left out."""
        ...

    def mark_lost(self, scopes: Iterable[Scope], reason: str) -> None:
        """These can't be followed from where they stand: only another copy helps, and `plan` will say so."""
        ...


class DirtyRefs(Protocol):
    """References to documents that are still to be rebuilt."""

    def mark(self, scope: Scope, refs: Iterable[DocumentRef], why: str = "") -> None:
        """Their documents are to be rebuilt from the beginning, whether or not they are dirty already.

        Args:
            why: for people, where references are WIDE: `status` says why a whole collection is rebuilt.
        """
        ...

    def oldest(self, scope: Scope, limit: int) -> list[DirtyEntry]:
        """At most `limit`, the oldest first."""
        ...

    def wide(self, scope: Scope) -> list[DirtyEntry]:
        """Those that mean the whole collection (model.change.events.WIDE), the oldest first."""
        ...

    def count(self, scopes: Iterable[Scope]) -> int: ...

    def advance(self, scope: Scope, entry: DirtyEntry, after: Key, done: int) -> None:
        """Root keys up to `after` are done, `done` in all, unless the reference was marked again meanwhile."""
        ...

    def settle(self, scope: Scope, entries: Iterable[DirtyEntry]) -> None:
        """These are done, except those that were marked again meanwhile."""
        ...


class TrackedRows(Protocol):
    """Rows that silent cascades may change (premise B).

    Each scope has its own, as it has its own position: both are of one moment.
    """

    def put(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        """Writes or replaces them by table and key."""
        ...

    def load(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        """As `put`; for many rows, hardly any of which is there."""
        ...

    def remove(self, scope: Scope, table: TableName, keys: Sequence[Key]) -> None: ...

    def remove_table(self, scope: Scope, table: TableName) -> None: ...

    def tables(self, scope: Scope) -> dict[TableName, tuple[str, ...]]:
        """Tables of which every row is tracked, with the tracked columns."""
        ...

    def add_tables(self, scope: Scope, tables: Mapping[TableName, Sequence[str]]) -> None:
        """Every row of these is tracked from now on."""
        ...

    def find(
        self, scope: Scope, table: TableName, columns: Sequence[str], values: Sequence[Key], limit: int
    ) -> list[TrackedRow]:
        """At most `limit` of the rows that hold any of `values` in `columns`, byte for byte."""
        ...


class RejectedDocuments(Protocol):
    """Documents that the target refused or that could not be made, with their reasons (edge case 55)."""

    def record(self, scope: Scope, keys: Sequence[Key], rejected: Sequence[Rejected], *, conflict: bool) -> None:
        """Replaces what was recorded for these documents, by the copy or by an earlier rebuild.

        Args:
            conflict: they are refused for a unique value that another document has. They are worth another try when
                others change.
        """
        ...

    def clear(self, scope: Scope, keys: Sequence[Key]) -> None:
        """These documents could be made."""
        ...

    def any(self, scope: Scope) -> bool:
        """Whether anything is recorded, by the copy or by a sync."""
        ...

    def among(self, scope: Scope, keys: Sequence[Key]) -> frozenset[Key]:
        """Those of `keys` whose documents are recorded as rejected."""
        ...

    def keys(self, scope: Scope, after: str | None, limit: int) -> list[tuple[str, Key]]:
        """Documents that a sync recorded: their keys as people read them, and themselves, in the order of that text.

        About `limit` of those after the text `after`. Keys with the same text come together; none when there are no
        more.
        """
        ...

    def forget_copied(self, scope: Scope) -> None:
        """Drops what the copy recorded, which names its documents by text only; what a sync recorded stays."""
        ...

    def conflicting(self, scope: Scope, limit: int) -> list[Key]:
        """Documents that were recorded with `conflict`, the longest untried first."""
        ...


class Pauses(Protocol):
    """apply asks sync to hand a collection over, before it is replaced (premise C)."""

    def ask(self, collection: str, run: str) -> None:
        """apply `run` wants nobody to write to the live collection any more."""
        ...

    def withdraw(self, collection: str, run: str) -> None: ...

    def asked(self) -> dict[str, str]:
        """Collection -> run that asked."""
        ...


class SyncReports(Protocol):
    """What the process that follows the log last said of itself."""

    def save(self, report: SyncReport) -> None: ...

    def last(self) -> SyncReport | None: ...


@dataclass(frozen=True, slots=True)
class SyncState:
    """All that sync keeps in one target, by role: a part of the program is given the roles that it needs."""

    collections: LiveCollections
    positions: Positions
    dirty: DirtyRefs
    tracked: TrackedRows
    rejected: RejectedDocuments
    pauses: Pauses
    reports: SyncReports
