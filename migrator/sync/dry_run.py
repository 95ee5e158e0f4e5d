"""A sync that writes nothing and says which documents it would rebuild: `sync --dry-run`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from migrator.model.change.coordinates import is_before
from migrator.model.change.events import (
    DirtyEntry,
    DocumentRef,
    KnownTables,
    Scope,
    TableName,
    TrackedChange,
    TrackedRow,
)
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Key
from migrator.model.text.values import key_text
from migrator.ports.sync import SyncableSource, SyncTarget
from migrator.ports.sync_state import DirtyRefs, Positions, TrackedRows
from migrator.sync.change_handler import OpenedSnapshots, Pending
from migrator.sync.follower import Follower, Member
from migrator.sync.rebuild import Rebuilt
from migrator.sync.renewals import TellRenewals
from migrator.sync.root_keys import find_root_keys
from migrator.sync.sync import followable_members
from migrator.workers.announcer import Announcer

_STEP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class WouldChange:
    """Documents that one batch would rebuild.

    Attributes:
        keys: root keys as text.
        searched: references that lead to more documents than one batch rebuilds.
    """

    collection: str
    keys: tuple[str, ...]
    searched: int


Tell = Callable[[WouldChange], None]


def dry_run(
    source: SyncableSource,
    target: SyncTarget,
    tell: Tell,
    note: Callable[[str], None],
    retry_seconds: float,
    announcer: Announcer,
) -> Position | None:
    """Reads what was logged up to now, tells what a sync would do, and returns where it would stand then.

    Args:
        announcer: hears what is waited for.

    Raises:
        SyncBlocked, SourceError, TargetError: as `migrator.sync.sync.sync`.
    """
    with announcer.waiting("answers of the servers", source.blocked):
        source.require_followable()
        state = target.sync_state()
        members = followable_members(source, state, frozenset(state.collections.handed_over()), note)
    if not members:
        return None
    with ExitStack() as stack:
        telling = _TellChanges(stack.enter_context(OpenedSnapshots(source)), members, tell)
        renewals = TellRenewals(telling.mark_dirty)
        kept = replace(
            state,
            positions=_KeepPositions(state.positions),
            dirty=_KeepDirty(state.dirty),
            tracked=_KeepTracked(state.tracked),
        )
        follower = stack.enter_context(
            Follower(source, kept, members, telling, renewals, _nothing, retry_seconds, announcer)
        )
        with announcer.waiting("the source to say where its log ends"):
            goal = source.log_status(follower.reached).end
        while follower.progress.position is None or is_before(follower.progress.position, goal):
            with announcer.waiting("a batch to be read"):
                follower.step(_STEP_SECONDS)
        return follower.progress.position


def _nothing() -> None:
    """Nothing is written that a lease would have to allow."""


class _TellChanges:
    """Implements migrator.sync.change_handler.ChangeHandler."""

    def __init__(self, opened: OpenedSnapshots, members: Sequence[Member], tell: Tell) -> None:
        self._collections = {member.scope: member.collection for member in members}
        self._tell = tell
        self._opened = opened

    def handle(self, pending: Pending, reached: Position) -> Rebuilt:
        self._opened.run(self._tell_changes(pending, reached))
        return Rebuilt()

    def mark_dirty(self, scope: Scope, refs: Iterable[DocumentRef], why: str = "") -> None:
        """What a cascade changed without an event, or a statement altogether."""
        found = list(refs)
        keys = tuple(key_text(ref.values) for ref in found if ref.kind == "key")
        self._tell(WouldChange(scope.collection, keys, len(found) - len(keys)))

    def renew(self, scope: Scope, collection: Collection) -> None:
        self._collections[scope] = collection

    def process_dirty(self, reached: Position) -> Rebuilt | None:
        return None

    async def _tell_changes(self, pending: Pending, reached: Position) -> None:
        async with self._opened.snapshots.at_least(reached) as snapshot:
            for scope, refs in pending.items():
                found = await find_root_keys(snapshot, self._collections[scope], refs)
                self._tell(WouldChange(scope.collection, tuple(map(key_text, found.keys)), len(found.waiting)))


class _KeepPositions:
    """Positions that are read and not saved. Implements migrator.ports.sync_state.Positions."""

    def __init__(self, positions: Positions) -> None:
        self.load = positions.load
        self.known_tables = positions.known_tables

    def save(
        self,
        scopes: Iterable[Scope],
        position: Position,
        tracked: Sequence[TrackedChange] = (),
        known: Mapping[Scope, KnownTables] | None = None,
    ) -> None:
        """Not saved."""

    def mark_lost(self, scopes: Iterable[Scope], reason: str) -> None:
        """Not saved."""


class _KeepTracked:
    """Tracked rows that are read and not changed. Implements migrator.ports.sync_state.TrackedRows."""

    def __init__(self, tracked: TrackedRows) -> None:
        self.tables = tracked.tables
        self.find = tracked.find

    def put(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        """Not saved: rows that came since the last sync are not found by their parent's cascade."""

    def load(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        """Not saved: a sync that finds them missing reads them again."""

    def remove(self, scope: Scope, table: TableName, keys: Sequence[Key]) -> None:
        """Not removed."""

    def remove_table(self, scope: Scope, table: TableName) -> None:
        """Not removed."""

    def add_tables(self, scope: Scope, tables: Mapping[TableName, Sequence[str]]) -> None:
        """Not saved."""


class _KeepDirty:
    """Dirty references that are counted and not changed. Implements migrator.ports.sync_state.DirtyRefs."""

    def __init__(self, dirty: DirtyRefs) -> None:
        self.oldest = dirty.oldest
        self.wide = dirty.wide
        self.count = dirty.count

    def mark(self, scope: Scope, refs: Iterable[DocumentRef], why: str = "") -> None:
        """Not marked."""

    def advance(self, scope: Scope, entry: DirtyEntry, after: Key, done: int) -> None:
        """Not saved."""

    def settle(self, scope: Scope, entries: Iterable[DirtyEntry]) -> None:
        """Not removed."""
