"""The keys that a document has in an ordinary index, and why there may be none: arrays next to each other, and names
that could be places of an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from migrator.indexing.paths import MISSING, Document, by_position, is_position, until_array

# What an index has for an empty array, which it tells from null.
EMPTY_ARRAY: Any = ("empty array",)


class NoKeys(Exception):
    """An ordinary index refuses the document.

    Attributes:
        path: the index's field that is why.
        reason: completes "<path> ...".
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _ArrayElement:
    """The element of an array that a path names by its number.

    Attributes:
        found: what the path leads to from there.
        rest: of the path, below `found`.
    """

    found: Any
    rest: str


def plain_keys(document: Document, paths: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The document's keys in an ordinary index over `paths`: one for each element of an array that they go through.

    A missing field is None, as null is. The same key may come several times.

    Raises:
        NoKeys: when MongoDB refuses the document.
    """
    count = len(paths)
    return _keys(document, tuple(paths), paths, (None,) * count, [None] * count)


def _keys(
    document: Document,
    rest: Sequence[str],
    paths: Sequence[str],
    placed: Sequence[_ArrayElement | None],
    known: list[Any],
) -> Iterator[tuple[Any, ...]]:
    """`rest` is what is left of each path within `document`, "" where `known` has the value already."""
    array: list[Any] | None = None
    through: dict[int, str] = {}
    values = [*known]
    for number, path in enumerate(rest):
        if not path:
            continue
        element = placed[number]
        if element is not None and path.partition(".")[0] in document:
            text = "names an element of an array by its number, and elements of the array have a field of that name"
            raise NoKeys(paths[number], text)
        found, below = (element.found, element.rest) if element is not None else until_array(document, path)
        if not isinstance(found, list):
            values[number] = None if found is MISSING else found
            continue
        if array is not None and found is not array:
            raise NoKeys(paths[number], "goes through another array than the index's other fields")
        array = found
        through[number] = below
    if array is None:
        yield tuple(values)
        return
    remaining = tuple(through.get(number, "") for number in range(len(rest)))
    named = tuple(_element(array, path) for path in remaining)
    for entry in array or [EMPTY_ARRAY]:
        for number, below in through.items():
            if not below:
                values[number] = entry
        yield from _keys(entry if isinstance(entry, dict) else {}, remaining, paths, named, values)


def _element(array: list[Any], path: str) -> _ArrayElement | None:
    if not path or not is_position(path) or int(path.partition(".")[0]) >= len(array):
        return None
    found, rest = until_array(by_position(array), path)
    return _ArrayElement(None if found is MISSING else found, rest)
