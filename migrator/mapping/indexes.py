"""`indexes:` against the documents' paths."""

from __future__ import annotations

import json
from collections.abc import Sequence, Set

from migrator.mapping.leaves import Leaf, document_leaves, find_leaf
from migrator.mapping.spot import Spot
from migrator.mapping.suggest import did_you_mean_path
from migrator.model.mapping import CollationSpec, IndexDefinition
from migrator.model.tree import IndexSpec, Node


def resolve_indexes(definitions: Sequence[IndexDefinition], root: Node, spot: Spot) -> tuple[IndexSpec, ...]:
    """The indexes with names and with the keys that may be null; mistakes are reported."""
    leaves = document_leaves(root)
    found: list[IndexSpec] = []
    for number, definition in enumerate(definitions):
        here = spot.at(number)
        found.append(_index(definition, leaves, {column.name for column in root.key}, here))
    _report_twice(found, spot)
    return tuple(found)


def _index(definition: IndexDefinition, leaves: dict[str, Leaf], keys_of_root: Set[str], spot: Spot) -> IndexSpec:
    keys = tuple(definition.keys.items())
    known: dict[str, Leaf] = {}
    for dotted, direction in keys:
        here = spot.at("keys", dotted)
        leaf = find_leaf(leaves, dotted)
        if leaf is None:
            hint = "the key's value is in `_id`" if dotted in keys_of_root else did_you_mean_path(dotted, leaves)
            here.report(f"the documents have no field `{dotted}`", hint, at_key=True)
            continue
        known[dotted] = leaf
        _check_direction(leaf, direction, here)
    _check_arrays(known, spot)
    if definition.expire_after_seconds is not None:
        for leaf in known.values():
            if leaf.kind not in ("date", "json"):
                message = f"MongoDB expires documents by dates only, and `{leaf.dotted}` is none"
                spot.at("expire_after_seconds").report(message, at_key=True)
    nullable = tuple((dotted, leaf.bson_types) for dotted, leaf in known.items() if leaf.nullable)
    return IndexSpec(
        name=definition.name or "_".join(f"{dotted}_{direction}" for dotted, direction in keys),
        keys=keys,
        unique=definition.unique,
        nullable=nullable if definition.unique else (),
        collation=_collation(definition.collation),
        expire_after_seconds=definition.expire_after_seconds,
    )


def _check_direction(leaf: Leaf, direction: int | str, spot: Spot) -> None:
    if direction == "hashed" and leaf.arrays:
        spot.report(f"MongoDB has no hashed index over arrays, and `{leaf.dotted}` is in one", "write 1")
    if direction == "2dsphere" and leaf.kind not in ("geojson", "json"):
        spot.report(f"`{leaf.dotted}` is no GeoJSON", "a 2dsphere index needs a geometry column")


def _check_arrays(known: dict[str, Leaf], spot: Spot) -> None:
    """MongoDB can't index two arrays side by side in one index; one inside the other is fine."""
    longest: tuple[tuple[str, ...], ...] = ()
    for dotted, leaf in known.items():
        shared = min(len(longest), len(leaf.arrays))
        if longest[:shared] != leaf.arrays[:shared]:
            one, other = ".".join(longest[-1]), ".".join(leaf.arrays[-1])
            message = f"`{one}` and `{other}` are both arrays: MongoDB can't have both in one index"
            spot.at("keys", dotted).report(message, "make two indexes", at_key=True)
            return
        longest = max(longest, leaf.arrays, key=len)


def _report_twice(found: Sequence[IndexSpec], spot: Spot) -> None:
    names: set[str] = set()
    texts = 0
    for number, index in enumerate(found):
        here = spot.at(number)
        if index.name in names or index.name == "_id_":
            here.report(f"there is an index named `{index.name}` already", "give this one another `name`")
        names.add(index.name)
        texts += any(direction == "text" for _, direction in index.keys)
        if texts > 1 and any(direction == "text" for _, direction in index.keys):
            here.report("a collection can have one text index only", "put its fields into the other")


def _collation(spec: CollationSpec | None) -> str | None:
    """A locale's name, or the JSON text of a collation document."""
    if spec is None:
        return None
    return spec.locale if spec.strength is None else json.dumps({"locale": spec.locale, "strength": spec.strength})
