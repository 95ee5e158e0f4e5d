"""Whether a statement left the rows of a table as they were, as far as a collection's documents show them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrator.changes.definition_changes import NOTHING, RewrittenColumns
from migrator.model.change.events import TableName
from migrator.model.mapping.representation import Kind
from migrator.model.mapping.tree import Collection, Field, Node
from migrator.model.schema.tables import Column, Table
from migrator.renewal.columns import keeps_order, keeps_values


@dataclass(frozen=True, slots=True)
class Use:
    """How documents depend on a column.

    Attributes:
        kind: of BSON that its values become; `string` for values that are compared or printed.
        compared: rows are found, chosen or ordered by it.
        computed: an expression reads it.
    """

    kind: Kind = "string"
    compared: bool = False
    computed: bool = False


def keeps_rows(collection: Collection, was: Table, now: Table, touched: RewrittenColumns) -> bool:
    """Whether everything that `collection` shows of the table's rows is as it was before a statement.

    Args:
        was, now: the table before and after it.
        touched: what its text says.
    """
    name = (was.schema, was.name)
    return all(_keeps(was, now, column, use, touched) for column, use in uses(collection, was, name))


def keeps_columns(was: Table, now: Table, names: tuple[str, ...], touched: RewrittenColumns) -> bool:
    """As `keeps_rows`, for columns by which rows are found."""
    return all(_keeps(was, now, name, Use(compared=True), touched) for name in names)


def _keeps(was: Table, now: Table, name: str, use: Use, touched: RewrittenColumns) -> bool:
    before, after = was.by_name.get(name), now.by_name.get(name)
    if before is None or after is None or name.lower() in touched.lost:
        return False
    if before.generated or after.generated:
        # What it is computed from may have changed, or how.
        return touched == NOTHING
    if not touched.defines(name):
        return True
    if not keeps_values(before, after, use.kind):
        return False
    if use.computed:
        # By bytes, by its order, in any way.
        return (before.charset, before.collation) == (after.charset, after.collation)
    return not use.compared or keeps_order(before, after)


def uses(collection: Collection, table: Table, name: TableName) -> Iterator[tuple[str, Use]]:
    """Every column of a table that documents depend on, once for each way; expressions name columns in any case."""
    for node in collection.root.walk():
        if (node.schema, node.table) == name:
            yield from _own(node, table)
        if node.link is not None and (node.link.schema, node.link.table) == name:
            yield from _linked(node, table)


def _own(node: Node, table: Table) -> Iterator[tuple[str, Use]]:
    compared = [column.name for column in node.key]
    compared += [order.column for order in node.order if not order.from_link]
    compared += [column for column, _ in node.match]
    if node.link is not None:
        compared += [column.name for column in node.link.child.child]
    elif node.join is not None:
        compared += [column.name for column in node.join.child]
    for child in node.children:
        join = child.parent_join()
        compared += [column.name for column in join.parent] if join is not None else []
    yield from ((column, Use(compared=True)) for column in dict.fromkeys(compared))
    printed = [node.map_key] if node.map_key is not None and not node.map_key_from_link else []
    printed += [node.variants.column] if node.variants is not None else []
    yield from ((column.name, Use()) for column in printed)
    if node.aggregate is not None and node.aggregate.column is not None:
        yield node.aggregate.column.name, Use(compared=True, computed=True)
    for field in fields_of(node) if node.aggregate is None else ():
        if field.sql is not None:
            yield from _named(field.sql, table)
        elif not field.from_link:
            yield field.column.name, Use(field.value.kind)
    if node.where is not None:
        yield from _named(node.where, table)


def _linked(node: Node, table: Table) -> Iterator[tuple[str, Use]]:
    link = node.link
    assert link is not None
    compared = [*link.key, *(order.column for order in node.order if order.from_link)]
    compared += [column.name for column in (*link.parent.child, *link.child.parent)]
    yield from ((column, Use(compared=True)) for column in dict.fromkeys(compared))
    yield from ((field.column.name, Use(field.value.kind)) for field in fields_of(node) if field.from_link)
    if node.map_key is not None and node.map_key_from_link:
        yield node.map_key.name, Use()
    if link.where is not None:
        yield from _named(link.where, table)


def fields_of(node: Node) -> tuple[Field, ...]:
    """All fields of a node, those of its variants' cases too."""
    cases = node.variants.cases if node.variants is not None else ()
    return (*node.fields, *(field for _, fields in cases for field in fields))


def _named(text: str, table: Table) -> Iterator[tuple[str, Use]]:
    """The columns whose names stand in an expression anywhere: too many rather than too few."""
    for column in table.columns:
        if _stands_in(column, text):
            yield column.name, Use(compared=True, computed=True)


def _stands_in(column: Column, text: str) -> bool:
    name = column.name.replace("`", "``")
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text, re.IGNORECASE) is not None
