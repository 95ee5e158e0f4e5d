"""`indexes:` against the documents' paths."""

from __future__ import annotations

import json
from collections.abc import Sequence, Set

from migrator.indexing.conflicts import is_same_index
from migrator.mapping.field_paths import FieldPath, document_paths, find_path
from migrator.mapping.index_rules import report_arrays, report_definition, report_languages, report_names, report_path
from migrator.mapping.location import Location
from migrator.mapping.suggest import did_you_mean_path
from migrator.model.mapping.spec import CollationSpec, IndexDefinition
from migrator.model.mapping.tree import IndexSpec, Node

_MOST_INDEXES = 64


def resolve_indexes(definitions: Sequence[IndexDefinition], root: Node, location: Location) -> tuple[IndexSpec, ...]:
    """The indexes with names and with the keys that may be null; mistakes are reported."""
    known_paths = document_paths(root)
    found: list[IndexSpec] = []
    for number, definition in enumerate(definitions):
        here = location.at(number)
        found.append(_index(definition, known_paths, {column.name for column in root.key}, here))
    _report_together(found, location)
    return tuple(found)


def _report_together(found: Sequence[IndexSpec], location: Location) -> None:
    """What is wrong with the indexes of a collection next to each other."""
    texts = 0
    for number, index in enumerate(found):
        here = location.at(number)
        if any(index.name == other.name for other in found[:number]) or index.name == "_id_":
            here.report(f"there is an index named `{index.name}` already", "give this one another `name`")
        else:
            twin = next((other for other in found[:number] if is_same_index(index, other)), None)
            if twin is not None:
                message = f"`{twin.name}` and `{index.name}` are the same index: MongoDB accepts only one of them"
                here.report(message, "remove one, or put the options of both into one")
        is_text = any(direction == "text" for _, direction in index.keys)
        texts += is_text
        if texts > 1 and is_text:
            here.report("a collection can have one text index only", "put its fields into the other")
        if number == _MOST_INDEXES - 1:
            here.report(f"a collection can have {_MOST_INDEXES} indexes, that of `_id` included", "leave some out")


def _index(
    definition: IndexDefinition, known_paths: dict[str, FieldPath], keys_of_root: Set[str], location: Location
) -> IndexSpec:
    keys = tuple(definition.keys.items())
    known: dict[str, tuple[FieldPath, int | str]] = {}
    report_definition(definition, location)
    for dotted, direction in keys:
        here = location.at("keys", dotted)
        if not report_names(dotted, direction, here):
            continue
        field_path = find_path(known_paths, dotted)
        if field_path is None:
            hint = "the key's value is in `_id`" if dotted in keys_of_root else did_you_mean_path(dotted, known_paths)
            here.report(f"the documents have no field `{dotted}`", hint, at_key=True)
            continue
        known[dotted] = field_path, direction
        report_path(field_path, direction, here)
    report_arrays(known, location)
    report_languages(known, known_paths, location)
    if definition.expire_after_seconds is not None:
        for field_path, _ in known.values():
            if field_path.kind not in ("date", "json"):
                message = f"MongoDB expires documents by dates only, and `{field_path.dotted}` is none"
                location.at("expire_after_seconds").report(message, at_key=True)
    nullable = tuple(
        (dotted, field_path.bson_types) for dotted, (field_path, _) in known.items() if field_path.nullable
    )
    return IndexSpec(
        name=definition.name or "_".join(f"{dotted}_{direction}" for dotted, direction in keys),
        keys=keys,
        unique=definition.unique,
        nullable=nullable if definition.unique else (),
        collation=_collation(definition.collation),
        expire_after_seconds=definition.expire_after_seconds,
    )


def _collation(spec: CollationSpec | None) -> str | None:
    """A locale's name, or the JSON text of a collation document."""
    if spec is None:
        return None
    return spec.locale if spec.strength is None else json.dumps({"locale": spec.locale, "strength": spec.strength})
