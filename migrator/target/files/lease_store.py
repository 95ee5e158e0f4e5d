"""The lease as a row of the state."""

from __future__ import annotations

from migrator.model.serialize import from_json, to_json
from migrator.target.files.database import StateDatabase
from migrator.target.lease import Holding, Owner

_NAME = "target"


class FilesLeaseStore:
    """Implements migrator.target.lease.LeaseStore."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def read(self) -> Holding | None:
        with self._database.read() as state:
            found = state.execute("SELECT owner, beat FROM leases WHERE name = ?", (_NAME,)).fetchone()
        return Holding(from_json(Owner, found[0], where="the lease"), found[1]) if found else None

    def take(self, owner: Owner, over: Holding | None) -> bool:
        with self._database.write() as state:
            found = state.execute("SELECT token, beat FROM leases WHERE name = ?", (_NAME,)).fetchone()
            expected = (over.owner.token, over.beat) if over else None
            if found != expected:
                return False
            state.execute("REPLACE INTO leases VALUES (?, ?, 0, ?)", (_NAME, owner.token, to_json(owner)))
        return True

    def renew(self, token: str, beat: int) -> bool:
        with self._database.write() as state:
            done = state.execute("UPDATE leases SET beat = ? WHERE name = ? AND token = ?", (beat, _NAME, token))
        return done.rowcount == 1

    def release(self, token: str) -> None:
        with self._database.write() as state:
            state.execute("DELETE FROM leases WHERE name = ? AND token = ?", (_NAME, token))
