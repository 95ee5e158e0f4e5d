"""How MongoDB's indexes follow a dotted path through sub-documents and arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Document = Mapping[str, Any]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


def values_at(document: Document, path: str) -> Iterator[Any]:
    """Every value at `path`, in all elements of the arrays on the way. An array at the end is one value."""
    if path in document:
        yield document[path]
        return
    name, dot, rest = path.partition(".")
    if not dot:
        return
    found = document.get(name)
    if isinstance(found, Mapping):
        yield from values_at(found, rest)
    elif isinstance(found, list):
        if is_position(rest):
            yield from values_at(by_position(found), rest)
            return
        for element in found:
            if isinstance(element, Mapping):
                yield from values_at(element, rest)
            elif isinstance(element, list):
                yield from values_at(by_position(element), rest)


def until_array(document: Document, path: str) -> tuple[Any, str]:
    """What stands at `path` or at the first array on the way there, and the rest of the path below that."""
    name, _, rest = path.partition(".")
    found = document.get(name, MISSING)
    if found is MISSING or isinstance(found, list) or not rest:
        return found, rest
    if isinstance(found, Mapping):
        return until_array(found, rest)
    return MISSING, rest


def first_array(document: Document, path: str) -> str | None:
    """The part of `path` at which the first array on the way stands, the last part included; None without one."""
    found, rest = until_array(document, path)
    if not isinstance(found, list):
        return None
    return path[: len(path) - len(rest) - 1] if rest else path


def array_gone_through(document: Document, path: str) -> str | None:
    """The part of `path` at which an array stands whose elements are all looked at; a number after it names one."""
    name, _, rest = path.partition(".")
    found = document.get(name)
    if isinstance(found, list):
        if not is_position(rest):
            return name
        found = by_position(found)
    if not rest or not isinstance(found, Mapping):
        return None
    below = array_gone_through(found, rest)
    return None if below is None else f"{name}.{below}"


def is_position(path: str) -> bool:
    """Whether `path` begins with a number, which in an array names the element at that place."""
    first = path.partition(".")[0]
    return first.isascii() and first.isdigit()


def by_position(array: list[Any]) -> Document:
    """An array as BSON has it: a document whose names are the places."""
    return {str(place): element for place, element in enumerate(array)}
