"""Which collection a table's rows belong to, and which columns hold ids that new kinds of ids will get into."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from migrator.model.mapping.tree import Collection, Node

TableName = tuple[str, str]
ColumnName = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Home:
    """Where a table's rows live: as documents, or inside the documents of the table that they belong to.

    `nodes` lead from the root to the table's own node.
    """

    collection: Collection
    nodes: tuple[Node, ...]

    @property
    def node(self) -> Node:
        return self.nodes[-1]

    @property
    def path(self) -> tuple[str, ...]:
        """Where the rows stand in the documents; () for the documents themselves."""
        return tuple(name for node in self.nodes for name in node.path)


def homes(collections: Iterable[Collection]) -> dict[TableName, Home]:
    """The home of each table that has exactly one.

    A collection's root table is at home there. Any other table is at home where its rows hang below a row that is at
    home itself, all of them, by a key that they hold: order_items in orders, not in what customers show of orders.
    """
    collections = tuple(collections)
    found: dict[TableName, list[Home]] = {}
    for collection in collections:
        found.setdefault(_table(collection.root), []).append(Home(collection, (collection.root,)))
    roots = set(found)
    for collection in collections:
        for nodes in _owned(collection.root, (collection.root,), roots):
            found.setdefault(_table(nodes[-1]), []).append(Home(collection, nodes))
    return {table: places[0] for table, places in found.items() if len(places) == 1}


def _table(node: Node) -> TableName:
    return (node.schema, node.table)


def _owned(node: Node, above: tuple[Node, ...], roots: Container[TableName]) -> Iterator[tuple[Node, ...]]:
    for child in node.children:
        # Below the row of another collection everything is a copy.
        if is_owned(child, node) and _table(child) not in roots:
            nodes = (*above, child)
            yield nodes
            yield from _owned(child, nodes, roots)


def is_owned(child: Node, parent: Node) -> bool:
    """Whether all rows of `child` that hang below a row of `parent` stand there, and the child's row holds the key."""
    if child.join is None or child.shape not in ("one", "many") or child.limit is not None or child.match:
        return False
    ours = {column.name for column in parent.key}
    return bool(ours) and {column.name for column in child.join.parent} == ours and child.flatten is False


def linked_columns(collections: Iterable[Collection], targets: Iterable[ColumnName]) -> dict[ColumnName, ColumnName]:
    """Every column that holds values of one of `targets`, by joins and references; the targets themselves too."""
    collections = tuple(collections)
    pairs = [pair for collection in collections for pair in _pairs(collection.root)]
    by_name = {collection.name: collection for collection in collections}
    for collection in collections:
        here = dict(_columns(collection.root, ()))
        for reference in collection.references:
            there = dict(_columns(by_name[reference.collection].root, ()))
            for left, right in reference.on:
                if left in here and right in there:
                    pairs.append((here[left], there[right]))
    found = {target: target for target in targets}
    grown = True
    while grown:
        grown = False
        for one, other in pairs:
            for a, b in ((one, other), (other, one)):
                if a in found and b not in found:
                    found[b] = found[a]
                    grown = True
    return found


def _pairs(node: Node) -> Iterator[tuple[ColumnName, ColumnName]]:
    for child in node.children:
        # A polymorphic child's column holds ids of several tables, and would mix them up.
        if child.join is not None and not child.match:
            for mine, theirs in zip(child.join.parent, child.join.child, strict=True):
                yield (*_table(node), mine.name), (*_table(child), theirs.name)
        if child.link is not None:
            link = (child.link.schema, child.link.table)
            for mine, theirs in zip(child.link.parent.parent, child.link.parent.child, strict=True):
                yield (*_table(node), mine.name), (*link, theirs.name)
            for mine, theirs in zip(child.link.child.parent, child.link.child.child, strict=True):
                yield (*link, mine.name), (*_table(child), theirs.name)
        yield from _pairs(child)


def _columns(node: Node, above: tuple[str, ...]) -> Iterator[tuple[str, ColumnName]]:
    for field in node.fields if node.aggregate is None else ():
        if field.sql is None and not field.from_link:
            yield ".".join((*above, *field.path)), (*_table(node), field.column.name)
    for child in node.children:
        yield from _columns(child, (*above, *child.path))
