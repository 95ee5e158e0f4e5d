"""The example application: two instances that share nothing but MongoDB and a cache, all of it real."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import pytest

from dev.servers.model import Server
from migrator import api
from migrator.generate.describe import PackageOptions
from migrator.generate.render import render
from migrator.generate.write import compare
from migrator.planning.planner import MappingFiles
from tests.generate.conftest import ROOT, Live, Migrated

Answer = tuple[int, dict[str, Any], int]


class Instance:
    """A running instance, and how to ask it."""

    def __init__(self, mongodb: str, cache: str | None) -> None:
        command = [sys.executable, "-m", "examples.shop_api", "--port", "0", "--mongodb", mongodb]
        command += ["--cache", cache] if cache else []
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = urlsplit(self.process.stdout.readline().strip()).netloc

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """Status, content, and how many queries it took."""
        connection = HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), int(answer.headers["X-Queries"])
        finally:
            connection.close()

    def get(self, path: str) -> dict[str, Any]:
        status, content, _ = self.ask("GET", path)
        assert status == 200, content
        return content


@pytest.fixture(params=["redis", "memcached"])
def cache(request: pytest.FixtureRequest) -> Server:
    factory: Callable[[], Server] = request.getfixturevalue(f"{request.param}_factory")
    return factory()


@pytest.fixture
def two(live_shop: Live, cache: Server) -> Iterator[tuple[Instance, Instance]]:
    with ExitStack() as stack:
        made = []
        for _ in range(2):
            instance = Instance(live_shop.url, cache.url)
            stack.callback(instance.stop)
            made.append(instance)
        yield made[0], made[1]


def test_the_committed_package_is_what_would_be_generated(shop: Migrated) -> None:
    made = render(api.package(shop.source, MappingFiles(ROOT / "mappings"), PackageOptions("shop_data")))
    assert compare(made, ROOT / "examples" / "shop_data").lines() == []


@pytest.mark.slow
def test_a_page_takes_three_queries_whatever_its_length(two: tuple[Instance, Instance], live_shop: Live) -> None:
    # Orders, their warehouses, and what these have in stock. The second time the warehouses are in the cache.
    for limit, expected in ((100, 3), (100, 2), (50, 2)):
        status, content, queries = two[0].ask("GET", f"/orders?limit={limit}")
        assert (status, len(content["orders"]), queries) == (200, limit, expected)
    seen, after, pages = set(), "", 0
    while True:
        content = two[pages % 2].get(f"/orders?limit=100{after}")
        seen |= {each["id"] for each in content["orders"]}
        pages += 1
        if content["next"] is None:
            break
        after = f"&after={content['next']}"
    assert seen == {each["_id"] for each in live_shop.database.orders.find()}
    assert pages == -(-len(seen) // 100)


@pytest.mark.slow
def test_what_one_instance_writes_the_other_shows(two: tuple[Instance, Instance], live_shop: Live) -> None:
    one, other = two
    order = live_shop.data.orders.first({"customer": {"$ne": None}})
    for instance in two:
        assert instance.get(f"/orders/{order.id}")["customer"] == order.customer.name
    # From the cache now.
    assert other.ask("GET", f"/orders/{order.id}")[2] == 0
    one.ask("PATCH", f"/customers/{order.customer.id}", {"name": "Renamed"})
    assert other.get(f"/customers/{order.customer.id}")["name"] == "Renamed"
    assert other.get(f"/orders/{order.id}")["customer"] == "Renamed"
    assert one.get(f"/orders/{order.id}")["customer"] == "Renamed"
    other.ask("PATCH", f"/orders/{order.id}", {"note": "by the other"})
    assert one.get(f"/orders/{order.id}")["note"] == "by the other"


@pytest.mark.slow
def test_mistakes_have_a_status(two: tuple[Instance, Instance]) -> None:
    assert two[0].ask("GET", "/orders/0")[0] == 404
    assert two[0].ask("GET", "/nothing")[0] == 404
    assert two[0].ask("GET", "/orders?after=nonsense")[0] == 400
    assert two[0].ask("PATCH", "/customers/0", {"name": "x"})[0] == 404


@pytest.mark.slow
def test_load_with_a_cache_that_dies_and_comes_back(
    two: tuple[Instance, Instance], cache: Server, live_shop: Live
) -> None:
    """Two hundred clients: every answer is the object asked for, in a state that it had or has."""
    orders = {each.id: each.number for each in live_shop.data.orders.find(limit=60)}
    written: dict[int, list[str | None]] = {key: [live_shop.data.orders.get(key).note] for key in orders}
    lock = threading.Lock()
    until = time.monotonic() + 12
    wrong: list[str] = []

    def client(seed: int) -> int:
        choose = random.Random(seed)
        done = 0
        while time.monotonic() < until:
            key, instance = choose.choice(list(orders)), choose.choice(two)
            try:
                if seed % 20 == 0:
                    note = f"{seed} {done}"
                    with lock:
                        written[key].append(note)
                    status, content, _ = instance.ask("PATCH", f"/orders/{key}", {"note": note})
                else:
                    status, content, _ = instance.ask("GET", f"/orders/{key}")
            except (OSError, HTTPException) as error:
                wrong.append(f"{key}: {error!r}")
                continue
            right = status == 200 and content["id"] == key and content["number"] == orders[key]
            if not right or content["note"] not in written[key]:
                wrong.append(f"{key}: {status} {content}")
            done += 1
        return done

    with ThreadPoolExecutor(200) as pool:
        running = [pool.submit(client, seed) for seed in range(200)]
        time.sleep(4)
        cache.kill()
        time.sleep(3)
        cache.start()
        done = sum(each.result() for each in running)
    assert wrong == []
    assert done > 200
    for key in orders:
        expected = live_shop.data.orders.get(key).note
        assert [instance.get(f"/orders/{key}")["note"] for instance in two] == [expected, expected]


@pytest.mark.slow
def test_without_a_cache(live_shop: Live) -> None:
    instance = Instance(live_shop.url, None)
    try:
        status, content, queries = instance.ask("GET", "/orders/4")
        assert (status, content["id"], queries) == (200, 4, 2 if content["warehouse"] else 1)
    finally:
        instance.stop()
