"""What an ordinary index refuses: arrays next to each other, and names that could be places of an array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from migrator.indexing.paths import MISSING, Document, by_position, is_position, until_array


@dataclass(frozen=True, slots=True)
class _Placed:
    """The element of an array that a path names by its number: the array's name for it is taken already.

    Attributes:
        found: what the path leads to from there.
        rest: of the path, below `found`.
    """

    found: Any
    rest: str


def plain_problem(document: Document, paths: Sequence[str]) -> tuple[str, str] | None:
    """The first of `paths` that makes an ordinary index over them refuse the document, and why; None if it takes it."""
    return _problem(document, tuple(paths), paths, (None,) * len(paths))


def _problem(
    document: Document, rest: Sequence[str], paths: Sequence[str], placed: Sequence[_Placed | None]
) -> tuple[str, str] | None:
    """`rest` is what is left of each path within `document`, "" for one that is done."""
    array: list[Any] | None = None
    through: dict[int, str] = {}
    for number, path in enumerate(rest):
        if not path:
            continue
        element = placed[number]
        if element is not None and path.partition(".")[0] in document:
            text = "names an element of an array by its number, and elements of the array have a field of that name"
            return paths[number], text
        found, below = (element.found, element.rest) if element is not None else until_array(document, path)
        if not isinstance(found, list):
            continue
        if array is not None and found is not array:
            return paths[number], "goes through another array than the index's other fields"
        array = found
        through[number] = below
    if array is None:
        return None
    remaining = tuple(through.get(number, "") for number in range(len(rest)))
    named = tuple(_element(array, path) for path in remaining)
    for entry in array or [None]:
        inner = entry if isinstance(entry, dict) else {}
        problem = _problem(inner, remaining, paths, named if array else (None,) * len(rest))
        if problem is not None:
            return problem
    return None


def _element(array: list[Any], path: str) -> _Placed | None:
    if not path or not is_position(path) or int(path.partition(".")[0]) >= len(array):
        return None
    found, rest = until_array(by_position(array), path)
    return _Placed(None if found is MISSING else found, rest)
