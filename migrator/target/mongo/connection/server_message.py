"""Errors of a server in sentences without values.

The server's own words hold whole documents ("Can't extract geo keys: { _id: 7, name: ... }"), keys of unique indexes
and whole commands. A sentence made here names fields, indexes and commands only. What is not known to be a name is
left out, so the text of an unknown error ends where a value may begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .codes import may_hold_values

MOST = 500
"""Characters of the server's own words that are kept."""

# Kinds of index whose errors don't name the field, as the value in an index's `key`.
_KINDS = {
    13026: "2d",
    13027: "2d",
    13068: "2d",
    16755: "2dsphere",
    16766: "hashed",
    16804: "2d",
    17261: "text",
    17262: "text",
}
_KIND_RULES = {
    "2d": "what it holds there is no pair of numbers within the index's range",
    "2dsphere": "what it holds there is no valid GeoJSON (longitude first, -180 to 180, then latitude, -90 to 90)",
    "hashed": "it holds an array there",
    "text": "it names no language that the index knows",
}
_ACTION = re.compile(r'not authorized on (\S+) to execute command \{ (\w+):(?: "([^"]*)")?')
_ATLAS_ACTION = re.compile(r"not allowed to do action \[(\w+)\] on \[([^\]\s]*)\]")
_UNKNOWN_USER = re.compile(r"command (\w+) requires authentication")
_INDEX = re.compile(r" index: (.+?) (?:collation|dup key): ")
_FIELD_IN = re.compile(r"field '([^']*)' in '([^']*)'")
_PREFIXED = re.compile(r"fields: (\$[^\s'\"{]*) is not valid")
_FIELD = re.compile(r"field '([^'\s{}\"]*)'")
_PARALLEL = re.compile(r"parallel arrays \[([^\]\s]*)\] \[([^\]\s]*)\]")
_NUMBER_NAME = re.compile(r"field: '(\d+)'")
# Where something that the server was given may begin.
_VALUE_BEGINS = re.compile(r"[{\[(\"`=<]|(?<!\w)'|:(?!:)(?=\s|$)(?<!::)")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.]*\w)")


def index_kind(code: int) -> str:
    """The kind of index (`2dsphere`) that can't take a document, "" when the code is not about such an index."""
    return _KINDS.get(code, "")


def covered(indexes: Iterable[Mapping[str, Any]], kind: str) -> tuple[str, ...]:
    """The fields under a collection's indexes of a kind; `indexes` as listIndexes gives them."""
    fields: dict[str, None] = {}
    for index in indexes:
        if kind == "text" and "weights" in index:
            fields |= dict.fromkeys((*index["weights"], str(index.get("language_override", "language"))))
            continue
        fields |= dict.fromkeys(path for path, order in index["key"].items() if order == kind)
    return tuple(fields)


def sentence(code: int, text: str, fields: Sequence[str] = (), info: Mapping[str, Any] | None = None) -> str:
    """What happened, without a value, in one sentence that ends with the code.

    Args:
        code: of the error.
        text: the server's own words.
        fields: of the index at fault, where they are known.
        info: the error's `errInfo`, where there is one.
    """
    words = _known(code, text, fields, info or {}) or _cut(code, text)
    return f"{words} ({code})" if code else words


def own_words(text: str) -> str:
    """The server's own words, cut to a length that can be read."""
    return text if len(text) <= MOST else f"{text[:MOST]}…"


def action(text: str) -> str:
    """The command that an account had no right to, "" when the server doesn't tell."""
    if found := _ACTION.search(text):
        return found[2]
    found = _ATLAS_ACTION.search(text) or _UNKNOWN_USER.search(text)
    return found[1] if found else ""


def _known(code: int, text: str, fields: Sequence[str], info: Mapping[str, Any]) -> str:
    """ "" for an error that has no sentence of its own."""
    if kind := index_kind(code):
        return f"a {kind} index{_on(fields)} can't take it: {_KIND_RULES[kind]}"
    match code:
        case 13:
            return _right(text)
        case 11000:
            return _duplicate(text, fields)
        case 121:
            return f"the collection's validator refuses it{_at(_paths(info))}"
        case 15:
            return "it is nested deeper than the server allows"
        case 28:
            return f"it has no place for a field{_at(_named(text))}"
        case 52:
            return f"a name that starts with `$` is not allowed here{_at(_named(text))}"
        case 53:
            return "the server doesn't accept such an `_id`"
        case 55:
            return f"`$ref`, `$id` and `$db` are only allowed together, in this order{_at(_named(text))}"
        case 56 | 57:
            return f"the name of a field is empty or has a dot{_at(_named(text))}"
        case 66:
            return f"a field can't be changed{_at(_named(text))}"
        case 85 | 86:
            return "there is an index with the same keys or the same name and other options"
        case 171:
            return _parallel(text)
        case 10334 | 17419 | 17420:
            return "it is larger than the server allows"
        case 16746:
            found = _NUMBER_NAME.search(text.partition("array: ")[0])
            which = f"`{found[1]}`" if found else "a number"
            return f"a field in an array's element is named {which}, which an index reads as a position{_on(fields)}"
        case 17280:
            return f"what it holds is longer than an index's key may be{_on(fields)}"
    return ""


def _right(text: str) -> str:
    if found := _ACTION.search(text):
        database, command, name = found[1], found[2], found[3]
        return f"the account may not do `{command}` on {_namespace(database, name)}"
    if found := _ATLAS_ACTION.search(text):
        return f"the account may not do `{found[1]}` on {found[2]}"
    if found := _UNKNOWN_USER.search(text):
        return f"`{found[1]}` takes an account, and the target URL names none"
    return "the account lacks a privilege"


def _namespace(database: str, name: str | None) -> str:
    if not name:
        return database
    return name if name.startswith(f"{database}.") else f"{database}.{name}"


def _duplicate(text: str, fields: Sequence[str]) -> str:
    found = _INDEX.search(text.partition("{")[0])
    which = f" {found[1]}" if found else ""
    return f"another document has the same value in the unique index{which}{_on(fields)}"


def _parallel(text: str) -> str:
    found = _PARALLEL.search(text)
    which = f"`{found[1]}` and `{found[2]}` are both arrays" if found else "two fields are arrays"
    return f"{which}, and an index covers at most one"


def _named(text: str) -> Iterator[str]:
    """The path that the server names, before anything that may be a value."""
    head = text.partition("{")[0]
    if found := _FIELD_IN.search(head):
        yield found[2]
    elif found := _PREFIXED.search(head) or _FIELD.search(head):
        yield found[1]


def _paths(info: Mapping[str, Any]) -> list[str]:
    """The fields that a `$jsonSchema` refused, which servers tell from MongoDB 5.0 on."""
    return list(dict.fromkeys(_failed(info.get("details"), ())))


def _failed(found: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Knows the keys that hold names; what else is there may be a value."""
    if isinstance(found, list | tuple):
        for each in found:
            yield from _failed(each, path)
    if not isinstance(found, Mapping):
        return
    for missing in found.get("missingProperties", ()):
        yield ".".join((*path, str(missing)))
    name = found.get("propertyName")
    here = (*path, str(name)) if name is not None else path
    inner = [each for key in _RULES if (each := found.get(key))]
    deeper = [each for part in inner for each in _failed(part, here)]
    yield from deeper
    if not deeper and here and (name is not None or "itemIndex" in found):
        yield ".".join(here)


# Keys of errInfo.details below which further rules stand.
_RULES = ("schemaRulesNotSatisfied", "propertiesNotSatisfied", "clausesNotSatisfied", "details")


def _on(fields: Sequence[str]) -> str:
    return f" on {', '.join(f'`{each}`' for each in fields)}" if fields else ""


def _at(paths: Iterable[str]) -> str:
    shown = ", ".join(f"`{each}`" for each in paths)
    return f": {shown}" if shown else ""


def _cut(code: int, text: str) -> str:
    """The server's words up to where a value may begin."""
    if not may_hold_values(code):
        return text.partition("{")[0].rstrip(" :,")[:MOST] or "the server refused it"
    found = _VALUE_BEGINS.search(text)
    head = text[: found.start()] if found else text
    return _NUMBER.sub("…", head).rstrip(" :,.")[:MOST] or "the server refused it"
