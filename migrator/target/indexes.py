"""IndexSpec as MongoDB's commands and mongodump's metadata spell it, and sentences about indexes not built."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from migrator.model.mapping.tree import IndexSpec
from migrator.model.plan.plan import CollectionPlan


def wanted(plan: CollectionPlan) -> tuple[IndexSpec, ...]:
    """All indexes that a newly loaded collection gets: the mapping's and those that the plan adds."""
    found = {spec.name: spec for spec in (*plan.collection.indexes, *plan.create_indexes)}
    return tuple(found.values())


def document(spec: IndexSpec) -> dict[str, Any]:
    """The element of createIndexes' `indexes`.

    A unique index whose keys may be null covers only documents where none of them is: MySQL allows many NULLs,
    MongoDB one null (edge case 52).
    """
    made: dict[str, Any] = {"key": dict(spec.keys), "name": spec.name}
    if spec.unique:
        made["unique"] = True
        if spec.nullable:
            made["partialFilterExpression"] = {path: {"$type": list(types)} for path, types in spec.nullable}
    if spec.collation is not None:
        made["collation"] = collation(spec.collation)
    if spec.expire_after_seconds is not None:
        made["expireAfterSeconds"] = spec.expire_after_seconds
    return made


def collation(text: str) -> dict[str, Any]:
    """A locale's name, or the JSON text of a collation document."""
    if text.startswith("{"):
        found: dict[str, Any] = json.loads(text)
        return found
    return {"locale": text}


def problem(collection: str, spec: IndexSpec, reason: str) -> str:
    """One sentence for an index that could not be built."""
    kind = "unique index" if spec.unique else "index"
    return f"{collection}: the {kind} {spec.name} could not be built: {reason}"


def duplicate(fields: Iterable[str]) -> str:
    """Why a unique index failed; the values may be anybody's data, so that only their fields are named."""
    return f"several documents have the same value in {', '.join(fields)}"


def without(specs: Iterable[IndexSpec], names: Iterable[str]) -> tuple[IndexSpec, ...]:
    """`specs` but those of the given names."""
    gone = set(names)
    return tuple(spec for spec in specs if spec.name not in gone)
