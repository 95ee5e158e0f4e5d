"""The same repositories, asynchronously."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from tests.generate.conftest import Commands, Live, Migrated


@pytest.mark.slow
def test_everything_once(shop: Migrated, live_shop: Live) -> None:
    asyncio.run(_everything(shop, live_shop))


async def _everything(shop: Migrated, live_shop: Live) -> None:
    commands = Commands()
    async with AsyncMongoClient[dict[str, Any]](live_shop.url, event_listeners=[commands]) as client:
        data = shop.module("aio").ShopData(client.get_default_database())
        f, m = live_shop.f, live_shop.m
        include = ["warehouse.warehouse_stock"]
        with commands.counted() as sent:
            page = await data.orders.page(sort=[f.OrderFields.id.asc()], limit=50, include=include)
        assert [name for _, name in sent] == ["orders", "warehouses", "warehouse_stock"]
        same = live_shop.data.orders.page(sort=[f.OrderFields.id.asc()], limit=50, include=include)
        assert page == same
        assert [each.warehouse for each in page.items] == [each.warehouse for each in same.items]
        assert [each async for each in data.categories.iterate(batch=7)] == list(live_shop.data.categories.iterate())
        assert await data.orders.values(f.OrderFields.id) == live_shop.data.orders.values(f.OrderFields.id)
        await data.seed_sequences()
        root = await data.categories.first({"parent_id": None})
        made = await data.categories.insert(
            dataclasses.replace(root, id=m.NEW_ID, slug="new", parent_id=root.id, children=[])
        )
        assert made.parent.name == root.name
        assert made.id in [each.id for each in (await data.categories.get(root.id)).children]
        after = await data.categories.update(root.id, [f.CategoryFields.name.set("Root")])
        assert after.name == "Root"
        assert (await data.categories.get(made.id)).parent.name == "Root"
        assert await data.categories.delete(made.id)
        assert await data.fanout() == 0
        assert await data.context.outbox.waiting() == 0
