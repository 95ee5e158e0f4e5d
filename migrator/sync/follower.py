"""Follows the change log for some collections: from events to document references, to documents, to a saved position.

One batch: events are taken until none waits or enough have come; their reaches are treated; after every write was
acknowledged the position of the last transaction that is whole is saved (rule 5). A crash anywhere repeats the
batch. A transaction larger than a batch is treated in parts, and its position saved at its end (edge case 39).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar

from migrator.changes.definition_changes import mentions
from migrator.documents.identity import tells_keys
from migrator.errors import SourceError, SourceUnavailable
from migrator.model.change.coordinates import coordinates_of
from migrator.model.change.events import CaughtUp, Commit, RolledBack, Rows, Scope, Statement, Truncate
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.ports.sync import SyncableSource
from migrator.ports.sync_state import SyncState
from migrator.sync.batch import SyncBatch
from migrator.sync.cascades.row_snapshot import UNSEEN
from migrator.sync.cascades.tracking import CascadeTracking
from migrator.sync.change_handler import ChangeHandler
from migrator.sync.checkpoint import Checkpoint
from migrator.sync.known_tables import KnownDefinitions
from migrator.sync.log_queue import QueuedEvent
from migrator.sync.rebuild import Rebuilt
from migrator.sync.reconnecting_log import ReconnectingLog
from migrator.sync.renewals import RenewalHandler
from migrator.sync.schema_watch import SchemaWatch
from migrator.workers.announcer import Announcer
from migrator.workers.retry import retrying

T = TypeVar("T")

# A batch ends when it has been gathered for so long.
_SECONDS = 0.5


@dataclass(slots=True)
class Progress:
    """What has been done so far.

    Attributes:
        position: everything before it is in the documents, or dirty in the state; None before the first batch.
        committed_at: when the source logged the transaction that ends there, seconds since 1970 by the source's clock;
            0 before the first.
        caught_up: the log's end was reached, and nothing is left to be done of what was read.
        caught_up_at: when all was done that was logged until then, by this process's monotonic clock; 0 before the
            first time.
        done_at: the same by the source's clock, as the transactions tell: seconds since 1970; 0 before the first time.
        waiting: some of what was read is recorded in the state and not done.
        changes, transactions: row changes and commits read.
    """

    position: Position | None = None
    committed_at: float = 0.0
    caught_up: bool = False
    caught_up_at: float = 0.0
    done_at: float = 0.0
    waiting: bool = True
    changes: int = 0
    transactions: int = 0
    rebuilt: Rebuilt = field(default_factory=Rebuilt)


@dataclass(frozen=True, slots=True)
class Member:
    """A collection that the log is followed for."""

    scope: Scope
    collection: Collection


class Follower:
    """The log for some collections, from the earliest of their positions on, for the length of a block.

    An event is ignored for collections that were copied after it.
    """

    def __init__(
        self,
        source: SyncableSource,
        state: SyncState,
        members: Sequence[Member],
        handler: ChangeHandler,
        renewals: RenewalHandler,
        before_write: Callable[[], None],
        retry_seconds: float,
        announcer: Announcer,
    ) -> None:
        """
        Args:
            source: whose log is followed.
            state: where positions are.
            members: all have a position in the state.
            handler: what becomes of their documents.
            renewals: what becomes of their mappings when tables were altered.
            before_write: raises what must keep this process from writing; called before every batch.
            retry_seconds: how long transient errors are tried again.
            announcer: hears what is waited for.
        """
        self.progress = Progress()
        self._handler = handler
        self._before_write = before_write
        self._patience = patience = retrying(retry_seconds, announcer)
        self._scopes = [member.scope for member in members]
        self._batch = SyncBatch()
        tables = KnownDefinitions(source, state.positions, retry_seconds)
        collections = {member.scope: member.collection for member in members}
        self._checkpoint = Checkpoint(state.positions, tables, patience)
        self._schema = SchemaWatch(source, tables, collections, handler, renewals, patience, announcer)
        self._tracking = CascadeTracking(source, state.tracked, self._batch, handler.mark_dirty, patience, announcer)
        self._log = ReconnectingLog(
            source,
            state.positions,
            self._checkpoint,
            lambda: self._tracking.watches,
            self._read_again,
            patience,
            announcer,
        )
        self._reached: Position | None = None
        self._at_end = False
        self._caught_up_at = 0.0

    def __enter__(self) -> Follower:
        """Reads where the collections stand and what their tables are like.

        Raises:
            SyncBlocked: when their log can't be followed.
        """
        self._checkpoint.open(self._scopes)
        self._tracking.open()
        self._schema.open(self._checkpoint.positions, self._checkpoint.earliest)
        self._refresh_lookups()
        self._track_tables()
        # From the first position on, or a statement that comes next would meet tables of which nothing is known.
        for scope, position in list(self._checkpoint.positions.items()):
            if self._schema.tables.news({scope: ()}):
                self._save_at([scope], position)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the log. The handler is closed by whoever made it."""
        self._log.close()

    @property
    def reached(self) -> Position:
        """The end of the last event that was taken; where reading begins before the first."""
        return self._reached or self._checkpoint.earliest

    def step(self, seconds: float) -> None:
        """One batch, and a piece of what waits; waits up to `seconds` for something to do.

        Raises:
            SyncBlocked: when the log can't be followed any further.
            SourceUnavailable, TargetUnavailable: when transient errors outlasted the retries.
            whatever `before_write` raises.
        """
        self._gather(seconds)
        self._flush()
        # Before the first event only the position in the state is known, which may say too little of what a snapshot
        # must contain (MySQL without GTIDs waits for the row that was changed last).
        has_received = self._reached is not None
        left = self._handling(lambda: self._handler.process_dirty(self.reached)) if has_received else Rebuilt()
        if left is not None:
            self.progress.rebuilt += left
        self.progress.caught_up = self._at_end and left is None
        self.progress.waiting = left is not None
        if left is None and has_received:
            self.progress.done_at = self.progress.committed_at
            self.progress.caught_up_at = self._caught_up_at

    def finish(self) -> None:
        """Saves where the collections stand, for whoever comes next."""
        self._save(urgent=True)

    # --- taking events ---

    def _gather(self, seconds: float) -> None:
        started = time.monotonic()
        taken = self._log.take(seconds)
        while taken is not None:
            self._accept(taken)
            is_late = time.monotonic() - started >= max(_SECONDS, seconds)
            if self._batch.is_full or (is_late and not self._batch.is_inside):
                return
            # The rest of a transaction is in the log already.
            taken = self._log.take(_SECONDS if self._batch.is_inside else 0)

    def _accept(self, taken: QueuedEvent) -> None:
        event = taken.event
        self._reached = taken.reached
        self._at_end = isinstance(event, CaughtUp)
        if self._at_end:
            self._caught_up_at = taken.at
        else:
            # At once: who reports in the middle of a batch must not say that nothing is left.
            self.progress.caught_up = False
        match event:
            case Rows():
                self._batch.is_inside = True
                self.progress.changes += len(event.changes)
                for scope in self._scopes_before_event():
                    self._batch.tracked += self._tracking.follow(scope, event)
                    self._batch.add(scope, self._tracking.resolvers[scope].document_refs(event))
            case Truncate() | Statement():
                self._flush_all()
                if not self._log.is_open:
                    # The event is read again.
                    return
                if isinstance(event, Truncate):
                    self._truncate(event)
                else:
                    self._redefine(event)
            case RolledBack():
                for scope in self._scopes_before_event():
                    self._tracking.rolled_back(scope)
            case Commit():
                self._tracking.committed()
                self.progress.transactions += 1
                self._batch.end_at(event)
            case CaughtUp():
                self._batch.end_at(event)

    def _scopes_before_event(self) -> list[Scope]:
        return self._checkpoint.scopes_before_event(self.reached)

    def _truncate(self, event: Truncate) -> None:
        for scope in self._scopes_before_event():
            self._tracking.truncated(scope, event.table)
            resolver = self._tracking.resolvers[scope]
            if refs := resolver.emptied(event.table):
                # Where a key can't be derived from `_id`, going through the documents also deletes some whose rows
                # exist; going through the rows then brings these back.
                tells = tells_keys(self._schema.collections[scope])
                why = f"{'.'.join(event.table)} was emptied by TRUNCATE"
                self._handler.mark_dirty(scope, refs if tells else resolver.everything(), why)

    def _read_again(self) -> None:
        """What was taken since the saved positions comes again, and statements among it."""
        self._tracking.discard()
        self._batch.drop()
        self._schema.tables.rewind(self._checkpoint.positions)
        self._refresh_lookups()
        # It is unknown what was logged after the connection was lost.
        self._at_end = False
        self.progress.caught_up = False

    # --- handling them ---

    def _flush(self) -> None:
        """Documents first, then the tracked rows that led to them together with the position: so what a crash leaves
        undone is found again from the position."""
        # While the target can't be asked, nobody else can take over there either: a doubt about the lease may pass.
        self._patience(self._before_write)
        self._tracking.resolve()
        pending = self._batch.pending
        if pending:
            self.progress.rebuilt += self._handling(lambda: self._handler.handle(pending, self.reached))
        self._batch.clear()
        self._reload_uncertain()
        self._save(urgent=bool(pending))

    def _flush_all(self) -> None:
        """As `_flush`; afterwards no change of a tracked row is unwritten, and no event is read again."""
        self._flush()
        self._tracking.flush()
        self._save(urgent=True)

    def _save(self, *, urgent: bool) -> None:
        unwritten = self._tracking.is_unwritten
        if self._batch.is_inside and unwritten:
            # Rows of a transaction that is not whole go with its end, so that both are of one moment.
            self._tracking.make_room()
            return
        end = self._batch.end
        if end is None:
            return
        late = self._checkpoint.before(end.position)
        if (late or unwritten) and (urgent or unwritten or self._checkpoint.is_due):
            self._save_at(late, end.position)
        self.progress.position = end.position
        if isinstance(end, Commit):
            self.progress.committed_at = end.at

    def _save_at(self, scopes: Sequence[Scope], position: Position) -> None:
        """Tracked rows that are not written yet go with it."""
        tables = {scope: self._tracking.tables(scope) for scope in scopes}
        self._checkpoint.save(scopes, position, tables, self._tracking.changes())
        self._tracking.written()

    # --- definitions ---

    def _redefine(self, event: Statement) -> None:
        """Reads the tables again after a statement that may have changed them (edge cases 36, 53)."""
        text, place, tables = event.text, coordinates_of(self.reached), self._schema.tables
        watched = self._tracking.watches
        if not any(name in text.lower() for name in {part.lower() for watch in watched for part in watch}):
            self._log.resume()
            return
        altered = [name for name in watched if mentions(text, name)]
        self._schema.read(altered)
        self._schema.renew(self.reached, self._schema.rewritten(self._scopes_before_event(), text, place), text)
        forgotten = self._tracking.rewritten(tables, text, place)
        tables.advance(self._scopes_before_event(), altered)
        self._refresh_lookups()
        for scope, names in forgotten.items():
            self._tracking.untrack(scope, names)
        self._track_tables()
        self._log.watch(self._tracking.watches)

    def _refresh_lookups(self) -> None:
        self._tracking.look_up(self._schema.tables, self._schema.collections)

    # --- tracked tables ---

    def _reload_uncertain(self) -> None:
        """Whatever such a cascade changed, further tables included, is tracked and built again."""
        if self._tracking.untrack_uncertain():
            watched = self._tracking.watches
            self._track_tables()
            if self._tracking.watches is not watched:
                # A statement that is still to be read altered them. What was read was not understood in this way, and
                # what trackers held of it is gone with them: it is read again from the saved positions.
                self._log.drop()

    def _track_tables(self) -> None:
        """Tables that have to be tracked and aren't yet: read now, and every document built again from later
        snapshots, since cascades may have gone unseen before."""
        while parts := self._tracking.missing():
            position = self._tracking.load(parts, self._reached)
            moved = [part.scope for part in parts if self._tracking.is_whole(part)]
            for part in parts:
                self._handler.mark_dirty(part.scope, self._tracking.resolvers[part.scope].everything(), UNSEEN)
            if position is not None and moved:
                # What lies before is dirty now, and must not be taken in over what was read.
                self._move(moved, position)
            self._tracking.note_read(parts)

    def _move(self, scopes: Sequence[Scope], position: Position) -> None:
        """To a position of now, over statements that were not read."""
        tables = self._schema.tables
        before = tables.schema.by_name, dict(self._schema.collections)
        self._schema.read()
        self._schema.renew(self.reached)
        tables.advance(scopes, self._tracking.watches)
        self._checkpoint.save(scopes, position, {scope: self._tracking.tables(scope) for scope in scopes})
        if not self._log.is_open:
            # Others may stand before that.
            tables.rewind(self._checkpoint.positions)
        if (tables.schema.by_name, self._schema.collections) != before:
            # Only then: trackers of other collections may hold rows that go with the end of the batch
            # (premise B).
            self._refresh_lookups()

    def _handling(self, work: Callable[[], T]) -> T:
        """A statement that fails for good may be one of tables altered since: that says more (edge case 53)."""
        try:
            return self._patience(work)
        except SourceUnavailable:
            raise
        except SourceError:
            self._schema.read()
            self._schema.renew(self.reached)
            # The tables fit, or fit again: perhaps one of them was gone for a moment.
            return self._patience(work)
