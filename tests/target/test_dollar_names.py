"""Names with `$` in front: found wherever they are, and taken for nothing else."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from migrator.target import MongoTarget
from migrator.target.mongo.writing import dollar_names
from tests.target.sync.conftest import open_fast

NAMES = st.sampled_from(("a", "b", "$x", "$", "c$", "$a.b"))
VALUES = st.recursive(
    st.integers(-5, 5) | st.text("$a\x01\x03", max_size=3) | st.binary(max_size=3) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def has_one(value: Any) -> bool:
    if isinstance(value, dict):
        return any(name.startswith("$") or has_one(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(has_one, value))


@given(st.dictionaries(st.sampled_from(("_id", "a", "$top")), VALUES, max_size=3))
def test_found_exactly_where_there_is_one(document: dict[str, Any]) -> None:
    wanted = any(has_one(value) for name, value in document.items() if name != "_id")
    assert (dollar_names.path(bson.encode(document)) is not None) == wanted


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"a": {"$x": 1}}, "a.$x"),
        ({"a": [1, {"b": {"c": 1}}, {"b": {"$y": 1}}]}, "a.2.b.$y"),
        ({"_id": {"$x": 1}, "a": "$x", "b": ["$y"], "c": {"d$": "\x03$"}}, None),
    ],
)
def test_the_path(document: dict[str, Any], path: str | None) -> None:
    assert dollar_names.path(bson.encode(document)) == path


@pytest.mark.parametrize(
    ("hello", "becomes"),
    [
        ({"maxWireVersion": 13}, "replaced"),
        ({"maxWireVersion": 25, "setName": "rs"}, "replaced"),
        ({"maxWireVersion": 9, "setName": "rs"}, "reinserted"),
        ({"maxWireVersion": 9, "msg": "isdbgrid"}, "reinserted"),
        ({"maxWireVersion": 9}, "rejected"),
        ({}, "rejected"),
    ],
)
def test_what_a_plan_expects(hello: dict[str, Any], becomes: str) -> None:
    assert dollar_names.expected(hello) == becomes


def test_it_is_tried_out_and_leaves_nothing(mongodb_url: str) -> None:
    """Whatever the server says, a replacement of such a document has to end in the same way."""
    with closing(open_fast(mongodb_url)) as target, MongoClient[Any](mongodb_url) as client:
        assert isinstance(target, MongoTarget)
        found = dollar_names.replaceable(target._session)
        database = client.get_default_database()
        assert database.list_collection_names() == []
        database.trial.insert_one({"_id": 1})
        try:
            database.trial.replace_one({"_id": 1}, {"a": {"$x": 1}})
            replaced = True
        except OperationFailure:
            replaced = False
        assert found == replaced
