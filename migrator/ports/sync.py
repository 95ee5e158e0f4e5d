"""What sync needs of a source and of a target beyond migrator.ports.copy."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

from migrator.documents.reader import RowReader
from migrator.model.change.events import (
    Definitions,
    LogEvent,
    LogStatus,
    RefKind,
    Scope,
    TableName,
    TrackedRow,
    Watch,
    WriteOutcome,
)
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection, IndexSpec, Node
from migrator.model.plan.chunk import Document, Key
from migrator.ports.copy import ActivityStore, Lease, Source, Target
from migrator.ports.sync_state import SyncState
from migrator.waits import Building, silent_building


class LogReader(Protocol):
    """The change log from a position on. Blocking; used by one thread."""

    def events(self) -> Iterator[LogEvent]:
        """Whole transactions in order: their changes, then Commit. Yields CaughtUp about every second at the log's end.

        Events of tables that are not watched are left out, but their Commits come.

        Raises:
            SyncBlocked: for what can't be followed: an unknown event, a row image that lacks columns, DML logged as a
                statement, a log that was purged or reset, prepared XA transactions.
            SourceUnavailable: when the connection was lost; a new reader goes on from the last Commit's position.
        """
        ...

    def watch(self, watches: Mapping[TableName, Watch]) -> None:
        """From the next event on these tables matter (after a change of definitions)."""
        ...

    def interrupt(self) -> None:
        """From another thread: what reads events comes to an end with SourceUnavailable, now or with its next event."""
        ...

    @property
    def reached(self) -> Position:
        """After the last event that `events` yielded, in the middle of a transaction too: what a snapshot must
        contain before documents are rebuilt from it (premise A)."""
        ...


class RootKeyReader(RowReader, Protocol):
    """A snapshot that also finds the documents which rows are part of."""

    async def root_keys(
        self, path: Sequence[Node], kind: RefKind, values: Sequence[Key], after: Key | None, limit: int
    ) -> list[Key]:
        """At most `limit` distinct root keys above `after`, in key order, that lead to rows of the last node of `path`.

        Args:
            path: the nodes from the root to the changed one, both included; at least two.
            kind: `parent` or `child`, see model.change.events.RefKind.
            values: by the source's own comparison. Conditions and limits of the nodes are left aside.
        """
        ...

    def tracked_rows(
        self, table: TableName, key: Sequence[str], columns: Sequence[str]
    ) -> AsyncGenerator[list[TrackedRow], None]:
        """All rows of a table, of each its key and some columns, in key order."""
        ...


class Snapshots(Protocol):
    """One connection for many snapshots, one after the other."""

    def at_least(self, reached: Position) -> AbstractAsyncContextManager[RootKeyReader]:
        """A snapshot that contains all that was logged before `reached` (premise A).

        Raises:
            SourceUnavailable: when the engine hasn't committed that within a minute.
        """
        ...

    def now(self) -> AbstractAsyncContextManager[RootKeyReader]:
        """A snapshot of this moment, for whoever has read no event yet."""
        ...

    async def position(self) -> Position | None:
        """Exactly where the log stands for the snapshot that is open; None where the server can't tell."""
        ...


class FollowedSource(Protocol):
    """A source whose change log can be read."""

    def follow(self, position: Position, watches: Mapping[TableName, Watch]) -> AbstractContextManager[LogReader]:
        """A reader that starts at `position`.

        Raises:
            SyncBlocked: when the position is of another server or no longer in its log.
        """
        ...

    def snapshots(self) -> AbstractAsyncContextManager[Snapshots]: ...

    def definitions(self, tables: Iterable[TableName], settled: Iterable[TableName] = ()) -> Definitions:
        """Those of `tables` that there are, with all from which cascades lead to them.

        Args:
            settled: of these a statement on definitions was read from the log: what it did is in the answer
                (premise A).
        """
        ...

    def log_status(self, position: Position) -> LogStatus: ...

    def require_followable(self) -> None:
        """Raises SyncBlocked, naming every setting and privilege that is not as sync needs it; also when prepared XA
        transactions exist and that can be seen."""
        ...


class Documents(Protocol):
    """The documents of one collection, live or staged, as one writer at a time changes them."""

    def write(self, documents: Sequence[Document], deletes: Sequence[bytes]) -> WriteOutcome:
        """Replaces or inserts, and deletes by `{_id: ...}`; idempotent, acknowledged by a majority.

        Two documents of one call may swap a unique value (edge case 51).

        Raises:
            LeaseLost: when this process is no longer the one writer (premise C).
        """
        ...

    def ids(self, after: bytes | None, limit: int) -> list[bytes]:
        """At most `limit` documents `{_id: ...}` above `after`, in the target's order of `_id`."""
        ...


class Renewer(Protocol):
    """Changes what a live collection has apart from its documents, when its mapping's columns are renewed."""

    def renew(
        self,
        scope: Scope,
        before: Collection,
        after: Collection,
        validator: str,
        renewed: Callable[[IndexSpec], IndexSpec],
        building: Building = silent_building,
    ) -> tuple[str, ...]:
        """Records `after` as what the live collection is made by, then sets its validator, where it has one, and builds
        the indexes again that `renewed` changes. Safe to repeat; returns problems with indexes.

        Args:
            before: what it was made by so far. Where another one is recorded, a renewal was broken off: validator and
                indexes may be of either, and are all made again.
            validator: JSON text of the $jsonSchema that documents of `after` have.
            building: hears of each index.

        Raises:
            LeaseLost: when the collection is not the scope's any more, or this process not the one writer.
        """
        ...

    def is_made_by(self, scope: Scope, collection: Collection) -> bool:
        """Whether that is what was recorded last."""
        ...

    def progress(self, run_id: str, collection: str) -> str:
        """How far the index is that is being built now, "" where that can't be told. Called while `renew` works, from
        another thread."""
        ...


class SyncTarget(Protocol):
    """A target whose live collections can be kept in step."""

    def sync_lease(self, purpose: str) -> AbstractContextManager[Lease]:
        """The right to write to live collections, apart from apply's. Raises LeaseHeld while another has it."""
        ...

    def sync_lease_owner(self) -> str | None:
        """Who has it, for people; None when nobody alive does."""
        ...

    def sync_state(self, lease: Lease | None = None) -> SyncState:
        """With a lease, positions, dirty references, tracked rows and rejected documents are changed only while that is
        held: such calls raise LeaseLost afterwards (premise C: a late tracked row would hide a newer value).
        Without, for those who look, ask for a pause or work at the same run at once."""
        ...

    def activity_store(self) -> ActivityStore: ...

    def documents(self, scope: Scope, lease: Lease, *, staged: bool) -> Documents:
        """The live collection, or the one that the scope's run loads next to it."""
        ...

    def renewer(self, lease: Lease) -> Renewer: ...


class SyncableSource(Source, FollowedSource, Protocol):
    """A source that can be copied and followed."""


class SyncableTarget(Target, Protocol):
    """A target that may be able to be kept in step."""

    def sync_target(self) -> SyncTarget | None:
        """None for a target that is only ever written once."""
        ...
