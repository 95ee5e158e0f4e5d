"""Sums over documents by MongoDB's own aggregation, arrays included: one pass over the collection a node.

Arrays are unwound (`$unwind`), step by step, since accumulators look at the elements of one array only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bson import Decimal128

from migrator.model.report.sums import TEXT_BYTES, FieldSums, MeasuredField, NodeSums, SummedNode
from migrator.target.mongo.connection.session import Session

_NUMBERS = ["int", "long", "decimal", "double"]


def sums(session: Session, name: str, nodes: Sequence[SummedNode]) -> tuple[NodeSums, ...]:
    """What the documents of a collection hold at each spot."""
    found = []
    for summed in nodes:
        stages = pipeline(summed)
        rows = session.retried(lambda stages=stages: list(session.database[name].aggregate(stages, allowDiskUse=True)))  # type: ignore[misc]
        found.append(_sums(summed, rows[0] if rows else {}))
    return tuple(found)


def pipeline(summed: SummedNode) -> list[dict[str, Any]]:
    """From whole documents to one that holds the sums."""
    stages: list[dict[str, Any]] = [{"$project": {"_id": 0, "v": "$$ROOT"}}]
    for node in summed.chain[1:]:
        place = ".".join(("$v", *node.path))
        if node.shape in ("many", "scalars"):
            stages += [{"$project": {"v": place}}, {"$unwind": "$v"}]
        elif node.shape == "map":
            pairs = {"$cond": [{"$eq": [{"$type": place}, "object"]}, {"$objectToArray": place}, []]}
            stages += [{"$project": {"v": pairs}}, {"$unwind": "$v"}, {"$project": {"v": "$v.v"}}]
            stages += [{"$unwind": "$v"}] if node.duplicates == "all" else []
        elif not node.flatten:
            stages += [{"$project": {"v": place}}, {"$match": {"v": {"$type": "object"}}}]
    group: dict[str, Any] = {"_id": None, "rows": {"$sum": 1}}
    for number, measured in enumerate(summed.fields):
        group |= {f"f{number}{name}": by for name, by in _accumulators(measured)}
    return [*stages, {"$group": group}]


def _accumulators(measured: MeasuredField) -> Iterator[tuple[str, dict[str, Any]]]:
    value = ".".join(("$v", *measured.field.path))
    types = [name for name in measured.field.value.bson_types if name != "null"]
    yield "values", {"$sum": {"$cond": [{"$gt": [value, None]}, 1, 0]}}
    yield "typed", {"$sum": {"$cond": [_has_type(value, types), 1, 0]}}
    match measured.measure:
        case "number" | "real":
            # Sums of integers would turn into doubles beyond 64 bits.
            number = _if_type(value, _NUMBERS, {"$toDecimal": value} if measured.measure == "number" else value)
            yield from _all_three(number)
        case "date":
            yield from _all_three(_if_type(value, ["date"], {"$toDecimal": {"$toLong": value}}))
        case "bool":
            yield "total", {"$sum": {"$cond": [{"$eq": [value, True]}, 1, 0]}}
        case "text":
            text = _if_type(value, ["string"], value)
            yield "total", {"$sum": _if_type(value, ["string"], {"$strLenBytes": value})}
            yield "least", {"$min": text}
            yield "greatest", {"$max": text}
        case "bytes":
            yield "total", {"$sum": _if_type(value, ["binData"], {"$binarySize": value})}


def _all_three(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "total", {"$sum": value}
    yield "least", {"$min": value}
    yield "greatest", {"$max": value}


def _if_type(value: str, types: Sequence[str], then: object) -> dict[str, Any]:
    return {"$cond": [_has_type(value, types), then, None]}


def _has_type(value: str, types: Sequence[str]) -> dict[str, Any]:
    return {"$in": [{"$type": value}, types]}


def _sums(summed: SummedNode, row: Mapping[str, Any]) -> NodeSums:
    fields = []
    for number, measured in enumerate(summed.fields):
        got = {name: row.get(f"f{number}{name}") for name in ("values", "typed", "total", "least", "greatest")}
        values = got["values"] or 0
        total = got["total"] if values and measured.measure != "count" else None
        fields.append(FieldSums(values, got["typed"] or 0, plain(total), plain(got["least"]), plain(got["greatest"])))
    return NodeSums(row.get("rows", 0), tuple(fields))


def plain(value: object) -> Any:
    """A number or bytes, as `FieldSums` has them."""
    match value:
        case Decimal128():
            return value.to_decimal()
        case bool() | int():
            return Decimal(int(value))
        case float():
            return Decimal(repr(value))
        case str():
            return value.encode()[:TEXT_BYTES]
    return None
