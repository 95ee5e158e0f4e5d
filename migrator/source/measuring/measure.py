"""What the source holds for a collection: `migrator plan` reads it and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import KeyRange
from migrator.model.plan.plan import CollectionMeasure, Finding, Measure, NodeMeasure
from migrator.source.connection.url import SourceUrl
from migrator.source.measuring.context import MANY, MeasureContext
from migrator.source.measuring.document_sizes import MeasuredDocuments, biggest, document_findings, in_ranges, longest
from migrator.source.measuring.hot_documents import by_sample
from migrator.source.measuring.index_findings import index_findings
from migrator.source.measuring.join_findings import join_findings
from migrator.source.measuring.json_findings import json_findings
from migrator.source.measuring.node_rows import node_rows
from migrator.source.measuring.queries import TimeLimit, asking
from migrator.source.measuring.sampling import Sampler
from migrator.source.measuring.table_facts import is_small, read_facts
from migrator.source.measuring.table_findings import join_index_findings, table_findings
from migrator.source.measuring.unique_findings import unique_findings
from migrator.source.rows.chunks import chunk_ranges

TIME_LIMIT = 3.0  # seconds for one question
RANGE_ROWS = 50_000  # root rows whose documents are added up at a time


def measure(
    url: SourceUrl, collection: Collection, *, exact: bool, report: Callable[[str], None] | None = None
) -> CollectionMeasure:
    """What the source holds for a collection.

    Tables of up to 20,000 rows and 32 MB are read as a whole; of larger ones a few thousand rows spread over the key,
    under a time limit, so that even a very large database takes seconds. All estimates are marked; bytes are always
    estimates, from the lengths of the values, rather too large than too small. On a connection that can't write.

    Args:
        exact: count everything, however long it takes.
        report: hears what is being looked at, a line at a time.

    Raises:
        SourceError, SourceUnavailable: naming what could not be asked.
    """
    say = report or (lambda line: None)
    with asking(url, None if exact else TIME_LIMIT) as ask:
        facts = read_facts(ask, collection.tables)
        whole = frozenset(key for key, table in facts.items() if exact or is_small(ask, table))
        context = MeasureContext(ask, Sampler(ask), collection, facts, whole, exact, say)
        nodes, findings = _nodes(context)
        findings += [*unique_findings(context), *index_findings(url, context), *join_findings(context)]
        say(f"{collection.name}: adding up documents")
        documents, unseen = _documents(url, context, nodes)
        findings += [*unseen, *document_findings(context, documents)]
    root = nodes[collection.root.id]
    return CollectionMeasure(
        documents=root.rows,
        biggest=biggest(documents, root.row_bytes.value if root.rows.value else 0),
        total_bytes=_total(context, documents, nodes),
        nodes=tuple(
            replace(nodes[node.id], per_parent=longest(documents, node)) if node.shape in MANY else nodes[node.id]
            for node in collection.root.walk()
        ),
        findings=tuple(findings),
    )


def _nodes(context: MeasureContext) -> tuple[dict[str, NodeMeasure], list[Finding]]:
    """The rows of every node, and what is to be said about tables and values."""
    nodes: dict[str, NodeMeasure] = {}
    findings = list(table_findings(context))
    for path in context.paths():
        node = path[-1]
        context.report(f"{node.id}: looking at {node.qualified}")
        rows = node_rows(context, node)
        nodes[node.id] = NodeMeasure(node.id, rows.rows, None, rows.row_bytes)
        findings += [*rows.findings, *json_findings(context, path), *join_index_findings(context, node, rows.rows)]
    return nodes, findings


def _documents(
    url: SourceUrl, context: MeasureContext, nodes: Mapping[str, NodeMeasure]
) -> tuple[MeasuredDocuments, list[Finding]]:
    """All documents where every table is small, or all is to be counted; else a sample and the largest."""
    if context.exact or len(context.whole) == len(context.facts):
        try:
            return in_ranges(context, _ranges(url, context)), []
        except TimeLimit:
            context.report(f"{context.collection.name}: that takes too long, checking a sample")
    return by_sample(context, nodes)


def _ranges(url: SourceUrl, context: MeasureContext) -> Iterator[KeyRange]:
    return chunk_ranges(url, context.collection, RANGE_ROWS, None)


def _total(context: MeasureContext, documents: MeasuredDocuments, nodes: Mapping[str, NodeMeasure]) -> Measure:
    """The sum, or the sample's average for as many documents as there are, or the tables' averages."""
    if documents.complete:
        return Measure(documents.sizes.bytes, False)
    count = nodes[context.collection.root.id].rows.value
    if documents.sizes.count:
        return Measure(round(documents.sizes.bytes / documents.sizes.count * count), False)
    size = 0
    for path in context.paths():
        node = nodes[path[-1].id]
        # A `one` below the root stands in every document; elements of arrays are as many as their table has rows.
        size += node.row_bytes.value * (node.rows.value if any(one.shape in MANY for one in path) else count)
    return Measure(size, False)
