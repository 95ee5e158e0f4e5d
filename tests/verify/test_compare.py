"""Documents that mean the same and are not: every difference in bytes has a place and both values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Binary, Decimal128, Int64
from hypothesis import given
from hypothesis import strategies as st

from migrator.model.report.verify import Difference
from migrator.verify.compare import differences

INT = '{"$numberInt": "1"}'
DATE = datetime(2024, 1, 2, tzinfo=UTC)


def found(source: Any, target: Any) -> list[Difference]:
    first, more = differences(bson.encode(source), bson.encode(target))
    assert not more
    return list(first)


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ("1", '"1"'),
        (1.0, '{"$numberDouble": "1.0"}'),
        (Int64(1), '{"$numberLong": "1"}'),
        (Decimal128("1"), '{"$numberDecimal": "1"}'),
        (True, "true"),
        (None, "null"),
        ([1], '[{"$numberInt": "1"}]'),
    ],
)
def test_types_count(other: Any, text: str) -> None:
    assert found({"a": {"b": 1}}, {"a": {"b": other}}) == [Difference("a.b", INT, text)]


def test_decimals_count() -> None:
    assert found({"a": Decimal128("1.50")}, {"a": Decimal128("1.5")}) == [
        Difference("a", '{"$numberDecimal": "1.50"}', '{"$numberDecimal": "1.5"}')
    ]


def test_a_missing_field_is_not_null() -> None:
    assert found({"a": None}, {}) == [Difference("a", "null", None)]
    assert found({}, {"a": None}) == [Difference("a", None, "null")]


def test_arrays() -> None:
    one, two, three = {"n": 1, "t": "x"}, {"n": 2, "t": "y"}, {"n": 3, "t": "z"}
    (swapped,) = found({"a": [one, two, three]}, {"a": [two, one, three]})
    assert (swapped.path, swapped.note) == ("a", "the same elements in another order: 1, 0, 2")
    assert found({"a": [one, two]}, {"a": [one, two, two]})[0].path == "a.2"
    assert found({"a": [one, two]}, {"a": [one]})[0].path == "a.1"
    assert found({"a": [one, two]}, {"a": [one, {"n": 2, "t": "Y"}]}) == [Difference("a.1.t", '"y"', '"Y"')]
    assert found({"a": [[1], 2]}, {"a": [[1.0], 2]})[0].path == "a.0.0"


def test_order_of_fields() -> None:
    (one,) = found({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}})
    assert (one.path, one.source, one.target) == ("a", "x, y", "y, x")


def test_dates_out_of_range_and_long_values() -> None:
    far = bson.encode({"a": DATE}).replace(bson.encode({"a": DATE})[7:15], (2**62).to_bytes(8, "little"))
    (one,), _ = differences(bson.encode({"a": DATE}), far)
    assert one.path == "a"
    (long,) = found({"a": "x" * 10_000}, {"a": Binary(b"y" * 10_000)})
    assert len(long.source or "") < 400
    assert len(long.target or "") < 400


def test_many_differences_are_counted() -> None:
    first, more = differences(bson.encode({"a": list(range(100))}), bson.encode({"a": list(range(1, 101))}))
    assert (len(first), more) == (20, 80)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.integers(-5, 5).map(Int64)
    | st.floats(-5, 5).map(lambda number: round(number))
    | st.sampled_from([Decimal128("1"), Decimal128("1.0"), "1", "a", Binary(b"a"), DATE]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(DOCUMENTS, DOCUMENTS)
def test_no_difference_means_the_same_bytes(one: Any, other: Any) -> None:
    source, target = bson.encode(one), bson.encode(other)
    first, more = differences(source, target)
    assert (not first) == (source == target)
    assert len(first) + more == sum(map(len, differences(target, source)[:1])) + differences(target, source)[1]
