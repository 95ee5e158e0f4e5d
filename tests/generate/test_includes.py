"""Joins in application code: what is found, and with how many queries."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from migrator.generate.runtime.keys import distinct, keys_of
from tests.generate.conftest import Live


def test_forward_and_reverse_at_any_depth_with_one_query_a_step(live_shop: Live) -> None:
    f = live_shop.f.OrderFields
    include = ["warehouse.warehouse_stock.product_page", "warehouse.orders"]
    with live_shop.commands.counted() as sent:
        page = live_shop.data.orders.page(sort=[f.id.asc()], limit=100, include=include)
    assert sent == [
        ("find", "orders"),
        ("find", "warehouses"),
        ("find", "warehouse_stock"),
        ("find", "products"),
        ("find", "orders"),
    ]
    assert len(page.items) == 100
    for order in page.items:
        if order.warehouse_id is None:
            assert order.warehouse is None
            continue
        assert order.warehouse.id == order.warehouse_id
        assert order.id in {each.id for each in order.warehouse.orders}
        stock = order.warehouse.warehouse_stock
        assert {each.id.warehouse_id for each in stock} == {order.warehouse_id}
        assert all(each.product_page is None or each.product_page.id == each.id.product_id for each in stock)
    assert sum(order.warehouse is not None for order in page.items) > 50


def test_a_partner_is_one_object_for_all(live_shop: Live) -> None:
    orders = live_shop.data.orders.find({"warehouse_id": 1}, limit=2, include=["warehouse"])
    assert orders[0].warehouse is orders[1].warehouse


def test_missing_partners_are_none_or_an_error(live_shop: Live) -> None:
    live_shop.database.warehouses.delete_one({"_id": 1})
    found = live_shop.data.orders.find({"warehouse_id": 1}, include=["warehouse"])
    assert found
    assert all(order.warehouse is None for order in found)
    with pytest.raises(live_shop.errors.MissingPartner, match="there is no 1 in warehouses"):
        live_shop.data.orders.find({"warehouse_id": 1}, include=["warehouse"], missing="error")
    # No key is no missing partner.
    assert live_shop.data.orders.find({"warehouse_id": None}, include=["warehouse"], missing="error")


def test_what_was_not_included_is_an_error_and_so_is_nonsense(live_shop: Live) -> None:
    order = live_shop.data.orders.get(4)
    with pytest.raises(live_shop.errors.NotIncluded, match=r"include=\['warehouse'\]"):
        _ = order.warehouse
    with pytest.raises(live_shop.errors.UnknownInclude, match="did you mean 'warehouse'"):
        live_shop.data.orders.find(include=["warehous"])
    with pytest.raises(live_shop.errors.UnknownInclude, match="it has none"):
        live_shop.data.categories.find(include=["x"])


def test_composite_keys_are_looked_up_by_the_whole_id(live_shop: Live) -> None:
    """A reference over two columns, made by hand: the shop has none."""
    runtime = live_shop.data.context
    spec = runtime.specs["orders"]
    relation = type(next(iter(spec.relations.values())))
    stock = relation(
        "stock",
        "warehouse_stock",
        (("warehouse_id", "_id.warehouse_id"), ("items.product_id", "_id.product_id")),
        many=True,
        forward=True,
    )
    runtime.specs = {**runtime.specs, "orders": dataclasses.replace(spec, relations={"stock": stock})}
    repository = type(live_shop.data.orders)(runtime)
    repository._spec = runtime.specs["orders"]
    with live_shop.commands.counted() as sent:
        orders = repository.find({"warehouse_id": {"$ne": None}}, include=["stock"])
    assert sent == [("find", "orders"), ("find", "warehouse_stock")]
    there = {
        (each["_id"]["warehouse_id"], each["_id"]["product_id"]) for each in live_shop.database.warehouse_stock.find()
    }
    for order in orders:
        expected = [(order.warehouse_id, item.product_id) for item in order.items]
        found = [(each.id.warehouse_id, each.id.product_id) for each in order._partner("stock")]
        assert found == [key for key in dict.fromkeys(expected) if key in there]


def test_self_references(live_chinook: Live) -> None:
    with live_chinook.commands.counted() as sent:
        found = live_chinook.data.employees.find(include=["boss.boss", "employees"])
    assert [name for _, name in sent] == ["employees"] * 4
    by_id = {each.id: each for each in found}
    for each in found:
        assert (each.boss.id if each.boss else None) == each.reports_to
        assert {one.id for one in each.employees} == {one.id for one in found if one.reports_to == each.id}
        if each.boss and each.boss.boss:
            assert each.boss.boss.id == by_id[each.reports_to].reports_to


@pytest.mark.parametrize(
    ("document", "paths", "keys"),
    [
        ({"a": 1}, ["a"], [(1,)]),
        ({"a": None}, ["a"], []),
        ({}, ["a"], []),
        ({"a": {"b": 1, "c": 2}}, ["a.b", "a.c"], [(1, 2)]),
        ({"w": 9, "i": [{"p": 1}, {"p": 2}, {}]}, ["w", "i.p"], [(9, 1), (9, 2)]),
        ({"i": [{"p": 1, "q": 5}, {"p": 2, "q": None}]}, ["i.p", "i.q"], [(1, 5)]),
        ({"a": [1, 2, 1]}, ["a"], [(1,), (2,), (1,)]),
        ({"a": [[{"b": 1}], [{"b": 2}]]}, ["a.b"], [(1,), (2,)]),
    ],
)
def test_keys_belong_together(document: dict[str, Any], paths: list[str], keys: list[Any]) -> None:
    assert list(keys_of(document, [path.split(".") for path in paths])) == keys


def test_keys_are_asked_for_once() -> None:
    assert distinct([(1,), (2,), (1,), (1.0,)]) == [(1,), (2,)]
