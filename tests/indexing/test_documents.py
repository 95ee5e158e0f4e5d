"""The rules of indexes over documents: what is refused, for which field, and that no value is ever shown."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import bson
import pytest
from bson import Int64
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.indexing.documents import keys, refusal
from migrator.indexing.plain import EMPTY_ARRAY, NoKeys, plain_keys
from migrator.model.mapping.tree import IndexSpec
from tests.indexing.cases import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    document = bson.decode(bson.encode(case.document))
    found = refusal(case.spec, document)
    assert (found.path if found else "") == case.path
    if found is not None:
        assert found.reason


@pytest.mark.parametrize("kind", ["2dsphere", "text", "hashed", 1])
def test_reasons_show_no_values(kind: int | str) -> None:
    secret: list[Any] = [{"x": "secret-word", "language": "secret-word", "0": "secret-word"}, "secret-word"]
    for path in ("v", "v.x", "v.0"):
        spec = IndexSpec("i", ((path, kind), ("w", 1 if kind != "2dsphere" else kind)))
        for value in (*secret, secret):
            found = refusal(spec, {"v": value, "w": secret, "language": "secret-word"})
            assert "secret-word" not in repr(found)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | st.floats(-200, 200) | st.sampled_from(["x", "en", "Point"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "0", "1", "type", "coordinates", "language"]), inner, max_size=3)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["a", "b", "language"]), VALUES, max_size=3)
PATHS = st.lists(st.sampled_from(["a", "b", "0", "1", "language"]), min_size=1, max_size=3).map(".".join)
KINDS = st.sampled_from([1, -1, "2dsphere", "text", "hashed"])


@settings(deadline=None)
@given(document=DOCUMENTS, paths=st.lists(PATHS, min_size=1, max_size=3, unique=True), kind=KINDS)
def test_any_document_has_an_answer(document: dict[str, Any], paths: list[str], kind: int | str) -> None:
    spec = IndexSpec("i", tuple((path, kind) for path in paths))
    found = refusal(spec, document)
    assert found is None or found.reason


@settings(deadline=None)
@given(document=DOCUMENTS, paths=st.lists(PATHS, min_size=1, max_size=3, unique=True))
def test_a_document_that_is_taken_has_keys_of_the_indexs_width(document: dict[str, Any], paths: list[str]) -> None:
    found = []
    with suppress(NoKeys):
        found = [*plain_keys(document, paths)]
    refused = refusal(IndexSpec("i", tuple((path, 1) for path in paths)), document)
    if refused is not None:
        assert refused.path in paths
        return
    assert found
    assert {len(key) for key in found} == {len(paths)}


@settings(deadline=None)
@given(document=DOCUMENTS, path=PATHS)
def test_one_field_of_letters_refuses_nothing(document: dict[str, Any], path: str) -> None:
    if not any(part.isdigit() for part in path.split(".")):
        assert refusal(IndexSpec("i", ((path, 1),)), document) is None


@pytest.mark.parametrize(
    ("document", "paths", "expected"),
    [
        ({"a": 1}, ["a", "b"], [(1, None)]),
        ({"a": [1, 2]}, ["a"], [(1,), (2,)]),
        ({"a": []}, ["a"], [(EMPTY_ARRAY,)]),
        ({"a": []}, ["a.x"], [(None,)]),
        ({"a": [{"x": 1}, {}]}, ["a.x", "b"], [(1, None), (None, None)]),
        ({"a": [{"x": [1, 2], "y": 3}]}, ["a.x", "a.y"], [(1, 3), (2, 3)]),
        ({"a": [[1, 2]]}, ["a"], [([1, 2],)]),
        ({"a": [5, 6]}, ["a.1"], [(6,), (6,)]),
        ({"a": {"0": 1}}, ["a.0"], [(1,)]),
    ],
)
def test_keys(document: dict[str, Any], paths: list[str], expected: list[Any]) -> None:
    assert [*plain_keys(document, paths)] == expected


def unique(*paths: str, **more: Any) -> IndexSpec:
    return IndexSpec("u", tuple((path, 1) for path in paths), unique=True, **more)


def test_a_document_outside_of_a_partial_index_has_no_keys() -> None:
    spec = unique("a", nullable=(("a", ("string",)),))
    assert keys(spec, {"a": None}) == keys(spec, {}) == keys(spec, {"a": 5}) == frozenset()
    assert keys(spec, {"a": "x"})


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "int"),
        (Int64(1), "long"),
        (2**40, "long"),
        (True, "bool"),
        (1.0, "double"),
        ({}, "object"),
        (b"", "binData"),
    ],
)
def test_types_of_partial_indexes(value: Any, name: str) -> None:
    assert keys(unique("a", nullable=(("a", (name,)),)), {"a": value})
    assert not keys(unique("a", nullable=(("a", ("string",)),)), {"a": value})


def test_an_element_of_an_array_covers_the_document_with_all_others() -> None:
    spec = unique("a.x", nullable=(("a.x", ("string",)),))
    mine, other = keys(spec, {"a": [{"x": "p"}, {"x": None}]}), keys(spec, {"a": [{"x": "q"}, {}]})
    assert len(mine & other) == 1


@pytest.mark.parametrize(
    ("one", "other", "collation", "same"),
    [
        ("a", "A", None, False),
        ("a", "A", "en", False),
        ("a", "A", '{"locale": "en", "strength": 2}', True),
        ("a", "A", '{"locale": "en", "strength": 1}', True),
        ("é", "E", '{"locale": "en", "strength": 1}', True),
        ("é", "E", '{"locale": "en", "strength": 2}', False),
        ("é", "E", '{"locale": "sv", "strength": 1}', False),  # a letter of its own or not: the language decides
        ("I", "i", '{"locale": "tr", "strength": 2}', False),
        ("й", "и", '{"locale": "en", "strength": 1}', False),
        ("e\u0301", "é", "en", True),
        ("a ", "a", '{"locale": "en", "strength": 1}', False),
    ],
)
def test_text_is_compared_as_far_as_it_is_sure(one: str, other: str, collation: str | None, same: bool) -> None:
    spec = unique("a", collation=collation)
    assert (keys(spec, {"a": one}) == keys(spec, {"a": other})) is same
