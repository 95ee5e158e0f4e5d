"""What differs between two resolved mappings of a collection, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrator.model.mapping.tree import Collection, Field, Join, Node
from migrator.model.schema.tables import Column
from migrator.model.text.formatting import listed


def changes(old: Collection, new: Collection) -> tuple[str, ...]:
    """What changed in the documents between `old` and `new`, one phrase for each thing; () when nothing did."""
    if old.mapping_hash == new.mapping_hash:
        return ()
    return differences(old, new) or ("the mapping changed",)


def differences(old: Collection, new: Collection) -> tuple[str, ...]:
    """What differs between two mappings and the columns that they name, one phrase for each thing; () for what has no
    words here."""
    before = {node.id: node for node in old.root.walk()}
    after = {node.id: node for node in new.root.walk()}
    found = [f"{_name(id_, new.name)} is embedded now" for id_ in after if _appeared(id_, after, before)]
    found += [f"{_name(id_, new.name)} is no longer embedded" for id_ in before if _appeared(id_, before, after)]
    for id_, node in after.items():
        if id_ in before:
            # What is said of a collection begins with its name already.
            prefix = "" if node.shape == "root" else f"{_name(id_, new.name)}: "
            found += (f"{prefix}{what}" for what in _node(before[id_], node))
    if not found and [node.id for node in old.root.walk()] != [node.id for node in new.root.walk()]:
        found.append("the order of embedded tables changed")
    return tuple(found)


def _appeared(id_: str, here: dict[str, Node], there: dict[str, Node]) -> bool:
    """A node that came without its parent coming too."""
    return id_ not in there and any(id_.startswith(f"{other}.") for other in there if other in here)


def _name(id_: str, collection: str) -> str:
    return id_.removeprefix(f"{collection}.")


def _node(old: Node, new: Node) -> Iterator[str]:
    if old.qualified != new.qualified:
        yield f"comes from {new.qualified} instead of {old.qualified}"
    if old.shape != new.shape or old.flatten != new.flatten or old.path != new.path:
        yield "has another shape or place"
    if _names(old.key) != _names(new.key):
        yield "key changed"
    if _joined(old.join) != _joined(new.join) or old.link != new.link or old.match != new.match:
        yield "join changed"
    if old.where != new.where:
        yield "condition changed"
    if old.order != new.order or old.limit != new.limit:
        yield "order or limit changed"
    if (old.map_key, old.map_key_from_link, old.duplicates) != (new.map_key, new.map_key_from_link, new.duplicates):
        yield "keys of the map changed"
    if old.aggregate != new.aggregate:
        yield "is computed in another way"
    if old.orphans != new.orphans or old.omit_null != new.omit_null:
        yield "policies changed"
    if old.variants != new.variants:
        yield "variants changed"
    yield from _fields(old.fields, new.fields)


def _fields(old: Sequence[Field], new: Sequence[Field]) -> Iterator[str]:
    before = {".".join(field.path): field for field in old}
    after = {".".join(field.path): field for field in new}
    if added := [name for name in after if name not in before]:
        yield f"columns changed: + {listed(added)}"
    if gone := [name for name in before if name not in after]:
        yield f"columns changed: - {listed(gone)}"
    for name, field in after.items():
        other = before.get(name)
        if other is None or other == field:
            continue
        if other.value.kind != field.value.kind:
            yield f"{name} becomes {field.value.kind} instead of {other.value.kind}"
        elif (other.sql, other.column.name) != (field.sql, field.column.name):
            yield f"{name} comes from {field.sql or field.column.name} instead of {other.sql or other.column.name}"
        elif other.value.policies != field.value.policies:
            yield f"policies of {name} changed"
        else:
            yield f"the column of {name} changed{_types(other.column, field.column)}"
    if not added and not gone and list(before) != list(after):
        yield "the order of columns changed"


def _types(old: Column, new: Column) -> str:
    """` (int -> bigint)`; "" where it is something else, like the collation."""
    return "" if old.column_type == new.column_type else f" ({old.column_type} -> {new.column_type})"


def _names(columns: Sequence[object]) -> list[str]:
    return [str(getattr(column, "name", column)) for column in columns]


def _joined(join: Join | None) -> tuple[list[str], list[str]] | None:
    return None if join is None else (_names(join.parent), _names(join.child))
