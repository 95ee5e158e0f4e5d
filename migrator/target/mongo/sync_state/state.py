"""What sync stores in a MongoDB database, in one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pymongo.client_session import ClientSession

from migrator.errors import TargetError
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
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state.runs import RUNS, run_of
from migrator.target.mongo.handovers import MongoHandovers
from migrator.target.mongo.leases.write_guard import WriteGuard, guarded
from migrator.target.mongo.sync_state.dirty import DirtyEntries
from migrator.target.mongo.sync_state.rejected import SyncRejected
from migrator.target.mongo.sync_state.sync_notes import SyncNotes
from migrator.target.mongo.sync_state.tracked import TrackedRows, names_of
from migrator.target.publish import CollectionPublisher


class MongoSyncState:
    """Implements migrator.ports.sync.SyncState."""

    def __init__(self, session: Session, publisher: CollectionPublisher, guard: WriteGuard) -> None:
        self._session = session
        self._publisher = publisher
        self._guard = guard
        self._notes = SyncNotes(session, guard)
        self._dirty = DirtyEntries(session, guard, self._notes.take_marks)
        self._tracked = TrackedRows(session, guard)
        self._rejected = SyncRejected(session, guard, self._notes.take_marks)

    def published(self) -> dict[str, str]:
        return self._publisher.published()

    def collection(self, scope: Scope) -> Collection:
        return self._notes.renewed(scope) or self._applied(scope)

    def renew(self, scope: Scope, collection: Collection, refs: Iterable[DocumentRef], why: str) -> None:
        marked = self._dirty.marking_dirty(scope, refs, why)
        renewed = self._notes.renewing(scope, collection)

        def work(session: ClientSession | None) -> None:
            # In this order: without a transaction a crash in between leaves work that is done in vain.
            marked(session)
            self._notes.update([renewed], session)

        guarded(self._guard, work)

    def _applied(self, scope: Scope) -> Collection:
        found = self._session.retried(lambda: self._session.database[RUNS].find_one({"_id": scope.run}))
        if found is not None:
            for plan in run_of(found).plan.collections:
                if plan.collection.name == scope.collection:
                    return plan.collection
        raise TargetError(
            f"the state has no run {scope.run} with a collection {scope.collection}",
            where=f"{self._session.url.address}, {RUNS}",
            hint=f"Somebody removed it; copy the collection again: migrator apply --replace {scope.collection}",
        )

    def positions(self, scopes: Iterable[Scope]) -> dict[Scope, Position]:
        return self._notes.positions(scopes)

    def save(
        self,
        scopes: Iterable[Scope],
        position: Position,
        tracked: Sequence[TrackedChange] = (),
        known: Mapping[Scope, KnownTables] | None = None,
    ) -> None:
        if not self._tracked.fit(tracked):
            for each in tracked:
                self._tracked.put(each.scope, each.rows)
                self._tracked.remove(each.scope, each.table, each.gone)
            tracked = ()
        self._tracked.prepare(tracked)
        updates = self._notes.at(scopes, position, known or {})

        def work(session: ClientSession | None) -> None:
            self._tracked.change(tracked, session)
            self._notes.update(updates, session)

        if tracked or updates:
            guarded(self._guard, work)

    def known_tables(self, scopes: Iterable[Scope]) -> dict[Scope, KnownTables]:
        return self._notes.known_tables(scopes)

    def note_lost(self, scopes: Iterable[Scope], reason: str) -> None:
        self._notes.note_lost(scopes, reason)

    def lost(self, scope: Scope) -> str:
        return self._notes.lost(scope)

    def mark_dirty(self, scope: Scope, refs: Iterable[DocumentRef], why: str = "") -> None:
        self._dirty.mark_dirty(scope, refs, why)

    def dirty(self, scope: Scope, limit: int) -> list[DirtyEntry]:
        return self._dirty.oldest(scope, limit)

    def count_dirty(self, scopes: Iterable[Scope]) -> int:
        return self._dirty.count(scopes)

    def wide(self, scope: Scope) -> list[DirtyEntry]:
        return self._dirty.wide(scope)

    def advance(self, scope: Scope, entry: DirtyEntry, after: Key, done: int) -> None:
        self._dirty.advance(scope, entry, after, done)

    def settle(self, scope: Scope, entries: Iterable[DirtyEntry]) -> None:
        self._dirty.settle(scope, entries)

    def put_tracked(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        self._tracked.put(scope, rows)

    def load_tracked(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        self._tracked.load(scope, rows)

    def drop_tracked(self, scope: Scope, table: TableName, keys: Sequence[Key]) -> None:
        self._tracked.remove(scope, table, keys)

    def drop_tracked_table(self, scope: Scope, table: TableName) -> None:
        self._tracked.remove_table(scope, table)

    def tracked_tables(self, scope: Scope) -> dict[TableName, tuple[str, ...]]:
        return self._notes.tracked_tables(scope)

    def note_tracked_tables(self, scope: Scope, tables: Mapping[TableName, Sequence[str]]) -> None:
        self._notes.note_tracked_tables(scope, tables)

    def tracked(
        self, scope: Scope, table: TableName, columns: Sequence[str], values: Sequence[Key], limit: int
    ) -> list[TrackedRow]:
        return self._tracked.find(scope, table, columns, values, limit)

    def note_rejected(self, scope: Scope, keys: Sequence[Key], rejected: Sequence[Rejected], *, conflict: bool) -> None:
        self._rejected.note(scope, keys, rejected, conflict=conflict)

    def clear_rejected(self, scope: Scope, keys: Sequence[Key]) -> None:
        self._rejected.clear(scope, keys)

    def has_rejected(self, scope: Scope) -> bool:
        return self._rejected.any(scope)

    def rejected_among(self, scope: Scope, keys: Sequence[Key]) -> frozenset[Key]:
        return self._rejected.among(scope, keys)

    def rejected_keys(self, scope: Scope, after: str | None, limit: int) -> list[tuple[str, Key]]:
        return self._rejected.keys(scope, after, limit)

    def forget_copied_rejected(self, scope: Scope) -> None:
        self._rejected.forget_copied(scope)

    def conflicting(self, scope: Scope, limit: int) -> list[Key]:
        return self._rejected.conflicting(scope, limit)

    def ask_pause(self, collection: str, run: str) -> None:
        self._notes.ask_pause(collection, run)

    def withdraw_pause(self, collection: str, run: str) -> None:
        self._notes.withdraw_pause(collection, run)

    def pauses(self) -> dict[str, str]:
        return self._notes.pauses()

    def handed_over(self) -> dict[str, str]:
        found = MongoHandovers(self._session).handed_over()
        return {name: f"the application has it since {each.at} (cutover by {each.by})" for name, each in found.items()}

    def report(self, report: SyncReport) -> None:
        self._notes.report(report)

    def last_report(self) -> SyncReport | None:
        return self._notes.last_report()

    def forget(self, run: str) -> None:
        self._notes.forget_run(run)
        self._dirty.forget_run(run)
        self._tracked.drop(names_of(self._tracked.names(), [run], ()))
