"""Validators: every document that migrator makes conforms to its collection's, and the schema says what it should."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import bson
import pytest

from migrator.mapping.validator import validator
from migrator.model.mapping.tree import Collection
from tests.cases.case import Case, all_cases
from tests.cases.conftest import flavor, mappings  # noqa: F401 - fixtures
from tests.oracle.migrated import migrate, resolved
from tests.planning.conforms import decoded, violations
from tests.planning.plans import before, field, orders, small, text

GOOD = [case for case in all_cases() if not case.error()]


def schema_of(collection: Collection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(validator(replace(collection, validator=True)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_documents_of_every_case_conform(case: Case, mappings: Path, mysql_url: str) -> None:  # noqa: F811
    (collection,) = resolved(mysql_url, mappings)
    schema = schema_of(collection)
    found = migrate(mysql_url, collection)
    wrong = [line for document in found.documents.values() for line in violations(schema, document)]
    assert wrong == []
    assert _unknown_fields(schema, [decoded(raw) for raw in found.documents.values()]) == set()


def _unknown_fields(schema: dict[str, Any], documents: list[dict[str, Any]]) -> set[str]:
    """Top-level fields that the schema doesn't describe."""
    return {name for document in documents for name in document} - set(schema["properties"])


def test_only_when_the_mapping_asks() -> None:
    assert before("c").validator == validator(small("c")) == ""


def test_what_it_says_about_an_order() -> None:
    schema = schema_of(orders())
    properties = schema["properties"]
    assert properties["number"] == {"bsonType": ["string", "null"]}
    assert properties["ship"] == {
        "bsonType": "object",
        "required": ["city"],
        "properties": {"city": {"bsonType": "string"}},
    }
    assert properties["customer"]["bsonType"] == ["object", "null"], "a customer may be missing"
    assert properties["symbol"] == {"bsonType": ["string", "null"]}, "merged in from a row that may be missing"
    assert properties["items"]["items"]["properties"]["price"] == {"bsonType": "decimal"}
    assert properties["tags"] == {"bsonType": "array", "items": {"bsonType": "string"}}
    assert properties["options"] == {"bsonType": "object", "additionalProperties": {"bsonType": ["string", "null"]}}
    assert properties["last4"] == {"bsonType": "string"}
    assert set(properties) - set(schema["required"]) == {"last4"}, "only rows of one case have it"
    assert "additionalProperties" not in schema


def test_what_may_be_left_out_is_not_required() -> None:
    root = orders().root
    fields = (*root.fields, field("note", text("note", nullable=True), null="omit"))
    sparse = replace(root, fields=fields, children=tuple(replace(child, omit_null=True) for child in root.children))
    schema = schema_of(replace(orders(), root=sparse))
    assert set(schema["properties"]) - set(schema["required"]) == {"note", "customer", "last4"}
    assert schema["properties"]["customer"]["bsonType"] == "object"
    assert schema["properties"]["note"] == {"bsonType": "string"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"number": 7}, "document.number is int, allowed are ['string', 'null']"),
        ({"tags": ["red", None]}, "document.tags.1 is null, allowed are string"),
        ({"ship": {}}, "document.ship.city is missing"),
        ({"options": {"gift": 1}}, "document.options.gift is int, allowed are ['string', 'null']"),
    ],
)
def test_a_wrong_document_is_noticed(change: dict[str, Any], complaint: str) -> None:
    document = {
        "_id": bson.Int64(1),
        "number": None,
        "placed_at": bson.datetime_ms.DatetimeMS(0),
        "ship": {"city": "Bonn"},
        "customer": None,
        "symbol": "€",
        "items": [],
        "tags": [],
        "options": {},
        "comments": [],
    }
    schema = schema_of(orders())
    assert violations(schema, bson.encode(document)) == []
    assert violations(schema, bson.encode(document | change)) == [complaint]
