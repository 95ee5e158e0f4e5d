"""Runs, chunks and rejected rows in the state's SQLite database."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from typing import Literal

from migrator.errors import TargetError
from migrator.model.plan.chunk import Chunk, KeyRange, Rejected
from migrator.model.plan.run import CollectionProgress, Run
from migrator.model.serialize import from_json, to_json
from migrator.target.files.collection_store import FilesCollectionStore
from migrator.target.files.database import AnyDatabase
from migrator.target.files.failure import translated
from migrator.target.files.folder import Folder

_PROGRESS = """
SELECT r.collection, r.planned,
       coalesce((SELECT c.run = r.run FROM collections c WHERE c.name = r.collection), 0) AS published,
       count(k.number), coalesce(sum(k.done), 0), coalesce(sum(k.documents), 0), coalesce(sum(k.rows), 0),
       coalesce(sum(k.bytes), 0), coalesce(sum(k.rejected), 0)
FROM run_collections r LEFT JOIN chunks k ON k.run = r.run AND k.collection = r.collection
WHERE r.run = ? GROUP BY r.rowid ORDER BY r.rowid
"""


class FilesState:
    """Implements migrator.ports.copy.State."""

    def __init__(self, folder: Folder, database: AnyDatabase, place: FilesCollectionStore) -> None:
        self._folder = folder
        self._database = database
        self._place = place

    def open_run(self) -> Run | None:
        with self._database.read() as state:
            found = state.execute("SELECT text FROM runs WHERE status = 'open'").fetchone()
        return from_json(Run, found[0], where=str(self._folder.database)) if found else None

    def begin(self, run: Run) -> None:
        names = [(run.id, plan.collection.name) for plan in run.plan.collections]
        with self._database.write() as state:
            # The sums of finished runs are of no use any more; their rejected rows stay, for people.
            state.execute("DELETE FROM chunks WHERE run <> ?", (run.id,))
            state.execute("REPLACE INTO runs VALUES (?, 'open', ?, ?)", (run.id, run.started, to_json(run)))
            state.executemany("REPLACE INTO run_collections (run, collection) VALUES (?, ?)", names)

    def take_over(self, run_id: str) -> None:
        holding = self._place.holding
        with self._database.write() as state:
            # Neither started nor finished by a predecessor's worker from now on: see FilesWriter.
            state.execute(
                "UPDATE chunks SET holding = ?, by = '' WHERE run = ? AND done = 0 AND holding < ?",
                (holding, run_id, holding),
            )

    def finish(self, run_id: str, status: Literal["done", "abandoned"]) -> None:
        with self._database.write() as state:
            state.execute("UPDATE runs SET status = ? WHERE id = ?", (status, run_id))
        self.clean()

    def clean(self) -> None:
        """Removes what finished runs left next to the live files."""
        with self._database.read() as state:
            finished = [run for (run,) in state.execute("SELECT id FROM runs WHERE status <> 'open'")]
        for run_id in finished:
            path = self._folder.run(run_id)
            with translated(path):
                if path.exists():
                    shutil.rmtree(path)

    def add_chunks(self, chunks: Sequence[Chunk]) -> None:
        rows = [(chunk.run, chunk.collection, chunk.number, to_json(chunk.range), chunk.holding) for chunk in chunks]
        with self._database.write() as state:
            state.executemany(
                "INSERT OR IGNORE INTO chunks (run, collection, number, range, holding) VALUES (?, ?, ?, ?, ?)", rows
            )

    def all_planned(self, run_id: str, collection: str) -> None:
        with self._database.write() as state:
            self._update(state, "planned = 1", run_id, collection)

    def progress(self, run_id: str) -> dict[str, CollectionProgress]:
        with self._database.read() as state:
            rows = state.execute(_PROGRESS, (run_id,)).fetchall()
            return {
                name: CollectionProgress(
                    name, bool(planned), _last(state, run_id, name), chunks, done, bool(published), *sums
                )
                for name, planned, published, chunks, done, *sums in rows
            }

    def pending(self, run_id: str, collection: str) -> list[Chunk]:
        with self._database.read() as state:
            found = state.execute(
                "SELECT number, range, attempt FROM chunks "
                "WHERE run = ? AND collection = ? AND done = 0 ORDER BY number",
                (run_id, collection),
            ).fetchall()
        return [
            Chunk(run_id, collection, number, from_json(KeyRange, keys), attempt + 1, self._place.holding)
            for number, keys, attempt in found
        ]

    def reset(self, run_id: str, collection: str) -> None:
        with self._database.write() as state:
            for table in ("chunks", "rejected"):
                state.execute(f"DELETE FROM {table} WHERE run = ? AND collection = ?", (run_id, collection))
            self._update(state, "planned = 0, assembled = 0, assembled_bytes = 0", run_id, collection)
        self._place.discard(run_id, collection)

    def rejected(self, run_id: str, limit: int) -> list[Rejected]:
        with self._database.read() as state:
            found = state.execute(
                "SELECT text FROM rejected WHERE run = ? ORDER BY collection, chunk, n LIMIT ?", (run_id, limit)
            ).fetchall()
        return [from_json(Rejected, text) for (text,) in found]

    def count_rejected(self, run_id: str) -> int:
        with self._database.read() as state:
            (count,) = state.execute("SELECT count(*) FROM rejected WHERE run = ?", (run_id,)).fetchone()
        return int(count)

    def _update(self, state: sqlite3.Connection, change: str, run_id: str, collection: str) -> None:
        done = state.execute(
            f"UPDATE run_collections SET {change} WHERE run = ? AND collection = ?", (run_id, collection)
        )
        if not done.rowcount:
            raise TargetError(
                f"the state has no run {run_id} with a collection {collection}",
                where=str(self._folder.database),
                hint="Somebody removed it; apply again with --restart.",
            )


def _last(state: sqlite3.Connection, run_id: str, collection: str) -> KeyRange | None:
    found = state.execute(
        "SELECT range FROM chunks WHERE run = ? AND collection = ? ORDER BY number DESC LIMIT 1", (run_id, collection)
    ).fetchone()
    return from_json(KeyRange, found[0]) if found else None
