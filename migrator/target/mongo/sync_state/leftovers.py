"""What sync stored for runs that are over: replaced by another, or abandoned."""

from __future__ import annotations

from migrator.model.change.events import Scope
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state.records import MongoRecords
from migrator.target.mongo.copy_state.runs import RUNS
from migrator.target.mongo.leases.write_guard import UnguardedWrites
from migrator.target.mongo.sync_state.dirty import DirtyEntries
from migrator.target.mongo.sync_state.sync_notes import SyncNotes
from migrator.target.mongo.sync_state.tracked import TrackedRows, names_of


def forget(session: Session) -> None:
    """Drops positions, dirty references, tracked rows and pauses of runs that are neither open nor live."""
    guard = UnguardedWrites(session)
    notes = SyncNotes(session, guard)
    dirty = DirtyEntries(session, guard, notes.take_marks)
    tracked = TrackedRows(session, guard)
    # Before the runs and records: what a run notes after this look is not looked at.
    scopes, memories, pauses = notes.scopes() | dirty.scopes(), tracked.names(), notes.pauses()
    at_work = set(session.retried(lambda: session.database[RUNS].distinct("_id", {"status": "open"})))
    live = _live(MongoRecords(session, guard))
    for scope in scopes - live:
        if scope.run not in at_work:
            notes.forget(scope)
            dirty.forget(scope)
    # After the notes: without those nobody takes the rows for complete.
    tracked.drop(memories - names_of(memories, at_work, live))
    for collection, run in pauses.items():
        if run not in at_work:
            notes.withdraw_pause(collection, run)


def _live(records: MongoRecords) -> set[Scope]:
    """What the records say, and what they will say when a swap that was begun is finished."""
    found: set[Scope] = set()
    for name, entry in records.entries().items():
        found |= {Scope(entry.record.run, name)} if entry.record else set()
        found |= {Scope(entry.intent.record.run, name)} if entry.intent else set()
    return found
