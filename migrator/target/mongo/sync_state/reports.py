"""The last report of a sync, a document of `_migrator_sync`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from migrator.model.change.events import SyncReport
from migrator.model.serialize import from_json, to_json
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.sync_state.scope_documents import SYNC

_REPORT = "report"


class MongoSyncReports:
    """Implements migrator.ports.sync_state.SyncReports."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save(self, report: SyncReport) -> None:
        change = {"$set": {"kind": "report", "report": to_json(report)}, "$currentDate": {"noted": True}}
        # Of whoever reports last: one that lost its lease may still say so.
        self._session.retried(lambda: self._reports.update_one({"_id": _REPORT}, change, upsert=True))

    def last(self) -> SyncReport | None:
        found = self.last_with_time()
        return None if found is None else found[0]

    def last_with_time(self) -> tuple[SyncReport, datetime | None] | None:
        """The last report, and when it was saved, by the target's clock. An earlier version did not save that: None."""
        found = self._session.retried(lambda: self._reports.find_one({"_id": _REPORT}))
        if found is None:
            return None
        return from_json(SyncReport, found["report"], where=f"{SYNC}, {_REPORT}"), found.get("noted")

    @property
    def _reports(self) -> Collection[dict[str, Any]]:
        return self._session.database[SYNC]
