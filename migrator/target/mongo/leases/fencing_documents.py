"""Which document fences a write: of a live collection, a staged one, or the state (premise C)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrator.errors import LeaseLost, MigratorError, TargetUnavailable
from migrator.model.change.events import Scope
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state.records import COLLECTION
from migrator.target.mongo.leases.store import LeaseId
from migrator.target.mongo.leases.write_guard import FencingDocument
from migrator.target.mongo.sync_state.scope_documents import SYNC
from migrator.target.mongo.sync_state.scopes import of_scope


def live(session: Session, scope: Scope) -> FencingDocument:
    """The record of the live collection: as long as it names the scope's run, and nobody is about to replace it.

    Recording that intent is a write to the same document. So when it is recorded, no write of an earlier run is under
    way, and none comes after it.
    """
    where = f"{session.url.address}, {scope.collection}"

    def why_not(found: Mapping[str, Any] | None) -> MigratorError | None:
        if found is None or found.get("run") != scope.run:
            return LeaseLost(
                "another run has replaced this collection in the meantime", where=where, hint="Start sync again."
            )
        if "intent" in found:
            return TargetUnavailable(
                "somebody is about to replace this collection", where=where, hint="Let apply finish."
            )
        return None

    wanted = {"_id": scope.collection, "run": scope.run, "intent": {"$exists": False}}
    return FencingDocument(COLLECTION, wanted, why_not)


def staged(session: Session, scope: Scope) -> FencingDocument:
    """The document that also holds the scope's position; it goes when the run is over."""

    def why_not(found: Mapping[str, Any] | None) -> MigratorError | None:
        if found is None:
            return LeaseLost(
                f"run {scope.run} is over", where=f"{session.url.address}, {scope.collection}", hint="Apply again."
            )
        return None

    _ensure(session, of_scope(scope), "position")
    return FencingDocument(SYNC, {"_id": of_scope(scope)}, why_not)


def state(session: Session, lease: LeaseId) -> FencingDocument:
    """A document for each lease, for what its owner stores."""
    fence = {"fence": lease}
    _ensure(session, fence, "fence")
    return FencingDocument(SYNC, {"_id": fence}, lambda found: None)


def _ensure(session: Session, name: Mapping[str, str], kind: str) -> None:
    change = {"$setOnInsert": {"kind": kind}}
    session.retried(lambda: session.database[SYNC].update_one({"_id": name}, change, upsert=True))
