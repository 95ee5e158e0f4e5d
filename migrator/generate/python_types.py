"""From a column's representation to its Python type and codec."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.model.mapping.representation import Kind
from migrator.model.mapping.tree import Field

_PLAIN: dict[Kind, tuple[str, str]] = {
    "int32": ("int", "INT32"),
    "int64": ("int", "INT64"),
    "double": ("float", "DOUBLE"),
    "float32": ("float", "DOUBLE"),
    "decimal128": ("Decimal", "DECIMAL"),
    "string": ("str", "TEXT"),
    "bool": ("bool", "BOOL"),
    "binary": ("bytes", "BYTES"),
    "uuid": ("UUID", "UUID4"),
    "objectid": ("ObjectId", "OBJECT_ID"),
    "date": ("datetime", "MOMENT"),
    "microseconds": ("timedelta", "DURATION"),
    "json": ("Any", "ANY"),
    "geojson": ("dict[str, Any]", "OBJECT"),
    "vector": ("Binary", "VECTOR"),
}

# What a value of this kind means, where its type alone doesn't tell.
UNITS: dict[Kind, str] = {"date": "UTC, milliseconds", "microseconds": "stored as microseconds"}


@dataclass(frozen=True, slots=True)
class PythonType:
    """A type of values.

    Attributes:
        annotation: in Python, without None.
        codec: the expression that reads and writes it.
        bson: names of the BSON types that are stored.
        members: of an ENUM or SET, whose annotation and codec are then those of one member, under the names `{type}`
            and `{codec}`, which whoever names the type fills in.
    """

    annotation: str
    codec: str
    bson: tuple[str, ...]
    members: tuple[str, ...] = ()


INT32 = PythonType("int", "INT32", ("int",))
BYTES = PythonType("bytes", "BYTES", ("binData",))
OBJECT_ID = PythonType("ObjectId", "OBJECT_ID", ("objectId",))
UUID = PythonType("UUID", "UUID4", ("binData",))


def typed(field: Field) -> PythonType:
    """The type of a field's values."""
    value = field.value
    if value.family == "enum" and value.kind == "string" and field.sql is None and field.column.members:
        # Index 0, what MySQL stores for a value that it doesn't know, is ''.
        members = tuple(dict.fromkeys((*field.column.members, "")))
        return PythonType("{type}", "{codec}", value.bson_types, members)
    if value.kind == "array":
        members = field.column.members
        return PythonType("list[{type}]", "array({codec})", ("array",), members)
    annotation, codec = _PLAIN[value.kind]
    if value.kind == "date" and value.family == "date":
        annotation, codec = "date", "DAY"
    second = {"string": ("str", "TEXT"), "binData": ("bytes", "BYTES")}
    for name in value.bson_types[1:] if value.kind != "json" else ():
        other, codec_of_other = second[name]
        annotation, codec = f"{annotation} | {other}", f"either({codec}, {codec_of_other})"
    return PythonType(annotation, codec, value.bson_types)


def widened(one: PythonType, other: PythonType) -> PythonType:
    """A type that takes both; `one` where they are the same."""
    if one.annotation == other.annotation:
        return one
    return PythonType(
        f"{one.annotation} | {other.annotation}", f"either({one.codec}, {other.codec})", (*one.bson, *other.bson)
    )
