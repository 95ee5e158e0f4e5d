"""Records of published collections as rows of the state."""

from __future__ import annotations

from collections.abc import Callable

from migrator.errors import LeaseLost
from migrator.model.serialize import from_json, to_json
from migrator.target.files.database import AnyDatabase
from migrator.target.record import Entry, Intent, Record


class FilesRecords:
    """Implements migrator.target.store_protocols.Records."""

    def __init__(self, database: AnyDatabase) -> None:
        self._database = database

    def get(self, name: str) -> Entry:
        with self._database.read() as state:
            found = state.execute("SELECT record, intent FROM collections WHERE name = ?", (name,)).fetchone()
        return _entry(name, *(found or (None, None)))

    def entries(self) -> dict[str, Entry]:
        with self._database.read() as state:
            found = state.execute("SELECT name, record, intent FROM collections").fetchall()
        return {name: _entry(name, record, intent) for name, record, intent in found}

    def unsettled(self) -> list[str]:
        with self._database.read() as state:
            return [name for (name,) in state.execute("SELECT name FROM collections WHERE intent IS NOT NULL")]

    def intend(self, name: str, intent: Intent) -> None:
        with self._database.write() as state:
            state.execute(
                "INSERT INTO collections (name, intent) VALUES (?, ?) "
                "ON CONFLICT DO UPDATE SET intent = excluded.intent",
                (name, to_json(intent)),
            )

    def forget_intent(self, name: str) -> None:
        with self._database.write() as state:
            state.execute("UPDATE collections SET intent = NULL WHERE name = ?", (name,))

    def settle(self, name: str, record: Record) -> None:
        with self._database.write() as state:
            state.execute(
                "INSERT INTO collections (name, run, record) VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
                "SET run = excluded.run, record = excluded.record, intent = NULL",
                (name, record.run, to_json(record)),
            )

    def amend(self, name: str, change: Callable[[Record], Record]) -> Record:
        record = self.get(name).record
        if record is None:
            raise LeaseLost("the state no longer contains this collection", where=name, hint="Apply again.")
        changed = change(record)
        with self._database.write() as state:
            state.execute("UPDATE collections SET record = ? WHERE name = ?", (to_json(changed), name))
        return changed

    def rejected(self, name: str, run_id: str) -> int:
        with self._database.read() as state:
            found = state.execute("SELECT count(*) FROM rejected WHERE run = ? AND collection = ?", (run_id, name))
            (count,) = found.fetchone()
        return int(count)


def _entry(name: str, record: str | None, intent: str | None) -> Entry:
    return Entry(
        from_json(Record, record, where=name) if record else None,
        from_json(Intent, intent, where=name) if intent else None,
    )
