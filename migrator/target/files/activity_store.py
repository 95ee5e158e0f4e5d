"""What running commands record about themselves, in the state's database. A folder's clock is that of the machine."""

from __future__ import annotations

from datetime import UTC, datetime

from migrator.model.change.events import SyncReport
from migrator.model.report.activity import Activity, Command, LeaseHolder, RecordedActivity
from migrator.model.serialize import from_json, to_json
from migrator.target.files.database import StateDatabase
from migrator.target.files.lease_store import FilesLeaseStore
from migrator.target.lease import Timing, named
from migrator.target.lease_holder import holder, lives
from migrator.target.process import ProcessId, this_process

_TABLE = (
    "CREATE TABLE IF NOT EXISTS activities "
    "(command TEXT PRIMARY KEY, noted REAL NOT NULL, process TEXT NOT NULL, text TEXT NOT NULL)"
)


class FilesActivityStore:
    """Implements migrator.ports.copy.ActivityStore."""

    def __init__(self, database: StateDatabase, lease: FilesLeaseStore, timing: Timing | None) -> None:
        self._database = database
        self._lease = lease
        self._timing = timing

    def now(self) -> datetime:
        return datetime.now(UTC)

    def record(self, activity: Activity) -> None:
        values = (activity.command, self.now().timestamp(), to_json(this_process()), to_json(activity))
        with self._database.write() as state:
            state.execute(_TABLE)
            state.execute("REPLACE INTO activities VALUES (?, ?, ?, ?)", values)

    def last_activity(self, command: Command) -> RecordedActivity | None:
        with self._database.read() as state:
            # A state that nobody has recorded anything in yet has no such table.
            if not state.execute("SELECT 1 FROM sqlite_master WHERE name = 'activities'").fetchone():
                return None
            asked = "SELECT noted, process, text FROM activities WHERE command = ?"
            found = state.execute(asked, (command,)).fetchone()
        if found is None:
            return None
        noted, process, text = found
        owner = from_json(ProcessId, process, where="the state")
        age = max(0.0, self.now().timestamp() - noted)
        return RecordedActivity(from_json(Activity, text, where="the state"), named(owner), lives(owner), age)

    def lease_holder(self, command: Command) -> LeaseHolder | None:
        return holder(self._lease, self.now(), self._timing) if command == "apply" else None

    def last_report(self) -> tuple[SyncReport, float] | None:
        """A folder is written once: no sync reports."""
        return None
