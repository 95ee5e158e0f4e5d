"""Documents of large tables: some to judge the average by, and those that a sample of their elements leads to.

An array with a share of all elements has about the same share of a sample of them, so the documents to which most
sampled elements belong are the ones with the longest arrays. They are then counted one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from migrator.model.mapping.tree import Node
from migrator.model.plan.plan import Finding, NodeMeasure
from migrator.source.measuring.context import MANY, MeasureContext, unchecked
from migrator.source.measuring.document_sizes import (
    MeasuredDocuments,
    Path,
    Sized,
    Sizes,
    longest_arrays,
    measure_documents,
    sizes,
)
from migrator.source.measuring.queries import TimeLimit, number
from migrator.source.measuring.row_queries import Some, TablePart, at_keys
from migrator.source.measuring.table_findings import is_looked_up_fast

_HOT = 5  # documents checked for each large array


def by_sample(context: MeasureContext, nodes: Mapping[str, NodeMeasure]) -> tuple[MeasuredDocuments, list[Finding]]:
    """Documents of a sample of the roots, and the hottest ones. `sizes.count` and `bytes` are of the sample alone."""
    findings: list[Finding] = []
    root = context.collection.root
    reachable = [path for path in context.paths() if all(is_looked_up_fast(context, node) for node in path[1:])]
    found = MeasuredDocuments(complete=False)
    try:
        roots = context.sampler.sample(context.facts_of(root), root.key)
        if len(reachable) == len(list(context.paths())):
            found = replace(measure_documents(context, roots), complete=False)
        else:
            # Without an index even a few parents' rows are a scan: the averages of the tables must do.
            found = MeasuredDocuments(False, Sizes(largest=sizes(context, reachable, roots).largest))
    except TimeLimit as reason:
        findings.append(unchecked(context.collection.name, reason))
    findings += [_not_reached(path[-1]) for path in context.paths() if path not in reachable and path[-1].shape in MANY]
    for path in reachable:
        if path[-1].shape not in MANY or not root.key or _is_small(context, path):
            continue
        try:
            found += _hottest(context, path, reachable, nodes)
        except TimeLimit as reason:
            findings.append(unchecked(path[-1].id, reason))
    return found, findings


def _not_reached(node: Node) -> Finding:
    return Finding(
        "info",
        "unchecked",
        node.id,
        "no index leads to the rows of a few documents: long arrays and large documents were not looked for",
        "Create the index that the plan names; or `migrator plan --exact`, which takes the time.",
    )


def _is_small(context: MeasureContext, path: Path) -> bool:
    node = path[-1]
    return context.is_whole(context.facts_of(node) if node.link is None else context.link_facts(node.link))


def _hottest(
    context: MeasureContext, path: Path, reachable: Sequence[Path], nodes: Mapping[str, NodeMeasure]
) -> MeasuredDocuments:
    """The documents that a sample of a node's elements leads to most often."""
    node = path[-1]
    leaf = context.some(node) if node.link is None else context.some_of_link(node.link)
    context.report(f"{node.id}: looking for the longest arrays")
    found = MeasuredDocuments(complete=False)
    for hot in longest_arrays(context, _unlimited(path), None, leaf)[:_HOT]:
        roots = at_keys(TablePart.of(path[0]), path[0].key, [hot.key])
        try:
            arrays = longest_arrays(context, path, roots)
            size = sizes(context, reachable, roots)
            found += MeasuredDocuments(False, Sizes(largest=size.largest, large=size.large), {node.id: arrays})
        except TimeLimit:
            found += _as_sampled(context, path, leaf, hot, nodes)
    return found


def _unlimited(path: Path) -> Path:
    """For candidates: the server would have to number all rows of a table to find the first few of each parent."""
    return tuple(replace(node, limit=None) for node in path)


def _as_sampled(
    context: MeasureContext, path: Path, leaf: Some, hot: Sized, nodes: Mapping[str, NodeMeasure]
) -> MeasuredDocuments:
    """An array too long to be counted in the time: its share of the sample says how long it must be."""
    node = path[-1]
    if node.link is None:
        part, facts = TablePart.of(node), context.facts_of(node)
    else:
        part, facts = TablePart.of_link(node.link), context.link_facts(node.link)
    statement = part.unconditional().select({"n": "COUNT(*)"}, leaf)
    looked = number(context.ask.row(f"count the sampled rows of {facts.qualified}", statement)[0])
    elements = min(round(facts.rows * hot.size / max(looked, 1)), node.limit or facts.rows)
    size = elements * nodes[node.id].row_bytes.value
    return MeasuredDocuments(False, Sizes(largest=(Sized(hot.key, size),)), {node.id: (Sized(hot.key, elements),)})
