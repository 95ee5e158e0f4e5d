"""Whole documents in Redis and Memcached: right under load, right when old readers are slow, and never in the way."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import bson
import pytest
from bson.int64 import Int64
from pymongo import AsyncMongoClient

from dev.servers.model import Server
from migrator.errors import SettingsError
from migrator.generate.invalidate import open_invalidator
from tests.generate.conftest import Live, Migrated


@pytest.fixture(params=["redis", "memcached"])
def store_server(request: pytest.FixtureRequest) -> Server:
    factory: Callable[[], Server] = request.getfixturevalue(f"{request.param}_factory")
    return factory()


def cached(live: Live, shop: Migrated, server: Server, **options: Any) -> Any:
    """The repositories with a cache."""
    cache = shop.module("cache").Cache(shop.module("cache").open_store(server.url), **options)
    return type(live.data)(live.database, cache=cache)


def test_a_second_read_asks_the_database_no_more(shop: Migrated, live_shop: Live, store_server: Server) -> None:
    data = cached(live_shop, shop, store_server)
    first = data.orders.get(4)
    with live_shop.commands.counted() as sent:
        assert data.orders.get(4) == first
        assert data.orders.get_many([4, 4]) == [first, first]
    assert sent == []
    with live_shop.commands.counted() as sent:
        assert data.orders.get_many([4, 9, 10**9])[0] == first
    assert sent == [("find", "orders")]
    assert first == live_shop.data.orders.get(4)
    orders = data.orders.find({"warehouse_id": 1}, limit=3, include=["warehouse"])
    with live_shop.commands.counted() as sent:
        again = data.orders.find({"warehouse_id": 1}, limit=3, include=["warehouse"])
    assert sent == [("find", "orders")]
    assert [each.warehouse for each in again] == [each.warehouse for each in orders]


def test_writes_and_copies_take_out_what_they_change(shop: Migrated, live_shop: Live, store_server: Server) -> None:
    data, f = cached(live_shop, shop, store_server), live_shop.f
    order = data.orders.first({"customer": {"$ne": None}})
    assert data.orders.get(order.id).customer == order.customer
    data.customers.update(order.customer.id, [f.CustomerFields.names.display.set("Neu")])
    assert data.orders.get(order.id).customer.name == "Neu"
    data.orders.update(order.id, [f.OrderFields.note.set("x")])
    assert data.orders.get(order.id).note == "x"
    found = data.orders.get(order.id)
    found.note = "y"
    data.orders.replace(found)
    assert data.orders.get(order.id).note == "y"
    data.orders.delete(order.id)
    assert data.orders.get(order.id) is None


def test_a_slow_filler_does_not_put_an_old_object_back(shop: Migrated, live_shop: Live, store_server: Server) -> None:
    """It reads before the write and comes back after it."""
    data, f = cached(live_shop, shop, store_server), live_shop.f.WarehouseFields
    read, go_on = threading.Event(), threading.Event()
    context = data.context
    load = context._load

    def slow(spec: Any, keys: Any) -> Any:
        found = load(spec, keys)
        read.set()
        assert go_on.wait(20)
        return found

    context._load = slow
    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(data.warehouses.get, 1)
        assert read.wait(20)
        context._load = load
        data.warehouses.update(1, [f.name.set("New")])
        go_on.set()
        assert old.result().name != "New"
    assert data.warehouses.get(1).name == "New"
    assert cached(live_shop, shop, store_server).warehouses.get(1).name == "New"


def test_one_filler_at_a_time(shop: Migrated, live_shop: Live, store_server: Server) -> None:
    """Forty readers of one document that nobody has: the database is asked once, as long as that is quick."""
    data = cached(live_shop, shop, store_server, patience=20.0)
    with live_shop.commands.counted() as sent, ThreadPoolExecutor(40) as pool:
        found = list(pool.map(lambda _: data.orders.get(4).number, range(40)))
    assert len(set(found)) == 1
    assert sent == [("find", "orders")]


def test_values_run_out_and_not_all_at_once(shop: Migrated, live_shop: Live, store_server: Server) -> None:
    data = cached(live_shop, shop, store_server, seconds=2.0)
    data.orders.get(4)
    live_shop.database.orders.update_one({"_id": 4}, {"$set": {"note": "written directly"}})
    assert data.orders.get(4).note != "written directly"
    time.sleep(3.1)
    assert data.orders.get(4).note == "written directly"


def test_a_cache_that_is_down_is_slower_and_nothing_else(shop: Migrated, live_shop: Live, store_server: Server) -> None:
    data, f = cached(live_shop, shop, store_server, rest=0.2), live_shop.f.OrderFields
    assert data.orders.get(4) is not None
    store_server.kill()
    began = time.monotonic()
    assert data.orders.get(4) == live_shop.data.orders.get(4)
    data.orders.update(4, [f.note.set("while it was down")])
    assert data.orders.get(4).note == "while it was down"
    assert time.monotonic() - began < 10
    store_server.start()
    time.sleep(0.3)
    assert data.orders.get(4).note == "while it was down"
    with live_shop.commands.counted() as sent:
        data.orders.get(4)
    assert sent == []


@pytest.mark.slow
def test_hundreds_of_threads_and_a_cache_that_dies(shop: Migrated, live_shop: Live, store_server: Server) -> None:
    """What a thread has written, it and all others read; never a version older than one already acknowledged."""
    data, f = cached(live_shop, shop, store_server, rest=0.2, seconds=30.0), live_shop.f.WarehouseFields
    keys = [each.id for each in data.warehouses.find()]
    acknowledged = dict.fromkeys(keys, 0)
    for key in keys:
        data.warehouses.update(key, [f.name.set("0")])
    locks = {key: threading.Lock() for key in keys}
    until = time.monotonic() + 12
    wrong: list[str] = []
    down = threading.Event()

    def work(seed: int) -> int:
        choose = random.Random(seed)
        done = 0
        while time.monotonic() < until:
            key = choose.choice(keys)
            if seed % 20 == 0:
                with locks[key]:
                    data.warehouses.update(key, [f.name.set(str(acknowledged[key] + 1))])
                    acknowledged[key] += 1
            else:
                least, unsure = acknowledged[key], down.is_set()
                found = data.warehouses.get(key)
                # A write whose news the cache didn't get may be unseen until the value runs out: never while it is up.
                if found.id != key or (int(found.name) < least and not unsure and not down.is_set()):
                    wrong.append(f"{key}: {found.name} after {least}")
            done += 1
        return done

    with ThreadPoolExecutor(300) as pool:
        running = [pool.submit(work, seed) for seed in range(300)]
        time.sleep(4)
        down.set()
        store_server.kill()
        time.sleep(2)
        store_server.start()
        # Empty now, so nothing old can be in it.
        time.sleep(1)
        down.clear()
        done = sum(each.result() for each in running)
    assert wrong == []
    assert done > 300
    for key in keys:
        assert data.warehouses.get(key).name == str(acknowledged[key])


def test_the_asynchronous_cache(shop: Migrated, live_shop: Live, store_server: Server) -> None:
    async def use() -> None:
        store = shop.module("cache").open_async_store(store_server.url)
        cache = shop.module("cache").AsyncCache(store)
        async with AsyncMongoClient[dict[str, Any]](live_shop.url) as client:
            data = shop.module("aio").ShopData(client.get_default_database(), cache=cache, grace=timedelta(seconds=60))
            f = live_shop.f.OrderFields
            found = await asyncio.gather(*(data.orders.get(4) for _ in range(20)))
            assert len({each.number for each in found}) == 1
            await data.orders.update(4, [f.note.set("async")])
            # Both kinds of repositories name documents alike.
            assert (await data.orders.get(4)).note == "async"
            with live_shop.commands.counted() as sent:
                assert cached(live_shop, shop, store_server).orders.get(4).note == "async"
            assert sent == []
        await store.close()

    asyncio.run(use())


def test_other_urls_are_refused(shop: Migrated) -> None:
    with pytest.raises(ValueError, match=r"redis://… or memcached://…"):
        shop.module("cache").open_store("http://127.0.0.1")


def test_a_sync_tells_the_cache(shop: Migrated, live_shop: Live, store_server: Server) -> None:
    data = cached(live_shop, shop, store_server)
    invalidator = open_invalidator(store_server.url, live_shop.database.name)
    stock = data.warehouse_stock.first()
    assert data.orders.get(4) is not None
    assert data.warehouse_stock.get(stock.id) == stock
    live_shop.database.orders.update_one({"_id": 4}, {"$set": {"note": "synced"}})
    live_shop.database.warehouse_stock.update_one({"quantity": stock.quantity}, {"$set": {"quantity": -1}})
    whole = [bson.encode({"_id": {"warehouse_id": stock.id.warehouse_id, "product_id": Int64(stock.id.product_id)}})]
    assert invalidator.written("orders", [4])
    assert invalidator.written_bson("warehouse_stock", whole)
    assert data.orders.get(4).note == "synced"
    with live_shop.commands.counted() as sent:
        data.warehouse_stock.get(stock.id)
    assert sent == [("find", "warehouse_stock")]
    store_server.kill()
    assert not invalidator.written("orders", [4])
    with pytest.raises(SettingsError, match="memcached://"):
        open_invalidator("http://x", "shop")
