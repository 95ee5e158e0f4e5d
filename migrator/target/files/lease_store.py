"""The lease as a row of the state."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.model.serialize import from_json, to_json
from migrator.target.files.database import LeasedDatabase, StateDatabase
from migrator.target.lease import HeldLease, Holding, Owner

_NAME = "target"


@dataclass(frozen=True, slots=True)
class FilesLease:
    """Implements migrator.ports.copy.Lease.

    Attributes:
        held: keeps it alive.
        number: higher than that of every holding before this one.
    """

    held: HeldLease
    number: int

    def check(self) -> None:
        self.held.check()


class FilesLeaseStore:
    """Implements migrator.target.lease.LeaseStore."""

    def __init__(self, database: StateDatabase, where: str) -> None:
        self._database = database
        self._where = where

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

    def number(self, token: str) -> int:
        """The number of the holding that `token` is of.

        Raises:
            LeaseLost: when somebody has taken it over already.
        """
        with LeasedDatabase(self._database, token, self._where).write() as state:
            number = state.execute("INSERT INTO holdings (token) VALUES (?)", (token,)).lastrowid
        assert number is not None, "an INSERT leaves a row"
        return number
