"""The JSON Schema of a mapping file, for editors: they complete keys, show what each is for and mark mistakes."""

from __future__ import annotations

from typing import Any

from migrator.model.mapping.spec import CollectionSpec


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12), made from the same models that files are read with."""
    made = _tidy(CollectionSpec.model_json_schema())
    assert isinstance(made, dict)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "migrator mapping",
        **{key: value for key, value in made.items() if key != "title"},
    }


def _tidy(part: Any) -> Any:
    """Without generated titles, and without the null that stands for "not given": in a file it would be a mistake."""
    if isinstance(part, list):
        return [_tidy(item) for item in part]
    if not isinstance(part, dict):
        return part
    tidy = {key: _tidy_member(key, value) for key, value in part.items() if key != "title"}
    if tidy.get("default", ...) is None:
        del tidy["default"]
    if "anyOf" in tidy:
        choices = [choice for choice in tidy.pop("anyOf") if choice != {"type": "null"}]
        tidy = {**choices[0], **tidy} if len(choices) == 1 else {**tidy, "anyOf": choices}
    return tidy


def _tidy_member(key: str, value: Any) -> Any:
    if key in ("properties", "$defs"):
        return {name: _tidy(inner) for name, inner in value.items()}
    return _tidy(value)
