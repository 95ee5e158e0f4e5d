"""Documents that others have changed lose nothing either: unknown fields, missing fields, nulls."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.generate.conftest import Migrated, decoded, encoded

UNKNOWN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcé$. ", min_size=1, max_size=5), inner),
    max_leaves=6,
)
NEW_FIELDS = st.dictionaries(st.text("xyz_Ω1", min_size=1, max_size=6).map("new {}".format), UNKNOWN, max_size=3)


def parts(value: Any, place: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every sub-document, with the names that lead to it; keys and maps are whole values and left out."""
    if isinstance(value, list):
        return [found for each in value for found in parts(each, place)]
    if not isinstance(value, dict):
        return []
    found = [(place, value)]
    for name, each in value.items():
        if name not in ("_id", "options", "stock", "attributes", "preferences", "location", "floor_plan"):
            found += parts(each, (*place, name))
    return found


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_others_changed_is_kept(shop: Migrated, data: st.DataObject) -> None:
    collection = data.draw(st.sampled_from(["orders", "customers", "products", "categories"]))
    document = decoded(data.draw(st.sampled_from(shop.documents[collection])))
    spec = shop.module("catalog").SPECS[collection]
    for _, part in parts(document):
        nullable = [name for name, value in part.items() if value is None]
        for name in data.draw(st.lists(st.sampled_from(nullable), unique=True)) if nullable else ():
            del part[name]
        part.update(data.draw(NEW_FIELDS))
    model = spec.model.from_document(document)
    assert encoded(model.to_document()) == encoded(document)


def test_omitted_fields_that_are_null_stay_null(chinook: Migrated) -> None:
    documents = [decoded(each) for each in chinook.documents["customers"]]
    document = next(each for each in documents if "Company" not in each)
    document["Company"] = None
    model = chinook.module("catalog").SPECS["customers"].model.from_document(document)
    assert model.company is None
    assert model.to_document()["Company"] is None


def test_variants_write_the_fields_of_their_kind(shop: Migrated) -> None:
    models = shop.module("models")
    common = {"id": 1, "amount": Decimal(1), "paid_at": datetime(2026, 1, 1, tzinfo=UTC)}
    card = models.OrderPayment(kind="card", **common).to_document()
    bank = models.OrderPayment(kind="bank", **common).to_document()
    assert set(card) - set(bank) == {"card_brand", "last4"}
    assert set(bank) - set(card) == {"iban", "bic"}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("total_of_nothing", None, None),
        ("number", None, "orders.number (_id 1) holds null where a string is expected"),
        ("placed_at", "yesterday", "orders.placed_at (_id 1) holds a value of type str where a date is expected"),
        ("state", "eaten", "'eaten' is none of"),
        ("items", [{"line_no": 1}], "OrderItem.product_id is missing"),
    ],
)
def test_what_is_not_as_the_model_says_is_an_error_with_its_place(
    shop: Migrated, field: str, value: Any, said: str | None
) -> None:
    document = {**decoded(shop.documents["orders"][0]), field: value}
    assert document["_id"] == 1
    model = shop.module("models").Order
    errors = shop.module("_runtime.errors")
    if said is None:
        assert model.from_document(document).rest.fields == {field: value}
        return
    with pytest.raises(errors.MalformedDocument) as caught:
        model.from_document(document)
    assert said in str(caught.value)
