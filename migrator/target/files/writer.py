"""Writes chunks: every attempt into a part file of its own, which counts once the state says so."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO

from migrator.errors import LeaseLost
from migrator.model.plan.chunk import Chunk, ChunkResult, Document, Key, Refusal, Rejected
from migrator.model.serialize import to_json
from migrator.target.files.database import StateDatabase
from migrator.target.files.failure import translated
from migrator.target.files.folder import Folder, sync_folder

# MongoDB's limit (maxBsonObjectSize): mongorestore could not load more.
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024


class FilesWriter:
    """Implements migrator.ports.copy.Writer. One chunk is open at a time."""

    def __init__(self, folder: Folder, database: StateDatabase) -> None:
        self._folder = folder
        self._database = database
        self._token = secrets.token_hex(8)
        self._part: BinaryIO | None = None

    def start(self, chunk: Chunk) -> None:
        """Records the attempt and opens its part.

        Raises:
            LeaseLost: when another process is at this attempt, or at a later one.
        """
        self.close()
        with self._database.write() as state:
            done = state.execute(
                "UPDATE chunks SET attempt = ?, by = ? WHERE run = ? AND collection = ? AND number = ? AND done = 0 "
                # Premise C: not one that a later holding of the lease has taken over.
                "AND holding <= ? AND (attempt < ? OR (attempt = ? AND by = ?))",
                (chunk.attempt, self._token, *_names(chunk), chunk.holding, chunk.attempt, chunk.attempt, self._token),
            )
            self._ensure_changed(done, chunk)
        path = self._folder.part(chunk)
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            for earlier in path.parent.glob(f"{chunk.number:08d}.bson.*"):
                earlier.unlink()
            self._part = path.open("wb")

    def write(self, chunk: Chunk, documents: Sequence[Document]) -> list[tuple[Key, Refusal]]:
        """Appends; see migrator.ports.copy.Writer."""
        path = self._folder.part(chunk)
        refused = [
            (each.key, Refusal(f"a document of {len(each.bson)} bytes; {MAX_DOCUMENT_BYTES} are allowed", 0))
            for each in documents
            if len(each.bson) > MAX_DOCUMENT_BYTES
        ]
        with translated(path):
            self._open_part().write(b"".join(each.bson for each in documents if len(each.bson) <= MAX_DOCUMENT_BYTES))
        return refused

    def remove(self, chunk: Chunk, ids: Sequence[bytes]) -> None:
        """Nothing to delete: what earlier attempts wrote is in files that don't count."""

    def finish(self, result: ChunkResult, rejected: Sequence[Rejected]) -> None:
        """Makes the part durable and notes the chunk as done.

        Raises:
            LeaseLost: when another process has begun the chunk again.
        """
        chunk, path = result.chunk, self._folder.part(result.chunk)
        with translated(path):
            part = self._open_part()
            part.flush()
            os.fsync(part.fileno())
            size = part.tell()
            self.close()
            sync_folder(path.parent)
        with self._database.write() as state:
            done = state.execute(
                "UPDATE chunks SET "
                "done = 1, part_bytes = ?, documents = ?, rows = ?, bytes = ?, rejected = ?, seconds = ? "
                "WHERE run = ? AND collection = ? AND number = ? AND attempt = ? AND by = ?",
                (size, *_sums(result), *_names(chunk), chunk.attempt, self._token),
            )
            self._ensure_changed(done, chunk)
            state.execute("DELETE FROM rejected WHERE run = ? AND collection = ? AND chunk = ?", _names(chunk))
            rows = ((*_names(chunk), n, to_json(each)) for n, each in enumerate(rejected))
            state.executemany("INSERT INTO rejected VALUES (?, ?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Leaves an unfinished part as it is; the next attempt removes it."""
        part, self._part = self._part, None
        if part is not None:
            # What could not be written when the disk was full can't be now; `write` has told.
            with suppress(OSError):
                part.close()

    def _open_part(self) -> BinaryIO:
        if self._part is None:
            raise ValueError("write and finish come after start")
        return self._part

    def _ensure_changed(self, done: sqlite3.Cursor, chunk: Chunk) -> None:
        if not done.rowcount:
            raise LeaseLost(
                f"another process has begun chunk {chunk.number} again, or finished or forgot it",
                where=f"{self._folder.root}, {chunk.collection}",
                hint="Let that one finish.",
            )


def _sums(result: ChunkResult) -> tuple[int | float, ...]:
    return result.documents, result.rows, result.bytes, result.rejected, result.seconds


def _names(chunk: Chunk) -> tuple[str, str, int]:
    return chunk.run, chunk.collection, chunk.number
