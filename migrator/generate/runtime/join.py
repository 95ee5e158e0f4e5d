"""The thinking half of joins in application code: which keys to ask for, and whose partner is whose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import product
from typing import Any

from bson.decimal128 import Decimal128

from .codec import Document
from .errors import UnknownInclude
from .spec import AnySpec, Relation

Key = tuple[Any, ...]


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


def keys_of(document: Document, paths: Sequence[Sequence[str]]) -> Iterator[Key]:
    """The values at several paths that belong together: one tuple, or one for each element of a common array.

    A tuple with a null in it is left out: NULL finds nothing.
    """
    for values in _tuples(document, paths):
        if all(value is not None for value in values):
            yield values


def _tuples(value: Any, paths: Sequence[Sequence[str]]) -> Iterator[Key]:
    if isinstance(value, list):
        for each in value:
            yield from _tuples(each, paths)
        return
    if not any(paths):
        yield tuple(value for _ in paths)
        return
    if not isinstance(value, dict):
        return
    heads: dict[str, list[int]] = {}
    for number, path in enumerate(paths):
        heads.setdefault(path[0], []).append(number)
    groups = []
    for head, numbers in heads.items():
        inner = _tuples(value.get(head), [paths[number][1:] for number in numbers])
        groups.append([dict(zip(numbers, values, strict=True)) for values in inner])
    for parts in product(*groups):
        merged = {number: each for part in parts for number, each in part.items()}
        yield tuple(merged[number] for number in range(len(paths)))


def comparable(value: Any) -> Any:
    """A value that is equal, and hashes equal, where MongoDB finds two stored values equal."""
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, dict):
        return tuple((name, comparable(each)) for name, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(comparable(each) for each in value)
    return value


def distinct(keys: Iterable[Key]) -> list[Key]:
    """Each key once, in order of appearance."""
    found: dict[Any, Key] = {}
    for key in keys:
        found.setdefault(comparable(key), key)
    return list(found.values())


def keys_filter(keys: Sequence[Key], paths: Sequence[str], key_parts: Sequence[str]) -> Document:
    """The filter for documents that have one of the keys at `paths`."""
    if len(paths) == 1:
        return {paths[0]: {"$in": [key[0] for key in keys]}}
    if len(paths) == len(key_parts) and set(paths) == {f"_id.{part}" for part in key_parts}:
        # The whole _id as one value: only so is its index used.
        order = [paths.index(f"_id.{part}") for part in key_parts]
        return {"_id": {"$in": [{part: key[at] for part, at in zip(key_parts, order, strict=True)} for key in keys]}}
    return {"$or": [dict(zip(paths, key, strict=True)) for key in keys]}


def paths_here(relation: Relation) -> list[list[str]]:
    """The relation's fields on this side."""
    return [here.split(".") for here, _ in relation.on]


def paths_there(relation: Relation) -> list[list[str]]:
    """The relation's fields on the other side."""
    return [there.split(".") for _, there in relation.on]
