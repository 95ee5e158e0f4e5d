"""Sums over the documents of a BSON file, each of them decoded once: nobody else can add them up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

import bson
from bson import CodecOptions, DatetimeConversion, Decimal128, Int64
from bson.datetime_ms import DatetimeMS

from migrator.model.mapping.tree import Node
from migrator.model.report.sums import TEXT_BYTES, FieldSums, MeasuredField, NodeSums, SummedNode
from migrator.target.files.failure import translated
from migrator.target.files.folder import Folder

_OPTIONS = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_MS)
# As MongoDB's Decimal128 and more: sums of many 34-digit numbers stay exact.
_DIGITS = 100
_ABSENT = object()


def sums(folder: Folder, name: str, nodes: Sequence[SummedNode]) -> tuple[NodeSums, ...]:
    """What the documents of a file hold at each spot."""
    tallies = [_NodeTotals(summed) for summed in nodes]
    path = folder.documents(name)
    with translated(path), localcontext() as context:
        context.prec = _DIGITS
        if path.exists():
            with path.open("rb") as file:
                for document in bson.decode_file_iter(file, _OPTIONS):
                    for tally in tallies:
                        tally.take(document)
    return tuple(tally.sums() for tally in tallies)


@dataclass
class _FieldTotals:
    """One field so far."""

    values: int = 0
    typed: int = 0
    total: Decimal = Decimal(0)
    least: Any = None
    greatest: Any = None

    def take(self, value: object, measured: MeasuredField) -> None:
        if value is None or value is _ABSENT:
            return
        self.values += 1
        if not _type_of(value) & set(measured.field.value.bson_types):
            return
        self.typed += 1
        amount, extreme = _amount(value, measured)
        if amount is not None:
            self.total += amount
        if extreme is not None:
            self.least = extreme if self.least is None or extreme < self.least else self.least
            self.greatest = extreme if self.greatest is None or extreme > self.greatest else self.greatest


@dataclass
class _NodeTotals:
    """One spot so far."""

    spot: SummedNode
    rows: int = 0
    columns: list[_FieldTotals] = field(init=False)

    def __post_init__(self) -> None:
        self.columns = [_FieldTotals() for _ in self.spot.fields]

    def take(self, document: Mapping[str, Any]) -> None:
        for element in _elements(document, self.spot.chain[1:]):
            self.rows += 1
            for column, measured in zip(self.columns, self.spot.fields, strict=True):
                column.take(_at(element, measured.field.path), measured)

    def sums(self) -> NodeSums:
        fields = []
        for column, measured in zip(self.columns, self.spot.fields, strict=True):
            total = column.total if column.values and measured.measure != "count" else None
            fields.append(FieldSums(column.values, column.typed, total, column.least, column.greatest))
        return NodeSums(self.rows, tuple(fields))


def _elements(value: Any, chain: Sequence[Node]) -> Iterator[Any]:
    """What stands at the end of a chain, all arrays unwound."""
    if not chain:
        yield value
        return
    node, below = chain[0], chain[1:]
    inner = value if node.flatten else _at(value, node.path)
    if node.shape in ("many", "scalars"):
        some = inner if isinstance(inner, list) else []
    elif node.shape == "map":
        some = list(inner.values()) if isinstance(inner, dict) else []
        if node.duplicates == "all":
            some = [one for values in some if isinstance(values, list) for one in values]
    else:
        some = [inner] if isinstance(inner, dict) else []
    for one in some:
        yield from _elements(one, below)


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _ABSENT
        value = value[name]
    return value


def _type_of(value: object) -> set[str]:
    match value:
        case bool():
            return {"bool"}
        case Int64():
            return {"long"}
        case int():
            return {"int"}
        case float():
            return {"double"}
        case str():
            return {"string"}
        case Decimal128():
            return {"decimal"}
        case DatetimeMS():
            return {"date"}
        case dict():
            return {"object"}
        case list():
            return {"array"}
        case bson.ObjectId():
            return {"objectId"}
        case bytes():
            return {"binData"}
    return set()


def _amount(value: Any, measured: MeasuredField) -> tuple[Decimal | None, Any]:
    """What is added, and what extremes are made of."""
    match measured.measure:
        case "number" | "real":
            number = value.to_decimal() if isinstance(value, Decimal128) else Decimal(repr(value))
            return number, number
        case "date":
            return Decimal(int(value)), Decimal(int(value))
        case "bool":
            return Decimal(int(value)), None
        case "text":
            raw = value.encode()
            return Decimal(len(raw)), raw[:TEXT_BYTES]
        case "bytes":
            return Decimal(len(value)), None
    return None, None
