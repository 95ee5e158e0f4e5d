"""Foreign keys that change rows without a trace in the change log, and the rows to track because of them
(premise B).

InnoDB carries out ON DELETE CASCADE, ON DELETE SET NULL and their ON UPDATE twins by itself; where the server doesn't
log that, the parent's event is all there is. The documents are then found in one of two ways:

- *covered*: wherever the child's rows are in a document, they are below the parent's, joined by this very key, so the
  parent's event names the document;
- *tracked*: key and join columns of the child's rows are kept in the state, by the copy and then by their own events;
  when the parent is deleted, the rows that held its key are looked up there and count as changed. Every other
  cascade that changes such rows is followed too, so that the tracked rows stay up to date.

A cascade continues through the child's own children, unmapped tables too: if one of those is tracked, the child is too.
https://dev.mysql.com/doc/refman/8.4/en/create-table-foreign-keys.html#foreign-key-referential-actions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from migrator.changes.folding import is_stripped
from migrator.changes.table_uses import own_columns
from migrator.model.change.events import TableName
from migrator.model.mapping.tree import Collection, Node
from migrator.model.schema.tables import ForeignKey, Schema, Table

# Marks the folded twin of a text column among a tracked row's values (see `folding`).
FOLDED = "~"


@dataclass(frozen=True, slots=True)
class Cascade:
    """A foreign key by which a parent's change reaches rows of a child without an event of theirs."""

    child: TableName
    parent: TableName
    key: ForeignKey

    @property
    def shown(self) -> str:
        return f"{self.child[1]}.{self.key.name}"


@dataclass(frozen=True, slots=True)
class TrackedTable:
    """What the state stores of a table's rows.

    Attributes:
        key: columns that name a row: the primary key or a unique NOT NULL key.
        columns: those whose values are kept, the key's included.
        stripped: those of them that are also kept without spaces at the end.
    """

    table: TableName
    key: tuple[str, ...]
    columns: tuple[str, ...]
    stripped: tuple[str, ...] = ()

    @property
    def noted(self) -> tuple[str, ...]:
        """What a state has to have of every row. Folded copies of other columns are stored by every version, without a
        record of that."""
        return (*self.columns, *(name + FOLDED for name in self.stripped))


@dataclass(frozen=True, slots=True)
class Cascades:
    """All silent cascades that can reach mapped rows.

    Attributes:
        covered: need nothing.
        tracked: are walked through the state when the parent changes.
        tables: what is tracked for them.
        hidden: can't be followed, one sentence each.
    """

    covered: tuple[Cascade, ...] = ()
    tracked: tuple[Cascade, ...] = ()
    tables: tuple[TrackedTable, ...] = ()
    hidden: tuple[str, ...] = ()

    def of_parent(self, parent: TableName) -> tuple[Cascade, ...]:
        """The tracked cascades that a change of a row of `parent` sets off."""
        return tuple(cascade for cascade in self.tracked if cascade.parent == parent)

    def table(self, name: TableName) -> TrackedTable | None:
        return next((tracked for tracked in self.tables if tracked.table == name), None)


def silent_cascades(schema: Schema, collections: Sequence[Collection]) -> Cascades:
    """What must be done about cascades, where the server doesn't log them."""
    mapped = {name for collection in collections for name in collection.tables}
    found = _reaching(schema, mapped)
    tracked = _tracked(found, mapped, collections)
    covered = [cascade for cascade in found if cascade not in tracked]
    tables = []
    seen = {each.child for each in found} | {each.parent for each in found} | mapped
    hidden = [
        f"the account may read some columns of {table.qualified} only, and can't see all of its foreign keys"
        for table in schema.tables
        if table.denied_to and (table.schema, table.name) in seen
    ]
    for name in dict.fromkeys(cascade.child for cascade in tracked):
        table = schema.by_name[name]
        if not table.unique_keys:
            hidden.append(f"rows of {table.qualified} have no key by which they could be tracked")
            continue
        tables.append(_tracked_columns(table, tracked, collections))
    for cascade in tracked:
        if cascade.parent not in schema.by_name:
            hidden.append(
                f"{cascade.shown} refers to {'.'.join(cascade.parent)}, in a database that the source URL doesn't name"
            )
    return Cascades(tuple(covered), tuple(tracked), tuple(tables), tuple(hidden))


def _reaching(schema: Schema, mapped: set[TableName]) -> list[Cascade]:
    """The cascades that lead into mapped tables, through unmapped ones too, sorted."""
    edges = [
        Cascade((table.schema, table.name), (key.parent_schema, key.parent_table), key)
        for table in schema.tables
        for key in table.foreign_keys
        if key.cascades
    ]
    reached, new = set(mapped), set(mapped)
    found: list[Cascade] = []
    while new:
        step = [edge for edge in edges if edge.child in new and edge not in found]
        found += step
        new = {edge.parent for edge in step} - reached
        reached |= new
    return sorted(found, key=lambda edge: (edge.child, edge.key.name))


def _tracked(found: Iterable[Cascade], mapped: set[TableName], collections: Sequence[Collection]) -> list[Cascade]:
    """The cascades that are not covered, those that lead to such a one, and all others that change a tracked row:
    what is tracked would be out of date otherwise."""
    cascades = list(found)
    tracked = [each for each in cascades if not _is_covered(each, mapped, collections)]
    while True:
        tables = {table for each in tracked for table in (each.parent, each.child)}
        more = [each for each in cascades if each.child in tables and each not in tracked]
        if not more:
            return [each for each in cascades if each in tracked]
        tracked += more


def _tracked_columns(table: Table, tracked: Sequence[Cascade], collections: Sequence[Collection]) -> TrackedTable:
    """By a row: its key, the foreign keys that change it, what its children refer to, what leads to its documents."""
    name = (table.schema, table.name)
    key = table.unique_keys[0]
    columns = [
        *key,
        *(column for each in tracked if each.child == name for column in each.key.columns),
        *(column for each in tracked if each.parent == name for column in each.key.parent_columns),
        *(column for collection in collections for column in own_columns(collection, name)),
    ]
    kept = tuple(dict.fromkeys(columns))
    return TrackedTable(name, key, kept, tuple(each for each in kept if is_stripped(table.by_name[each])))


def _is_covered(cascade: Cascade, mapped: set[TableName], collections: Sequence[Collection]) -> bool:
    """Whether the parent's event names every document that holds the child's row."""
    if cascade.child not in mapped:
        return False
    return all(_stands_below(cascade, node) for collection in collections for node in _with_parents(collection.root))


def _with_parents(node: Node, parent: Node | None = None) -> Iterator[tuple[Node, Node | None]]:
    yield node, parent
    for child in node.children:
        yield from _with_parents(child, node)


def _stands_below(cascade: Cascade, place: tuple[Node, Node | None]) -> bool:
    """Whether the child's table, where it is this node's or its link's, hangs on the parent's by the key itself."""
    node, parent = place
    is_own = (node.schema, node.table) == cascade.child
    is_link = node.link is not None and (node.link.schema, node.link.table) == cascade.child
    if not is_own and not is_link:
        return True
    # A row of a `through` node hangs on its link rows, which have events and cascades of their own.
    join = None if is_own and node.link is not None else node.parent_join()
    if join is None or parent is None or (parent.schema, parent.table) != cascade.parent:
        return False
    pairs = {(left.name, right.name) for left, right in zip(join.parent, join.child, strict=True)}
    return pairs == set(zip(cascade.key.parent_columns, cascade.key.columns, strict=True))
