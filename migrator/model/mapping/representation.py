"""Which BSON type a column becomes: the table of docs/documents.md, without any conversion code.

`represent` is asked by the check (a type that can't hold its data), by the codec (documents.values), by the
$jsonSchema validator and by partial indexes, so all four agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from migrator.model.mapping.policies import Policies
from migrator.model.schema.tables import Column

Kind = Literal[
    "int32",
    "int64",
    "double",
    "float32",
    "decimal128",
    "string",
    "bool",
    "binary",
    "uuid",
    "objectid",
    "date",
    "microseconds",
    "array",
    "json",
    "geojson",
    "vector",
]

Family = Literal[
    "integer",
    "decimal",
    "float",
    "double",
    "text",
    "binary",
    "date",
    "datetime",
    "time",
    "year",
    "bit",
    "enum",
    "set",
    "json",
    "geometry",
    "uuid",
    "inet",
    "vector",
]

_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint"), "integer"),
    "decimal": "decimal",
    "float": "float",
    "double": "double",
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext"), "text"),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), "binary"),
    "date": "date",
    "datetime": "datetime",
    "timestamp": "datetime",
    "time": "time",
    "year": "year",
    "bit": "bit",
    "enum": "enum",
    "set": "set",
    "json": "json",
    **dict.fromkeys(
        (
            "geometry",
            "point",
            "linestring",
            "polygon",
            "multipoint",
            "multilinestring",
            "multipolygon",
            "geometrycollection",
            "geomcollection",
        ),
        "geometry",
    ),
    "uuid": "uuid",
    "inet4": "inet",
    "inet6": "inet",
    "vector": "vector",
}

# What `type:` may say for each family; the first is the default.
TYPES: dict[Family, tuple[str, ...]] = {
    "integer": ("int", "long", "double", "decimal", "string", "bool"),
    "decimal": ("decimal", "string", "double", "long"),
    "float": ("double", "string"),
    "double": ("double", "string"),
    "text": ("string", "json", "uuid", "decimal", "objectid", "binary"),
    "binary": ("binary", "string", "uuid", "objectid", "json"),
    "date": ("date", "string"),
    "datetime": ("date", "string"),
    "time": ("string", "microseconds"),
    "year": ("int", "string"),
    "bit": ("bool", "long", "binary"),
    "enum": ("string", "int"),
    "set": ("array", "string"),
    "json": ("json", "string"),
    "geometry": ("geojson", "binary"),
    "uuid": ("uuid", "string"),
    "inet": ("string",),
    "vector": ("vector", "binary"),
}

# Names of BSON types as $type, $jsonSchema's bsonType and partial indexes spell them.
_BSON_TYPES: dict[Kind, tuple[str, ...]] = {
    "int32": ("int",),
    "int64": ("long",),
    "double": ("double",),
    "float32": ("double",),
    "decimal128": ("decimal",),
    "string": ("string",),
    "bool": ("bool",),
    "binary": ("binData",),
    "uuid": ("binData",),
    "objectid": ("objectId",),
    "date": ("date",),
    "microseconds": ("long",),
    "array": ("array",),
    "json": ("object", "array", "string", "int", "long", "double", "bool", "null"),
    "geojson": ("object",),
    "vector": ("binData",),
}

DECIMAL128_DIGITS = 34


class Unrepresentable(Exception):
    """A `type:` that the column's data can't become.

    Attributes:
        reason: one sentence.
        allowed: what `type:` may say instead.
    """

    def __init__(self, reason: str, allowed: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Representation:
    """How one column's values stand in a document.

    Attributes:
        kind: the BSON type family.
        family: the MySQL type family that it comes from.
        bson_types: names of the BSON types a non-null value may have.
        policies: what to do with values that don't fit.
        companion: a second field `<name>_micros` holds the microseconds (policy submillisecond: companion).
    """

    kind: Kind
    family: Family
    bson_types: tuple[str, ...]
    policies: Policies
    companion: bool = False


def family_of(column: Column) -> Family | None:
    """The column's type family, None for a type migrator doesn't know."""
    return _FAMILIES.get(column.data_type)


def represent(column: Column, as_type: str | None, policies: Policies) -> Representation:
    """How `column` stands in a document when the mapping says `type: as_type` (None: the default).

    Raises:
        Unrepresentable: when that type can't hold the column's data, or the column's type is unknown.
    """
    family = family_of(column)
    if family is None:
        raise Unrepresentable(f"columns of type {column.data_type} are not known to migrator", ())
    allowed = _allowed(column, family)
    if as_type is not None and as_type not in allowed:
        raise Unrepresentable(f"{column.column_type} can't become `{as_type}`", allowed)
    kind = _kind(column, family, as_type or allowed[0], policies)
    types = _BSON_TYPES[kind]
    if family == "text" and policies.invalid_text == "binary" and kind == "string":
        types = ("string", "binData")
    if kind == "date" and policies.zero_date == "string":
        types = ("date", "string")
    companion = kind == "date" and (column.fraction or 0) > 3 and policies.submillisecond == "companion"
    return Representation(kind, family, types, policies, companion)


def _allowed(column: Column, family: Family) -> tuple[str, ...]:
    allowed = TYPES[family]
    if family == "bit" and column.length != 1:
        return ("long", "binary")
    if family == "integer" and _is_wide(column):
        return ("long", "double", "decimal", "string", "bool")
    if family in ("text", "binary") and column.length is not None:
        fixed = {"uuid": (36, 32) if family == "text" else (16,), "objectid": (24,) if family == "text" else (12,)}
        # A shorter column can never hold the value; a longer one may, and is checked value by value.
        return tuple(name for name in allowed if column.length >= min(fixed.get(name, (0,))))
    return allowed


def _is_wide(column: Column) -> bool:
    return column.data_type == "bigint" or (column.data_type == "int" and column.unsigned)


def _kind(column: Column, family: Family, as_type: str, policies: Policies) -> Kind:
    unsigned64 = (family == "integer" and column.data_type == "bigint" and column.unsigned) or (
        family == "bit" and column.length == 64
    )
    match as_type:
        case "long" if unsigned64 and policies.unsigned_overflow == "decimal":
            return "decimal128"
        case "long" if unsigned64 and policies.unsigned_overflow == "string":
            return "string"
        case "long":
            return "int64"
        case "int":
            return "int32"
        case "double" if family == "float":
            return "float32"
        case "decimal" if (column.precision or 0) > DECIMAL128_DIGITS and policies.big_decimal == "string":
            return "string"
        case "decimal":
            return "decimal128"
        case "date" if (column.fraction or 0) > 3 and policies.submillisecond == "string":
            return "string"
        case "string" | "bool" | "binary" | "uuid" | "objectid" | "date" | "microseconds" | "array" | "json":
            return as_type
        case "double" | "geojson" | "vector":
            return as_type
    raise AssertionError(f"unknown type {as_type}")
