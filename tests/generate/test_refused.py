"""Documents that the server does not take: an error of the repository's own, that names them and holds no value."""

from __future__ import annotations

import pickle
import traceback
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure

from tests.generate.conftest import Live
from tests.target.refusing import Refusing, before_5, install

SECRET = "Zsecretz@x.org"


@pytest.fixture(params=[None, False], ids=["as the server is", "without transactions"])
def data(request: pytest.FixtureRequest, live_shop: Live) -> Any:
    return type(live_shop.data)(live_shop.database, transactions=request.param)


def shown(error: BaseException) -> str:
    """All that a log would have of it."""
    return "".join(traceback.format_exception(error))


def test_a_validator(live_shop: Live, data: Any) -> None:
    f = live_shop.f.CustomerFields
    live_shop.database.command("collMod", "customers", validator={"email": {"$ne": SECRET}})
    with pytest.raises(live_shop.errors.Refused) as caught:
        data.customers.update(1, [f.email.set(SECRET)])
    assert str(caught.value) == "customers (_id 1): the collection's validator refuses it (121)"
    assert (caught.value.collection, caught.value.key, caught.value.code) == ("customers", 1, 121)
    assert SECRET not in shown(caught.value)
    assert data.context.outbox.waiting() == 0
    assert data.customers.get(1).email != SECRET


def test_a_unique_value(live_shop: Live, data: Any) -> None:
    f = live_shop.f.CustomerFields
    live_shop.database.customers.create_index("email", unique=True, name="by_email", sparse=True)
    data.customers.update(1, [f.email.set(SECRET)])
    for kind in (live_shop.errors.Taken, live_shop.errors.Refused, DuplicateKeyError):
        with pytest.raises(kind) as caught:
            data.customers.update(2, [f.email.set(SECRET)])
        assert "customers (_id 2): another document has the same value in the unique index" in str(caught.value)
        assert "by_email" in str(caught.value)
        assert SECRET not in shown(caught.value)
        assert SECRET in caught.value.said
    assert data.context.outbox.waiting() == 0
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.code, again.key) == (str(caught.value), 11000, 2)
    assert not again.has_error_label("TransientTransactionError")


def test_an_index_names_what_the_server_tells(live_shop: Live, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'cannot index parallel arrays [tags] [sizes] {{ email: "{SECRET}" }}'
    install(monkeypatch, Refusing(171, text, lambda kind, found: found.get("email") == SECRET))
    customer = data.customers.get(3)
    customer.email = SECRET
    with pytest.raises(live_shop.errors.Refused, match="`tags` and `sizes` are both arrays") as caught:
        data.customers.replace(customer)
    assert SECRET not in shown(caught.value)
    assert SECRET in caught.value.said


def test_names_with_a_dollar_before_mongodb_5(live_shop: Live, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, before_5())
    product = data.products.get(1)
    product.attributes = {"$x": 1}
    with pytest.raises(live_shop.errors.Refused, match=r"products \(_id 1\): .*`nested\.\$x`"):
        data.products.replace(product)


@pytest.mark.needs_mongodb("whether names with $ in front can be replaced")
def test_names_with_a_dollar_as_the_server_has_them(live_shop: Live, data: Any) -> None:
    product = data.products.get(1)
    product.attributes = {"$x": 1}
    if live_shop.database.client.server_info()["versionArray"][0] >= 5:
        data.products.replace(product)
        assert data.products.get(1).attributes == {"$x": 1}
        return
    with pytest.raises(live_shop.errors.Refused, match=r"`attributes\.\$x`"):
        data.products.replace(product)


def test_what_is_no_documents_fault_stays_the_drivers(
    live_shop: Live, data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, Refusing(14031, "no space", lambda kind, found: found.get("_id") == 3))
    with pytest.raises(OperationFailure, match="no space"):
        data.customers.replace(data.customers.get(3))
