"""What the work needs of a source and of a target. migrator.source and migrator.target implement these.

Everything here is blocking except `RowReader`. Implementations raise only errors of migrator.errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol

from migrator.documents.reader import RowReader
from migrator.model.change.events import SyncReport, TableName
from migrator.model.change.position import Load, Position, ServerIdentity
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Chunk, ChunkResult, Document, Key, KeyRange, Refusal, Rejected
from migrator.model.plan.plan import CollectionMeasure, CollectionPlan, Finding, TargetCollection, TargetIdentity
from migrator.model.plan.run import CollectionProgress, Run
from migrator.model.report.activity import Activity, Command, LeaseHolder, RecordedActivity
from migrator.model.report.check import Check
from migrator.model.schema.tables import Column, ColumnName, Schema
from migrator.waits import Building, silent_building


class Snapshot(Protocol):
    """One moment of the source held open for several reader processes (a target that no sync repairs)."""

    @property
    def position(self) -> Position | None: ...

    def release(self) -> None:
        """To be called when every reader has opened its snapshot: gives up the brief lock."""
        ...


class Source(Protocol):
    """The MySQL side. Opens its own short-lived connections."""

    def identity(self) -> ServerIdentity: ...

    def schema(self, tables: Iterable[TableName] | None = None) -> Schema:
        """Those of `tables` that there are, with all from which cascades lead to them; None for every table and view of
        the source's databases, which takes long where there are thousands. A database "" is the URL's."""
        ...

    def describe(self, schema: str, table: str, expression: str) -> Column:
        """What the server says `expression` over one row of the table is (its name is the expression's text)."""
        ...

    def can_compare(self, left: ColumnName, right: ColumnName) -> bool:
        """Whether their tables can be joined by these columns."""
        ...

    def measure(
        self, collection: Collection, *, exact: bool, report: Callable[[str], None] | None = None
    ) -> CollectionMeasure:
        """What the source holds for a collection. Small tables are counted, big ones estimated unless `exact`."""
        ...

    def findings(self) -> tuple[Finding, ...]:
        """Missing settings and privileges, for plan."""
        ...

    def cascades_are_logged(self) -> bool:
        """Whether ON DELETE CASCADE, SET NULL and ON UPDATE leave row events (premise B)."""
        ...

    def checks(self) -> Iterator[Check]:
        """The source's lines of `doctor`."""
        ...

    def position(self) -> Position | None:
        """A position that every later snapshot contains (premise A); None when there is no change log."""
        ...

    def chunks(self, collection: Collection, rows: int, after: KeyRange | None) -> Iterator[KeyRange]:
        """Ranges of about `rows` root rows that together cover the table in key order, continuing after `after`."""
        ...

    def load(self) -> Load: ...

    def blocked(self) -> str:
        """What sessions of this account wait for at the server, such as a lock on a table's definition; "" for nothing.
        From any thread."""
        ...

    def open_reader(self) -> AbstractAsyncContextManager[RowReader]:
        """A consistent snapshot to read rows from; every call is a new moment and a new connection."""
        ...

    def hold_shared_snapshot(self) -> AbstractContextManager[Snapshot]:
        """Blocks writes (FLUSH TABLES WITH READ LOCK) until `release`, so that all readers see one moment.

        Raises:
            SourceError: when the account lacks the privilege.
        """
        ...


class Lease(Protocol):
    """The right to apply to a target."""

    @property
    def number(self) -> int:
        """Higher than that of every holding of the lease before this one."""
        ...

    def check(self) -> None:
        """Raises LeaseLost when another process has taken the lease (premise C), LeaseInDoubt when that can't
        be told now: a later call can."""
        ...


class State(Protocol):
    """What migrator stores in the target: runs, chunks, rejected rows, published collections."""

    def open_run(self) -> Run | None:
        """The run that did not finish, if any. At most one exists."""
        ...

    def begin(self, run: Run) -> None: ...

    def take_over(self, run_id: str) -> None:
        """Chunks that are not done belong to this holding of the lease: what an earlier one still finishes of them
        does not count (premise C)."""
        ...

    def finish(self, run_id: str, status: Literal["done", "abandoned"]) -> None: ...

    def add_chunks(self, chunks: Sequence[Chunk]) -> None: ...

    def all_planned(self, run_id: str, collection: str) -> None:
        """No more chunks of this collection will be added."""
        ...

    def progress(self, run_id: str) -> dict[str, CollectionProgress]:
        """By collection, for every collection of the run."""
        ...

    def pending(self, run_id: str, collection: str) -> list[Chunk]:
        """Chunks not done, in order, each with the number of the attempt that comes next."""
        ...

    def reset(self, run_id: str, collection: str) -> None:
        """Forgets all chunks and rejects of a collection in a run, and drops what was written."""
        ...

    def rejected(self, run_id: str, limit: int) -> list[Rejected]: ...

    def count_rejected(self, run_id: str) -> int: ...


class Writer(Protocol):
    """Writes chunks, in a worker process."""

    def start(self, chunk: Chunk) -> None:
        """Records in the state that this attempt has begun, before its first document is written."""
        ...

    def write(self, chunk: Chunk, documents: Sequence[Document]) -> list[tuple[Key, Refusal]]:
        """Writes to the staged collection. Returns the keys that the target refused for good, each with the reason.

        A chunk's first attempt inserts; later attempts replace by _id (rule 4).
        """
        ...

    def remove(self, chunk: Chunk, ids: Sequence[bytes]) -> None:
        """Deletes documents that an earlier attempt wrote: each id is a BSON document `{_id: ...}`."""
        ...

    def finish(self, result: ChunkResult, rejected: Sequence[Rejected]) -> None:
        """Records the chunk as done, with its rejected rows, after all its writes were acknowledged."""
        ...

    def close(self) -> None: ...


class Publisher(Protocol):
    """Turns what was loaded into the live collection."""

    def published(self) -> dict[str, str]:
        """Collection -> run, of everything live that an apply made. Changes nothing."""
        ...

    def prepare(self, run_id: str, plan: CollectionPlan) -> None:
        """Creates the place that is loaded, next to the live one, if it isn't there.

        Its name holds the run's id and the number of the lease's holding.
        """
        ...

    def take_over(self, run_id: str, plan: CollectionPlan) -> None:
        """Moves what an earlier holding of the lease loaded to a name of this one (premise C).

        Raises:
            TargetError: when nothing that the run loaded is there.
        """
        ...

    def publish(self, run_id: str, plan: CollectionPlan, building: Building = silent_building) -> tuple[str, ...]:
        """Builds the indexes, sets the validator, renames over the live collection, notes ownership.

        `building` hears of each index. Returns the problems with unique indexes that could not be built, one sentence
        each. Safe to repeat.
        """
        ...

    def progress(self, run_id: str, collection: str) -> str:
        """How far the index is that is being built now, "" where the target doesn't tell. From any thread."""
        ...

    def alter(self, plan: CollectionPlan, building: Building = silent_building) -> tuple[str, ...]:
        """Changes only indexes and validator of a live collection; returns problems as `publish` does."""
        ...

    def discard(self, run_id: str, collection: str) -> None:
        """Drops what a run loaded and did not publish."""
        ...

    def sample(self, name: str, documents: Sequence[bytes]) -> str:
        """Replaces a trial collection, which is not the real one, by `documents` and returns its name."""
        ...


class ActivityStore(Protocol):
    """Signs of life: what commands at work note of themselves. All ages are by the target's clock."""

    def now(self) -> datetime:
        """The target's clock."""
        ...

    def record(self, activity: Activity) -> None:
        """Replaces what this or another process recorded for the command. Not tried again when it fails."""
        ...

    def last_activity(self, command: Command) -> RecordedActivity | None:
        """What was recorded last."""
        ...

    def lease_holder(self, command: Command) -> LeaseHolder | None:
        """Who has the command's lease, alive or not; None when it was given back, and for a command without one."""
        ...

    def last_report(self) -> tuple[SyncReport, float] | None:
        """The last report of a sync, and its age in seconds."""
        ...


class Target(Protocol):
    """The document side."""

    def identity(self) -> TargetIdentity: ...

    def inspect(self, names: Iterable[str]) -> tuple[TargetCollection, ...]:
        """What is there under these names, in their order."""
        ...

    def applied(self, names: Sequence[str]) -> Mapping[str, Collection]:
        """The mappings that the live collections of these names were applied with, as far as the state knows them."""
        ...

    def checks(self) -> Iterator[Check]:
        """The target's lines of `doctor`."""
        ...

    def lease(self, purpose: str) -> AbstractContextManager[Lease]:
        """Raises LeaseHeld when a live process has it."""
        ...

    def state(self, lease: Lease | None = None) -> State:
        """With a lease, the state is changed only while that is held: such calls raise LeaseLost afterwards
        (premise C). Without, for those who only look."""
        ...

    def publisher(self, lease: Lease | None = None) -> Publisher:
        """As `state`."""
        ...

    def writer(self) -> Writer: ...

    def activity_store(self) -> ActivityStore: ...

    def close(self) -> None: ...
