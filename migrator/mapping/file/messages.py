"""Pydantic's errors about a mapping, worded for the author of the file."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from migrator.errors import Problem
from migrator.mapping.file.yaml_document import Path, SourceMap
from migrator.mapping.suggest import did_you_mean, nearest

_QUOTED = re.compile(r"'([^']*)'|(?<![\w'])(-?\d+)")


def describe_mistakes(
    error: ValidationError, model: type[BaseModel], places: SourceMap, data: Any
) -> Iterator[Problem]:
    """A problem for each mistake in `data`, which should have been a `model`."""
    for details in error.errors(include_url=False):
        yield _problem(details, model, places, data)


def _problem(details: ErrorDetails, model: type[BaseModel], places: SourceMap, data: Any) -> Problem:
    path = _written_path(details["loc"], data)
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    kind = details["type"]
    context = details.get("ctx") or {}
    if kind == "extra_forbidden":
        return _unknown_key(path, model, places)
    if kind == "missing":
        wanted = details["loc"][-1]
        return places.problem(path, f"`{wanted}` is missing", at_key=True)
    if details["loc"][-1] == "[key]":
        return places.problem(path, "a name must not be empty", at_key=True)
    value = details["input"]
    if kind == "literal_error":
        return _not_among(path, name, value, str(context["expected"]), places)
    message = _MESSAGES.get(kind)
    if message is None:
        message = details["msg"] if kind == "migrator" else "can't be used here"
    else:
        message = message.format(**context)
    suggestion = str(context.get("suggestion", ""))
    if kind == "string_type" and isinstance(value, int):
        suggestion = "put it in quotes"
    if kind == "bool_type" and isinstance(value, str) and value.lower() in ("yes", "no", "on", "off"):
        suggestion = f"write {'true' if value.lower() in ('yes', 'on') else 'false'}"
    what = f"an item of `{name}`" if path and isinstance(path[-1], int) else f"`{name}`"
    return places.problem(path, f"{what} {message}" if name else message, suggestion)


_MESSAGES = {
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a block of `name: value` lines",
    "model_type": "must be a block of `name: value` lines",
    "model_attributes_type": "must be a block of `name: value` lines",
    "too_short": "must not be empty",
}


def _not_among(path: Path, name: str, value: object, expected: str, places: SourceMap) -> Problem:
    allowed = [quoted or number for quoted, number in _QUOTED.findall(expected)]
    written = str(value).lower() if isinstance(value, bool) else str(value)
    close = nearest(written, allowed)
    if expected == "False":
        allowed, close = ["false"], None
    message = f"`{name}` can't be `{written}`; it is {'one of ' if len(allowed) > 1 else ''}{', '.join(allowed)}"
    return places.problem(path, message, f"did you mean `{close}`?" if close else "")


def _unknown_key(path: Path, model: type[BaseModel], places: SourceMap) -> Problem:
    known = _keys_at(model, path[:-1])
    word = str(path[-1])
    suggestion = did_you_mean(word, known)
    if not suggestion:
        suggestion = f"known here: {', '.join(known)}"
    return places.problem(path, f"unknown key `{word}`", suggestion, at_key=True)


def _written_path(location: tuple[str | int, ...], data: Any) -> Path:
    """The part of pydantic's location that stands in the file: short forms add steps which don't."""
    path: list[str | int] = []
    here = data
    for step in location:
        if isinstance(here, dict) and step in here:
            here = here[str(step)]
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            continue
        path.append(step)
    return tuple(path)


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    here: Any = model
    for step in path:
        here = _inner(here, step)
    found = _model_of(here)
    if found is None:
        return []
    return [info.alias or name for name, info in found.model_fields.items()]


def _inner(annotation: Any, step: str | int) -> Any:
    model = _model_of(annotation)
    if model is not None:
        for name, info in model.model_fields.items():
            if step in (name, info.alias):
                return info.annotation
        return None
    for part in _parts(annotation):
        arguments = typing.get_args(part)
        if typing.get_origin(part) is dict:
            return arguments[1]
        if typing.get_origin(part) is tuple:
            return arguments[0]
    return None


def _model_of(annotation: Any) -> type[BaseModel] | None:
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _parts(annotation: Any) -> Iterator[Any]:
    """The members of a union, each without its Annotated."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _parts(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from _parts(member)
    else:
        yield annotation
