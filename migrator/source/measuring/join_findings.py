"""Rows without a partner in a join, and rows that are joined although the bytes of their keys differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.model.mapping.representation import family_of
from migrator.model.mapping.tree import Node
from migrator.model.plan.plan import Finding
from migrator.model.schema.tables import Column
from migrator.source.measuring.context import MeasureContext, unchecked
from migrator.source.measuring.node_rows import example_text, key_as_text, rows_text
from migrator.source.measuring.queries import TimeLimit, number
from migrator.source.measuring.row_queries import Some, TablePart, quoted, table_name
from migrator.source.measuring.table_facts import TableFacts


@dataclass(frozen=True)
class _KeyHolder:
    """Rows that hold a key to another table.

    Attributes:
        node: to be named in the finding.
        holder, facts, columns: the table that holds the key, with the mapping's conditions.
        example: SQL of a row's own key.
        some: which of its rows are looked at.
        to, to_columns: where the key leads.
        otherwise: what becomes of rows whose key leads nowhere.
    """

    node: Node
    holder: TablePart
    facts: TableFacts
    columns: tuple[Column, ...]
    example: str
    to: TableFacts
    to_columns: tuple[Column, ...]
    otherwise: str
    fix: str


def join_findings(context: MeasureContext) -> Iterator[Finding]:
    """Orphans and keys that match by collation only, for every join of the collection once."""
    seen = set()
    for path in context.paths():
        for lookup in _lookups(context, path):
            names = tuple(one.name for one in lookup.columns)
            what = (lookup.holder, names, lookup.to.qualified, tuple(one.name for one in lookup.to_columns))
            if what in seen:
                continue
            seen.add(what)
            yield from _findings(context, lookup)


def _lookups(context: MeasureContext, path: Sequence[Node]) -> Iterator[_KeyHolder]:
    if len(path) < 2:
        return
    parent, node = path[-2:]
    if node.link is not None:
        part, facts = TablePart.of_link(node.link), context.link_facts(node.link)
        example = key_as_text(part, node.link.key, ())
        join, inner = node.link.parent, node.link.child
        lost = "such rows are in no document"
        yield _KeyHolder(node, part, facts, join.child, example, context.facts_of(parent), join.parent, lost, "")
        yield _KeyHolder(node, part, facts, inner.parent, example, context.facts_of(node), inner.child, lost, "")
    elif node.join is not None and child_holds_key(node, parent):
        part, example = TablePart.of(node), key_as_text(TablePart.of(node), [one.name for one in node.key], node.key)
        yield _KeyHolder(
            node,
            part,
            context.facts_of(node),
            node.join.child,
            example,
            context.facts_of(parent),
            node.join.parent,
            "such rows are in no document",
            "",
        )
    elif node.join is not None:
        part, example = (
            TablePart.of(parent),
            key_as_text(TablePart.of(parent), [one.name for one in parent.key], parent.key),
        )
        rejects = node.orphans == "reject"
        name = ".".join(node.path) or node.table
        yield _KeyHolder(
            node,
            part,
            context.facts_of(parent),
            node.join.parent,
            example,
            context.facts_of(node),
            node.join.child,
            "their documents will be rejected (policy orphans)" if rejects else f"`{name}` is null in their documents",
            "Write `orphans: ignore` at the embed, or fix the rows." if rejects else "",
        )


def child_holds_key(node: Node, parent: Node) -> bool:
    """Whether a row of the node belongs to one parent row alone. A `one` whose parent is joined by its own key is such:
    the child refers to it (`one: true`)."""
    if node.shape != "one":
        return node.link is None
    joined = {one.name for one in node.join.parent} if node.join is not None else set()
    return node.orphans != "reject" and joined == {one.name for one in parent.key}


def _findings(context: MeasureContext, lookup: _KeyHolder) -> Iterator[Finding]:
    try:
        some = (
            context.some_of_link(lookup.node.link)
            if lookup.node.link is not None and lookup.facts is context.link_facts(lookup.node.link)
            else _some_of(context, lookup)
        )
        yield from _orphans(context, lookup, some)
        if any(_by_collation(*pair) for pair in zip(lookup.columns, lookup.to_columns, strict=True)):
            yield from _collation_keys(context, lookup, some)
    except TimeLimit as reason:
        yield unchecked(lookup.node.id, reason)


def _some_of(context: MeasureContext, lookup: _KeyHolder) -> Some:
    holder = next(node for node in context.collection.root.walk() if TablePart.of(node) == lookup.holder)
    return context.some(holder)


def _orphans(context: MeasureContext, lookup: _KeyHolder, some: Some) -> Iterator[Finding]:
    rows = _holders(lookup, some)
    exists = f"SELECT 1 FROM {_target(lookup)} AS o WHERE {_equal(lookup)}"
    held = " AND ".join(f"h.c{place} IS NOT NULL" for place in range(len(lookup.columns)))
    statement = f"SELECT COUNT(*), MIN(h.e) FROM ({rows}) AS h WHERE {held} AND NOT EXISTS ({exists})"
    purpose = f"look for rows of {lookup.facts.qualified} without a row of {lookup.to.qualified}"
    count, example = context.ask.row(purpose, statement)
    if number(count):
        yield Finding(
            "warning",
            "orphans",
            lookup.node.id,
            f"keys to {lookup.to.qualified} that don't exist there in {_rows(context, lookup, number(count), some)} of "
            f"{lookup.facts.qualified}{example_text(example)}; {lookup.otherwise}",
            lookup.fix,
        )


def _collation_keys(context: MeasureContext, lookup: _KeyHolder, some: Some) -> Iterator[Finding]:
    differ = " OR ".join(
        f"{_bytes(f'h.c{place}')} <> {_bytes(f'o.{quoted(column.name)}')}"
        for place, column in enumerate(lookup.to_columns)
        if family_of(column) == "text"
    )
    statement = (
        f"SELECT COUNT(*), MIN(h.e) FROM ({_holders(lookup, some)}) AS h "
        f"JOIN {_target(lookup)} AS o ON {_equal(lookup)} WHERE {differ}"
    )
    purpose = f"compare the keys of {lookup.facts.qualified} and {lookup.to.qualified} byte by byte"
    count, example = context.ask.row(purpose, statement)
    if number(count):
        yield Finding(
            "warning",
            "collation-keys",
            lookup.node.id,
            f"keys to {lookup.to.qualified} that match by collation only ('A' and 'a') in "
            f"{_rows(context, lookup, number(count), some)} of {lookup.facts.qualified}{example_text(example)}; "
            "they are joined as in MySQL, but queries in MongoDB compare bytes",
            "Write the keys alike on both sides in MySQL, or give the index in MongoDB a collation.",
        )


def _holders(lookup: _KeyHolder, some: Some) -> str:
    values = {f"c{place}": lookup.holder.column(one.name) for place, one in enumerate(lookup.columns)}
    return lookup.holder.select(values | {"e": lookup.example}, some)


def _target(lookup: _KeyHolder) -> str:
    return table_name(lookup.to.schema, lookup.to.name)


def _equal(lookup: _KeyHolder) -> str:
    return " AND ".join(f"o.{quoted(one.name)} = h.c{place}" for place, one in enumerate(lookup.to_columns))


def _by_collation(one: Column, other: Column) -> bool:
    """Whether equal may mean different bytes."""
    if family_of(one) != "text" or family_of(other) != "text":
        return False
    # A binary collation that doesn't ignore blanks at the end compares bytes.
    return not all((column.collation or "").endswith("0900_bin") for column in (one, other))


def _bytes(value: str) -> str:
    return f"CAST(CONVERT({value} USING utf8mb4) AS BINARY)"


def _rows(context: MeasureContext, lookup: _KeyHolder, count: int, some: Some) -> str:
    if some is None:
        return rows_text(count, None)
    statement = lookup.holder.unconditional().select({"n": "COUNT(*)"}, some)
    looked = number(context.ask.row(f"count the sampled rows of {lookup.facts.qualified}", statement)[0])
    return rows_text(count, looked)
