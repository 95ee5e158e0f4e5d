"""Where a table's rows are in a mapping's tree, and which of their columns lead to documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrator.model.change.events import RefKind, TableName
from migrator.model.mapping.tree import Collection, Node


@dataclass(frozen=True, slots=True)
class TableUse:
    """Rows of `table` are part of the documents at `node`, and `columns` of theirs lead there (see events.RefKind)."""

    table: TableName
    node: Node
    kind: RefKind
    columns: tuple[str, ...]


def table_uses(collection: Collection) -> Iterator[TableUse]:
    """Every way in which a row can be part of a collection's documents."""
    yield from _node_uses(collection.root, None, collection.root)


def _node_uses(node: Node, parent: Node | None, root: Node) -> Iterator[TableUse]:
    table = (node.schema, node.table)
    if parent is None:
        yield TableUse(table, node, "key", tuple(column.name for column in node.key))
    else:
        yield from _join_uses(node, parent, root)
    for child in node.children:
        yield from _node_uses(child, node, root)


def _join_uses(node: Node, parent: Node, root: Node) -> Iterator[TableUse]:
    join = node.parent_join()
    if join is None:
        raise AssertionError(f"{node.id} has no join")
    link = node.link
    holder = (node.schema, node.table) if link is None else (link.schema, link.table)
    columns = {parent.name: child.name for parent, child in zip(join.parent, join.child, strict=True)}
    if parent is root and join.exact and set(columns) == {column.name for column in root.key}:
        # The row holds the document's own key: nothing has to be asked.
        yield TableUse(holder, root, "key", tuple(columns[column.name] for column in root.key))
    else:
        yield TableUse(holder, node, "parent", tuple(column.name for column in join.child))
    if link is not None:
        own = tuple(column.name for column in link.child.child)
        yield TableUse((node.schema, node.table), node, "child", own)


def own_columns(collection: Collection, table: TableName) -> tuple[str, ...]:
    """The columns of a table that lead to documents of a collection."""
    found = (column for each in table_uses(collection) if each.table == table for column in each.columns)
    return tuple(dict.fromkeys(found))


def path_to(collection: Collection, node_id: str) -> tuple[Node, ...]:
    """The nodes from the root to one, both included."""

    def search(node: Node, above: tuple[Node, ...]) -> tuple[Node, ...] | None:
        here = (*above, node)
        if node.id == node_id:
            return here
        return next((found for child in node.children if (found := search(child, here)) is not None), None)

    path = search(collection.root, ())
    if path is None:
        raise AssertionError(f"{collection.name} has no node {node_id}")
    return path
