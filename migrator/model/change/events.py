"""What the change log says, reduced to what names documents: key columns of changed rows (rule 2).

Values never travel from the log into a document. What is kept of a row event are the columns by which documents are
found, as the bytes that a SELECT in `migrator.source.rows.snapshot`' session would print for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from migrator.model.change.position import Position
from migrator.model.plan.chunk import Key, Refusal
from migrator.model.schema.tables import Schema, Table

# schema and table
TableName = tuple[str, str]
# Values of a Watch's columns, in its order, as the source prints them; None for NULL.
Values = tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Watch:
    """A table whose row events matter.

    Attributes:
        table: as it was when the events were written: the log may name columns by their place only.
        columns: whose values are wanted, in this order.
        others: further definitions that the table is known to have had or to have; an event that is not of `table` may
            be of one of them (a definition that was changed without a trace in the log).
    """

    table: Table
    columns: tuple[str, ...]
    others: tuple[Table, ...] = ()

    @property
    def name(self) -> TableName:
        return self.table.schema, self.table.name


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row: `before` is None for an insert, `after` for a delete. An update has both, equal or not."""

    before: Values | None
    after: Values | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Some changed rows of one watched table, in the order of the log.

    Attributes:
        cascades: foreign keys were checked, so the engine carried out what ON DELETE and ON UPDATE say; a session with
            foreign_key_checks = 0 leaves children as they are.
    """

    table: TableName
    changes: tuple[RowChange, ...]
    cascades: bool = True


@dataclass(frozen=True, slots=True)
class Truncate:
    """A watched table was emptied without row events (edge case 37)."""

    table: TableName


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that may have changed definitions; what it did is told by reading the schema again (edge case 36).

    Attributes:
        database: the session's default database, "" for none.
        text: as logged.
    """

    database: str
    text: str


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Rows of this transaction were rolled back after they had been logged, all or those since a savepoint.

    A server logs that, instead of leaving them out, where tables without transactions were changed too.
    https://dev.mysql.com/doc/refman/8.4/en/binary-log.html
    """


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction's end: everything before it is whole.

    Attributes:
        position: from which a reader continues after this transaction.
        at: when the source logged it, seconds since 1970 by the source's clock.
    """

    position: Position
    at: float


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Nothing came for about a second and all that was logged has been read; `position` may have advanced (edge
    case 42)."""

    position: Position


LogEvent = Rows | Truncate | Statement | RolledBack | Commit | CaughtUp


@dataclass(frozen=True, slots=True)
class LogStatus:
    """Where a reader stands in the log.

    Attributes:
        end: where the log ends now.
        transactions: how many are between the reader and the end; None where the server can't tell.
        bytes: of log between the reader and the end; None where it can't be determined.
        expires_in: seconds until the file that the reader needs may be purged; None for never.
        clock: seconds since 1970 by the source's clock at that moment.
    """

    end: Position
    transactions: int | None
    bytes: int | None
    expires_in: float | None
    clock: float


@dataclass(frozen=True, slots=True)
class Definitions:
    """Tables as they were read at some moment.

    Attributes:
        end: where the log ended right after that. What a statement before it did may be in them already, what a later
            one did is not. None where that is not known.
    """

    schema: Schema
    end: Position | None


@dataclass(frozen=True, slots=True)
class KnownTables:
    """The tables of a collection as its position's events have them; kept together with the position.

    Attributes:
        end: as of `Definitions`.
    """

    tables: tuple[Table, ...]
    end: Position | None


@dataclass(frozen=True, slots=True)
class Scope:
    """One collection as one apply made it: what the state has of it is dropped when another apply replaces it."""

    run: str
    collection: str


# What the values of a DocumentRef are:
# - `key`: a root key;
# - `parent`: of the columns by which the node's row (or its link's) finds its parent: the child's side of
#   `Node.parent_join()`;
# - `child`: of the node's own columns that its link table refers to: `Node.link.child.child`;
# - `rows`: none, every row of the root table is meant;
# - `documents`: none, every document that the target has is meant;
# - `rejected`: none, every document that could not be made is meant: neither rows nor documents may name it any more.
RefKind = Literal["key", "parent", "child", "rows", "documents", "rejected"]

# Those that mean a whole collection, in the order in which a rebuild of all of it goes through them.
WIDE: tuple[RefKind, ...] = ("documents", "rejected", "rows")


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """Documents of one collection, named by what they hold: their roots are found by following the joins from `values`.

    Attributes:
        node: Node.id in the collection's tree; the root's for `key`, `rows`, `documents` and `rejected`.
        values: never holds None, since NULL joins nothing (edge case 23).
    """

    node: str
    kind: RefKind
    values: Key


@dataclass(frozen=True, slots=True)
class DirtyEntry:
    """A document reference that waits in the state.

    Attributes:
        after: root keys up to this one are done (for `documents` one part, the BSON document `{_id: ...}`; for
            `rejected` one part, the key as people read it); None at the beginning.
        mark: identifies this entry. If the same reference is recorded again, that entry has another mark, and stays
            when this one is done.
        done: how many keys or documents are done up to `after`.
        why: it was recorded, for people; only of a WIDE reference, and "" when not known.
        since: when that was, by the target's clock; None when not known.
    """

    ref: DocumentRef
    after: Key | None
    mark: int
    done: int = 0
    why: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class TrackedRow:
    """What the state stores of a row that a silent cascade may change (premise B).

    Attributes:
        table: whose row.
        key: of its primary key, or unique NOT NULL key.
        values: of the tracked columns, by name.
    """

    table: TableName
    key: Key
    values: Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class TrackedChange:
    """What becomes of tracked rows of one table.

    Attributes:
        gone: keys of rows to be dropped.
        rows: to be written, or replaced by their key.
    """

    scope: Scope
    table: TableName
    gone: tuple[Key, ...]
    rows: tuple[TrackedRow, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A document that was refused since another one has the same unique value.

    Attributes:
        key: of the refused one.
        other: the other's BSON `{_id: ...}`, None when the target doesn't tell.
        reason: one sentence without values.
        said: the target's own words, which may hold values.
    """

    key: Key
    other: bytes | None
    reason: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What of a write did not take place: refused for good with the reason, or for a unique value."""

    refused: tuple[tuple[Key, Refusal], ...] = ()
    conflicts: tuple[Conflict, ...] = ()


# `standby` stands in reports of earlier versions only.
SyncPhase = Literal["unknown", "catching-up", "following", "standby", "stopped"]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """How a sync is doing, as it notes it in the state every second or so.

    Attributes:
        owner: process and machine, for people.
        started, at: ISO times, UTC.
        serving: collection -> run that it writes to.
        position: everything before it is done.
        logged_at: when the source logged the last transaction that is done, ISO time, UTC; "" before the first.
        lag_seconds: everything that was logged until so long ago is done, 0 when caught up; None as long as that is not
            known: until the first batch is done.
        lag_transactions: None where the server can't tell.
        expires_in: seconds until the log that is needed may be purged, None for never.
        dirty: references that wait.
        changes, documents: row changes read and documents written since it started.
        rate: row changes a second over the last ten seconds.
        state: `unknown` until the first batch is done, then `catching-up` or `following`, at last `stopped`.
        error: what stopped it, "" when nothing did.
    """

    owner: str
    started: str
    at: str
    serving: Mapping[str, str]
    position: Position | None
    logged_at: str = ""
    lag_seconds: float | None = None
    lag_transactions: int | None = None
    expires_in: float | None = None
    dirty: int = 0
    changes: int = 0
    documents: int = 0
    rate: float = 0.0
    state: SyncPhase = "unknown"
    error: str = ""
