"""Ids once the source is gone."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from bson.objectid import ObjectId

from migrator.generate.sequences import counters
from tests.generate.conftest import Live, Migrated


def test_counters_continue_after_the_highest(live_shop: Live) -> None:
    data, m = live_shop.data, live_shop.m
    template = data.categories.first({"parent_id": None})
    fresh = dataclasses.replace(template, id=m.NEW_ID, slug="one", children=[])
    with pytest.raises(live_shop.errors.MissingSequence, match="'categories' is not seeded"):
        data.categories.insert(fresh)
    data.seed_sequences()
    highest = max(each["_id"] for each in live_shop.database.categories.find())
    assert data.categories.insert(fresh).id == highest + 1
    assert data.categories.insert(dataclasses.replace(fresh, id=m.NEW_ID, slug="two")).id == highest + 2
    # Seeding again, or with less, never turns back.
    data.seed_sequences()
    data.context.ids.seed("categories", 1)
    assert list(data.context.ids.next("categories")) == [highest + 3]
    data.context.ids.seed("categories", 1000)
    assert list(data.context.ids.next("categories", 2)) == [1001, 1002]


def test_embedded_rows_get_theirs(live_shop: Live) -> None:
    data, m = live_shop.data, live_shop.m
    data.seed_sequences()
    known = [each["id"] for order in live_shop.database.orders.find() for each in order["payments"]]
    order = data.orders.first({"payments": {"$ne": []}})
    template = order.payments[0]
    order.payments += [dataclasses.replace(template, id=m.NEW_ID), dataclasses.replace(template, id=m.NEW_ID)]
    data.orders.replace(order)
    assert [each.id for each in order.payments[-2:]] == [max(known) + 1, max(known) + 2]
    assert live_shop.database.orders.count_documents({"payments.id": {"$type": "long"}, "_id": order.id}) == 1
    stored = live_shop.database.orders.find_one({"_id": order.id})
    assert next(iter(stored["payments"][-1])) == "id"  # type: ignore[index]


def test_nobody_gets_an_id_twice(live_shop: Live) -> None:
    live_shop.data.seed_sequences()
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: live_shop.data.context.ids.next("orders", 3), range(60)))
    flat = [each for some in made for each in some]
    assert len(set(flat)) == len(flat) == 180


def test_new_products_have_object_ids_and_are_referred_to(live_shop: Live) -> None:
    data, m = live_shop.data, live_shop.m
    product = data.products.insert(dataclasses.replace(data.products.first(), id=m.NEW_ID, sku="new", stock={}))
    assert isinstance(product.id, ObjectId)
    stock = data.warehouse_stock.first()
    key = m.WarehouseStockId(warehouse_id=stock.id.warehouse_id, product_id=product.id)
    made = data.warehouse_stock.insert(dataclasses.replace(stock, id=key))
    assert made.product.sku == "new"
    assert data.warehouse_stock.get(key, include=["product_page"]).product_page.id == product.id
    assert data.products.get(product.id).stock == {str(stock.id.warehouse_id): stock.available}


def test_uuids(live_shop: Live) -> None:
    spec = dataclasses.replace(live_shop.data.context.specs["categories"], ids="uuid")
    document: dict[str, object] = {}
    live_shop.data.context.ids.fill(document, spec)
    assert isinstance(document["_id"], UUID)


def test_who_seeds_them_from_the_source_knows_them_all(shop: Migrated) -> None:
    found = {each.name: (each.table, each.column) for each in counters(shop.collections)}
    assert found == {
        "categories": ("categories", "id"),
        "customers": ("customers", "id"),
        "customers.addresses": ("addresses", "id"),
        "orders": ("orders", "id"),
        "orders.invoice": ("invoices", "id"),
        "orders.payments": ("payments", "id"),
    }
    specs = shop.module("catalog").SPECS
    inside = {identity.sequence for spec in specs.values() for identity in spec.identities}
    assert found.keys() == inside | {name for name, spec in specs.items() if spec.ids == "sequence"}
