"""Which live collections sync follows, and the mappings that their documents are made by."""

from __future__ import annotations

from collections.abc import Iterable

from pymongo.client_session import ClientSession

from migrator.errors import TargetError
from migrator.model.change.events import DocumentRef, Scope
from migrator.model.mapping.tree import Collection
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state.runs import RUNS, run_of
from migrator.target.mongo.handovers import MongoHandovers
from migrator.target.mongo.leases.write_guard import WriteGuard, guarded
from migrator.target.mongo.sync_state.dirty import MongoDirtyRefs
from migrator.target.mongo.sync_state.scope_documents import ScopeDocuments, packed
from migrator.target.publish import CollectionPublisher


class MongoLiveCollections:
    """Implements migrator.ports.sync_state.LiveCollections."""

    def __init__(
        self,
        session: Session,
        guard: WriteGuard,
        publisher: CollectionPublisher,
        documents: ScopeDocuments,
        dirty: MongoDirtyRefs,
    ) -> None:
        self._session = session
        self._guard = guard
        self._publisher = publisher
        self._documents = documents
        self._dirty = dirty

    def published(self) -> dict[str, str]:
        return self._publisher.published()

    def handed_over(self) -> dict[str, str]:
        found = MongoHandovers(self._session).handed_over()
        return {name: f"the application has it since {each.at} (cutover by {each.by})" for name, each in found.items()}

    def mapping(self, scope: Scope) -> Collection:
        return self._documents.renewed(scope) or self._applied(scope)

    def renew(self, scope: Scope, mapping: Collection, refs: Iterable[DocumentRef], why: str) -> None:
        marked = self._dirty.marking(scope, refs, why)

        def work(session: ClientSession | None) -> None:
            # In this order: without a transaction a crash in between leaves work that is done in vain.
            marked(session)
            self._documents.change_within({scope: {"renewed": packed(mapping)}}, session)

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
