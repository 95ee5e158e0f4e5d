"""What the independent check sums up: for each node of a mapping's tree, which fields, and how.

Nothing here knows how documents are made: the tree is read a second time, and both servers do their own sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from migrator.model.mapping.representation import Representation
from migrator.model.mapping.tree import Collection, Field, Node
from migrator.model.schema.tables import Column

# - `number`: exact sums and extremes;
# - `real`: those of binary fractions, equal to about nine digits (FLOAT to six);
# - `date`: milliseconds since 1970;
# - `bool`: the sum counts what is true;
# - `text`: the sum is that of the lengths in UTF-8, extremes by bytes;
# - `bytes`: the sum is that of the lengths;
# - `count`: values are counted only.
Measure = Literal["number", "real", "date", "bool", "text", "bytes", "count"]

# Only so many leading bytes of a text are compared. Truncation keeps the order: the smallest truncated value is the
# smallest value, truncated.
TEXT_BYTES = 100


@dataclass(frozen=True, slots=True)
class MeasuredField:
    """A field, and how it is added up.

    Attributes:
        case: the variant column and its value that it is for, None for every row.
    """

    field: Field
    measure: Measure
    case: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SummedNode:
    """A node, with all above it.

    Attributes:
        chain: from the root to the node, both included.
        why: it can't be added up, "" when it can.
    """

    chain: tuple[Node, ...]
    fields: tuple[MeasuredField, ...]
    why: str = ""

    @property
    def node(self) -> Node:
        return self.chain[-1]

    @property
    def counts_rows(self) -> bool:
        """Merged rows leave no trace of how many there were."""
        return not self.node.flatten


@dataclass(frozen=True, slots=True)
class FieldSums:
    """What one side found in a field.

    Attributes:
        values: those that are not null.
        typed: those that have a type which the mapping gives the field; on the source's side all of them.
        total, least, greatest: by the measure; None where there are no values or nothing is added up.
    """

    values: int
    typed: int
    total: Decimal | None = None
    least: Decimal | bytes | None = None
    greatest: Decimal | bytes | None = None


@dataclass(frozen=True, slots=True)
class NodeSums:
    """What one side found at a spot; `rows` are (sub-)documents, elements or entries."""

    rows: int
    fields: tuple[FieldSums, ...]


def summed_nodes(collection: Collection) -> tuple[SummedNode, ...]:
    """All nodes of a collection, the root first."""
    return tuple(_summed_nodes((collection.root,)))


def _summed_nodes(chain: tuple[Node, ...]) -> Iterator[SummedNode]:
    node = chain[-1]
    measured = [MeasuredField(field, measure_of(field)) for field in node.fields]
    if node.variants is not None:
        column = node.variants.column.name
        for case, fields in node.variants.cases:
            measured += [MeasuredField(field, measure_of(field), (column, case)) for field in fields]
    yield SummedNode(chain, tuple(measured), _why(chain))
    for child in node.children:
        yield from _summed_nodes((*chain, child))


def _why(chain: tuple[Node, ...]) -> str:
    for place, node in enumerate(chain):
        if node.aggregate is not None:
            return f"{node.id} is computed by the source, and compared document by document only"
        if node.duplicates in ("first", "last"):
            return f"{node.id} shows one of the rows of a key, and sums can't tell which"
        if place and node.shape == "map" and len(chain[place - 1].filling(node.path)) > 1:
            return f"{'.'.join(node.path)} is filled by several tables, and its values don't say which one they are of"
        if node.limit is not None and not (node.key and all(above.key for above in chain[:place])):
            return f"{node.id} is limited, and without keys its first rows can't be told"
    return ""


def measure_of(field: Field) -> Measure:
    """How a field is added up."""
    value, column = field.value, field.column
    match value.kind:
        case "int32" | "int64" | "decimal128":
            return "number" if value.family in ("integer", "decimal", "year", "bit", "enum") else "count"
        case "double" | "float32":
            return "real"
        case "bool":
            return "bool"
        case "date":
            return "date" if _is_plain_date(column, value) else "count"
        case "string":
            plain = value.family in ("text", "enum") and value.policies.invalid_text == "reject"
            return "text" if plain else "count"
        case "binary":
            return "bytes" if value.family == "binary" else "count"
    return "count"


def _is_plain_date(column: Column, value: Representation) -> bool:
    zoned = column.data_type == "datetime" and value.policies.datetime_zone != "UTC"
    return not zoned and value.policies.zero_date != "string"
