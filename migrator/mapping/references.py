"""`references:` against this collection's fields and those of the other."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.mapping.field_paths import FieldPath, document_paths, find_path
from migrator.mapping.location import Location
from migrator.mapping.suggest import did_you_mean, did_you_mean_path
from migrator.model.mapping.spec import ReferenceSpec
from migrator.model.mapping.tree import Node, Reference

# Equal numbers of these are the same key to every program. MongoDB compares Decimal128 with them, but a dict in the
# application doesn't.
_NUMBERS = frozenset(("int32", "int64", "double", "float32", "microseconds"))


def resolve_references(
    references: Mapping[str, ReferenceSpec], root: Node, roots: Mapping[str, Node], location: Location
) -> tuple[Reference, ...]:
    """The references with columns turned into fields. `roots` are the trees of all collections by name."""
    here = document_paths(root)
    found = []
    for name, spec in references.items():
        place = location.at(name)
        if name in here:
            place.report(
                f"`{name}` is a field of the documents already", "give the reference another name", at_key=True
            )
        other = roots.get(spec.collection)
        there = document_paths(other) if other is not None else None
        if there is None and spec.collection not in roots:
            hint = did_you_mean(spec.collection, roots, what="mapped collections")
            place.at("collection").report(f"no mapping describes a collection `{spec.collection}`", hint)
        pairs = [_pair(left, right, here, there, spec.collection, place) for left, right in spec.on.items()]
        found.append(Reference(name, spec.collection, tuple(pairs)))
    return tuple(found)


def _pair(
    left: str,
    right: str,
    here: dict[str, FieldPath],
    there: dict[str, FieldPath] | None,
    collection: str,
    location: Location,
) -> tuple[str, str]:
    place = location.at("on", left)
    mine = find_path(here, left) or _by_column(here, left)
    if mine is None:
        hint = did_you_mean_path(
            left, [*here, *(field_path.column for field_path in here.values() if field_path.column)]
        )
        place.report(f"the documents have no field for `{left}`", hint, at_key=True)
    theirs = find_path(there, right) if there is not None else None
    if there is not None and theirs is None:
        place.report(f"documents of `{collection}` have no field `{right}`", did_you_mean_path(right, there))
    if mine is not None and theirs is not None and not _comparable(mine, theirs):
        place.report(*_mismatch(mine, theirs, collection), at_key=True)
    return (mine.dotted if mine else left, right)


def _by_column(known_paths: dict[str, FieldPath], name: str) -> FieldPath | None:
    return next(
        (
            field_path
            for field_path in known_paths.values()
            if field_path.column and field_path.column.lower() == name.lower()
        ),
        None,
    )


def _comparable(one: FieldPath, other: FieldPath) -> bool:
    if one.open or other.open or one.kind == other.kind:
        return True
    return {one.kind, other.kind} <= _NUMBERS


def _mismatch(mine: FieldPath, theirs: FieldPath, collection: str) -> tuple[str, str]:
    """What is wrong, and what to write."""
    here, there = f"`{mine.dotted}`", f"`{theirs.dotted}` of `{collection}`"
    message = f"{here} is {_kind(mine)}, {there} is {_kind(theirs)}: they don't match"
    hint = "give both the same `type:`"
    for name, field_path, other in ((here, mine, theirs), (there, theirs, mine)):
        if field_path.kind in ("int32", "int64") and other.kind == "decimal128":
            hint = f"give both the same `type:` and policies; {name} can be `type: decimal` as well"
    return message, hint


def _kind(field_path: FieldPath) -> str:
    return "a sub-document" if field_path.kind == "object" else field_path.kind
