"""What the tables' properties alone say: engines, views, keys, and joins without an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrator.model.plan import Finding, Measure, Severity
from migrator.model.representation import family_of
from migrator.model.schema import Column
from migrator.model.tree import Node
from migrator.source.measuring.facts import Facts
from migrator.source.measuring.relations import quoted, table_name
from migrator.source.measuring.scope import Scope

_TRANSACTIONAL = ("innodb", "rocksdb", "tokudb")
_SCAN_HURTS = 1000  # rows; below, reading the whole table is as fast as an index
_NAME_LENGTH = 64
_PREFIX = 191  # characters of a text column in an index: fits every row format


def table_findings(scope: Scope) -> Iterator[Finding]:
    """Engines and views, for each table once; and what the root's key means."""
    for facts in scope.facts.values():
        where = scope.collection.name
        if facts.is_view:
            is_root = (facts.schema, facts.name) == (scope.collection.root.schema, scope.collection.root.table)
            yield Finding(
                "warning",
                "view-root" if is_root else "view",
                where,
                f"{facts.qualified} is a view: it can be copied, but its changes are not in the change log",
                "Map the tables behind it if the collection shall be kept in sync.",
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
    yield from _root_key(scope)


def _root_key(scope: Scope) -> Iterator[Finding]:
    root, facts = scope.collection.root, scope.facts_of(scope.collection.root)
    if not root.key:
        yield Finding(
            "info",
            "no-key",
            scope.collection.name,
            f"{facts.qualified} is copied without a key (`key: none`): _id is a hash of the row, "
            "and the collection can't be kept in sync",
        )
    elif not facts.is_view and not facts.has_index([root.key[0].name]):
        yield Finding(
            "warning",
            "no-key-index",
            scope.collection.name,
            f"no index of {facts.qualified} begins with {root.key[0].name}: each chunk reads the whole table",
            _create_index(facts, root.key),
        )


def join_index_findings(scope: Scope, node: Node, rows: Measure) -> Iterator[Finding]:
    """Joins below a parent that no index supports: each chunk would read the child's whole table."""
    for facts, columns, match in node_lookups(scope, node):
        if facts.is_view or facts.has_index([one.name for one in columns], [name for name, _ in match]):
            continue
        count = max(facts.rows, rows.value if facts is scope.facts_of(node) else 0)
        severity: Severity = "warning" if count > _SCAN_HURTS else "info"
        names = ", ".join(one.name for one in columns)
        known = {one.name: one for one in columns}
        yield Finding(
            severity,
            "no-join-index",
            node.id,
            f"no index of {facts.qualified} begins with {names}: each chunk reads the whole table"
            + ("" if severity == "warning" else " (it is small)"),
            _create_index(facts, tuple(known.values())),
        )
    yield from _unusable_indexes(scope, node)


def node_lookups(scope: Scope, node: Node) -> list[tuple[Facts, tuple[Column, ...], tuple[tuple[str, str], ...]]]:
    """Tables in which rows are looked up for a node: table, columns, columns that equal constants."""
    if node.link is not None:
        return [
            (scope.link_facts(node.link), node.link.parent.child, ()),
            (scope.facts_of(node), node.link.child.child, node.match),
        ]
    if node.join is None:
        return []
    return [(scope.facts_of(node), node.join.child, node.match)]


def is_looked_up_fast(scope: Scope, node: Node) -> bool:
    """Whether a few parents' rows can be found within the time that a question has."""
    return all(
        scope.is_whole(facts)
        or (facts.rows > 0 and facts.is_readable)
        or facts.has_index([one.name for one in columns], [name for name, _ in match])
        for facts, columns, match in node_lookups(scope, node)
    )


def _unusable_indexes(scope: Scope, node: Node) -> Iterator[Finding]:
    """The server can't look up a text column by a number: it converts the column, row by row."""
    joins = [node.link.parent, node.link.child] if node.link is not None else [node.join] if node.join else []
    for join in joins:
        for parent, child in zip(join.parent, join.child, strict=True):
            if family_of(child) == "text" and family_of(parent) in ("integer", "decimal", "double", "float"):
                yield Finding(
                    "warning",
                    "no-join-index",
                    node.id,
                    f"{child.name} is {child.column_type}, but is joined with the {parent.column_type} column "
                    f"{parent.name}: the server compares them as numbers, for which no index serves",
                    "Give both columns the same type.",
                )


def _create_index(facts: Facts, columns: Sequence[Column]) -> str:
    parts = [f"{quoted(one.name)}{f'({_PREFIX})' if _is_long(one) else ''}" for one in columns]
    name = "_".join(["migrator", *(one.name for one in columns)])[:_NAME_LENGTH]
    return f"CREATE INDEX {quoted(name)} ON {table_name(facts.schema, facts.name)} ({', '.join(parts)});"


def _is_long(column: Column) -> bool:
    return family_of(column) in ("text", "binary") and (column.length or 0) > _PREFIX
