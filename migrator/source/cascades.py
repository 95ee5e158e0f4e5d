"""Foreign keys that change mapped rows without a trace in the change log (DESIGN premise B). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.model.plan import Finding
from migrator.model.schema import ForeignKey, Schema, Table
from migrator.model.tree import Collection, Node

_SILENT = ("CASCADE", "SET NULL", "SET DEFAULT")
_CODE = "silent-cascade"
_FIX = (
    "Nothing to do for a copy. Before sync: let the application change these rows itself, or use MySQL 9.6 or later, "
    "which logs cascades."
)

TableKey = tuple[str, str]


@dataclass(frozen=True)
class _Edge:
    """A cascading key: what happens to a row of `parent` happens to rows of `child`."""

    child: Table
    key: ForeignKey

    @property
    def parent(self) -> TableKey:
        return self.key.parent_schema, self.key.parent_table


def cascades(key: ForeignKey) -> bool:
    """Whether rows that hold the key change when the row it names does."""
    return key.on_delete in _SILENT or key.on_update in _SILENT


def cascade_findings(schema: Schema, collections: Sequence[Collection]) -> Iterator[Finding]:
    """The cascading keys that lead into mapped tables, through unmapped tables too: at most two findings.

    `info` for those where the parent's own event names the documents, since the child stands below it in every
    document that holds it; `warning` for all others. A copy needs nothing of either.
    """
    mapped = {key for collection in collections for key in collection.tables}
    edges = [_Edge(table, key) for table in schema.tables for key in table.foreign_keys if cascades(key)]
    reached, new = set(mapped), set(mapped)
    found: list[_Edge] = []
    while new:
        step = [edge for edge in edges if (edge.child.schema, edge.child.name) in new and edge not in found]
        found += step
        new = {edge.parent for edge in step} - reached
        reached |= new
    found.sort(key=lambda edge: (edge.child.qualified, edge.key.name))
    covered = [edge for edge in found if _is_covered(edge, mapped, collections)]
    others = [edge for edge in found if edge not in covered]
    if others:
        text = f"{_changed(others)}, and sync has to find the documents in another way: "
        names = ", ".join(f"{_short(edge.child, schema)}.{edge.key.name}" for edge in others)
        yield Finding("warning", _CODE, "source", text + names, _FIX)
    if covered:
        text = f"{_changed(covered)}; sync learns of it by the event of the parent, below which the rows stand: "
        yield Finding("info", _CODE, "source", text + ", ".join(edge.key.name for edge in covered))


def _changed(edges: Sequence[_Edge]) -> str:
    subject = "1 cascading foreign key changes" if len(edges) == 1 else f"{len(edges)} cascading foreign keys change"
    return f"{subject} rows without a trace in the log"


def _short(table: Table, schema: Schema) -> str:
    return table.name if table.schema == schema.default else table.qualified


def _is_covered(edge: _Edge, mapped: set[TableKey], collections: Sequence[Collection]) -> bool:
    """Whether sync learns of the change by the parent's event, wherever the child is mapped."""
    if (edge.child.schema, edge.child.name) not in mapped:
        return False
    return all(_stands_below(edge, collection.root) for collection in collections)


def _stands_below(edge: _Edge, node: Node) -> bool:
    """Whether the child's table comes only directly below its parent's, joined by the key itself."""
    child = (edge.child.schema, edge.child.name)
    if (node.schema, node.table) == child and node.parent_join() is None:
        return False
    for below in node.children:
        is_child = (below.schema, below.table) == child
        is_link = below.link is not None and (below.link.schema, below.link.table) == child
        if is_child or is_link:
            # A link row hangs on the parent by link.parent; by its other key it hangs on the node's own table.
            join = below.link.parent if below.link is not None and is_link else below.join
            if join is None or (node.schema, node.table) != edge.parent:
                return False
            pairs = {(left.name, right.name) for left, right in zip(join.parent, join.child, strict=True)}
            if pairs != set(zip(edge.key.parent_columns, edge.key.columns, strict=True)):
                return False
        if not _stands_below(edge, below):
            return False
    return True
