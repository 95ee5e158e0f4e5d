"""What verify reads of a folder of BSON files, and what it records there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from migrator.model.change.events import Scope
from migrator.model.plan.chunk import Key, Rejected
from migrator.model.plan.run import Run
from migrator.model.report.sums import NodeSums, SummedNode
from migrator.model.report.verify import Pass, Published
from migrator.model.serialize import from_json, to_json
from migrator.model.text.values import key_text
from migrator.target.files import sums
from migrator.target.files.bson_file_index import BsonFileIndex
from migrator.target.files.collection_store import FilesCollectionStore
from migrator.target.files.database import StateDatabase
from migrator.target.files.folder import Folder
from migrator.target.files.records import FilesRecords
from migrator.target.published_mappings import published

_PASSES = "CREATE TABLE IF NOT EXISTS passes (name TEXT PRIMARY KEY, text TEXT NOT NULL)"


class FilesVerifyState:
    """Implements migrator.ports.verify.VerifyState."""

    def __init__(self, folder: Folder, database: StateDatabase, place: FilesCollectionStore) -> None:
        self._folder = folder
        self._database = database
        self._place = place

    def published(self) -> tuple[Published, ...]:
        with self._database.read() as state:
            names = [name for (name,) in state.execute("SELECT name FROM collections")]
        return self.published_of(names)

    def published_of(self, names: Iterable[str]) -> tuple[Published, ...]:
        """Those of these names that `published` returns."""
        return published(names, self._place, FilesRecords(self._database), self._run, lambda scope: None)

    def recorded(self, scope: Scope, keys: Sequence[Key]) -> frozenset[Key]:
        texts = {key: key_text(key) for key in keys}
        wanted = set(texts.values())
        with self._database.read() as state:
            rows = state.execute(
                "SELECT json_extract(text, '$.document') FROM rejected WHERE run = ? AND collection = ?",
                (scope.run, scope.collection),
            )
            found = {name for (name,) in rows if name in wanted}
        return frozenset(key for key, text in texts.items() if text in found)

    def count_rejected(self, scope: Scope) -> int:
        return FilesRecords(self._database).rejected(scope.collection, scope.run)

    def reasons(self, scope: Scope, limit: int) -> list[Rejected]:
        with self._database.read() as state:
            rows = state.execute(
                "SELECT text FROM rejected WHERE run = ? AND collection = ? ORDER BY chunk, n LIMIT ?",
                (scope.run, scope.collection, limit),
            )
            return [from_json(Rejected, text) for (text,) in rows]

    def rejected(self, scope: Scope, limit: int) -> list[str]:
        with self._database.read() as state:
            rows = state.execute(
                "SELECT DISTINCT json_extract(text, '$.document') FROM rejected "
                "WHERE run = ? AND collection = ? LIMIT ?",
                (scope.run, scope.collection, limit),
            )
            return [name for (name,) in rows]

    def sums(self, collection: str, nodes: Sequence[SummedNode]) -> tuple[NodeSums, ...]:
        return sums.sums(self._folder, collection, nodes)

    def last_pass(self) -> Pass | None:
        with self._database.read() as state:
            try:
                found = state.execute("SELECT text FROM passes WHERE name = 'verify'").fetchone()
            except sqlite3.OperationalError:
                # A state that no verify has written to yet has no such table.
                return None
        return from_json(Pass, found[0], where=str(self._folder.database)) if found else None

    def save_pass(self, one: Pass) -> None:
        with self._database.write() as state:
            state.execute(_PASSES)
            state.execute("REPLACE INTO passes VALUES ('verify', ?)", (to_json(one),))

    def stored(self, collection: str) -> BsonFileIndex:
        return BsonFileIndex(self._folder, collection)

    def _run(self, run_id: str) -> Run | None:
        with self._database.read() as state:
            found = state.execute("SELECT text FROM runs WHERE id = ?", (run_id,)).fetchone()
        return from_json(Run, found[0], where=str(self._folder.database)) if found else None
