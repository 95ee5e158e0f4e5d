"""Collections of a folder: part files put together, then renamed over the live pair of files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

from migrator.errors import NotOwned, TargetError
from migrator.model.mapping.tree import IndexSpec
from migrator.model.plan.chunk import Chunk, KeyRange
from migrator.model.plan.plan import CollectionPlan
from migrator.target import indexes
from migrator.target.files import metadata
from migrator.target.files.database import AnyDatabase
from migrator.target.files.failure import translated
from migrator.target.files.folder import Folder, sync_folder, write_whole
from migrator.target.files.lease_store import FilesLease
from migrator.target.files.metadata import Metadata
from migrator.target.found_collection import FoundCollection
from migrator.target.record import Record
from migrator.waits import Building

_BUFFER = 4 * 1024 * 1024
# Parts are deleted as soon as so much of them is safe in the whole file: a copy needs little more room than its result.
_STEP_BYTES = 256 * 1024 * 1024
_ESTIMATE_BYTES = 1024 * 1024


class FilesCollectionStore:
    """Implements migrator.target.store_protocols.CollectionStore.

    A file is changed right after a look at the lease; what a process that was stopped changes later is in a folder
    that its successor has moved away.
    """

    def __init__(self, folder: Folder, database: AnyDatabase, lease: FilesLease | None = None) -> None:
        self._folder = folder
        self._database = database
        self._lease = lease

    @property
    def holding(self) -> int:
        return 0 if self._lease is None else self._lease.number

    def live(self, name: str) -> FoundCollection:
        """The pair of files of a collection. Its identity is the metadata's UUID and the documents' size."""
        documents = self._folder.documents(name)
        with translated(documents):
            size = documents.stat().st_size if documents.exists() else 0
            found = self._metadata(name)
            if documents.exists() and found is not None:
                return FoundCollection(
                    name, f"{found.uuid}-{size}", _estimate(documents, size), found.indexes, found.options
                )
            others = (documents, self._folder.metadata(name), *self._folder.compressed(name))
            foreign = [f"{path.name} {path.stat().st_mtime_ns}" for path in others if path.exists()]
            return FoundCollection(name, " ".join(foreign), _estimate(documents, size) if size else 0)

    def identities(self, names: Iterable[str]) -> dict[str, str]:
        found = map(self.live, names)
        return {seen.name: seen.identity for seen in found if seen.exists}

    def create(self, run_id: str, name: str) -> None:
        path = self._folder.loading(run_id, name, self.holding)
        with self._changing(path):
            path.mkdir(parents=True, exist_ok=True)

    def take_over(self, run_id: str, name: str) -> bool:
        found = self._folder.loadings(run_id, name)
        if not found:
            return False
        holding, path = found[-1]
        if holding < self.holding:
            with self._changing(path):
                path.rename(self._folder.loading(run_id, name, self.holding))
                sync_folder(path.parent)
        return holding <= self.holding

    def is_staged(self, run_id: str, name: str) -> bool:
        return self._folder.loading(run_id, name, self.holding).exists()

    def make_ready(
        self, run_id: str, plan: CollectionPlan, building: Building
    ) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
        """Puts the parts together. Nothing checks unique indexes here; mongorestore will build them."""
        name, specs = plan.collection.name, indexes.wanted(plan)
        self._assemble(run_id, name)
        path = self._folder.whole_metadata(run_id, name, self.holding)
        with self._changing(path):
            write_whole(path, metadata.fresh(name).with_indexes(specs).with_validator(plan.validator).dump())
        return specs, ()

    def swap(self, run_id: str, name: str, before: str) -> None:
        live = self._folder.documents(name)
        if not before and self.live(name).exists:
            raise NotOwned(
                "files of this name have just appeared, and migrator did not make them",
                where=str(live),
                hint="Rename or remove them, then apply again.",
            )
        with self._changing(live):
            self._folder.whole(run_id, name, self.holding).replace(live)

    def swapped(self, run_id: str, name: str, before: str, holding: int) -> bool:
        there = [each for each, _ in self._folder.loadings(run_id, name) if each >= holding]
        if any(self._folder.whole(run_id, name, each).exists() for each in there):
            return False
        if any(self._folder.whole_metadata(run_id, name, each).exists() for each in there):
            return True
        return self.live(name).identity not in ("", before)

    def complete_swap(self, record: Record) -> None:
        name, live = record.collection, self._folder.metadata(record.collection)
        new = self._folder.whole_metadata(record.run, name, self.holding)
        with self._changing(live):
            if new.exists():
                new.replace(live)
            # mongorestore refuses a collection that is there twice.
            for path in self._folder.compressed(name):
                path.unlink(missing_ok=True)
            sync_folder(self._folder.root)
        self.discard(record.run, name)

    def discard(self, run_id: str, name: str) -> None:
        for holding, path in self._folder.loadings(run_id, name):
            # What a later holding loads is not this one's to remove.
            if holding <= self.holding:
                with self._changing(path):
                    shutil.rmtree(path)

    def progress(self, run_id: str, name: str) -> str:
        """Indexes are only written down."""
        return ""

    def alter(
        self, name: str, drop: Iterable[str], create: Sequence[IndexSpec], building: Building
    ) -> tuple[tuple[IndexSpec, ...], tuple[str, ...]]:
        found = self._existing_metadata(name).without_indexes(drop)
        self._write_metadata(found.with_indexes(create))
        return tuple(create), ()

    def set_validator(self, name: str, validator: str) -> None:
        self._write_metadata(self._existing_metadata(name).with_validator(validator))

    def fill(self, name: str, documents: Sequence[bytes]) -> None:
        path = self._folder.documents(name)
        with self._changing(path):
            self._folder.root.mkdir(parents=True, exist_ok=True)
            write_whole(path, b"".join(documents))
        self._write_metadata(metadata.fresh(name))

    def _assemble(self, run_id: str, name: str) -> None:
        """Appends the parts in order, so that a crash at any point is followed by going on from the last safe step."""
        with self._database.read() as state:
            first, size = state.execute(
                "SELECT assembled, assembled_bytes FROM run_collections WHERE run = ? AND collection = ?",
                (run_id, name),
            ).fetchone()
            parts = state.execute(
                "SELECT number, attempt, part_bytes, done FROM chunks "
                "WHERE run = ? AND collection = ? AND number >= ? ORDER BY number",
                (run_id, name, first),
            ).fetchall()
        ready = list(
            takewhile(lambda numbered: numbered[1][0] == numbered[0] and numbered[1][3], enumerate(parts, first))
        )
        if len(ready) < len(parts):
            raise TargetError(
                f"chunk {first + len(ready)} is not finished", where=f"{self._folder.root}, {name}", hint="Apply again."
            )
        whole = self._folder.whole(run_id, name, self.holding)
        with self._changing(whole):
            whole.touch()
            with whole.open("r+b") as file:
                # What follows the last safe step may be torn.
                file.truncate(size)
                file.seek(size)
                used: list[Path] = []
                safe = size
                for number, (_, attempt, part_bytes, _) in ready:
                    used.append(self._folder.part(Chunk(run_id, name, number, KeyRange(), attempt, self.holding)))
                    _append(file, used[-1], part_bytes)
                    size += part_bytes
                    if size - safe >= _STEP_BYTES:
                        self._make_safe(run_id, name, file, number + 1, size, used)
                        used, safe = [], size
                self._make_safe(run_id, name, file, first + len(ready), size, used)
            sync_folder(whole.parent)

    def _make_safe(self, run_id: str, name: str, file: BinaryIO, parts: int, size: int, used: Iterable[Path]) -> None:
        file.flush()
        os.fsync(file.fileno())
        with self._database.write() as state:
            state.execute(
                "UPDATE run_collections SET assembled = ?, assembled_bytes = ? WHERE run = ? AND collection = ?",
                (parts, size, run_id, name),
            )
        for part in used:
            part.unlink(missing_ok=True)

    def _metadata(self, name: str) -> Metadata | None:
        path = self._folder.metadata(name)
        return metadata.parse(name, path.read_bytes()) if path.exists() else None

    def _existing_metadata(self, name: str) -> Metadata:
        path, documents = self._folder.metadata(name), self._folder.documents(name)
        with translated(path):
            if not documents.exists():
                raise TargetError("there is no such file", where=str(documents), hint="Unpack the .gz files first.")
            if not path.exists():
                return metadata.fresh(name)
            found = self._metadata(name)
        if found is None:
            raise TargetError("not a metadata file of mongodump", where=str(path), hint="Move it away.")
        return found

    def _write_metadata(self, content: Metadata) -> None:
        path = self._folder.metadata(content.name)
        with self._changing(path):
            write_whole(path, content.dump())

    @contextmanager
    def _changing(self, path: Path) -> Iterator[None]:
        """Work on a file, after a look at the lease (premise C)."""
        if self._lease is not None:
            self._lease.check()
        with translated(path):
            yield


def _append(file: BinaryIO, part: Path, expected: int) -> None:
    before = file.tell()
    with part.open("rb") as source:
        shutil.copyfileobj(source, file, _BUFFER)
    size = file.tell() - before
    if size != expected:
        raise TargetError(
            f"the part is damaged: it has {size} bytes, and {expected} were written",
            where=str(part),
            hint="Apply again with --restart.",
        )


def _estimate(path: Path, size: int) -> int:
    """How many documents a file holds, by the average size of the first ones."""
    with path.open("rb") as file:
        start = file.read(min(size, _ESTIMATE_BYTES))
    count = position = 0
    while position + 4 <= len(start):
        length = int.from_bytes(start[position : position + 4], "little")
        if length < 5:
            return 0  # not BSON
        count += 1
        position += length
    return round(count * size / position) if position else 0
