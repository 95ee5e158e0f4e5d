"""Which rows are tracked for each collection, what their trackers make of row events, and when they are read again
(premise B)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from migrator.changes.cascades import Cascades, silent_cascades
from migrator.changes.document_refs import Resolver
from migrator.changes.watches import watches
from migrator.errors import SyncBlocked
from migrator.model.change.events import DocumentRef, Rows, Scope, TableName, TrackedChange, TrackedRow, Watch
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.model.report.activity import Phase
from migrator.ports.sync import SyncableSource
from migrator.ports.sync_state import TrackedRows
from migrator.sync.batch import SyncBatch
from migrator.sync.cascades.row_snapshot import TrackedCollection, load_tracked_rows, missing_tables
from migrator.sync.cascades.tracker import Tracker
from migrator.sync.known_tables import KnownDefinitions
from migrator.workers.announcer import Announcer
from migrator.workers.retry import RetryingCall

# Changed rows of one tracker that wait for the end of a transaction (rule 7).
_UNWRITTEN = 5000

# Makes sure that the documents of reaches become right later; when it returns, nothing of it can be lost.
DirtyMarker = Callable[[Scope, Iterable[DocumentRef]], None]


class CascadeTracking:
    """Each collection tracks the rows that it needs by itself: as of its own position.

    Attributes:
        watches: the columns of row events that are wanted.
        resolvers: what leads from row events to documents.
    """

    watches: dict[TableName, Watch]
    resolvers: dict[Scope, Resolver]

    def __init__(
        self,
        source: SyncableSource,
        stored: TrackedRows,
        batch: SyncBatch,
        mark_dirty: DirtyMarker,
        patience: RetryingCall,
        announcer: Announcer,
    ) -> None:
        """
        Args:
            batch: takes the reaches of rows that cascades changed.
            mark_dirty: is told what has to be looked at because cascades may have gone unseen.
        """
        self._source = source
        self._stored = stored
        self._batch = batch
        self._mark_dirty = mark_dirty
        self._patience = patience
        self._announcer = announcer
        self._is_needed = False
        self._cascades: dict[Scope, Cascades] = {}
        self._trackers: dict[Scope, Tracker] = {}

    def open(self) -> None:
        """Asks the source whether its log shows what cascades do."""
        self._is_needed = not self._source.cascades_are_logged()

    def look_up(self, tables: KnownDefinitions, collections: Mapping[Scope, Collection]) -> None:
        """Follows these definitions from here on. What trackers hold must be written, or is read again."""
        self._cascades = {scope: self._find_cascades(tables, each) for scope, each in collections.items()}
        hidden = [text for cascades in self._cascades.values() for text in cascades.hidden]
        if hidden:
            raise SyncBlocked(
                f"cascades that the log doesn't show can't be followed: {'; '.join(dict.fromkeys(hidden))}",
                hint="Name the database in the source URL, give the table a primary key, or the account SELECT on it.",
            )
        self.watches = watches(tables.schema, collections.values(), self._cascades.values(), tables.others)
        self.resolvers = {scope: Resolver(each, self.watches) for scope, each in collections.items()}
        self._trackers = {scope: self._tracker(scope, cascades) for scope, cascades in self._cascades.items()}

    def tables(self, scope: Scope) -> list[TableName]:
        """The tables whose events matter to a collection: mapped ones and those that cascades lead through."""
        cascades = self._cascades[scope]
        tracked = [*(each.table for each in cascades.tables), *(each.parent for each in cascades.tracked)]
        return list(dict.fromkeys((*self.resolvers[scope].collection.tables, *tracked)))

    # --- events ---

    def follow(self, scope: Scope, rows: Rows) -> int:
        """Collects row events; how many matter."""
        return self._trackers[scope].follow(rows)

    def truncated(self, scope: Scope, table: TableName) -> None:
        self._trackers[scope].truncated(table)

    def rolled_back(self, scope: Scope) -> None:
        """Rows of the transaction at hand were rolled back."""
        self._trackers[scope].rolled_back()

    def committed(self) -> None:
        for tracker in self._trackers.values():
            tracker.committed()

    # --- what they changed ---

    def resolve(self) -> None:
        """Walks through the collected events: what cascades changed goes into the batch."""
        for tracker in self._trackers.values():
            self._patience(tracker.resolve)

    @property
    def is_unwritten(self) -> bool:
        """Some tracked rows are changed in memory only."""
        return any(tracker.unwritten for tracker in self._trackers.values())

    def changes(self) -> list[TrackedChange]:
        """What is to be written, in this order."""
        return [change for tracker in self._trackers.values() for change in tracker.changes()]

    def written(self) -> None:
        """All `changes` are in the state."""
        for tracker in self._trackers.values():
            if tracker.unwritten:
                tracker.written()

    def make_room(self) -> None:
        """Writes what a long transaction has changed, before its end."""
        for tracker in self._trackers.values():
            if tracker.unwritten > _UNWRITTEN:
                self._patience(tracker.flush)

    def flush(self) -> None:
        """Writes everything; what it led to is marked dirty first."""
        for tracker in self._trackers.values():
            self._patience(tracker.flush)

    def discard(self) -> None:
        """The events come again."""
        for tracker in self._trackers.values():
            tracker.discard()

    # --- tables that are tracked from now on, or read again ---

    def rewritten(
        self, tables: KnownDefinitions, text: str, coordinates: tuple[int, int]
    ) -> dict[Scope, list[TableName]]:
        """The tracked tables into which a statement may have put rows that had no events."""
        return {
            scope: [
                each.table
                for each in cascades.tables
                if tables.columns_rewritten(text, coordinates, each.table, each.columns)
            ]
            for scope, cascades in self._cascades.items()
        }

    def untrack(self, scope: Scope, tables: Sequence[TableName]) -> None:
        """These have to be read again."""
        if tables:
            # First the note: after a crash in between they are read again all the same.
            self._stored.add_tables(scope, dict.fromkeys(tables, ()))
        for table in tables:
            self._stored.remove_table(scope, table)

    def untrack_uncertain(self) -> bool:
        """Untracks the tables whose rows only the source knows, so that they are read again; whether there were any."""
        doubtful = [scope for scope, tracker in self._trackers.items() if tracker.uncertain]
        for scope in doubtful:
            self._trackers[scope].discard()
            self.untrack(scope, [each.table for each in self._cascades[scope].tables])
            self._trackers[scope].uncertain.clear()
        return bool(doubtful)

    def missing(self) -> list[TrackedCollection]:
        """What has to be tracked, and isn't."""
        parts = [self._missing(scope) for scope in self._cascades]
        return [part for part in parts if part.tables]

    def is_whole(self, part: TrackedCollection) -> bool:
        """Whether it has all tables that its collection tracks."""
        return len(part.tables) == len(self._cascades[part.scope].tables)

    def load(self, parts: Sequence[TrackedCollection], reached: Position | None) -> Position | None:
        """Reads the rows of `parts` in one snapshot, which contains all before `reached`; its position where that is
        known."""
        with (
            self._announcer.in_background(Phase("recording-keys")),
            self._announcer.waiting("the keys that cascades change to be recorded", self._source.blocked),
        ):
            return self._patience(partial(load_tracked_rows, self._source, parts, _load, _to_the_end, reached))

    def note_read(self, parts: Sequence[TrackedCollection]) -> None:
        """What was read of these is all there is."""
        for part in parts:
            self._stored.add_tables(part.scope, part.columns)

    def _find_cascades(self, tables: KnownDefinitions, collection: Collection) -> Cascades:
        return silent_cascades(tables.schema, [collection]) if self._is_needed else Cascades()

    def _missing(self, scope: Scope) -> TrackedCollection:
        needed = self._cascades[scope].tables
        known = self._stored.tables(scope) if needed else {}
        return TrackedCollection(scope, missing_tables(needed, known), self._trackers[scope])

    def _tracker(self, scope: Scope, cascades: Cascades) -> Tracker:
        def emit(rows: Rows) -> None:
            self._batch.add(scope, self.resolvers[scope].document_refs(rows))

        return Tracker(scope, cascades, self.watches, self._stored, emit, partial(self._secure, scope))

    def _secure(self, scope: Scope) -> None:
        """What is pending for a collection is marked durably: tracked rows that led to it are about to be written."""
        if refs := self._batch.take(scope):
            self._mark_dirty(scope, refs)
        if self._trackers[scope].uncertain:
            # After a crash the tables are read again all the same.
            self._stored.add_tables(scope, {each.table: () for each in self._cascades[scope].tables})


def _load(part: TrackedCollection, rows: Sequence[TrackedRow]) -> None:
    part.tracker.load(rows)


def _to_the_end() -> bool:
    return False
