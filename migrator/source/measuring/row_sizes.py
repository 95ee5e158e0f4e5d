"""How many bytes of BSON a row becomes, as SQL: rather too many than too few (lengths: bsonspec.org)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from migrator.model.mapping.tree import Field, Node


class SqlNames(Protocol):
    """How a table's columns and fields are written in SQL."""

    def column(self, name: str) -> str: ...

    def value(self, field: Field) -> str: ...


_UTF8 = ("utf8mb4", "utf8mb3", "utf8", "ascii")
_FIXED = {
    "int32": 4,
    "int64": 8,
    "double": 8,
    "float32": 8,
    "decimal128": 16,
    "bool": 1,
    "date": 8,
    "microseconds": 8,
    "uuid": 21,
    "objectid": 12,
}
_DOCUMENT = 5  # length and end of a (sub-)document or array
_HEAD = 2  # type, and the end of the name
_NUMBER = 8  # of an aggregate, about
_INDEX = 6  # digits of a place in an array
_HASHED_ID = _HEAD + len("_id") + 5 + 16  # of a table without a key


def row_size(node: Node, table: SqlNames) -> str:
    """BSON bytes of one row of a node's own table, without the rows below it."""
    if node.aggregate is not None:
        return "0"
    terms = [str(_around(node)), *_fields([field for field in node.fields if not field.from_link], table)]
    if node.variants is not None:
        selector = f"CAST({table.column(node.variants.column.name)} AS BINARY)"
        for case, fields in node.variants.cases:
            size = " + ".join(_fields(fields, table))
            terms.append(f"IF({selector} = x'{case.encode().hex()}', {size}, 0)")
    if not node.map_key_from_link:
        terms += _key_size(node, table)
    return " + ".join(terms)


def link_size(node: Node, link: SqlNames) -> str:
    """BSON bytes of what an element has from its link table."""
    terms = _fields([field for field in node.fields if field.from_link], link)
    if node.map_key_from_link:
        terms += _key_size(node, link)
    return " + ".join(terms)


def _key_size(node: Node, table: SqlNames) -> list[str]:
    """What the key of an entry of a map takes, and the array around its value."""
    if node.map_key is None:
        return []
    array = [str(_DOCUMENT + _INDEX)] if node.duplicates == "all" else []
    return [f"IFNULL(LENGTH({table.column(node.map_key.name)}), 0)", *array]


def _around(node: Node) -> int:
    """The (sub-)document itself, its name or place in an array, and the empty arrays and nulls of its children."""
    # The names in a map are counted with their rows.
    name = {"many": _INDEX, "scalars": _INDEX, "map": 0}.get(node.shape, sum(len(part.encode()) for part in node.path))
    size = 0 if node.flatten or node.shape in ("scalars", "map") else _DOCUMENT
    if node.shape == "root" and not node.key:
        size += _HASHED_ID
    if node.shape != "root" and not node.flatten:
        size += _HEAD + name
    size += sum(_HEAD + len(child.path[-1].encode()) + _NUMBER for child in node.children if child.aggregate)
    paths = [child.path for child in node.children if child.shape != "map" and not child.aggregate]
    # Maps with one path are one object.
    paths += {child.path for child in node.children if child.shape == "map"}
    return size + sum(_HEAD + len(part.encode()) + _DOCUMENT for path in paths for part in path)


def _fields(fields: Sequence[Field], table: SqlNames) -> list[str]:
    """What every row takes, then what depends on the values."""
    fixed = 0
    terms = []
    groups: set[tuple[str, ...]] = set()
    for field in fields:
        groups |= {field.path[:depth] for depth in range(1, len(field.path))}
        fixed += _HEAD + (len(field.path[-1].encode()) if field.path else 0)
        if field.value.companion:
            fixed += _HEAD + len(field.path[-1].encode()) + len("_micros") + 4
        length = _FIXED.get(field.value.kind)
        if length is None:
            length, term = _variable(field, table.value(field))
            terms.append(f"IFNULL({term}, 0)")
        fixed += length
    fixed += sum(_HEAD + len(group[-1].encode()) + _DOCUMENT for group in groups)
    return [str(fixed), *terms]


def _variable(field: Field, value: str) -> tuple[int, str]:
    """Constant bytes and the SQL of the rest for a value whose length varies."""
    match field.value.kind:
        case "array":
            # Each member has a head, a place and a string's length and end; the text has a comma for it.
            each = _HEAD + _INDEX + 5
            return _DOCUMENT + each, f"LENGTH({value}) + {each} * ({_commas(value)})"
        case "json":
            # Numbers in arrays grow most: `1,` becomes head, place and up to eight bytes.
            return _DOCUMENT + 16, f"LENGTH({value}) + 12 * ({_commas(value)})"
        case "geojson":
            # 16 bytes of WKB become an array of two doubles in an array.
            return 96, f"LENGTH({value}) * 3"
        case "string" if field.column.charset is not None and field.column.charset not in _UTF8:
            return 5, f"LENGTH(CONVERT({value} USING utf8mb4))"
        case _:
            return 5, f"LENGTH({value})"


def _commas(value: str) -> str:
    return f"LENGTH({value}) - LENGTH(REPLACE({value}, ',', ''))"
