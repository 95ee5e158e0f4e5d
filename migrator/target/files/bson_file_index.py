"""Documents of a BSON file by `_id`.

A file has its documents in the order of the keys of the source, and verify asks by `_id`: where each stands is saved
once, in an SQLite file under `.migrator`. That is made again when the documents have changed.
"""

from __future__ import annotations

import mmap
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from functools import cached_property
from itertools import islice
from pathlib import Path

from migrator.errors import TargetError
from migrator.model.bson_elements import identity_of
from migrator.model.slices import slices
from migrator.target.files.failure import translated
from migrator.target.files.folder import Folder, file_name

_IDS_AT_ONCE = 2000
_NOTED_AT_ONCE = 20_000
# Whoever wrote to the file may have put a document there twice, so the place belongs to the key.
_SCHEMA = """
CREATE TABLE places (
    id BLOB NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL, PRIMARY KEY (id, start)
) WITHOUT ROWID
"""
_CACHE_KIB = 64_000


class BsonFileIndex:
    """Implements migrator.ports.verify.Stored. `prepare` first, in one process; then any number of them may read."""

    def __init__(self, folder: Folder, collection: str) -> None:
        self._folder = folder
        self._path = folder.documents(collection)
        self._collection = collection

    def prepare(self) -> None:
        """Makes the index unless there is one of this very file."""
        with translated(self._path):
            if self._index.exists():
                return
            self._index.parent.mkdir(parents=True, exist_ok=True)
            for old in self._index.parent.glob(f"{file_name(self._collection)}-*.sqlite3"):
                old.unlink()
            unfinished = self._index.with_suffix(".part")
            unfinished.unlink(missing_ok=True)
            with closing(sqlite3.connect(unfinished, isolation_level=None)) as index:
                _note(index, self._places())
            unfinished.replace(self._index)

    def find(self, ids: Sequence[bytes]) -> list[bytes]:
        with translated(self._path):
            places: list[tuple[int, int]] = []
            for some in slices(ids, _IDS_AT_ONCE):
                marks = ", ".join("?" * len(some))
                places += self._open.execute(f"SELECT start, length FROM places WHERE id IN ({marks})", some)
            return [self._bytes[start : start + length] for start, length in sorted(places)]

    def count(self) -> int:
        """Documents in the file; two with one `_id` are two."""
        return sum(1 for _ in self._places())

    def ids(self) -> Iterator[list[bytes]]:
        places = self._places()
        while some := [identity for identity, _, _ in islice(places, _IDS_AT_ONCE)]:
            yield some

    def close(self) -> None:
        for name in ("_open", "_bytes"):
            if name in self.__dict__:
                with suppress(BufferError):
                    self.__dict__.pop(name).close()

    def _places(self) -> Iterator[tuple[bytes, int, int]]:
        """`{_id: ...}`, start and length of every document in the file's order."""
        if not self._path.exists() or not self._path.stat().st_size:
            return
        content = self._bytes
        size, start = len(content), 0
        while start < size:
            length = int.from_bytes(content[start : start + 4], "little")
            if length < 5 or start + length > size:
                raise TargetError(
                    f"not a BSON document at byte {start}",
                    where=str(self._path),
                    hint="The file is damaged: apply again.",
                )
            yield identity_of(content[start : start + length]), start, length
            start += length

    @cached_property
    def _bytes(self) -> mmap.mmap | bytes:
        with translated(self._path):
            if not self._path.exists() or not self._path.stat().st_size:
                return b""
            with self._path.open("rb") as file:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    @cached_property
    def _open(self) -> sqlite3.Connection:
        self.prepare()
        # Looked into by one thread at a time, though not always the same.
        return sqlite3.connect(f"{self._index.as_uri()}?mode=ro", uri=True, check_same_thread=False)

    @property
    def _index(self) -> Path:
        """Its name tells this version of the documents from others."""
        stat = self._path.stat() if self._path.exists() else None
        version = f"{stat.st_size}-{stat.st_mtime_ns}" if stat else "none"
        return self._folder.hidden / "places" / f"{file_name(self._collection)}-{version}.sqlite3"


def _note(index: sqlite3.Connection, places: Iterator[tuple[bytes, int, int]]) -> None:
    # A file that a crash left half written is made again: nothing has to be safe on the way.
    index.execute("PRAGMA journal_mode = OFF")
    index.execute("PRAGMA synchronous = OFF")
    index.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    index.execute(_SCHEMA)
    index.execute("BEGIN")
    while some := list(islice(places, _NOTED_AT_ONCE)):
        index.executemany("INSERT INTO places VALUES (?, ?, ?)", some)
    index.execute("COMMIT")
