"""Every path that a collection's documents have: what indexes and references may name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from migrator.model.representation import Kind
from migrator.model.tree import Field, Node

# BSON types of a JSON value that is not null.
_ANY = ("object", "array", "string", "int", "long", "double", "bool")


@dataclass(frozen=True, slots=True)
class Leaf:
    """What stands at a path.

    Attributes:
        path: from the document's top.
        kind: of the value; `object` for a sub-document, `map` for `as: map`.
        bson_types: names of the BSON types it may have, null aside.
        nullable: may be null or missing.
        arrays: paths of the arrays around it, and of itself if it is one.
        column: the root's own column that it shows, "" for all else.
        open: what stands below it is not known (JSON, maps).
    """

    path: tuple[str, ...]
    kind: Kind | str
    bson_types: tuple[str, ...]
    nullable: bool
    arrays: tuple[tuple[str, ...], ...] = ()
    column: str = ""
    open: bool = False

    @property
    def dotted(self) -> str:
        return ".".join(self.path)


def document_leaves(root: Node) -> dict[str, Leaf]:
    """By dotted path. A path that several cases of variants write is there once, with all their types."""
    found: dict[str, Leaf] = {}
    for leaf in _node_leaves(root, (), (), nullable=False):
        other = found.get(leaf.dotted)
        if other is not None and other.kind != "object":
            types = tuple(dict.fromkeys((*other.bson_types, *leaf.bson_types)))
            leaf = replace(other, bson_types=types, nullable=other.nullable or leaf.nullable)
        found[leaf.dotted] = leaf
    return found


def find_leaf(leaves: dict[str, Leaf], dotted: str) -> Leaf | None:
    """What stands at `dotted`: also below JSON and maps, where the documents alone know."""
    if dotted in leaves:
        return leaves[dotted]
    parts = dotted.split(".")
    for end in range(len(parts) - 1, 0, -1):
        above = leaves.get(".".join(parts[:end]))
        if above is not None:
            return replace(above, path=tuple(parts), nullable=True, bson_types=_ANY) if above.open else None
    return None


def _node_leaves(
    node: Node, prefix: tuple[str, ...], arrays: tuple[tuple[str, ...], ...], *, nullable: bool
) -> Iterator[Leaf]:
    own = node.shape == "root"
    for field in node.fields:
        yield from _field_leaves(field, prefix, arrays, nullable=nullable, own=own)
    for _, case in node.variants.cases if node.variants else ():
        for field in case:
            yield from _field_leaves(field, prefix, arrays, nullable=True, own=own)
    for child in node.children:
        place = (*prefix, *child.path)
        inside = arrays if child.shape in ("one", "map") else (*arrays, place)
        yield from _above(child.path, prefix, arrays)
        if child.shape == "map":
            yield Leaf(place, "map", ("object",), False, arrays, open=True)
        elif child.shape == "scalars":
            for field in child.fields:
                types = _types(field)
                yield Leaf(place, field.value.kind, types, True, inside, open=field.value.kind == "json")
        else:
            if child.path:
                yield Leaf(place, "object", ("object",), True, inside)
            yield from _node_leaves(child, place, inside, nullable=True)


def _field_leaves(
    field: Field, prefix: tuple[str, ...], arrays: tuple[tuple[str, ...], ...], *, nullable: bool, own: bool
) -> Iterator[Leaf]:
    yield from _above(field.path, prefix, arrays)
    place = (*prefix, *field.path)
    value = field.value
    empty = nullable or bool(arrays) or field.column.nullable or "null" in value.bson_types
    empty = empty or (value.kind == "date" and value.policies.zero_date == "null")
    inside = (*arrays, place) if value.kind == "array" else arrays
    column = field.column.name if own and field.sql is None else ""
    yield Leaf(place, value.kind, _types(field), empty, inside, column, open=value.kind in ("json", "geojson"))
    if value.companion:
        micros = (*place[:-1], f"{place[-1]}_micros")
        yield Leaf(micros, "int32", ("int",), empty, arrays)


def _above(path: tuple[str, ...], prefix: tuple[str, ...], arrays: tuple[tuple[str, ...], ...]) -> Iterator[Leaf]:
    """The sub-documents that a dotted path opens."""
    for end in range(1, len(path)):
        yield Leaf((*prefix, *path[:end]), "object", ("object",), bool(arrays), arrays)


def _types(field: Field) -> tuple[str, ...]:
    return tuple(name for name in field.value.bson_types if name != "null")
