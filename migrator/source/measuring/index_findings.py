"""Indexes of the mapping that refuse documents: found by building documents and checking them.

No SQL tells what a 2dsphere index makes of a geometry, or what JSON holds. Only indexes that can refuse something cost
anything, and only the embedded tables that their keys are made of are read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion

from migrator.documents.assemble import Assembler
from migrator.indexing.documents import keys, refusal
from migrator.indexing.plain import NoKeys
from migrator.indexing.risks import can_refuse, pruned
from migrator.model.change.position import ServerIdentity
from migrator.model.mapping.tree import Collection, IndexSpec
from migrator.model.plan.chunk import Batch, Document, Key, KeyRange
from migrator.model.plan.plan import Finding
from migrator.model.slices import slices
from migrator.model.text.values import key_text
from migrator.source.connection.connect import connected
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import SourceUrl
from migrator.source.measuring.context import MeasureContext, unchecked
from migrator.source.measuring.queries import TimeLimit
from migrator.source.measuring.row_queries import TablePart
from migrator.source.measuring.unique_findings import unique_below
from migrator.source.rows.chunks import chunk_ranges
from migrator.source.rows.snapshot import open_reader
from migrator.source.sql.statements import Templates

_SECONDS = 10.0  # for the documents of a collection, unless all are to be looked at
_RANGE_ROWS = 20_000  # root rows read within one snapshot
_KEYS_AT_ONCE = 500
_SHOWN = 3
_EXACT = "`migrator plan --exact` checks all."

# Dates beyond Python's years stay what they are.
_DECODED: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)


@dataclass
class _IndexRefusals:
    """Documents that an index refuses for one reason."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, document: Document) -> None:
        self.count += 1
        if len(self.examples) < _SHOWN:
            self.examples.append(key_text(document.key))


@dataclass
class _Indexed:
    """What the documents seen so far tell.

    Attributes:
        documents: how many were seen.
        complete: whether these are all of the collection.
        refused: by index, field and reason.
        holders: by unique index: key -> the document that had it first.
        twice: by unique index: documents whose key another one has.
    """

    documents: int = 0
    complete: bool = True
    refused: dict[tuple[str, str, str], _IndexRefusals] = field(default_factory=dict)
    holders: dict[str, dict[bytes, Key]] = field(default_factory=dict)
    twice: dict[str, _IndexRefusals] = field(default_factory=dict)


def index_findings(url: SourceUrl, context: MeasureContext) -> Iterator[Finding]:
    """For each index that can refuse something: the documents that it refuses, or that not all were looked at."""
    root = context.collection.root
    risky = [spec for spec in context.collection.indexes if can_refuse(spec, root)]
    uniques = unique_below(context)
    if not risky and not uniques:
        return
    context.report(f"{context.collection.name}: looking for documents that an index refuses")
    only = replace(context.collection, root=pruned(root, [*risky, *uniques]))
    try:
        look = asyncio.run(_make_documents(url, context, only, risky, uniques))
    except TimeLimit as reason:
        for spec in dict.fromkeys([*risky, *uniques]):
            yield unchecked(_where(context, spec), reason)
        return
    yield from _findings(context, look, risky, uniques)


async def _make_documents(
    url: SourceUrl,
    context: MeasureContext,
    collection: Collection,
    risky: Sequence[IndexSpec],
    uniques: Sequence[IndexSpec],
) -> _Indexed:
    with connected(url) as connection:
        server = read_identity(connection)
    until = None if context.exact else time.monotonic() + _SECONDS
    whole = context.exact or context.is_whole(context.facts_of(collection.root))
    look = _Indexed(complete=whole)
    batches = _whole(url, server, collection) if whole else _sampled(url, server, context, collection)
    async with aclosing(batches):
        async for batch in batches:
            for document in batch.documents:
                _add(look, document, risky, uniques)
            if context.exact:
                context.report(f"{collection.name}: {look.documents:,} documents checked for indexes")
            if until is not None and time.monotonic() > until:
                look.complete = False
                break
    return look


async def _whole(url: SourceUrl, server: ServerIdentity, collection: Collection) -> AsyncGenerator[Batch, None]:
    """All documents, range by range: no snapshot is held for long."""
    assembler, templates = Assembler(collection), Templates()
    ranges = chunk_ranges(url, collection, _RANGE_ROWS, None) if collection.root.key else [KeyRange()]
    for one in ranges:
        async with open_reader(url, server, templates) as reader:
            async for batch in assembler.within(reader, one):
                yield batch


async def _sampled(
    url: SourceUrl, server: ServerIdentity, context: MeasureContext, collection: Collection
) -> AsyncGenerator[Batch, None]:
    root, assembler = collection.root, Assembler(collection)
    async with open_reader(url, server, Templates()) as reader:
        if not root.key:
            async for batch in assembler.first(reader, _KEYS_AT_ONCE):
                yield batch
            return
        part = TablePart.of(root)
        columns = {f"k{place}": part.column(one.name) for place, one in enumerate(root.key)}
        statement = part.select(columns, context.some(root))
        found = context.ask.rows(f"choose documents of {collection.name}", statement)
        wanted: list[Key] = [tuple(value or b"" for value in row) for row in found]
        for some in slices(wanted, _KEYS_AT_ONCE):
            async for batch in assembler.by_keys(reader, some):
                yield batch


def _add(look: _Indexed, document: Document, risky: Sequence[IndexSpec], uniques: Sequence[IndexSpec]) -> None:
    look.documents += 1
    decoded = bson.decode(document.bson, codec_options=_DECODED)
    for spec in risky:
        refused = refusal(spec, decoded)
        if refused is not None:
            look.refused.setdefault((spec.name, refused.path, refused.reason), _IndexRefusals()).add(document)
    for spec in uniques:
        holders = look.holders.setdefault(spec.name, {})
        try:
            mine = keys(spec, decoded)
        except NoKeys:
            continue  # it is among the refused
        if any(holders.setdefault(each, document.key) != document.key for each in mine):
            look.twice.setdefault(spec.name, _IndexRefusals()).add(document)


def _findings(
    context: MeasureContext, look: _Indexed, risky: Sequence[IndexSpec], uniques: Sequence[IndexSpec]
) -> Iterator[Finding]:
    specs = {spec.name: spec for spec in (*risky, *uniques)}
    bad = dict.fromkeys([*(name for name, _, _ in look.refused), *look.twice])
    for (name, path, reason), refused in look.refused.items():
        yield Finding(
            "blocked",
            "unindexable",
            _where(context, specs[name]),
            f"the index {name} can't be built: {path} {reason}, {_how_many(refused, look)}",
            "Fix the rows, leave the value out (`null: omit`, a `where:`), or remove the index.",
        )
    for name, refused in look.twice.items():
        yield Finding(
            "blocked",
            "duplicate-unique",
            _where(context, specs[name]),
            f"the unique index {name} can't be built: {', '.join(path for path, _ in specs[name].keys)} has a value "
            f"that another document has, {_how_many(refused, look)}; in an array null and a missing field count too",
            "Remove `unique: true`, or fix the rows.",
        )
    if not look.complete:
        for name in specs:
            if name not in bad:
                text = f"the index {name} can refuse documents, and {look.documents:,} of them were checked"
                yield Finding("info", "unchecked", _where(context, specs[name]), text, _EXACT)


def _how_many(refused: _IndexRefusals, look: _Indexed) -> str:
    shown = ", ".join(refused.examples)
    return f"in {refused.count:,} of {look.documents:,} documents checked (such as {shown})"


def _where(context: MeasureContext, spec: IndexSpec) -> str:
    return f"{context.collection.name}: {spec.name}"
