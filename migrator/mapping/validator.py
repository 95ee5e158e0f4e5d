"""The $jsonSchema of a collection: what every document looks like that migrator makes of these tables.

Follows docs/documents.md and the same `Representation` as the codec. Further fields are allowed, for
an application may add its own (MongoDB manual, $jsonSchema).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from json import dumps
from typing import Any

from migrator.model.mapping.tree import Collection, Field, Node


def validator(collection: Collection) -> str:
    """JSON text of the $jsonSchema, "" when the mapping doesn't ask for one."""
    return dumps(_document(collection.root).schema(), ensure_ascii=False) if collection.validator else ""


@dataclass
class _Object:
    """A (sub-)document under construction."""

    properties: dict[str, _Object | dict[str, Any]] = field(default_factory=dict)
    required: dict[str, None] = field(default_factory=dict)
    nullable: bool = False

    def inner(self, path: Sequence[str], *, required: bool) -> _Object:
        """The sub-document that a dotted path opens."""
        here = self
        for name in path:
            if required:
                here.required[name] = None
            found = here.properties.setdefault(name, _Object())
            assert isinstance(found, _Object), f"{name} is a field and a sub-document"
            here = found
        return here

    def put(self, path: Sequence[str], schema: dict[str, Any], *, required: bool) -> None:
        """A value; a second one at the same place (two variants with one field) allows the types of both."""
        owner = self.inner(path[:-1], required=required)
        known = owner.properties.get(path[-1])
        if isinstance(known, dict):
            schema = {"bsonType": _one_or_all((*_all(known["bsonType"]), *_all(schema["bsonType"])))}
        owner.properties[path[-1]] = schema
        if required:
            owner.required[path[-1]] = None

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"bsonType": ["object", "null"] if self.nullable else "object"}
        if self.required:
            found["required"] = list(self.required)
        if self.properties:
            found["properties"] = {
                name: part.schema() if isinstance(part, _Object) else part for name, part in self.properties.items()
            }
        return found


def _document(node: Node) -> _Object:
    made = _Object()
    if node.shape == "root" and not node.key:
        made.put(("_id",), {"bsonType": "binData"}, required=True)
    _fill(made, node, absent=False)
    return made


def _fill(made: _Object, node: Node, *, absent: bool) -> None:
    """Adds what `node` holds; `absent` says that its row may not be there though its fields are (flatten)."""
    for each in node.fields:
        _field(made, each, absent=absent, always=True)
    if node.variants is not None:
        for _, fields in node.variants.cases:
            for each in fields:
                _field(made, each, absent=absent, always=False)
    for child in node.children:
        _child(made, child, absent=absent)


def _field(made: _Object, each: Field, *, absent: bool, always: bool) -> None:
    omitted = _omits_null(each)
    empty = absent or _may_be_null(each)
    types = (*each.value.bson_types, *(("null",) if empty and not omitted else ()))
    required = always and not (empty and omitted)
    # A dotted path's own sub-document is there even when the field is left out.
    made.inner(each.path[:-1], required=always)
    made.put(each.path, {"bsonType": _one_or_all(types)}, required=required)
    if each.value.companion:
        micros = ("int", "null") if empty and not omitted else ("int",)
        path = (*each.path[:-1], f"{each.path[-1]}_micros")
        made.put(path, {"bsonType": _one_or_all(micros)}, required=required)


def _child(made: _Object, child: Node, *, absent: bool) -> None:
    if child.flatten:
        _fill(made, child, absent=True)
        return
    match child.shape:
        case "value":
            # A repository stores the document first, then what it computes.
            types = (*child.fields[0].value.bson_types, "null")
            made.inner(child.path[:-1], required=True)
            made.put(child.path, {"bsonType": _one_or_all(types)}, required=False)
        case "scalars":
            made.put(child.path, {"bsonType": "array", "items": _plain_value(child)}, required=True)
        case "map":
            value = _plain_value(child)
            value = {"bsonType": "array", "items": value} if child.duplicates == "all" else value
            known = made.inner(child.path[:-1], required=True).properties.get(child.path[-1])
            # Several tables may fill one map.
            others = _choices(known["additionalProperties"]) if isinstance(known, dict) else []
            choices = [*others, *([] if value in others else [value])]
            allowed = choices[0] if len(choices) == 1 else {"anyOf": choices}
            made.put(child.path, {"bsonType": "object", "additionalProperties": allowed}, required=True)
        case "many":
            made.put(child.path, {"bsonType": "array", "items": _document(child).schema()}, required=True)
        case _:
            inner = _document(child)
            inner.nullable = not child.omit_null
            owner = made.inner(child.path[:-1], required=True)
            owner.properties[child.path[-1]] = inner
            if not child.omit_null:
                owner.required[child.path[-1]] = None


def _plain_value(node: Node) -> dict[str, Any]:
    """What an element of an array of plain values, or a value of a map, may be."""
    (value,) = node.fields
    null = () if not _may_be_null(value) or _omits_null(value) else ("null",)
    return {"bsonType": _one_or_all((*value.value.bson_types, *null))}


def _choices(allowed: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = allowed.get("anyOf", [allowed])
    return found


def _may_be_null(each: Field) -> bool:
    zero_date = each.value.family in ("date", "datetime") and each.value.policies.zero_date == "null"
    return each.column.nullable or each.sql is not None or zero_date


def _omits_null(each: Field) -> bool:
    return each.value.policies.null == "omit"


def _all(types: str | list[str]) -> Sequence[str]:
    return [types] if isinstance(types, str) else types


def _one_or_all(types: Iterable[str]) -> str | list[str]:
    distinct = list(dict.fromkeys(types))
    return distinct[0] if len(distinct) == 1 else distinct
