"""The JSON Schema that editors use, and the page that explains the same keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from migrator.mapping.file.jsonschema import json_schema
from migrator.mapping.file.load import load_text
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.representation import TYPES
from migrator.model.mapping.spec import FieldType

PAGE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def objects(part: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object of the schema."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from objects(inner)


def properties() -> dict[str, list[dict[str, Any]]]:
    """Every key of the format with what the schema says of it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in objects(json_schema()):
        for name, about in part["properties"].items() if isinstance(part.get("properties"), dict) else ():
            found.setdefault(name, []).append(about)
    return found


def test_is_json_whose_references_resolve() -> None:
    schema = json.loads(json.dumps(json_schema()))
    names = {f"#/$defs/{name}" for name in schema["$defs"]}
    used = {part["$ref"] for part in objects(schema) if "$ref" in part}
    assert used
    assert used <= names


def test_every_key_is_described() -> None:
    assert [
        name for name, places in properties().items() if not all(place.get("description") for place in places)
    ] == []


def test_unknown_keys_are_mistakes_everywhere() -> None:
    closed = [part for part in objects(json_schema()) if isinstance(part.get("properties"), dict)]
    assert all(part["additionalProperties"] is False for part in closed)


def test_nothing_may_be_left_without_a_value_but_the_word_null() -> None:
    assert [part for part in objects(json_schema()) if part.get("type") == "null"] == []
    assert {"const": None} in properties()["zero_date"][0]["anyOf"]


def test_short_forms_are_offered() -> None:
    through = properties()["through"][0]
    assert [sorted(choice) for choice in through["anyOf"]] == [["minLength", "type"], ["$ref"]]


def test_types_are_those_of_the_codec() -> None:
    assert set(get_args(FieldType)) == {name for names in TYPES.values() for name in names}


def test_every_policy_can_be_written() -> None:
    assert set(Policies.__dataclass_fields__) <= set(properties())


@pytest.mark.parametrize("key", sorted(properties()))
def test_every_key_is_on_the_page_with_an_example(key: str) -> None:
    assert f"`{key}`" in PAGE
    assert any(re.search(rf"(?<![\w.]){key}:", example) for example in EXAMPLES), "no example"


@pytest.mark.parametrize("example", [text for text in EXAMPLES if text.startswith("collection:")])
def test_examples_can_be_read(example: str) -> None:
    load_text("example.yaml", example.encode())
