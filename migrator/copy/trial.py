"""A trial: the first documents of every collection of a plan, in collections of their own."""

from __future__ import annotations

import asyncio
from contextlib import closing

from migrator.copy.chunk_worker import CopyEndpoints
from migrator.copy.options import SampleResult
from migrator.documents.assemble import Assembler
from migrator.model.mapping.tree import Collection
from migrator.model.plan.plan import Plan
from migrator.ports.copy import Source
from migrator.waits import SILENT_WAITS


def sample(plan: Plan, ends: CopyEndpoints, count: int) -> tuple[SampleResult, ...]:
    """Writes up to `count` documents of each collection into a trial collection, replacing an earlier trial.

    Real collections, their state and the change-log position are not touched.
    """
    source, target = ends.open_source(), ends.open_target(SILENT_WAITS)
    results = []
    with closing(target), target.lease("sample") as lease:
        publisher = target.publisher(lease)
        for each in plan.collections:
            documents, rejected = asyncio.run(first_documents(source, each.collection, count))
            name = publisher.sample(each.collection.name, documents)
            results.append(SampleResult(each.collection.name, name, len(documents), rejected))
    return tuple(results)


async def first_documents(source: Source, collection: Collection, count: int) -> tuple[list[bytes], int]:
    """Up to `count` documents from one snapshot (see `Assembler.first`), and how many were rejected on the way."""
    documents: list[bytes] = []
    rejected = 0
    async with source.open_reader() as reader:
        async for batch in Assembler(collection).first(reader, count):
            documents += [document.bson for document in batch.documents]
            rejected += len(batch.rejected_keys)
    return documents[:count], rejected
