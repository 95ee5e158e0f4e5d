"""A server's errors in sentences: fields, indexes and commands are named, values never."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.target.mongo.connection.codes import may_hold_values
from migrator.target.mongo.connection.server_message import MOST, action, covered, index_kind, own_words, sentence

SECRET = "Zsecretz"
DOCUMENT = f'{{ _id: 7, name: "{SECRET}", mail: "{SECRET}@x.org", at: {{ type: "Point", coordinates: [ 200, 95 ] }} }}'
DETAILS = {
    "operatorName": "$jsonSchema",
    "schemaRulesNotSatisfied": [
        {
            "operatorName": "properties",
            "propertiesNotSatisfied": [
                {
                    "propertyName": "customer",
                    "details": [
                        {
                            "operatorName": "properties",
                            "propertiesNotSatisfied": [
                                {"propertyName": "name", "details": [{"consideredValue": SECRET, "reason": "type"}]}
                            ],
                        }
                    ],
                },
                {
                    "propertyName": "items",
                    "details": [
                        {
                            "operatorName": "items",
                            "itemIndex": 3,
                            "details": [
                                {"operatorName": "required", "missingProperties": ["sku"]},
                            ],
                        }
                    ],
                },
            ],
        },
        {"operatorName": "required", "specifiedAs": {"required": ["total"]}, "missingProperties": ["total"]},
    ],
}


@pytest.mark.parametrize(
    ("code", "text", "fields", "says"),
    [
        (16755, f"Can't extract geo keys: {DOCUMENT}  unknown GeoJSON type: {DOCUMENT}", ["at"], ["2dsphere", "`at`"]),
        (16755, f"Plan executor error :: caused by :: Can't extract geo keys: {DOCUMENT}", [], ["2dsphere", "16755"]),
        (171, "cannot index parallel arrays [tags] [sizes]", [], ["`tags` and `sizes`"]),
        (171, "parallel arrays of another server", [], ["two fields"]),
        (16766, "Error: hashed indexes do not currently support array values", ["tags"], ["hashed", "`tags`"]),
        (17261, "found language override field in document with non-string type", ["language"], ["text", "`language`"]),
        (17262, f"language override unsupported: {SECRET}", ["language"], ["text index", "language"]),
        (
            16746,
            "Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), "
            f"field: '0' for array: {DOCUMENT}",
            [],
            ["`0`", "position"],
        ),
        (13027, f"point not in interval of [ -180, 180 ] :: caused by :: {DOCUMENT}", ["at"], ["2d index", "`at`"]),
        (16804, "location object expected, location array not in correct format", ["at"], ["2d index", "`at`"]),
        (13026, "geo values must be 'legacy coordinate pairs' for 2d indexes", ["at"], ["2d index"]),
        (
            52,
            "The dollar ($) prefixed field '$x' in 'attributes.$x' is not valid for storage.",
            [],
            ["`attributes.$x`"],
        ),
        (52, "_id fields may not contain '$'-prefixed fields: $a is not valid for storage.", [], ["`$a`"]),
        (57, "The dotted field 'a.b' in 'x.a.b' is not valid for storage.", [], ["`x.a.b`"]),
        (28, f"Cannot create field 'b' in element {{a: \"{SECRET}\"}}", [], ["`b`"]),
        (66, f"the (immutable) field '_id' was found to have been altered to _id: {SECRET}", [], ["`_id`"]),
        (53, "The '_id' value cannot be of type array", [], ["_id"]),
        (55, "Found $id field without a $ref before it, which is invalid.", [], ["$ref"]),
        (15, "Document exceeds maximum nesting depth of 180", [], ["nested"]),
        (10334, f'BSONObj size: 17000000 (0x1036640) is invalid. First element: name: "{SECRET}"', [], ["larger"]),
        (17420, "Document to upsert is larger than 16777216", [], ["larger"]),
        (17280, f'key too large to index, failing shop.orders.$a_1 1025 {{ : "{SECRET}" }}', ["a"], ["longer", "`a`"]),
        (
            11000,
            f'E11000 duplicate key error collection: shop.orders index: email_1 dup key: {{ email: "{SECRET}" }}',
            ["email"],
            ["email_1", "`email`"],
        ),
        (
            11000,
            "E11000 duplicate key error collection: shop.orders index: by mail collation: "
            f'{{ locale: "en" }} dup key: {{ email: "0x{SECRET}" }}',
            [],
            ["index by mail (11000)"],
        ),
        (11000, f"duplicate: {SECRET}", [], ["unique index (11000)"]),
        (85, f"Index with name: a_1 already exists with different options {DOCUMENT}", [], ["other options"]),
        (
            13,
            'not authorized on shop to execute command { insert: "orders", ordered: false, lsid: { id: UUID("1") }, '
            f'$clusterTime: {{ signature: "{SECRET}" }}, documents: [ {DOCUMENT} ], $db: "shop" }}',
            [],
            ["`insert` on shop.orders"],
        ),
        (
            13,
            'not authorized on admin to execute command { renameCollection: "shop.a", to: "shop.b" }',
            [],
            ["`renameCollection` on admin.shop.a"],
        ),
        (13, "user is not allowed to do action [collMod] on [shop.orders]", [], ["`collMod` on shop.orders"]),
        (13, "command find requires authentication", [], ["`find`"]),
        (13, f"something else {SECRET}", [], ["lacks a privilege"]),
        # Not known, or of the server rather than of a document.
        (999999, f"Can't do that: {DOCUMENT}", [], ["Can't do that (999999)"]),
        (999999, f"Update failed :: caused by :: no way with {DOCUMENT}", [], ["caused by :: no way with (999999)"]),
        (999999, f"bad value '{SECRET}' for 12.5 and {SECRET}", [], ["bad value (999999)"]),
        (999999, "more than 12.5 of -3", [], ["more than … of …"]),
        (999999, f"[{SECRET}]", [], ["the server refused it"]),
        (1, f"oops {DOCUMENT}", [], ["oops"]),
        (14031, "available disk space of 5 bytes is less than required minimum of 9", [], ["5 bytes", "minimum of 9"]),
        (26, f"ns not found: shop.orders {DOCUMENT}", [], ["ns not found: shop.orders"]),
        (166, "Namespace shop.v is a view, not a collection", [], ["is a view, not a collection"]),
    ],
)
def test_what_is_said(code: int, text: str, fields: list[str], says: list[str]) -> None:
    made = sentence(code, text, fields)
    assert all(each in made for each in says), made
    assert SECRET not in made
    assert made.endswith(f"({code})")


def test_a_validator_names_its_fields() -> None:
    made = sentence(121, "Document failed validation", (), {"failingDocumentId": SECRET, "details": DETAILS})
    assert made == "the collection's validator refuses it: `customer.name`, `items.sku`, `total` (121)"
    assert sentence(121, "Document failed validation") == "the collection's validator refuses it (121)"


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("2dsphere", ("a.location", "b")), ("hashed", ("h",)), ("text", ("title", "body", "tongue")), ("2d", ())],
)
def test_fields_under_indexes_of_a_kind(kind: str, fields: tuple[str, ...]) -> None:
    indexes: list[dict[str, Any]] = [
        {"key": {"_id": 1}},
        {"key": {"n": 1, "a.location": "2dsphere"}},
        {"key": {"b": "2dsphere"}},
        {"key": {"h": "hashed"}},
        {"key": {"_fts": "text", "_ftsx": 1}, "weights": {"title": 1, "body": 2}, "language_override": "tongue"},
    ]
    assert covered(indexes, kind) == fields


def test_kinds_and_actions() -> None:
    assert index_kind(16755) == "2dsphere"
    assert index_kind(11000) == ""
    assert action('not authorized on shop to execute command { collMod: "orders" }') == "collMod"
    assert action("no") == ""


def test_long_words_are_cut() -> None:
    assert own_words("x" * MOST) == "x" * MOST
    assert len(own_words("x" * 10 * MOST)) == MOST + 1


# --- whatever is in a document ------------------------------------------------------------------------------------

# A secret with every character in it that could end a quotation or an object too early.
NOISE = st.text(st.sampled_from("abc 123 {}[]()\"'`:,.=<>$\\\n"), max_size=12)
TEXTS = st.builds(lambda left, right: f"{left}{SECRET}{right}", NOISE, NOISE)
VALUES = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def shown(value: Any) -> str:
    """As a server prints it: quotes inside a text stay as they are."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name}: {shown(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[ " + ", ".join(map(shown, value)) + " ]"
    return f'"{value}"' if isinstance(value, str) else "null" if value is None else str(value)


FRAMES = st.sampled_from(
    (
        "Can't extract geo keys: {}  unknown GeoJSON type: {}",
        "E11000 duplicate key error collection: shop.orders index: email_1 dup key: {}",
        "Ambiguous field name found in array, field: '0' for array: {}",
        "Plan executor error during update :: caused by :: cannot do {}",
        "BSONObj size: 5 is invalid. First element: name: {}",
        "Cannot create field 'b' in element {}",
        "The dollar ($) prefixed field '$x' in 'a.$x' is not valid for storage. {}",
        'not authorized on shop to execute command {{ insert: "orders", documents: {} }}',
        "something went wrong {}",
        "{}",
    )
)
CODES = st.sampled_from(
    (0, 1, 2, 9, 13, 15, 28, 52, 53, 55, 56, 57, 66, 85, 121, 171, 10334, 11000, 13026, 13027, 16746, 16755, 16766)
) | st.integers(100_000, 9_999_999)


@given(CODES, FRAMES, st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1, max_size=3))
def test_no_value_of_a_document_survives(code: int, frame: str, document: dict[str, Any]) -> None:
    text = frame.format(shown(document), shown(document))
    made = sentence(code, text, ["email"])
    assert SECRET not in made, made
    assert made


@given(st.integers(0, 20_000), VALUES)
def test_no_code_lets_an_object_through(code: int, value: Any) -> None:
    assert SECRET not in sentence(code, f"it failed with {shown({'a': value})}")


@given(TEXTS)
def test_no_bare_value_survives_where_documents_may_be_quoted(text: str) -> None:
    assert may_hold_values(999_999)
    assert SECRET not in sentence(999_999, f"not supported: {text}")
