"""Every path that a collection's documents have: what indexes and references may name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from migrator.model.mapping.representation import Kind
from migrator.model.mapping.tree import Field, Node

# BSON types of a JSON value that is not null.
_ANY = ("object", "array", "string", "int", "long", "double", "bool")


@dataclass(frozen=True, slots=True)
class FieldPath:
    """What stands at a path.

    Attributes:
        path: from the document's top.
        kind: of the value; `object` for a sub-document, `map` for `as: map`.
        bson_types: names of the BSON types it may have, null aside.
        nullable: may be null or missing.
        arrays: paths of the arrays around it, and of itself if it is one.
        column: the root's own column that it shows, "" for all else.
        open: what stands below it is not known (JSON, maps).
        below_arrays: of a map: its values are arrays.
        omits: where NULL stands as null in the documents, the line that leaves it out instead: for a field
            (`location: {null: omit}`) with the place in the mapping that it belongs to; "" where null never stands.
    """

    path: tuple[str, ...]
    kind: Kind | str
    bson_types: tuple[str, ...]
    nullable: bool
    arrays: tuple[tuple[str, ...], ...] = ()
    column: str = ""
    open: bool = False
    below_arrays: bool = False
    omits: str = ""

    @property
    def dotted(self) -> str:
        return ".".join(self.path)


def document_paths(root: Node) -> dict[str, FieldPath]:
    """By dotted path. A path that several cases of variants write is there once, with all their types."""
    found: dict[str, FieldPath] = {}
    for field_path in _node_paths(root, (), (), nullable=False):
        other = found.get(field_path.dotted)
        if other is not None and other.kind != "object":
            types = tuple(dict.fromkeys((*other.bson_types, *field_path.bson_types)))
            nullable, omits = other.nullable or field_path.nullable, other.omits or field_path.omits
            field_path = replace(other, bson_types=types, nullable=nullable, omits=omits)
        found[field_path.dotted] = field_path
    return found


def find_path(known_paths: dict[str, FieldPath], dotted: str) -> FieldPath | None:
    """What stands at `dotted`: also below JSON and maps, where the documents alone know."""
    if dotted in known_paths:
        return known_paths[dotted]
    parts = dotted.split(".")
    for end in range(len(parts) - 1, 0, -1):
        above = known_paths.get(".".join(parts[:end]))
        if above is not None:
            if not above.open:
                return None
            inside = (*above.arrays, tuple(parts[: end + 1])) if above.below_arrays else above.arrays
            return replace(above, path=tuple(parts), nullable=True, bson_types=_ANY, omits="", arrays=inside)
    return None


def _node_paths(
    node: Node, prefix: tuple[str, ...], arrays: tuple[tuple[str, ...], ...], *, nullable: bool
) -> Iterator[FieldPath]:
    for field in node.fields:
        yield from _field_paths(node, field, prefix, arrays, nullable=nullable)
    for _, case in node.variants.cases if node.variants else ():
        for field in case:
            yield from _field_paths(node, field, prefix, arrays, nullable=True)
    for child in node.children:
        place = (*prefix, *child.path)
        inside = arrays if child.shape in ("one", "map", "value") else (*arrays, place)
        yield from _above(child.path, prefix, arrays)
        if child.shape == "map":
            has_arrays = any(each.duplicates == "all" for each in node.filling(child.path))
            yield FieldPath(place, "map", ("object",), False, arrays, open=True, below_arrays=has_arrays)
        elif child.aggregate is not None:
            (value,) = child.fields
            empty = child.aggregate.function not in ("count", "exists")
            yield FieldPath(place, value.value.kind, _types(value), nullable or empty, arrays)
        elif child.shape == "scalars":
            for field in child.fields:
                types, below = _types(field), field.value.kind == "json"
                yield FieldPath(place, field.value.kind, types, True, inside, open=below, omits=_omits(child, field))
        else:
            if child.path:
                yield FieldPath(place, "object", ("object",), True, inside)
            yield from _node_paths(child, place, inside, nullable=True)


def _field_paths(
    node: Node, field: Field, prefix: tuple[str, ...], arrays: tuple[tuple[str, ...], ...], *, nullable: bool
) -> Iterator[FieldPath]:
    yield from _above(field.path, prefix, arrays)
    place = (*prefix, *field.path)
    value = field.value
    empty = nullable or bool(arrays) or field.column.nullable or "null" in value.bson_types
    empty = empty or (value.kind == "date" and value.policies.zero_date == "null")
    inside = (*arrays, place) if value.kind == "array" else arrays
    column = field.column.name if node.shape == "root" and field.sql is None else ""
    below = value.kind in ("json", "geojson")
    yield FieldPath(place, value.kind, _types(field), empty, inside, column, open=below, omits=_omits(node, field))
    if value.companion:
        micros = (*place[:-1], f"{place[-1]}_micros")
        yield FieldPath(micros, "int32", ("int",), empty, arrays)


def _omits(node: Node, field: Field) -> str:
    """See `FieldPath.omits`."""
    # A flattened row that is missing leaves nulls, whatever its columns allow.
    can_be_null = field.column.nullable or field.sql is not None or node.flatten
    if field.value.policies.null == "omit" or not can_be_null:
        return ""
    embed = node.id.partition(".")[2]
    if node.shape == "scalars":
        source = f"sql: {field.sql!r}" if field.sql is not None else f"column: {field.column.name}"
        return f"`value: {{{source}, null: omit}}` in `embed: {embed}`"
    name = ".".join(field.path)
    source = "" if field.sql is not None or field.column.name == name else f"column: {field.column.name}, "
    block = "`through`" if field.from_link else f"`embed: {embed}`"
    where = f"under `fields:` of {block}" if embed else "under `fields:`"
    return f"`{name}: {{{source}null: omit}}` {where}"


def _above(path: tuple[str, ...], prefix: tuple[str, ...], arrays: tuple[tuple[str, ...], ...]) -> Iterator[FieldPath]:
    """The sub-documents that a dotted path opens."""
    for end in range(1, len(path)):
        yield FieldPath((*prefix, *path[:end]), "object", ("object",), bool(arrays), arrays)


def _types(field: Field) -> tuple[str, ...]:
    return tuple(name for name in field.value.bson_types if name != "null")
