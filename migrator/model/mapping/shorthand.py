"""The short forms of a mapping file: how each is spelled out, and how the JSON Schema shows it.

All of it is used in annotations of `migrator.model.mapping.spec`: functions as validators (they get what the file says
and return what the model reads; mistakes are PydanticCustomError of type `migrator`, worded for the user), classes as
makers of JSON Schema next to them.
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from pydantic import BeforeValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError


class Also:
    """Adds a short form to the JSON Schema of a value; a BeforeValidator next to it spells the short form out."""

    def __init__(self, *schemas: JsonSchemaValue) -> None:
        self.schemas = schemas

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [*self.schemas, handler(core)]}


def text_as(key: str) -> BeforeValidator:
    """Spells a plain text `x` out as `{key: x}`."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def one_as_list(value: Any) -> Any:
    """A plain text `x` is the list `[x]`."""
    return [value] if isinstance(value, str) else value


def null_word(value: Any) -> Any:
    """A bare null is the word `null`: YAML reads it as nothing."""
    return "null" if value is None else value


def off(value: Any) -> Any:
    """`false` is None: turned off, as opposed to not given."""
    return None if value is False else value


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone(value: str) -> str:
    """The name of an IANA time zone, unchanged."""
    if value in _zones():
        return value
    close = difflib.get_close_matches(value, sorted(_zones()), 1)
    hint = f"did you mean `{close[0]}`?" if close else "write it like Europe/Berlin, or UTC"
    message = "can't be `{value}`: there is no such time zone"
    raise PydanticCustomError("migrator", message, {"value": value, "suggestion": hint})


SHORT_TEXT: JsonSchemaValue = {"type": "string", "minLength": 1}
_DIRECTION = re.compile(r"(.*\S)\s+(asc|desc)", re.IGNORECASE | re.DOTALL)


def column_choice(value: Any) -> Any:
    """`all`, a list or {except: list}, as the keys of ColumnChoice."""
    if value == "all":
        return {}
    if isinstance(value, list):
        return {"only": value}
    if isinstance(value, dict) and list(value) == ["except"]:
        return value
    raise PydanticCustomError("migrator", "must be `all`, a list of columns, or {except: [list of columns]}")


_NAMES_SCHEMA: JsonSchemaValue = {"type": "array", "items": SHORT_TEXT}


class ColumnsSchema:
    """Of `columns:`."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        excluded = {
            "type": "object",
            "properties": {"except": {**_NAMES_SCHEMA, "minItems": 1, "description": "Columns to leave out."}},
            "required": ["except"],
            "additionalProperties": False,
        }
        return {"anyOf": [{"const": "all"}, _NAMES_SCHEMA, excluded]}


def order_term(value: Any) -> Any:
    """`column` or `column desc`, as the keys of OrderTerm."""
    if not isinstance(value, str) or not value.strip():
        raise PydanticCustomError("migrator", "must be a column, or a column followed by `desc`")
    found = _DIRECTION.fullmatch(value.strip())
    if found is None:
        return {"column": value.strip()}
    return {"column": found[1], "descending": found[2].lower() == "desc"}


class OrderSchema:
    """Of one term of `order_by:`."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**SHORT_TEXT, "examples": ["line_no", "created_at desc"]}


def constant(value: Any) -> Any:
    """A number or boolean as the text that is written; texts unchanged."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value
    raise PydanticCustomError("migrator", "must be plain text or a number; for NULL write `where: column IS NULL`")


class ConstantSchema:
    """Of a constant of `match:`."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": ["string", "number", "boolean"]}


def direction(value: Any) -> Any:
    """Keeps true from being taken for 1."""
    # True equals 1 in Python, and is not a direction.
    return "true" if value is True else value


def root_key(value: Any) -> Any:
    """`none` is the empty list, a plain text `x` the list `[x]`."""
    if value == "none":
        return []
    if value == []:
        raise PydanticCustomError("migrator", "must name a column, or say `none` for a table without a key")
    return one_as_list(value)


class KeySchema:
    """Of the root's `key:`."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [SHORT_TEXT, {**_NAMES_SCHEMA, "minItems": 1}]}
