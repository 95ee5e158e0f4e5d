"""What the tables' properties alone say: engines, views, keys, and joins without an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.model.mapping.representation import family_of
from migrator.model.mapping.tree import Join, Node
from migrator.model.plan.plan import Finding, Measure, Severity
from migrator.model.schema.collation import deciding, is_bytes, is_text
from migrator.model.schema.tables import Column
from migrator.source.measuring.context import MeasureContext
from migrator.source.measuring.row_queries import quoted, table_name
from migrator.source.measuring.table_facts import TableFacts
from migrator.source.sql.comparison import Comparison

_TRANSACTIONAL = ("innodb", "rocksdb", "tokudb")
_SCAN_HURTS = 1000  # rows; below, reading the whole table is as fast as an index
_NUMBERS = ("integer", "decimal", "double", "float")
_NAME_LENGTH = 64
_PREFIX = 191  # characters of a text column in an index: fits every row format


def table_findings(context: MeasureContext) -> Iterator[Finding]:
    """Engines and views, for each table once; and what the root's key means."""
    for facts in context.facts.values():
        where = context.collection.name
        if facts.is_view:
            is_root = (facts.schema, facts.name) == (context.collection.root.schema, context.collection.root.table)
            yield Finding(
                "warning",
                "view-root" if is_root else "view",
                where,
                f"{facts.qualified} is a view: it can be copied, but its changes are not in the change log",
                "Map the tables that it reads if the collection must be kept in sync.",
            )
        elif facts.engine.lower() not in _TRANSACTIONAL:
            yield Finding(
                "warning",
                "not-transactional",
                where,
                f"{facts.qualified} is a {facts.engine} table: snapshots don't hold for it, so a document can mix "
                "rows of different moments while it is written to",
                f"ALTER TABLE {table_name(facts.schema, facts.name)} ENGINE=InnoDB;",
            )
    yield from _root_key(context)


def _root_key(context: MeasureContext) -> Iterator[Finding]:
    root, facts = context.collection.root, context.facts_of(context.collection.root)
    if not root.key:
        yield Finding(
            "info",
            "no-key",
            context.collection.name,
            f"{facts.qualified} is copied without a key (`key: none`): _id is a hash of the row, "
            "and the collection can't be kept in sync",
        )
    elif not facts.is_view and not facts.has_index([root.key[0].name]):
        yield Finding(
            "warning",
            "no-key-index",
            context.collection.name,
            f"no index of {facts.qualified} begins with {root.key[0].name}: each chunk reads the whole table",
            _create_index(facts, root.key),
        )


def join_index_findings(context: MeasureContext, node: Node, rows: Measure) -> Iterator[Finding]:
    """Joins below a parent that no index supports: each chunk would read the child's whole table."""
    for lookup in _lookups(context, node):
        facts, columns = lookup.facts, lookup.join.child
        if not facts.is_view and not lookup.has_index():
            count = max(facts.rows, rows.value if facts is context.facts_of(node) else 0)
            names = ", ".join(one.name for one in columns)
            known = {one.name: one for one in columns}
            yield Finding(
                _severity(count),
                "no-join-index",
                node.id,
                f"no index of {facts.qualified} begins with {names}: each chunk reads the whole table"
                + ("" if count > _SCAN_HURTS else " (it is small)"),
                _create_index(facts, tuple(known.values())),
            )
        yield from _unusable_indexes(context, node, lookup)


@dataclass(frozen=True)
class _Lookup:
    """A join by which rows of a table are looked up for a node.

    Attributes:
        above: the table on the parent's side.
        facts: the table of the rows.
        match: columns of its that equal constants.
    """

    above: TableFacts
    facts: TableFacts
    join: Join
    match: tuple[tuple[str, str], ...] = ()

    def has_index(self) -> bool:
        return self.facts.has_index([one.name for one in self.join.child], [name for name, _ in self.match])

    def pairs(self) -> Iterator[tuple[Column, Column]]:
        return zip(self.join.parent, self.join.child, strict=True)


def _lookups(context: MeasureContext, node: Node) -> list[_Lookup]:
    above = next((context.facts_of(path[-2]) for path in context.paths() if len(path) > 1 and path[-1] == node), None)
    if above is None:
        return []
    if node.link is not None:
        link = context.link_facts(node.link)
        own = _Lookup(link, context.facts_of(node), node.link.child, node.match)
        return [_Lookup(above, link, node.link.parent), own]
    return [] if node.join is None else [_Lookup(above, context.facts_of(node), node.join, node.match)]


def is_looked_up_fast(context: MeasureContext, node: Node) -> bool:
    """Whether a few parents' rows can be found within the time that a question has."""
    return all(
        context.is_whole(lookup.facts)
        or (lookup.facts.rows > 0 and lookup.facts.is_readable)
        or (lookup.has_index() and not any(_is_converted(*pair) for pair in lookup.pairs()))
        for lookup in _lookups(context, node)
    )


def _is_converted(parent: Column, child: Column) -> bool:
    """Whether the server converts the child's column to compare it, row by row: then no index of it serves."""
    if is_text(child) and family_of(parent) in _NUMBERS:
        return True
    strings = all(is_text(one) or is_bytes(one) for one in (parent, child))
    return strings and parent.charset != child.charset and deciding(parent, child) is parent


def _unusable_indexes(context: MeasureContext, node: Node, lookup: _Lookup) -> Iterator[Finding]:
    """Columns that are converted to be compared: the child's by every join, the parent's where sync looks for the
    parents of changed rows."""
    for parent, child in lookup.pairs():
        kinds = f"{child.name} is {_kind(child)}, but is joined with the {_kind(parent)} column {parent.name}"
        if _is_converted(parent, child):
            how = "compares them as numbers" if family_of(parent) in _NUMBERS else f"converts {child.name}"
            yield Finding(
                _severity(lookup.facts.rows),
                "no-join-index",
                node.id,
                f"{kinds}: the server {how}, for which no index can be used, and each chunk reads the whole table",
                "Give both columns the same type, character set and collation.",
            )
        elif not lookup.join.exact and not Comparison(parent, child).is_indexed:
            yield Finding(
                _severity(lookup.above.rows),
                "no-join-index",
                node.id,
                f"{kinds}: the server converts {parent.name}, for which no index can be used, and sync reads all of "
                f"{lookup.above.qualified} when rows of {lookup.facts.qualified} change",
                "Give both columns the same type, character set and collation.",
            )


def _kind(column: Column) -> str:
    return column.collation or column.column_type


def _severity(rows: int) -> Severity:
    return "warning" if rows > _SCAN_HURTS else "info"


def _create_index(facts: TableFacts, columns: Sequence[Column]) -> str:
    parts = [f"{quoted(one.name)}{f'({_PREFIX})' if _is_long(one) else ''}" for one in columns]
    name = "_".join(["migrator", *(one.name for one in columns)])[:_NAME_LENGTH]
    return f"CREATE INDEX {quoted(name)} ON {table_name(facts.schema, facts.name)} ({', '.join(parts)});"


def _is_long(column: Column) -> bool:
    return family_of(column) in ("text", "binary") and (column.length or 0) > _PREFIX
