"""What sync stored for runs that are over: replaced by another, or abandoned."""

from __future__ import annotations

from migrator.model.change.events import Scope
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state.records import MongoRecords
from migrator.target.mongo.copy_state.runs import RUNS
from migrator.target.mongo.leases.write_guard import UnguardedWrites
from migrator.target.mongo.sync_state.dirty import MongoDirtyRefs
from migrator.target.mongo.sync_state.pauses import MongoPauses
from migrator.target.mongo.sync_state.scope_documents import ScopeDocuments
from migrator.target.mongo.sync_state.tracked import MongoTrackedRows, names_of


def forget(session: Session) -> None:
    """Drops positions, dirty references, tracked rows and pauses of runs that are neither open nor live."""
    guard = UnguardedWrites(session)
    documents = ScopeDocuments(session, guard)
    dirty = MongoDirtyRefs(session, guard)
    tracked = MongoTrackedRows(session, guard, documents)
    pauses = MongoPauses(session)
    # Before the runs and records: what a run writes after this read is not looked at.
    scopes, names, asked = documents.scopes() | dirty.scopes(), tracked.names(), pauses.asked()
    at_work = set(session.retried(lambda: session.database[RUNS].distinct("_id", {"status": "open"})))
    live = _live(MongoRecords(session, guard))
    for scope in scopes - live:
        if scope.run not in at_work:
            documents.forget(scope)
            dirty.forget(scope)
    # After the scopes' documents: without those nobody takes the rows for complete.
    tracked.drop(names - names_of(names, at_work, live))
    for collection, run in asked.items():
        if run not in at_work:
            pauses.withdraw(collection, run)


def _live(records: MongoRecords) -> set[Scope]:
    """What the records say, and what they will say when a swap that was begun is finished."""
    found: set[Scope] = set()
    for name, entry in records.entries().items():
        found |= {Scope(entry.record.run, name)} if entry.record else set()
        found |= {Scope(entry.intent.record.run, name)} if entry.intent else set()
    return found
