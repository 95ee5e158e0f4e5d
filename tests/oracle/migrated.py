"""The other side of a comparison: what migrator makes of a folder of mappings."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import bson

from migrator.documents.assemble import documents_for, documents_in
from migrator.mapping.file.load import load_mappings
from migrator.mapping.resolve import resolve
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Batch, Document, Key, KeyRange, Rejected
from migrator.source import open_source


@dataclass
class Migrated:
    """As `Expected`: `documents` by the BSON of `{_id: ...}`."""

    documents: dict[bytes, bytes] = field(default_factory=dict)
    rejected: set[tuple[str, ...]] = field(default_factory=set)
    reasons: list[Rejected] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        for document in batch.documents:
            self.add_document(document)
        self.rejected |= {tuple(part.decode("utf-8", "replace") for part in key) for key in batch.rejected_keys}
        self.reasons += batch.rejected
        self.keys += batch.rejected_keys

    def add_document(self, document: Document) -> None:
        name = id_of(document.bson)
        assert name not in self.documents, f"two documents for {bson.decode(name)}"
        self.documents[name] = document.bson
        self.keys.append(document.key)


def id_of(document: bytes) -> bytes:
    """The BSON of `{_id: ...}`, cut out of the document without decoding it: `_id` must come first."""
    assert document[5:9] == b"_id\x00", "_id is not the first field"
    kind, rest = document[4], document[9:]
    size = int.from_bytes(rest[:4], "little")
    length = {
        0x01: 8,
        0x02: 4 + size,
        0x03: size,
        0x05: 5 + size,
        0x07: 12,
        0x08: 1,
        0x09: 8,
        0x10: 4,
        0x12: 8,
        0x13: 16,
    }
    element = document[4 : 9 + length[kind]]
    return (len(element) + 5).to_bytes(4, "little") + element + b"\x00"


def resolved(url: str, folder: Path, policies: Policies | None = None) -> tuple[Collection, ...]:
    """The folder's mappings after the check against the source's schema."""
    source = open_source(url)
    return resolve(load_mappings(folder), source.schema(), source, policies or Policies())


def migrate(url: str, collection: Collection, within: KeyRange | None = None) -> Migrated:
    """Every document of a range of the root table (default: all)."""

    async def read() -> Migrated:
        found = Migrated()
        async with open_source(url).open_reader() as reader:
            async for batch in documents_in(reader, collection, within or KeyRange()):
                found.add(batch)
        return found

    return asyncio.run(read())


def migrate_keys(url: str, collection: Collection, keys: Iterable[Key]) -> Migrated:
    """The documents of some root keys."""

    async def read() -> Migrated:
        found = Migrated()
        async with open_source(url).open_reader() as reader:
            found.add(await documents_for(reader, collection, list(keys)))
        return found

    return asyncio.run(read())
