"""Keys in stored documents: which to ask for, and when two are the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

from bson.decimal128 import Decimal128

from .codec import Document

Key = tuple[Any, ...]


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
