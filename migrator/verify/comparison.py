"""One comparison of some documents: rebuilt from a snapshot of the source, compared with what the target has."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import bson
from bson import CodecOptions, DatetimeConversion, Decimal128

from migrator.documents.assemble import Assembler
from migrator.documents.encode import compile_node
from migrator.documents.identity import id_encoder, key_candidates
from migrator.documents.reader import RowReader
from migrator.model.bson_elements import elements, identity_of
from migrator.model.plan.chunk import Batch, Key, KeyRange
from migrator.model.report.verify import DocumentFault, FaultKind, Suspect, Tally
from migrator.model.slices import slices
from migrator.model.text.values import key_text
from migrator.ports.verify import Stored
from migrator.verify.compare import differences, value_text
from migrator.verify.tasks import CompareAgain, Compared, CompareIds, CompareKeys, CompareRange, FoundIds, SearchRows

OpenReader = Callable[[], AbstractAsyncContextManager[RowReader]]
# Which of these root keys a reason for rejecting their document is recorded for.
Recorded = Callable[[Sequence[Key]], frozenset[Key]]

KEYS_AT_ONCE = 500
_ROWS_AT_ONCE = 2000
# Differences are told for so many documents of one look; of further ones that there are some.
_TOLD = 200
_REJECTED = b"rejected"
_OPTIONS = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_MS)


@dataclass(frozen=True, slots=True)
class _StoredDocument:
    """A document of the target: its own `{_id: ...}`, and how many have it (a file may hold two)."""

    identity: bytes
    document: bytes
    count: int = 1


class _ComparisonResult:
    """What one look has seen so far."""

    def __init__(self, collection: str) -> None:
        self._collection = collection
        self._suspects: list[Suspect] = []
        self.tally = Tally()

    def fault(
        self,
        kind: FaultKind,
        identity: bytes,
        keys: Sequence[Key],
        source: bytes,
        target: bytes,
        reason: str = "",
        stored: bytes | None = None,
    ) -> None:
        name = key_text(keys[0]) if len(keys) == 1 else identity_text(identity)
        fault = DocumentFault(self._collection, kind, name, identity, tuple(keys), reason=reason)
        if kind == "different" and len(self._suspects) < _TOLD:
            found, more = differences(source, target)
            fault = replace(fault, differences=found, more=more)
        self._suspects.append(Suspect(fault, _digest(source), _digest(target), stored))

    def compared(self) -> Compared:
        return Compared(self.tally, tuple(self._suspects))


class Comparer:
    """Looks at documents of one collection."""

    def __init__(self, assembler: Assembler, stored: Stored, recorded: Recorded) -> None:
        self._assembler = assembler
        self._collection = assembler.collection
        self._stored = stored
        self._recorded = recorded
        self._id_of = id_encoder(self._collection)
        self._keys_of = key_candidates(self._collection)
        self._root = compile_node(self._collection.root, None, 1)

    async def range(self, reader: RowReader, task: CompareRange) -> Compared:
        """Compares the documents of a range, and for a root without a key looks for extra ones, too."""
        comparison = _ComparisonResult(self._collection.name)
        if not self._collection.root.key:
            await self._keyless(reader, task, comparison)
        elif task.limit is None:
            async for batch in self._assembler.within(reader, task.range):
                await asyncio.to_thread(self._compare, batch, comparison)
        else:
            rows = await reader.roots(self._collection.root, task.range, task.limit)
            await self._compare_keys(reader, [self._root.key(row) for row in rows], comparison)
        return comparison.compared()

    async def keys(self, reader: RowReader, task: CompareKeys) -> Compared:
        comparison = _ComparisonResult(self._collection.name)
        await self._compare_keys(reader, task.keys, comparison)
        return comparison.compared()

    async def ids(self, reader: RowReader, task: CompareIds) -> Compared:
        """Asks the source, by its own comparison, for rows that make these `_id`s; bytes decide."""
        comparison = _ComparisonResult(self._collection.name)
        candidates = {identity: self._keys_of(identity) for identity in task.ids}
        made = await self._made(reader, [key for keys in candidates.values() for key in keys])
        for identity, keys in candidates.items():
            if identity not in made:
                # What it holds is looked at when it is looked at again.
                comparison.fault("extra", identity, keys, b"", identity, "no row makes this _id")
        return comparison.compared()

    async def again(self, open_reader: OpenReader, task: CompareAgain) -> Compared:
        """Both sides of some suspects; the target first, so that the snapshot is the younger one.

        The answer's tally is what has to be added to the counts of the first look: documents that turned out to be
        rejected, which no longer count as compared.
        """
        comparison = _ComparisonResult(self._collection.name)
        before = {bytes(each.fault.identity): each for each in task.suspects}
        stored = await asyncio.to_thread(self._find, list(before), [each.stored for each in task.suspects])
        keys = [key for each in task.suspects for key in each.fault.keys]
        async with open_reader() as reader:
            fresh, rejected = await self._fresh(reader, keys)
        lost = [key for identity, (key, _) in fresh.items() if identity not in stored]
        asked = [*lost, *rejected.values()]
        # Asked for last: whoever refuses a document deletes it first, and records the reason then.
        reasons = self._recorded(asked) if asked else frozenset()
        for identity, suspect in before.items():
            known = suspect.fault.keys
            if identity in rejected:
                self._compare_rejected(identity, rejected[identity], stored, reasons, comparison)
            elif identity in fresh:
                self._compare_one(identity, *fresh[identity], stored, reasons, comparison)
            elif identity in stored:
                comparison.fault("extra", identity, known, b"", stored[identity].document, "no row makes this _id")
        suspects = tuple(_compared(before[bytes(each.fault.identity)], each) for each in comparison.compared().suspects)
        open_ids = {bytes(each.fault.identity) for each in suspects}
        absent = (fresh.keys() | rejected.keys()) & before.keys() - stored.keys() - open_ids
        return Compared(sum((_now_rejected(before[identity]) for identity in absent), Tally()), suspects)

    async def search(self, reader: RowReader, task: SearchRows) -> FoundIds:
        """Which `_id`s any row makes; reads all root rows."""
        wanted, found = set(task.ids), set()
        within = KeyRange()
        while True:
            rows = await reader.roots(self._collection.root, within, _ROWS_AT_ONCE)
            keys = [self._root.key(row) for row in rows]
            found |= wanted & {self._id_of(key) or b"" for key in keys}
            if len(rows) < _ROWS_AT_ONCE:
                return FoundIds(frozenset(found))
            within = replace(within, after=keys[-1])

    async def _fresh(
        self, reader: RowReader, keys: Sequence[Key]
    ) -> tuple[dict[bytes, tuple[Key, bytes]], dict[bytes, Key]]:
        """By `{_id: ...}`: key and document of what can be made, and the key of what can't."""
        fresh: dict[bytes, tuple[Key, bytes]] = {}
        rejected: dict[bytes, Key] = {}
        for some in slices(keys, KEYS_AT_ONCE):
            async for batch in self._assembler.by_keys(reader, some):
                fresh |= {identity_of(each.bson): (each.key, each.bson) for each in batch.documents}
                rejected |= self._rejected(batch)
        return fresh, rejected

    async def _compare_keys(self, reader: RowReader, keys: Sequence[Key], comparison: _ComparisonResult) -> None:
        """Documents of keys; a document whose key has no row is an extra one."""
        seen: set[bytes] = set()
        for some in slices(keys, KEYS_AT_ONCE):
            async for batch in self._assembler.by_keys(reader, some):
                seen |= {identity_of(each.bson) for each in batch.documents} | self._rejected(batch).keys()
                await asyncio.to_thread(self._compare, batch, comparison)
        absent = {identity: key for key in keys if (identity := self._id_of(key)) is not None and identity not in seen}
        stored = await asyncio.to_thread(self._find, list(absent), ())
        for identity, found in stored.items():
            if found.identity == identity:
                comparison.fault("extra", identity, (absent[identity],), b"", found.document, "no row makes this _id")

    async def _keyless(self, reader: RowReader, task: CompareRange, comparison: _ComparisonResult) -> None:
        """No key can be told from the `_id`, a hash: those seen are kept, in a file when they are many."""
        with closing(sqlite3.connect("")) as seen:
            seen.execute("CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID")
            async for batch in self._assembler.within(reader, task.range):
                ids = [identity_of(each.bson) for each in batch.documents]
                ids += [identity for key in batch.rejected_keys if (identity := self._id_of(key)) is not None]
                seen.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(each,) for each in ids])
                await asyncio.to_thread(self._compare, batch, comparison)
                if task.limit is not None and comparison.tally.checked >= task.limit:
                    return
            for some in self._stored.ids():
                for identity in some:
                    if seen.execute("SELECT 1 FROM seen WHERE id = ?", (identity,)).fetchone() is None:
                        comparison.fault("extra", identity, (), b"", identity, "no row makes this _id")

    def _compare(self, batch: Batch, comparison: _ComparisonResult) -> None:
        made = {identity_of(each.bson): each for each in batch.documents}
        rejected = self._rejected(batch)
        stored = self._find([*made, *rejected], ())
        lost = [each for identity, each in made.items() if identity not in stored]
        asked = [*(each.key for each in lost), *rejected.values()]
        reasons = self._recorded(asked) if asked else frozenset()
        for identity, each in made.items():
            self._compare_one(identity, each.key, each.bson, stored, reasons, comparison)
        for identity, key in rejected.items():
            self._compare_rejected(identity, key, stored, reasons, comparison)
        for key in batch.rejected_keys:
            if self._id_of(key) is None:
                comparison.tally += Tally(rejected=1)
        comparison.tally += Tally(rows=batch.rows)

    def _compare_one(
        self,
        identity: bytes,
        key: Key,
        document: bytes,
        stored: dict[bytes, _StoredDocument],
        reasons: frozenset[Key],
        comparison: _ComparisonResult,
    ) -> None:
        found = stored.get(identity)
        if found is not None:
            comparison.tally += Tally(checked=1, found=1)
            if found.count > 1:
                comparison.fault(
                    "different", identity, (key,), document, found.document, f"it occurs {found.count} times"
                )
            elif found.document != document:
                twin = found.identity if found.identity != identity else None
                comparison.fault("different", identity, (key,), document, found.document, stored=twin)
        elif key in reasons:
            comparison.tally += Tally(rejected=1)
        else:
            comparison.tally += Tally(checked=1)
            comparison.fault("missing", identity, (key,), document, b"")

    def _compare_rejected(
        self,
        identity: bytes,
        key: Key,
        stored: dict[bytes, _StoredDocument],
        reasons: frozenset[Key],
        comparison: _ComparisonResult,
    ) -> None:
        """A row that can't be made into a document must have none, and a reason in the state (edge case 55)."""
        found = stored.get(identity)
        if found is not None:
            comparison.tally += Tally(found=1)
            comparison.fault(
                "extra", identity, (key,), _REJECTED, found.document, "its row can't be converted into a document"
            )
        elif key in reasons:
            comparison.tally += Tally(rejected=1)
        else:
            why = "its row can't be converted into a document, and the state has no reason"
            comparison.fault("missing", identity, (key,), _REJECTED, b"", why)

    def _find(self, ids: Sequence[bytes], others: Sequence[bytes | None]) -> dict[bytes, _StoredDocument]:
        """By the `{_id: ...}` asked for. The target may take 1.0 for 1."""
        asked = [*ids, *(each for each in others if each is not None)]
        found: dict[bytes, _StoredDocument] = {}
        for document in self._stored.find(asked) if asked else ():
            identity = identity_of(document)
            before = found.get(identity)
            found[identity] = _StoredDocument(identity, document, 1 if before is None else before.count + 1)
        result = {identity: found.pop(identity) for identity in ids if identity in found}
        if found:
            twins = {_comparable(identity): copy for identity, copy in found.items()}
            for identity in ids:
                if identity not in result and (twin := twins.get(_comparable(identity))) is not None:
                    result[identity] = twin
        return result

    def _rejected(self, batch: Batch) -> dict[bytes, Key]:
        return {identity: key for key in batch.rejected_keys if (identity := self._id_of(key)) is not None}

    async def _made(self, reader: RowReader, keys: Sequence[Key]) -> set[bytes]:
        """The `_id`s of the root rows that the source finds for `keys`."""
        made: set[bytes] = set()
        for some in slices(keys, _ROWS_AT_ONCE):
            for row in await reader.roots_by_key(self._collection.root, some):
                identity = self._id_of(self._root.key(row))
                if identity is not None:
                    made.add(identity)
        return made


def identity_text(identity: bytes) -> str:
    """An `_id` as extended JSON."""
    found = next(iter(elements(identity)), None)
    return value_text(found) if found is not None else "no _id"


def _compared(before: Suspect, now: Suspect) -> Suspect:
    same = (before.source, before.target) == (now.source, now.target)
    return replace(now, same=before.same + 1 if same else 0)


def _now_rejected(suspect: Suspect) -> Tally:
    """What changes in the counts when a document that an earlier look called wrong is a rejected one."""
    made = suspect.fault.kind != "extra" and suspect.source != _digest(_REJECTED)
    return Tally(checked=-1 if made else 0, found=-1 if suspect.target else 0, rejected=1)


def _digest(document: bytes) -> bytes:
    return hashlib.blake2b(document, digest_size=16).digest() if document else b""


def _comparable(identity: bytes) -> Any:
    """`_id` so that what MongoDB takes for the same number is equal (MongoDB manual, Comparison/Sort Order)."""
    return _hashable(bson.decode(identity, _OPTIONS).get("_id"))


def _hashable(value: Any) -> Any:
    match value:
        case bool():
            return ("bool", value)
        case int() | float():
            return Decimal(value)
        case Decimal128():
            return value.to_decimal()
        case dict():
            return tuple((name, _hashable(each)) for name, each in value.items())
        case list():
            return ("array", *(_hashable(each) for each in value))
    return (type(value).__name__, repr(value))
