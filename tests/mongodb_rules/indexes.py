"""What MongoDB 4.4 refuses of the description of an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.mongodb_rules.documents import Index
from tests.mongodb_rules.model import Refusal

MOST = 64
_IN_CONDITIONS = frozenset({"$eq", "$lt", "$lte", "$gt", "$gte", "$type", "$exists"})
_OPTIONS = ("unique", "sparse", "partialFilterExpression", "collation", "expireAfterSeconds")


def refusal(new: Mapping[str, Any], present: Sequence[Index]) -> Refusal | None:
    """Why an index can't be added to those that are there."""
    if any(each.spec.get("name") == new.get("name") and _same(each.spec, new) for each in present):
        return None
    if text := _condition(new.get("partialFilterExpression") or {}):
        return Refusal(67, "CannotCreateIndex", f"unsupported expression in partial index: {text}")
    for each in present:
        if each.spec.get("name") == new.get("name"):
            return Refusal(
                86,
                "IndexKeySpecsConflict",
                "An existing index has the same name as the requested index. When index names are not specified, they "
                f"are auto generated and can cause conflicts. Requested index: {new}, existing index: {each.spec}",
            )
        if list(each.keys.items()) == list(new["key"].items()) and _collation(each.spec) == _collation(new):
            return Refusal(
                85, "IndexOptionsConflict", f"Index: {new} already exists with different options: {each.spec}"
            )
    kinds = Index(new).kinds
    if "text" in kinds and any("text" in each.kinds or "_fts" in each.keys for each in present):
        return Refusal(85, "IndexOptionsConflict", "only one text index per collection allowed")
    if "hashed" in kinds and new.get("unique"):
        return Refusal(16764, "Location16764", "Currently hashed indexes cannot guarantee uniqueness")
    if len(present) >= MOST:
        return Refusal(67, "CannotCreateIndex", f"add index fails, too many indexes, key: {new['key']}")
    return None


def _condition(condition: Mapping[str, Any]) -> str:
    """The first part that a partial index's condition may not have; $or, $in and others came with MongoDB 6.0."""
    for name, wanted in condition.items():
        if name == "$and":
            if found := next((found for each in wanted if (found := _condition(each))), ""):
                return found
        elif name.startswith("$"):
            return name
        elif isinstance(wanted, Mapping) and any(each.startswith("$") for each in wanted):
            for operator, value in wanted.items():
                if operator not in _IN_CONDITIONS or (operator == "$exists" and not value):
                    return f"{name} {operator}"
    return ""


def _collation(spec: Mapping[str, Any]) -> tuple[object, object]:
    found = spec.get("collation") or {}
    locale = found.get("locale")
    return (None, None) if locale in (None, "simple") else (locale, found.get("strength", 3))


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if list(one["key"].items()) != list(other["key"].items()) or _collation(one) != _collation(other):
        return "_fts" in one["key"]
    return all((one.get(name) or None) == (other.get(name) or None) for name in _OPTIONS if name != "collation")
