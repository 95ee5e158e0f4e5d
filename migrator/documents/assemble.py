"""documents(mapping, keys): the one function that makes documents (rule 1).

Rows come from a reader that shows one consistent snapshot. A batch of root rows is read, then the rows of every node
below, parents first, one query per node; then the rows are encoded from the leaves up and folded into their parents.
Memory is bounded by the batch: its size follows the bytes that the batches before took (rule 7).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import chain
from struct import Struct
from typing import cast
from weakref import WeakKeyDictionary

from migrator.documents.encode import ChildLink, Match, RowEncoder, child_level, compile_node, document, element_head
from migrator.documents.fold import Elements, FailedElement, ValueFault, fold_rows, root_bytes
from migrator.documents.reader import Row, RowReader
from migrator.documents.values.codec import BINARY
from migrator.model.mapping.tree import Collection, Node
from migrator.model.plan.chunk import Batch, Document, Key, KeyRange, Rejected
from migrator.model.text.values import key_text

# What the rows of one batch may take as Python objects: the values' bytes and what each object costs in addition.
_BATCH_TARGET = 12 * 1024 * 1024
_BATCH_LIMIT = 48 * 1024 * 1024
# One document's rows: as text and objects they take far more than the 16 MB of BSON that they may become.
_DOCUMENT_LIMIT = 160 * 1024 * 1024
_VALUE_OVERHEAD = 41
_ROW_OVERHEAD = 40
_FIRST_BATCH = 250
_LARGEST_BATCH = 4000
# Elements of rows that many parents share are kept up to so many bytes, what dicts and objects cost included.
_SHARED_BYTES = 32 * 1024 * 1024
_ELEMENT_OVERHEAD = 180


class _BatchTooLarge(Exception):
    """The children of the batch's roots take too much memory together."""


@dataclass(slots=True)
class _BatchSize:
    """What the rows of a batch take so far."""

    limit: int
    bytes: int = 0
    rows: int = 0

    def add(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        self.rows += len(rows)
        self.bytes += len(rows) * (_ROW_OVERHEAD + _VALUE_OVERHEAD * len(rows[0]))
        self.bytes += sum(map(len, filter(None, chain.from_iterable(rows))))
        if self.bytes > self.limit:
            raise _BatchTooLarge


@dataclass(frozen=True, slots=True)
class _Branch:
    """A node below the root, compiled with all below it."""

    encoder: RowEncoder
    parent: Node
    branches: tuple[_Branch, ...]
    shared: bool

    @property
    def node(self) -> Node:
        return self.encoder.node


def _branch(node: Node, parent: Node, level: int) -> _Branch:
    """Compiles a node and all below it; the parent's documents are at `level`."""
    mine = child_level(node, level)
    below = tuple(_branch(child, node, mine) for child in node.children)
    join = node.parent_join()
    # A row that is found by its own key is found again by other parents.
    shared = node.shape == "one" and join is not None and join.exact and join.child == node.key
    return _Branch(compile_node(node, parent, mine), parent, below, shared)


class Assembler:
    """A collection, compiled: makes its documents from any reader's rows.

    What it remembers of rows that many parents share belongs to one reader, which is one snapshot, and goes with it
    (premise D).
    """

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._shared_by_reader: WeakKeyDictionary[RowReader, _SharedElements] = WeakKeyDictionary()
        self._root = compile_node(collection.root, None, 1)
        self._branches = tuple(_branch(child, collection.root, 1) for child in collection.root.children)

    async def within(self, reader: RowReader, keys: KeyRange) -> AsyncIterator[Batch]:
        """All documents of a key range, in key order, in batches of bounded size."""
        if not self.collection.root.key:
            async for batch in self._keyless(reader):
                yield batch
            return
        work = self._work(reader)
        size = _FIRST_BATCH
        while True:
            rows = await reader.roots(self.collection.root, keys, size)
            if rows:
                async for batch in work.batches(rows):
                    yield batch
                keys = KeyRange(self._root.key(rows[-1]), keys.upto)
            if len(rows) < size:
                return
            size = _next_size(size, work.last_weight)

    async def first(self, reader: RowReader, count: int) -> AsyncIterator[Batch]:
        """At least `count` documents, if there are so many: the first in key order. Of a table without a key at most so
        many, and any that are had quickly."""
        if not self.collection.root.key:
            async for batch in self._keyless(reader, count):
                yield batch
            return
        keys, size, made = KeyRange(), min(count, _LARGEST_BATCH), 0
        while made < count:
            rows = await reader.roots(self.collection.root, keys, size)
            async for batch in self._work(reader).batches(rows):
                made += len(batch.documents)
                yield batch
            if len(rows) < size:
                return
            keys = KeyRange(self._root.key(rows[-1]), None)
            size = min(size * 2, _LARGEST_BATCH)

    async def by_key(self, reader: RowReader, keys: Sequence[Key]) -> Batch:
        """The documents of single keys together; see `by_keys`."""
        batches = [batch async for batch in self.by_keys(reader, keys)]
        return Batch(
            tuple(document for batch in batches for document in batch.documents),
            tuple(rejected for batch in batches for rejected in batch.rejected),
            tuple(key for batch in batches for key in batch.rejected_keys),
            sum(batch.rows for batch in batches),
        )

    async def by_keys(self, reader: RowReader, keys: Sequence[Key]) -> AsyncIterator[Batch]:
        """The documents of single keys in batches of bounded size; a key that no row has, byte for byte, is in none.

        Under a case-insensitive collation the source finds 'ABC' for 'abc'. Those rows are left out (Identity in
        docs/invariants.md).
        """
        asked = frozenset(keys)
        found = await reader.roots_by_key(self.collection.root, keys)
        rows = [row for row in found if self._root.key(row) in asked]
        async for batch in self._work(reader).batches(rows):
            yield batch

    def _work(self, reader: RowReader) -> _Assembly:
        return _Assembly(self, reader, self._shared_by_reader.setdefault(reader, _SharedElements()))

    async def _keyless(self, reader: RowReader, some: int | None = None) -> AsyncIterator[Batch]:
        """Documents of a table without a key: _id is a hash of the row and its count among identical rows."""
        last: Row | None = None
        count = 0
        async for rows in reader.keyless(self.collection.root, some):
            documents, rejected, keys = [], [], []
            for row in rows:
                count = count + 1 if row == last else 0
                last = row
                key = (row_hash(row, count),)
                made = root_bytes(self._root, row, ())
                if isinstance(made, FailedElement):
                    keys.append(key)
                    rejected += self._records(made, key)
                else:
                    head = element_head(BINARY, "_id") + b"\x10\x00\x00\x00\x00" + key[0]
                    documents.append(Document(key, document(head + made[4:-1])))
            yield Batch(tuple(documents), tuple(rejected), tuple(keys), len(rows))

    def _records(self, faults: FailedElement, key: Key) -> list[Rejected]:
        name = key_text(key)
        return [fault.of(self.collection.name, name) for fault in faults]

    def fold(self, rows: Sequence[Row], elements: Sequence[Elements], count: int) -> Batch:
        """The documents of root rows whose children's elements are finished; `count` rows were read for them."""
        documents, rejected, keys = [], [], []
        for row in rows:
            key = self._root.key(row)
            made = root_bytes(self._root, row, elements)
            if isinstance(made, FailedElement):
                keys.append(key)
                rejected += self._records(made, key)
            else:
                documents.append(Document(key, made))
        return Batch(tuple(documents), tuple(rejected), tuple(keys), count)

    def reject(self, row: Row, rows: int) -> Batch:
        """One document whose rows alone take more memory than any document of 16 MB can."""
        key = self._root.key(row)
        reason = f"has {rows}+ rows below it, more than a document of 16 MB can hold; use limit: or a reference"
        fault = ValueFault(self._root.node.qualified, key_text(key), "", "", reason)
        return Batch((), tuple(self._records(FailedElement([fault]), key)), (key,), rows)

    @property
    def root(self) -> RowEncoder:
        return self._root

    @property
    def branches(self) -> tuple[_Branch, ...]:
        return self._branches


class _SharedElements:
    """Finished elements of rows that many parents share, by node; bounded, the least bit of it is kept when full."""

    def __init__(self) -> None:
        self._elements: dict[str, Elements] = {}
        self._bytes = 0

    def of(self, node: str) -> Elements:
        """What is known of a node's rows, by match value."""
        return self._elements.setdefault(node, {})

    def add(self, node: str, found: Elements, wanted: Sequence[Match]) -> Elements:
        """Remembers `found` and returns all that is known; what is not `wanted` now may be forgotten."""
        size = sum(map(len, found.values())) + _ELEMENT_OVERHEAD * len(found)
        self._bytes += size
        known = self.of(node)
        if self._bytes > _SHARED_BYTES:
            known = {match: known[match] for match in wanted if match in known}
            self._elements = {node: known}
            self._bytes = size
        known.update(found)
        return known


class _Assembly:
    """Making batches of documents within one snapshot."""

    def __init__(self, assembler: Assembler, reader: RowReader, memory: _SharedElements) -> None:
        self._assembler = assembler
        self._reader = reader
        self._shared = memory
        self.last_weight = 0

    async def batches(self, roots: Sequence[Row]) -> AsyncIterator[Batch]:
        """The documents of some root rows: one batch, or several where their children take too much memory."""
        if not roots:
            return
        weight = _BatchSize(_BATCH_LIMIT if len(roots) > 1 else _DOCUMENT_LIMIT)
        try:
            weight.add(roots)
            elements = await self._all_elements(self._assembler.branches, self._assembler.root.links, roots, weight)
        except _BatchTooLarge:
            if len(roots) == 1:
                yield self._assembler.reject(roots[0], weight.rows)
                return
            middle = len(roots) // 2
            for half in (roots[:middle], roots[middle:]):
                async for batch in self.batches(half):
                    yield batch
            return
        self.last_weight = weight.bytes
        yield self._assembler.fold(roots, elements, weight.rows)

    async def _all_elements(
        self, branches: Sequence[_Branch], links: Sequence[ChildLink], parents: Sequence[Row], weight: _BatchSize
    ) -> list[Elements]:
        return [
            await self._elements(branch, link, parents, weight) for branch, link in zip(branches, links, strict=True)
        ]

    async def _elements(self, branch: _Branch, link: ChildLink, parents: Sequence[Row], weight: _BatchSize) -> Elements:
        """The finished elements of one node for its parents' rows."""
        wanted = _distinct(parents, link.positions)
        if branch.node.orphans == "reject":
            found = await self._read(branch, wanted, weight)
            return found | await self._orphans(branch, link, parents, found)
        if not branch.shared:
            return await self._read(branch, wanted, weight)
        known = self._shared.of(branch.node.id)
        missing = [match for match in wanted if match not in known]
        if not missing:
            return known
        found = await self._read(branch, missing, weight)
        # That there is no such row is kept too.
        return self._shared.add(branch.node.id, {match: found.get(match, link.absent) for match in missing}, wanted)

    async def _orphans(
        self, branch: _Branch, link: ChildLink, parents: Sequence[Row], found: Elements
    ) -> dict[Match, FailedElement]:
        """The match values of parents that refer to a row which doesn't exist; one that a condition hides does."""
        lost = [row for row in parents if link.key(row) not in found and None not in [row[at] for at in link.joined]]
        missing = _distinct(lost, link.positions)
        if not missing:
            return {}
        bare = _branch(replace(branch.node, where=None, match=(), children=(), orphans="ignore"), branch.parent, 1)
        hidden = await self._read(bare, missing, _BatchSize(_BATCH_LIMIT))
        return {match: FailedElement([_orphan(branch.node, match)]) for match in missing if match not in hidden}

    async def _read(self, branch: _Branch, wanted: Sequence[Match], weight: _BatchSize) -> Elements:
        """Reads and folds the rows of one node for some match values, with all that is below them."""
        if not wanted:
            return {}
        encoder = branch.encoder
        asked = frozenset(wanted)
        groups: dict[Match, list[Row]] = {}
        keys = [match if isinstance(match, tuple) else (match,) for match in wanted]
        width = encoder.layout.match
        single = width == 1
        async with aclosing(self._reader.children(branch.node, branch.parent, cast("list[Key]", keys))) as pages:
            async for rows in pages:
                weight.add(rows)
                for row in rows:
                    match = row[0] if single else row[:width]
                    group = groups.get(match)
                    if group is not None:
                        group.append(row)
                    elif match in asked:
                        groups[match] = [row]
        elements: list[Elements] = []
        if branch.branches:
            mine = [row for group in groups.values() for row in group]
            elements = await self._all_elements(branch.branches, encoder.links, mine, weight)
        return fold_rows(encoder, groups, elements)


def _orphan(node: Node, match: Match) -> ValueFault:
    key = key_text(match if isinstance(match, tuple) else (match,))
    return ValueFault(
        node.qualified, key, "", "", "does not exist, though a row refers to it; policy orphans: ignore allows it"
    )


def _distinct(rows: Sequence[Row], positions: Sequence[int]) -> list[Match]:
    """The match values of rows, each once, in order; those with a NULL part match nothing (edge case 23)."""
    if len(positions) == 1:
        at = positions[0]
        single = dict.fromkeys([row[at] for row in rows])
        single.pop(None, None)
        return list(single)
    several = dict.fromkeys([tuple([row[at] for at in positions]) for row in rows])
    return [match for match in several if None not in match]


def _next_size(size: int, weight: int) -> int:
    """How many root rows to read next, from what the last ones took."""
    if weight > _BATCH_TARGET:
        return max(1, size // 2)
    return min(_LARGEST_BATCH, size * 2) if weight < _BATCH_TARGET // 2 else size


_LENGTH = Struct("<I").pack
_NULL_LENGTH = b"\xff\xff\xff\xff"


def row_hash(row: Row, count: int) -> bytes:
    """The _id of a row without a key: BLAKE2b over its values, each after its length, and the count of identical rows
    before it."""
    digest = hashlib.blake2b(digest_size=16)
    for value in row:
        digest.update(_NULL_LENGTH if value is None else _LENGTH(len(value)) + value)
    digest.update(_LENGTH(count))
    return digest.digest()


async def documents_in(reader: RowReader, collection: Collection, keys: KeyRange) -> AsyncIterator[Batch]:
    """All documents of a key range of a collection; `Assembler.within` for callers that come once."""
    async for batch in Assembler(collection).within(reader, keys):
        yield batch


async def documents_for(reader: RowReader, collection: Collection, keys: Sequence[Key]) -> Batch:
    """The documents of single keys; `Assembler.by_key` for callers that come once."""
    return await Assembler(collection).by_key(reader, keys)
