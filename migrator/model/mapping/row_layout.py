"""The order of values in a row that the source hands to the assembler: the one contract between the two.

The source builds its SELECT from a layout, the assembler reads rows by it. Values are the server's own text bytes
(or None), in `migrator.source.rows.snapshot`' session: character_set_results=utf8mb4, time_zone '+00:00'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from migrator.model.mapping.representation import family_of
from migrator.model.mapping.tree import Field, Node
from migrator.model.schema.tables import Column

Origin = Literal["table", "link", "parent", "expression", "aggregate"]
Form = Literal["plain", "bytes", "number", "unsigned", "wkb"]


@dataclass(frozen=True, slots=True)
class Item:
    """One selected value.

    Attributes:
        origin: the node's own table, its link table, its parent's table (a carried key), or an SQL expression over the
            node's own table.
        name: the column's name, or the expression's text.
        form: how it is selected: `plain` as it is; `bytes` CAST(... AS BINARY), so that the server doesn't replace
            invalid characters by '?' (edge case 11); `number` col + 0e0 for FLOAT (a bare SELECT rounds to six digits,
            edge case 3) and col + 0 for an ENUM's index; `unsigned` CAST(... AS UNSIGNED), which drops zerofill;
            `wkb` the bytes of a geometry in the server's own format (SRID + WKB).
    """

    origin: Origin
    name: str
    form: Form = "plain"


@dataclass(frozen=True, slots=True)
class Layout:
    """The selected values of a node.

    The first `match` items say which parent a row belongs to: the child's (or link's) side of an exact join, or the
    parent's own key where the join is not exact. 0 for the root. An item that is a field's value or part of the row's
    key, too, is there once: most children's are, and a value that comes twice is read and carried twice.
    """

    match: int
    items: tuple[Item, ...]

    def position(self, item: Item) -> int:
        """Where `item` stands in a row."""
        return self.items.index(item)


def column_item(column: Column, origin: Origin = "table") -> Item:
    """How a plain column is selected."""
    return Item(origin, column.name, _form(column))


def field_item(field: Field) -> Item:
    """How a field's value is selected."""
    if field.sql is not None:
        return Item("expression", field.sql, _form(field.column))
    origin: Origin = "link" if field.from_link else "table"
    if field.value.family == "enum" and field.value.kind == "int32":
        return Item(origin, field.column.name, "number")
    if field.value.kind == "string" and field.column.zerofill and field.value.family != "float":
        # As text the zeros are part of the value.
        return Item(origin, field.column.name)
    if field.value.kind == "binary" and field.value.family == "text":
        return Item(origin, field.column.name, "bytes")
    return Item(origin, field.column.name, _form(field.column))


def map_key_item(node: Node, key: Column) -> Item:
    """How the key of a map's entry is selected."""
    return column_item(key, "link" if node.map_key_from_link else "table")


def aggregate_item(field: Field) -> Item:
    """How the value of an aggregate is selected."""
    return Item("aggregate", field.column.name, _form(field.column))


def _form(column: Column) -> Form:
    if column.data_type == "float":
        return "number"
    family = family_of(column)
    if column.zerofill and family == "integer":
        return "unsigned"
    if family == "text" and column.charset in ("utf8mb3", "utf8", "ascii"):
        return "bytes"
    if family == "geometry":
        return "wkb"
    return "plain"


def carries_parent_key(node: Node) -> bool:
    """Whether the node's rows name their parent by the parent's own key instead of the join's values."""
    join = node.parent_join()
    return join is not None and not join.exact


def layout(node: Node, parent: Node | None) -> Layout:
    """The selected values of `node`, whose parent in the tree is `parent` (None for the root)."""
    match: list[Item] = []
    join = node.parent_join()
    if join is not None and parent is not None:
        if join.exact:
            origin: Origin = "link" if node.link else "table"
            match = [column_item(column, origin) for column in join.child]
        else:
            match = [column_item(column, "parent") for column in parent.key]
    if node.aggregate is not None:
        return Layout(len(match), (*match, aggregate_item(node.fields[0])))
    wanted = [column_item(column) for column in node.key]
    for child in node.children:
        child_join = child.parent_join()
        if child_join is not None:
            wanted += [column_item(column) for column in child_join.parent]
    if node.map_key is not None:
        wanted.append(map_key_item(node, node.map_key))
    fields = list(node.fields)
    if node.variants is not None:
        wanted.append(column_item(node.variants.column))
        fields += [field for _, case in node.variants.cases for field in case]
    wanted += [field_item(field) for field in fields]
    return Layout(len(match), (*match, *(item for item in dict.fromkeys(wanted) if item not in match)))
