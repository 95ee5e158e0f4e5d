"""Follows the change log for some collections: events to reaches, reaches to documents, then the position.

One batch: events are taken until none waits or enough have come; their reaches are treated; after every write was
acknowledged the position of the last transaction that is whole is saved (DESIGN rule 5). A crash anywhere repeats the
batch. A transaction larger than a batch is treated in parts, and its position saved at its end (EDGE_CASES 39).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from migrator.changes.cascades import Cascades, silent_cascades
from migrator.changes.definitions import mentions
from migrator.changes.resolve import Resolver, everything
from migrator.changes.watches import watches
from migrator.documents.identity import tells_keys
from migrator.errors import LogLost, SourceError, SourceUnavailable, SyncBlocked
from migrator.model.activity import Phase
from migrator.model.change import (
    Commit,
    Quiet,
    Reach,
    Rows,
    Scope,
    Statement,
    TableName,
    TrackedChange,
    TrackedRow,
    Truncate,
    Undone,
)
from migrator.model.places import is_behind, log_place
from migrator.model.position import Position
from migrator.model.tree import Collection, tables_of
from migrator.ports.sync import SyncableSource, SyncState
from migrator.renewal.renew import Renewal
from migrator.sync.cascades.snapshot_rows import Part, missing, remember
from migrator.sync.cascades.tracker import Tracker
from migrator.sync.change_handler import Treatment
from migrator.sync.log_queue import Intake, Taken
from migrator.sync.rebuild import Rebuilt
from migrator.sync.renewing import Renewals
from migrator.sync.tables import Tables
from migrator.workers.announce import Announcer, OpenWait
from migrator.workers.retry import retrying

T = TypeVar("T")

# A batch ends when it has so many different reaches, or has been gathered for so long.
_REACHES = 2000
_SECONDS = 0.5
# A batch goes on to the end of its transaction, unless that would take so many reaches: then position and tracked rows
# are saved together at its end.
_REACHES_AT_MOST = 2 * _REACHES
# Row changes that trackers collect for a batch, and changed rows of one that wait for the end of a transaction (DESIGN
# rule 7).
_TRACKED_AT_MOST = 10_000
_UNWRITTEN = 5000
# How often a position that moved without changes is saved (EDGE_CASES 42).
_SAVE_QUIET_EVERY = 5.0


@dataclass(slots=True)
class Progress:
    """What has been done so far.

    Attributes:
        position: everything before it is in the documents, or dirty in the state; None before the first batch.
        committed_at: when the source logged the transaction that ends there, seconds since 1970 by the source's clock;
            0 before the first.
        quiet: the log's end was reached, and nothing is left to be done of what was read.
        quiet_at: when all was done that was logged until then, by this process's monotonic clock; 0 before the first
            time.
        done_at: the same by the source's clock, as the transactions tell: seconds since 1970; 0 before the first time.
        waiting: some of what was read is noted in the state and not done.
        changes, transactions: row changes and commits read.
    """

    position: Position | None = None
    committed_at: float = 0.0
    quiet: bool = False
    quiet_at: float = 0.0
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
    """The log for some collections, from the earliest of their positions on.

    Collections that stand further on hear only of what comes behind their own position.
    """

    def __init__(
        self,
        source: SyncableSource,
        state: SyncState,
        members: Sequence[Member],
        treatment: Treatment,
        renewals: Renewals,
        before_write: Callable[[], None],
        retry_seconds: float,
        announcer: Announcer,
    ) -> None:
        """
        Args:
            source: whose log is followed.
            state: where positions are.
            members: all have a position in the state.
            treatment: what becomes of their documents.
            renewals: what becomes of their mappings when tables were altered.
            before_write: raises what must keep this process from writing; called before every batch.
            retry_seconds: how long passing faults are tried again.
            announcer: hears what is waited for.
        """
        self.progress = Progress()
        self._source = source
        self._state = state
        self._members = {member.scope: member for member in members}
        self._treatment = treatment
        self._renewals = renewals
        self._before_write = before_write
        self._announcer = announcer
        self._patience = retrying(retry_seconds, announcer)
        # The server says at least every second that there is nothing to say.
        self._silence = OpenWait(announcer)
        self._positions = state.positions(self._members)
        self._places = {scope: log_place(position) for scope, position in self._positions.items()}
        self._pending: dict[Scope, dict[Reach, None]] = {}
        self._count = self._tracked = 0
        self._commit: Commit | Quiet | None = None
        self._is_inside = False
        self._at_end = False
        self._quiet_at = 0.0
        # Before the first event only the position in the state is known, which may say too little of what a snapshot
        # must contain (MySQL without GTIDs waits for the row that was changed last).
        self._has_heard = False
        self._saved_at = 0.0
        self._reached = min(self._positions.values(), key=log_place)
        self._logs_cascades = source.cascades_are_logged()
        self._intake: Intake | None = None
        self._tables = Tables(source, state, retry_seconds)
        self._read_tables()
        self._tables.begin(self._positions)
        self._renew()
        self._settle()
        self._look_up()
        self._remember_tables()
        # From the first position on, or a statement that comes next would meet tables of which nothing is known.
        for scope, position in list(self._positions.items()):
            if self._tables.news({scope: ()}):
                self._stand_at([scope], position)

    @property
    def reached(self) -> Position:
        """Behind the last event that was taken."""
        return self._reached

    def step(self, seconds: float) -> None:
        """One batch, and a piece of what waits; waits up to `seconds` for something to do.

        Raises:
            SyncBlocked: when the log can't be followed any further.
            SourceUnavailable, TargetUnavailable: when passing faults outlasted the retries.
            whatever `before_write` raises.
        """
        self._gather(seconds)
        self._flush()
        left = self._treating(lambda: self._treatment.work_off(self._reached)) if self._has_heard else Rebuilt()
        if left is not None:
            self.progress.rebuilt += left
        self.progress.quiet = self._at_end and left is None
        self.progress.waiting = left is not None
        if left is None and self._has_heard:
            self.progress.done_at = self.progress.committed_at
            self.progress.quiet_at = self._quiet_at

    def close(self) -> None:
        """Ends the reading; the treatment is its maker's."""
        self._silence.end()
        if self._intake is not None:
            self._intake.close()

    # --- taking events ---

    def _gather(self, seconds: float) -> None:
        started = time.monotonic()
        taken = self._take(seconds)
        if taken is None:
            self._silence.begin("the source's log: it gives no sign of life")
        while taken is not None:
            self._silence.end()
            self._accept(taken)
            is_late = time.monotonic() - started >= max(_SECONDS, seconds)
            is_full = self._count >= (_REACHES_AT_MOST if self._is_inside else _REACHES)
            if is_full or self._tracked >= _TRACKED_AT_MOST or (is_late and not self._is_inside):
                return
            # The rest of a transaction is in the log already.
            taken = self._take(_SECONDS if self._is_inside else 0)

    def _take(self, seconds: float) -> Taken | None:
        if self._intake is not None:
            with suppress(SourceUnavailable):
                return self._take_once(seconds)
        return self._retrying(lambda: self._take_once(seconds))

    def _take_once(self, seconds: float) -> Taken | None:
        """A lost connection: a new reader goes on from the last saved position (EDGE_CASES 35)."""
        try:
            if self._intake is None:
                self._intake = Intake(self._source, min(self._positions.values(), key=log_place), self._watches)
            return self._intake.take(seconds)
        except SourceUnavailable:
            self._drop_intake()
            raise
        except LogLost as reason:
            self._state.note_lost(self._members, reason.what)
            raise

    def _drop_intake(self) -> None:
        if self._intake is not None:
            self._intake.close()
            self._intake = None
        if self._tables.is_new:
            # A statement may be read again, and events before it.
            self._tables.rewind(self._positions)
            self._look_up()
        for tracker in self._trackers.values():
            tracker.discard()
        self._pending.clear()
        self._count = self._tracked = 0
        self._commit = None
        self._is_inside = False
        # What was logged since the connection was lost is not known of.
        self._at_end = False
        self.progress.quiet = False

    def _accept(self, taken: Taken) -> None:
        event = taken.event
        self._reached = taken.reached
        self._has_heard = True
        self._at_end = isinstance(event, Quiet)
        if self._at_end:
            self._quiet_at = taken.at
        else:
            # At once: who reports in the middle of a batch must not say that nothing is left.
            self.progress.quiet = False
        match event:
            case Rows():
                self._is_inside = True
                self.progress.changes += len(event.changes)
                self._hear(event)
            case Truncate() | Statement():
                self._flush_all()
                if self._intake is None:
                    # The event is read again.
                    return
                if isinstance(event, Truncate):
                    self._empty(event)
                else:
                    self._redefine(event)
            case Undone():
                for scope in self._hearing():
                    self._trackers[scope].undone()
            case Commit():
                for tracker in self._trackers.values():
                    tracker.committed()
                self.progress.transactions += 1
                self._commit = event
                self._is_inside = False
            case Quiet():
                self._commit = event
                self._is_inside = False

    def _hear(self, rows: Rows) -> None:
        for scope in self._hearing():
            self._tracked += self._trackers[scope].follow(rows)
            mine = self._pending.setdefault(scope, {})
            before = len(mine)
            mine.update(dict.fromkeys(self._resolvers[scope].reaches(rows)))
            self._count += len(mine) - before

    def _hearing(self) -> list[Scope]:
        """The collections that don't stand behind the event already."""
        reached = log_place(self._reached)
        return [scope for scope, place in self._places.items() if place < reached]

    def _empty(self, event: Truncate) -> None:
        for scope in self._hearing():
            self._trackers[scope].truncated(event.table)
            resolver = self._resolvers[scope]
            if reaches := resolver.emptied(event.table):
                # Where an `_id` doesn't tell its key, looking through the documents also takes away such as there are
                # rows for: those come back with the rows.
                tells = tells_keys(self._members[scope].collection)
                self._treatment.note(scope, reaches if tells else resolver.everything())

    # --- treating them ---

    def _flush(self) -> None:
        """Documents first, then the tracked rows that led to them together with the position: so what a crash leaves
        undone is found again from the position."""
        # While the target can't be asked, nobody else can take over there either: a doubt about the lease may pass.
        self._retrying(self._before_write)
        for tracker in self._trackers.values():
            self._retrying(tracker.resolve)
        pending = {scope: list(reaches) for scope, reaches in self._pending.items() if reaches}
        if pending:
            self.progress.rebuilt += self._treating(lambda: self._treatment.take(pending, self._reached))
        self._pending.clear()
        self._count = self._tracked = 0
        self._settle_doubts()
        self._save(urgent=bool(pending))

    def _flush_all(self) -> None:
        """As `_flush`; no tracked row is left to be written with a later position, and nothing that was read is read
        again."""
        self._flush()
        for tracker in self._trackers.values():
            self._retrying(tracker.flush)
        self._save(urgent=True)

    def _save(self, *, urgent: bool) -> None:
        unwritten = {scope: tracker for scope, tracker in self._trackers.items() if tracker.unwritten}
        if self._is_inside and unwritten:
            # Rows of a transaction that is not whole go with its end, so that both are of one moment.
            for tracker in unwritten.values():
                if tracker.unwritten > _UNWRITTEN:
                    self._retrying(tracker.flush)
            return
        if self._commit is None:
            return
        position = self._commit.position
        late = [scope for scope, saved in self._positions.items() if is_behind(saved, position)]
        due = urgent or unwritten or self._tables.is_new or time.monotonic() - self._saved_at >= _SAVE_QUIET_EVERY
        if (late or unwritten) and due:
            changes = [change for tracker in unwritten.values() for change in tracker.changes()]
            self._stand_at(late, position, changes)
            for tracker in unwritten.values():
                tracker.written()
            self._saved_at = time.monotonic()
        self.progress.position = position
        if isinstance(self._commit, Commit):
            self.progress.committed_at = self._commit.at

    def finish(self) -> None:
        """Saves where the collections stand, for whoever comes next."""
        self._save(urgent=True)

    # --- definitions ---

    def _redefine(self, event: Statement) -> None:
        """Reads the tables again after a statement that may have changed them (EDGE_CASES 36, 53)."""
        assert self._intake is not None
        text, place = event.text, log_place(self._reached)
        if not any(name in text.lower() for name in {part.lower() for watch in self._watches for part in watch}):
            self._intake.go_on()
            return
        altered = [name for name in self._watches if mentions(text, name)]
        self._read_tables(altered)
        hearing = [scope for scope in self._hearing() if self._is_rewritten(scope, text, place)]
        self._renew(hearing, text)
        forgotten = {scope: self._rewritten_memory(scope, text, place) for scope in self._cascades}
        self._tables.advance(self._hearing(), altered)
        self._look_up()
        for scope, tables in forgotten.items():
            self._forget(scope, tables)
        self._remember_tables()
        self._intake.watch(self._watches)

    def _read_tables(self, settled: Sequence[TableName] = ()) -> None:
        with self._announcer.waiting("the definitions of the tables", self._source.blocked):
            self._tables.read(tables_of(member.collection for member in self._members.values()), settled)

    def _is_rewritten(self, scope: Scope, text: str, place: tuple[int, int]) -> bool:
        return self._tables.rewritten(text, place, self._members[scope].collection)

    def _renew(self, rewritten: Sequence[Scope] = (), text: str = "") -> None:
        """Renews the mappings whose tables are others now.

        Args:
            rewritten: rows of these may have changed without events.
            text: of the statement that did it, as far as it is known.

        Raises:
            SyncBlocked: when a mapping can't be kept up.
        """
        renewals = {scope: self._tables.renewal(member.collection) for scope, member in self._members.items()}
        for scope, renewal in renewals.items():
            if renewal.obstacles:
                raise _misfit(scope, renewal, text, self._reached)
        for scope, renewal in renewals.items():
            before = self._members[scope].collection
            all_ = everything(before) if scope in rewritten or renewal.changes_documents else ()
            if renewal.collection != before:
                self._retrying(partial(self._renewals.renew, scope, before, renewal, all_))
                self._members[scope] = Member(scope, renewal.collection)
                self._treatment.renew(scope, renewal.collection)
            elif all_:
                self._retrying(partial(self._treatment.note, scope, all_))

    def _settle(self) -> None:
        """Renewals that a crash broke off, and whose reason is gone."""
        for scope, member in self._members.items():
            self._retrying(partial(self._renewals.settle, scope, member.collection))

    def _find_cascades(self) -> dict[Scope, Cascades]:
        """Each collection remembers the rows that it needs by itself: as of its own position."""
        if self._logs_cascades:
            return dict.fromkeys(self._members, Cascades())
        schema = self._tables.schema
        found = {scope: silent_cascades(schema, [member.collection]) for scope, member in self._members.items()}
        hidden = [text for cascades in found.values() for text in cascades.hidden]
        if hidden:
            raise SyncBlocked(
                f"cascades that the log doesn't show can't be followed: {'; '.join(dict.fromkeys(hidden))}",
                hint="Name the database in the source URL, give the table a primary key, or the account SELECT on it.",
            )
        return found

    def _look_up(self) -> None:
        self._cascades = self._find_cascades()
        collections = [member.collection for member in self._members.values()]
        self._watches = watches(self._tables.schema, collections, self._cascades.values(), self._tables.others)
        self._resolvers = {scope: Resolver(member.collection, self._watches) for scope, member in self._members.items()}
        self._trackers = {scope: self._tracker(scope, cascades) for scope, cascades in self._cascades.items()}

    def _tracker(self, scope: Scope, cascades: Cascades) -> Tracker:
        def emit(rows: Rows) -> None:
            reaches = self._resolvers[scope].reaches(rows)
            self._pending.setdefault(scope, {}).update(dict.fromkeys(reaches))

        return Tracker(scope, cascades, self._watches, self._state, emit, partial(self._secure, scope))

    def _secure(self, scope: Scope) -> None:
        """What is pending for a collection is noted durably: tracked rows that led to it are about to be written."""
        if reaches := self._pending.pop(scope, None):
            self._treatment.note(scope, reaches)
        if self._trackers[scope].doubtful:
            # After a crash the tables are read again all the same.
            self._state.note_tracked_tables(scope, {each.table: () for each in self._cascades[scope].tables})

    def _rewritten_memory(self, scope: Scope, text: str, place: tuple[int, int]) -> list[TableName]:
        """Rows that a statement may have put into a remembered table had no events: it is to be remembered again."""
        tables = self._cascades[scope].tables
        return [each.table for each in tables if self._tables.columns_rewritten(text, place, each.table, each.columns)]

    def _forget(self, scope: Scope, tables: Sequence[TableName]) -> None:
        if tables:
            # First the note: after a crash in between they are read again all the same.
            self._state.note_tracked_tables(scope, dict.fromkeys(tables, ()))
        for table in tables:
            self._state.drop_tracked_table(scope, table)

    def _settle_doubts(self) -> None:
        """Whatever such a cascade changed, further tables included, is remembered and built anew."""
        doubtful = [scope for scope, tracker in self._trackers.items() if tracker.doubtful]
        for scope in doubtful:
            self._trackers[scope].discard()
            self._forget(scope, [each.table for each in self._cascades[scope].tables])
            self._trackers[scope].doubtful.clear()
        if doubtful:
            watched = self._watches
            self._remember_tables()
            if self._watches is not watched:
                # A statement that is still to be read altered them. What was read was not understood in this way, and
                # what trackers held of it is gone with them: it is read again from the saved positions.
                self._drop_intake()

    def _remember_tables(self) -> None:
        """Tables that have to be remembered and aren't yet: read now, and every document built again from later
        snapshots, since cascades may have gone unseen before."""
        while parts := [part for scope in self._members if (part := self._missing(scope)).tables]:
            reached = self._reached if self._has_heard else None
            with (
                self._announcer.beside(Phase("recording-keys")),
                self._announcer.waiting("the keys that cascades change to be recorded", self._source.blocked),
            ):
                position = self._retrying(partial(remember, self._source, parts, _load, _to_the_end, reached))
            moved = [part.scope for part in parts if len(part.tables) == len(self._cascades[part.scope].tables)]
            for part in parts:
                self._treatment.note(part.scope, self._resolvers[part.scope].everything())
            if position is not None and moved:
                # What lies before is dirty now, and must not be taken in over what is remembered.
                self._move(moved, position)
            for part in parts:
                self._state.note_tracked_tables(part.scope, part.columns)

    def _move(self, scopes: Sequence[Scope], position: Position) -> None:
        """To a position of now, over statements that were not read."""
        before, members = self._tables.schema.by_name, dict(self._members)
        self._read_tables()
        self._renew()
        self._tables.advance(scopes, self._watches)
        self._stand_at(scopes, position)
        if self._intake is None:
            # Others may stand before that.
            self._tables.rewind(self._positions)
        if (self._tables.schema.by_name, self._members) != (before, members):
            # Only then: trackers of other collections may hold rows that go with the end of the batch (DESIGN
            # premise B).
            self._look_up()

    def _missing(self, scope: Scope) -> Part:
        """What has to be remembered for a collection, and isn't."""
        needed = self._cascades[scope].tables
        known = self._state.tracked_tables(scope) if needed else {}
        return Part(scope, missing(needed, known), self._trackers[scope])

    def _stand_at(self, scopes: Sequence[Scope], position: Position, changes: Sequence[TrackedChange] = ()) -> None:
        known = self._tables.news({scope: self._names(scope) for scope in scopes})
        self._retrying(partial(self._state.save, scopes, position, changes, known))
        self._tables.keep(known)
        self._positions.update(dict.fromkeys(scopes, position))
        self._places.update(dict.fromkeys(scopes, log_place(position)))

    def _names(self, scope: Scope) -> list[TableName]:
        """The tables whose events matter to a collection."""
        cascades = self._cascades[scope]
        remembered = [*(each.table for each in cascades.tables), *(each.parent for each in cascades.tracked)]
        return list(dict.fromkeys((*self._members[scope].collection.tables, *remembered)))

    def _treating(self, work: Callable[[], T]) -> T:
        """A statement that fails for good may be one of tables altered since: that says more (EDGE_CASES 53)."""
        try:
            return self._retrying(work)
        except SourceUnavailable:
            raise
        except SourceError:
            self._read_tables()
            self._renew()
            # The tables fit, or fit again: perhaps one of them was gone for a moment.
            return self._retrying(work)

    def _retrying(self, work: Callable[[], T]) -> T:
        return self._patience(work)


def _load(part: Part, rows: Sequence[TrackedRow]) -> None:
    part.tracker.load(rows)


def _to_the_end() -> bool:
    return False


def _misfit(scope: Scope, renewal: Renewal, text: str, position: Position) -> SyncBlocked:
    said = f" ({' '.join(text.split())[:200]})" if text else ""
    return SyncBlocked(
        f"the mapping no longer fits the tables{said}: {'; '.join(renewal.obstacles)}",
        where=f"{scope.collection}, log at {shown(position)}",
        hint="Make the mapping fit and run `migrator apply`, which rebuilds it; then start sync again.",
    )


def shown(position: Position) -> str:
    """A position for people."""
    return f"{position.file}:{position.offset}" if position.file else position.gtid
