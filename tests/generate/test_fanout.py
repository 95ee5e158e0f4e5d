"""What a killed process began, another one finishes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import pytest

from tests.cli.conftest import migrator
from tests.generate.conftest import Live, Migrated

WRITER = """
import os, signal, sys
from datetime import timedelta
from pymongo import MongoClient
from pymongo.monitoring import CommandListener, register
import shop_data
from shop_data.fields import CategoryFields as f

class Killer(CommandListener):
    "Kills its own process in the middle: when the N-th update of a copy is about to be sent."
    left = int(sys.argv[2])
    def started(self, event):
        if event.command_name == "update" and event.command["update"] in ("products", "orders"):
            Killer.left -= 1
            if Killer.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    def succeeded(self, event): pass
    def failed(self, event): pass

client = MongoClient(sys.argv[1], event_listeners=[Killer()])
transactions = None if sys.argv[3] == "yes" else False
data = shop_data.ShopData(client.get_default_database(), grace=timedelta(seconds=2), transactions=transactions)
data.categories.update(int(sys.argv[4]), [f.name.set("Renamed"), f.slug.set("renamed")])
"""


def busiest(live: Live) -> int:
    """The category that most products are in."""
    counts: dict[int, int] = {}
    for (category,) in live.data.products.values(live.f.ProductFields.category_id):
        counts[category] = counts.get(category, 0) + 1
    counts.pop(None, None)  # type: ignore[call-overload]
    return max(counts, key=lambda category: counts[category])


def stale(live: Live, category: int) -> int:
    """Copies that still show the old name."""
    old = {"$elemMatch": {"product.category.slug": {"$ne": "renamed"}, "product_id": {"$in": ids(live, category)}}}
    products = live.database.products.count_documents({"category_id": category, "category.slug": {"$ne": "renamed"}})
    return products + live.database.orders.count_documents({"items": old})


def ids(live: Live, category: int) -> list[Any]:
    return [each["_id"] for each in live.database.products.find({"category_id": category})]


@pytest.mark.slow
@pytest.mark.parametrize("transactions", ["yes", "no"])
@pytest.mark.parametrize("kill_at", [1, 3])
def test_a_killed_fan_out_is_finished_by_another_process(
    shop: Migrated, live_shop: Live, kill_at: int, transactions: str
) -> None:
    category = busiest(live_shop)
    arguments = [live_shop.url, str(kill_at), transactions, str(category)]
    done = subprocess.run([sys.executable, "-c", WRITER, *arguments], cwd=shop.folder, check=False)
    assert done.returncode == -signal.SIGKILL
    assert live_shop.data.categories.get(category).slug == "renamed"
    assert stale(live_shop, category) > 0
    assert live_shop.data.context.outbox.waiting() > 0
    # Too early: the process may be alive and at it.
    options: dict[str, Any] = {"grace": timedelta(seconds=2)}
    other = type(live_shop.data)(live_shop.database, **options)
    time.sleep(2.1)
    assert other.fanout() > 0
    assert stale(live_shop, category) == 0
    assert other.context.outbox.waiting() == 0


@pytest.mark.slow
def test_the_command_finishes_what_writes_left(shop: Migrated, live_shop: Live) -> None:
    category = busiest(live_shop)
    f = live_shop.f.CategoryFields
    lazy = type(live_shop.data)(live_shop.database, inline=0)
    lazy.categories.update(category, [f.slug.set("renamed")])
    assert stale(live_shop, category) > 0
    arguments = ["--package", "shop_data", "--path", str(shop.folder), "--target", live_shop.url]
    result = migrator("fanout", *arguments)
    assert result.exit_code == 0, result.output
    assert "of the outbox done" in result.output
    assert stale(live_shop, category) == 0
    assert migrator("fanout", *arguments).output == "0 entries of the outbox done.\n"


@pytest.mark.slow
def test_an_entry_that_the_server_refuses_keeps_no_other_waiting(shop: Migrated, live_shop: Live) -> None:
    category = busiest(live_shop)
    lazy = type(live_shop.data)(live_shop.database, inline=0)
    live_shop.database.command("collMod", "products", validator={"category.slug": {"$ne": "renamed"}})
    lazy.categories.update(category, [live_shop.f.CategoryFields.slug.set("renamed")])
    lazy.customers.update(1, [live_shop.f.CustomerFields.email.set("new@shop.example")])
    arguments = ["--package", "shop_data", "--path", str(shop.folder), "--target", live_shop.url]
    result = migrator("fanout", *arguments)
    assert result.exit_code == 5, result.output
    assert "entries of the outbox done." in result.stdout
    assert f"categories {category} can't be processed, try 1: " in result.stderr
    assert live_shop.database.orders.count_documents({"customer.id": 1}) > 0
    assert live_shop.database.orders.distinct("customer.email", {"customer.id": 1}) == ["new@shop.example"]
    (failing,) = live_shop.data.failing()
    assert (failing.collection, failing.key, failing.tries) == ("categories", category, 1)
    assert failing.error.startswith("products (_id ")
    assert "validator" in failing.error
    # It is let alone for a while, then tried again.
    assert live_shop.data.fanout() == 0
    live_shop.database.command("collMod", "products", validator={})
    patient = type(live_shop.data)(live_shop.database, grace=timedelta(0))
    assert patient.fanout() >= 1
    assert stale(live_shop, category) == 0
    assert patient.failing() == []


@pytest.mark.slow
def test_an_entry_of_a_collection_that_is_no_longer_generated_keeps_no_other_waiting(live_shop: Live) -> None:
    lazy = type(live_shop.data)(live_shop.database, inline=0)
    lazy.customers.update(1, [live_shop.f.CustomerFields.email.set("new@shop.example")])
    (entry,) = live_shop.database.outbox.find()
    live_shop.database.outbox.insert_one({**entry, "_id": 0, "collection": "gone"})
    assert lazy.fanout() == 1
    (failing,) = lazy.failing()
    assert (failing.collection, failing.error[:34]) == ("gone", "the package has no such collection")


def test_an_unknown_package_is_a_usage_error(tmp_path: Any) -> None:
    result = migrator(
        "fanout", "--package", "nothing_here", "--path", str(tmp_path), "--target", "mongodb://127.0.0.1:1/x"
    )
    assert result.exit_code == 2
    assert "nothing_here can't be imported" in result.output


def test_a_write_that_touches_no_copy_writes_nothing_else(live_shop: Live) -> None:
    f = live_shop.f.CustomerFields
    with live_shop.commands.counted() as sent:
        live_shop.data.customers.update(1, [f.newsletter.set(True)])
    assert sent == [("findAndModify", "customers"), ("find", "customers")]


def test_positions_in_arrays_hide_no_write(live_shop: Live) -> None:
    customer = live_shop.data.customers.first({"addresses": {"$ne": []}, "recent_orders": {"$ne": []}})
    order = live_shop.database.orders.find_one({"billing.id": {"$in": [each.id for each in customer.addresses]}})
    assert order is not None
    place = next(number for number, each in enumerate(customer.addresses) if each.id == order["billing"]["id"])
    live_shop.data.customers.update(customer.id, {"$set": {f"addresses.{place}.city": "Ulm"}})
    assert live_shop.data.orders.get(order["_id"]).billing.city == "Ulm"


def test_what_a_refused_write_recorded_is_taken_back(live_shop: Live) -> None:
    f = live_shop.f.CategoryFields
    for transactions in (None, False):
        data = type(live_shop.data)(live_shop.database, transactions=transactions)
        with pytest.raises(live_shop.errors.NotFound):
            data.categories.update(10**6, [f.slug.set("x")])
        assert data.context.outbox.waiting() == 0


TWO_WRITERS = """
import sys
from pymongo import MongoClient
import shop_data
from shop_data.fields import CategoryFields as f
data = shop_data.ShopData(MongoClient(sys.argv[1]).get_default_database())
for number in range(5):
    data.categories.update(int(sys.argv[2]), [f.name.set(f"{sys.argv[3]} {number}")])
"""


@pytest.mark.slow
def test_two_writers_at_once_end_right(live_shop: Live) -> None:
    """Each writes and fans out by itself, again and again; the copies are what the row says in the end."""
    categories = live_shop.data.products.values(live_shop.f.ProductFields.category_id)
    category = min((each for (each,) in categories if each), key=lambda each: (categories.count((each,)), each))
    folder = live_shop.m.__file__.rpartition("/shop_data/")[0]
    writers = [
        subprocess.Popen([sys.executable, "-c", TWO_WRITERS, live_shop.url, str(category), name], cwd=folder)
        for name in ("a", "b")
    ]
    assert [writer.wait(timeout=300) for writer in writers] == [0, 0]
    patient = type(live_shop.data)(live_shop.database, grace=timedelta(0))
    patient.fanout()
    name = live_shop.data.categories.get(category).name
    assert live_shop.database.products.count_documents({"category_id": category, "category.name": {"$ne": name}}) == 0
    assert live_shop.database.products.count_documents({"category_id": category}) > 0
