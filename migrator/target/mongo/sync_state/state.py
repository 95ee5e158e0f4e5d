"""The parts of what sync keeps in a MongoDB database, put together."""

from __future__ import annotations

from migrator.ports.sync_state import SyncState
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.leases.write_guard import WriteGuard
from migrator.target.mongo.sync_state.dirty import MongoDirtyRefs
from migrator.target.mongo.sync_state.live_collections import MongoLiveCollections
from migrator.target.mongo.sync_state.pauses import MongoPauses
from migrator.target.mongo.sync_state.positions import MongoPositions
from migrator.target.mongo.sync_state.rejected import MongoRejectedDocuments
from migrator.target.mongo.sync_state.reports import MongoSyncReports
from migrator.target.mongo.sync_state.scope_documents import ScopeDocuments
from migrator.target.mongo.sync_state.tracked import MongoTrackedRows
from migrator.target.publish import CollectionPublisher


def mongo_sync_state(session: Session, publisher: CollectionPublisher, guard: WriteGuard) -> SyncState:
    """All roles over one database; their writes go through `guard`, except pauses and reports."""
    documents = ScopeDocuments(session, guard)
    dirty = MongoDirtyRefs(session, guard)
    tracked = MongoTrackedRows(session, guard, documents)
    return SyncState(
        MongoLiveCollections(session, guard, publisher, documents, dirty),
        MongoPositions(guard, documents, tracked),
        dirty,
        tracked,
        MongoRejectedDocuments(session, guard),
        MongoPauses(session),
        MongoSyncReports(session),
    )
