"""What running commands record about themselves, as documents of `_migrator_activity`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo.collection import Collection

from migrator.model.change.events import SyncReport
from migrator.model.report.activity import Activity, Command, LeaseHolder, RecordedActivity
from migrator.model.serialize import from_json, to_json
from migrator.target.lease import Timing, named
from migrator.target.lease_holder import holder, lives
from migrator.target.mongo.connection.clock import server_time
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.leases.store import LeaseId, MongoLeaseStore
from migrator.target.mongo.sync_state.reports import MongoSyncReports
from migrator.target.process import ProcessId, this_process

ACTIVITY = "_migrator_activity"

_LEASES: dict[Command, LeaseId] = {"apply": "target", "sync": "sync"}


class MongoActivityStore:
    """Implements migrator.ports.copy.ActivityStore.

    Times are the server's own ($currentDate, and `localTime` of hello). After an election they are those of another
    machine; people are told ages, and nothing is decided by them.
    """

    def __init__(self, session: Session, timing: Timing | None) -> None:
        self._session = session
        self._timing = timing

    def now(self) -> datetime:
        return server_time(self._session)

    def record(self, activity: Activity) -> None:
        change = {
            "$set": {"process": asdict(this_process()), "activity": to_json(activity)},
            "$currentDate": {"noted": True},
        }
        self._session.once(lambda: self._activities.update_one({"_id": activity.command}, change, upsert=True))

    def last_activity(self, command: Command) -> RecordedActivity | None:
        found = self._session.retried(lambda: self._activities.find_one({"_id": command}))
        if found is None:
            return None
        activity = from_json(Activity, found["activity"], where=f"{ACTIVITY}, {command}")
        process = ProcessId(**found["process"])
        return RecordedActivity(activity, named(process), lives(process), self._age(found["noted"]))

    def lease_holder(self, command: Command) -> LeaseHolder | None:
        which = _LEASES.get(command)
        if which is None:
            return None
        store = MongoLeaseStore(self._session, which)
        now = self.now()
        return self._session.retried(lambda: holder(store, now, self._timing))

    def last_report(self) -> tuple[SyncReport, float] | None:
        found = MongoSyncReports(self._session).last_with_time()
        if found is None:
            return None
        report, noted = found
        # An earlier version recorded the time of its own machine only.
        return report, self._age(datetime.fromisoformat(report.at) if noted is None else noted)

    def _age(self, noted: datetime) -> float:
        return max(0.0, (self.now() - noted).total_seconds())

    @property
    def _activities(self) -> Collection[dict[str, Any]]:
        return self._session.database[ACTIVITY]
