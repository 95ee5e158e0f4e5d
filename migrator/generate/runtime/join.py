"""Which relations an `include` follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from .errors import UnknownInclude
from .spec import AnySpec, Relation


@dataclass(slots=True)
class Step:
    """One relation to follow, and what to follow from there."""

    relation: Relation
    spec: AnySpec
    steps: dict[str, Step] = field(default_factory=dict)


def steps(include: Iterable[str], spec: AnySpec, specs: Mapping[str, AnySpec]) -> dict[str, Step]:
    """The relations to follow, as a tree: `warehouse.region` follows `warehouse`, then `region` of what that found.

    Raises:
        UnknownInclude: with what there is.
    """
    found: dict[str, Step] = {}
    for path in include:
        here, level = spec, found
        for name in path.split("."):
            relation = here.relations.get(name)
            if relation is None:
                raise UnknownInclude(_unknown(path, name, here))
            step = level.setdefault(name, Step(relation, specs[relation.collection]))
            here, level = step.spec, step.steps
    return found


def _unknown(path: str, name: str, spec: AnySpec) -> str:
    known = sorted(spec.relations)
    near = get_close_matches(name, known, 1)
    there = f"there are {', '.join(known)}" if known else "it has none"
    hint = f"did you mean {near[0]!r}?" if near else there
    return f"include {path!r}: {spec.collection} has no reference {name!r}; {hint}"


def paths_here(relation: Relation) -> list[list[str]]:
    """The relation's fields on this side."""
    return [here.split(".") for here, _ in relation.on]


def paths_there(relation: Relation) -> list[list[str]]:
    """The relation's fields on the other side."""
    return [there.split(".") for _, there in relation.on]
