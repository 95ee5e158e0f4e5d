"""A sync that writes nothing and says which documents it would rebuild: `sync --dry-run`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from migrator.model.change.coordinates import is_before
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
from migrator.model.text.values import key_text
from migrator.ports.sync import SyncableSource, SyncState, SyncTarget
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
        members = followable_members(source, state, frozenset(state.handed_over()), note)
    if not members:
        return None
    telling = _TellChanges(source, members, tell)
    with ExitStack() as stack:
        stack.callback(telling.close)
        renewals = TellRenewals(telling.mark_dirty)
        follower = stack.enter_context(
            Follower(source, _ReadOnlyState(state), members, telling, renewals, _nothing, retry_seconds, announcer)
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

    def __init__(self, source: SyncableSource, members: Sequence[Member], tell: Tell) -> None:
        self._collections = {member.scope: member.collection for member in members}
        self._tell = tell
        self._opened = OpenedSnapshots(source)

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

    def close(self) -> None:
        self._opened.close()

    async def _tell_changes(self, pending: Pending, reached: Position) -> None:
        async with self._opened.snapshots.at_least(reached) as snapshot:
            for scope, refs in pending.items():
                found = await find_root_keys(snapshot, self._collections[scope], refs)
                self._tell(WouldChange(scope.collection, tuple(map(key_text, found.keys)), len(found.waiting)))


class _ReadOnlyState:
    """A state that is read and not written. Implements migrator.ports.sync.SyncState."""

    def __init__(self, state: SyncState) -> None:
        self._state = state

    def published(self) -> dict[str, str]:
        return self._state.published()

    def collection(self, scope: Scope) -> Collection:
        return self._state.collection(scope)

    def positions(self, scopes: Iterable[Scope]) -> dict[Scope, Position]:
        return self._state.positions(scopes)

    def renew(self, scope: Scope, collection: Collection, refs: Iterable[DocumentRef], why: str) -> None:
        """Not kept."""

    def known_tables(self, scopes: Iterable[Scope]) -> dict[Scope, KnownTables]:
        return self._state.known_tables(scopes)

    def save(
        self,
        scopes: Iterable[Scope],
        position: Position,
        tracked: Sequence[TrackedChange] = (),
        known: Mapping[Scope, KnownTables] | None = None,
    ) -> None:
        """Not kept."""

    def note_lost(self, scopes: Iterable[Scope], reason: str) -> None:
        """Not kept."""

    def mark_dirty(self, scope: Scope, refs: Iterable[DocumentRef], why: str = "") -> None:
        """Not kept."""

    def dirty(self, scope: Scope, limit: int) -> list[DirtyEntry]:
        return self._state.dirty(scope, limit)

    def count_dirty(self, scopes: Iterable[Scope]) -> int:
        return self._state.count_dirty(scopes)

    def wide(self, scope: Scope) -> list[DirtyEntry]:
        return self._state.wide(scope)

    def advance(self, scope: Scope, entry: DirtyEntry, after: Key, done: int) -> None:
        """Not kept."""

    def settle(self, scope: Scope, entries: Iterable[DirtyEntry]) -> None:
        """Not kept."""

    def put_tracked(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        """Not kept: rows that came since the last sync are not found by their parent's cascade."""

    def load_tracked(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        """Not kept: a sync that finds them missing reads them again."""

    def drop_tracked(self, scope: Scope, table: TableName, keys: Sequence[Key]) -> None:
        """Not kept."""

    def drop_tracked_table(self, scope: Scope, table: TableName) -> None:
        """Not kept."""

    def tracked_tables(self, scope: Scope) -> dict[TableName, tuple[str, ...]]:
        return self._state.tracked_tables(scope)

    def note_tracked_tables(self, scope: Scope, tables: Mapping[TableName, Sequence[str]]) -> None:
        """Not kept."""

    def tracked(
        self, scope: Scope, table: TableName, columns: Sequence[str], values: Sequence[Key], limit: int
    ) -> list[TrackedRow]:
        return self._state.tracked(scope, table, columns, values, limit)

    def note_rejected(self, scope: Scope, keys: Sequence[Key], rejected: Sequence[Rejected], *, conflict: bool) -> None:
        """Not kept."""

    def clear_rejected(self, scope: Scope, keys: Sequence[Key]) -> None:
        """Not kept."""

    def has_rejected(self, scope: Scope) -> bool:
        return self._state.has_rejected(scope)

    def rejected_among(self, scope: Scope, keys: Sequence[Key]) -> frozenset[Key]:
        return self._state.rejected_among(scope, keys)

    def rejected_keys(self, scope: Scope, after: str | None, limit: int) -> list[tuple[str, Key]]:
        return self._state.rejected_keys(scope, after, limit)

    def forget_copied_rejected(self, scope: Scope) -> None:
        """Not forgotten."""

    def conflicting(self, scope: Scope, limit: int) -> list[Key]:
        return self._state.conflicting(scope, limit)

    def ask_pause(self, collection: str, run: str) -> None:
        """Not asked."""

    def withdraw_pause(self, collection: str, run: str) -> None:
        """Not asked."""

    def pauses(self) -> dict[str, str]:
        return self._state.pauses()

    def handed_over(self) -> dict[str, str]:
        return self._state.handed_over()

    def report(self, report: SyncReport) -> None:
        """Not kept."""

    def last_report(self) -> SyncReport | None:
        return self._state.last_report()

    def forget(self, run: str) -> None:
        """Not forgotten."""
