"""`_id` is cut out of a document as the driver would decode it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import bson
from bson import Binary, Decimal128, Int64, ObjectId
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st

from migrator.target.mongo.connection.raw import RAW
from migrator.target.mongo.writing.document_id import id_document, id_of

PLAIN = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1).map(Int64),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
    st.binary(min_size=16, max_size=16).map(lambda data: Binary(data, 4)),
    st.booleans(),
    st.none(),
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.decimals(allow_nan=False, places=2).filter(lambda value: len(value.as_tuple().digits) < 34).map(Decimal128),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda value: value.replace(tzinfo=UTC)),
)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
IDS = st.one_of(PLAIN, st.dictionaries(NAMES, PLAIN, min_size=1, max_size=3))


@given(IDS, st.dictionaries(NAMES.filter(lambda name: name != "_id"), PLAIN, max_size=3))
def test_as_the_driver_decodes_it(key: Any, others: dict[str, Any]) -> None:
    whole = bson.encode({"_id": key, **others})
    assert id_document(whole) == bson.encode({"_id": key})
    assert id_of(whole) == RawBSONDocument(whole, RAW)["_id"]


def test_an_id_that_is_not_the_first_field() -> None:
    assert id_document(bson.encode({"a": 1, "_id": 7})) == bson.encode({"_id": 7})


def test_a_type_that_no_key_has() -> None:
    key = bson.Regex("a+")
    assert id_document(bson.encode({"_id": key})) == bson.encode({"_id": key})
