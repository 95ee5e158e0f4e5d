"""Copies equal what a fresh migration of the same facts gives: everything is changed twice, by SQL in the source and
through repositories in MongoDB, and all documents are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pymongo import MongoClient
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from migrator import api
from migrator.planning.planner import MappingFiles
from sample_schema.generate import load as load_shop
from tests.chinook.load import MAPPINGS as CHINOOK
from tests.chinook.load import load as load_chinook
from tests.generate.conftest import Live, Migrated, decoded, make, migrated
from tests.oracle.load import run_script


class Both:
    """One set of facts, in the source and in MongoDB."""

    def __init__(self, source: str, made: Migrated, live: Live) -> None:
        self.source, self.made, self.live = source, made, live
        self._collections = api.check(source, MappingFiles(made.mappings))

    def sql(self, *statements: str) -> None:
        with connect_mysql(self.source) as connection, connection.cursor() as cursor:
            # What a cascade would do is not the repositories' to know: the facts are stated one by one.
            cursor.execute("SET foreign_key_checks = 0, sql_mode = ''")
            cursor.execute(f"USE `{make_url(self.source).database}`")
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def differences(self) -> dict[str, Any]:
        """What is not as a fresh migration gives it, by collection and id."""
        found: dict[str, Any] = {}
        for name, documents in migrated(self.source, self._collections).items():
            expected = {repr(each["_id"]): each for each in map(decoded, documents)}
            context = self.live.data.context
            stored = {repr(each["_id"]): each for each in context.collection(name).find()}
            for key in sorted(expected.keys() | stored.keys()):
                one, other = expected.get(key, {}), stored.get(key, {})
                differing = [field for field in {**one, **other} if one.get(field) != other.get(field)]
                if differing or not one or not other:
                    found[f"{name} {key}"] = {field: (one.get(field), other.get(field)) for field in differing}
        return found


@pytest.fixture(params=[None, False], ids=["transactions", "without"])
def both(
    shop: Migrated, source_factory: Callable[[], str], mongodb_url: str, request: pytest.FixtureRequest
) -> Iterator[Both]:
    source = source_factory()
    load_shop(source, 1, 1)
    yield from _both(source, shop, mongodb_url, request.param)


def _both(source: str, made: Migrated, url: str, transactions: bool | None) -> Iterator[Both]:
    made.fill(url)
    with MongoClient[dict[str, Any]](url) as client:
        database = client.get_default_database()
        facade = "".join(word.capitalize() for word in made.package.split("_"))
        data = getattr(made.module("repositories"), facade)(database, transactions=transactions)
        data.seed_sequences()
        modules = [made.module(name) for name in ("fields", "models", "_runtime.errors")]
        yield Both(source, made, Live(data, *modules, database, None, url))  # type: ignore[arg-type]


def made_of(
    schema: str,
    mappings: Mapping[str, str],
    source: str,
    url: str,
    folder: Path,
    package: str,
    transactions: bool | None,
) -> Iterator[Both]:
    """The facts of `schema` under these mappings, by name; the package is generated into `folder`."""
    run_script(source, schema)
    files = folder / "mappings"
    files.mkdir()
    for name, text in mappings.items():
        (files / f"{name}.yaml").write_text(text, encoding="utf-8")
    yield from _both(source, make(source, files, folder, package), url, transactions)


pytestmark = pytest.mark.slow


def test_the_same_to_begin_with(both: Both) -> None:
    assert both.differences() == {}


def test_a_row_that_is_embedded_elsewhere(both: Both) -> None:
    f = both.live.f.CustomerFields
    customer = both.live.data.orders.first({"customer": {"$ne": None}}).customer.id
    both.sql(f"UPDATE customers SET name = 'Neu', email = 'neu@example.com' WHERE id = {customer}")
    both.live.data.customers.update(customer, [f.names.display.set("Neu"), f.email.set("neu@example.com")])
    assert both.live.data.orders.count({"customer.name": "Neu"}) > 0
    assert both.differences() == {}
    assert both.live.data.context.outbox.waiting() == 0


def test_a_row_that_is_copied_of_copies(both: Both) -> None:
    """A category stands in products, in its own parents and children, and by way of products in orders."""
    categories, f = both.live.data.categories, both.live.f.CategoryFields
    branch = categories.first({"parent.parent": {"$ne": None}})
    for category in (branch.id, branch.parent.id, branch.parent.parent.id):
        both.sql(
            f"UPDATE categories SET name = 'Renamed {category}' WHERE id = {category}",
            f"UPDATE categories SET slug = 'renamed-{category}', position = 9 WHERE id = {category}",
        )
        changes = [f.name.set(f"Renamed {category}"), f.slug.set(f"renamed-{category}"), f.position.set(9)]
        categories.update(category, changes)
    assert both.live.data.orders.count({"items.product.category.slug": {"$regex": "^renamed"}}) > 0
    assert both.differences() == {}


def test_a_product_in_orders_in_stock_and_in_what_customers_show_of_orders(both: Both) -> None:
    products, f = both.live.data.products, both.live.f.ProductFields
    shown = both.live.data.customers.first({"recent_orders.items.product": {"$ne": None}})
    sku = next(item.product.sku for order in shown.recent_orders for item in order.items if item.product)
    product = products.first(f.sku == sku).id
    both.sql(f"UPDATE products SET title = 'Another' WHERE id = {product}")
    # The generated column is computed by MySQL; afterwards it is the application's.
    products.update(product, [f.title.set("Another"), f.title_length.set(len("Another"))])
    assert both.live.data.customers.count({"recent_orders.items.product.title": "Another"}) > 0
    assert both.differences() == {}


def test_rows_that_come_go_and_move(both: Both) -> None:
    """recent_orders: the five latest that were paid, of each customer."""
    orders, m, f = both.live.data.orders, both.live.m, both.live.f.OrderFields
    full = both.live.data.customers.first({"recent_orders.4": {"$exists": True}})
    other = both.live.data.customers.first({"_id": {"$ne": full.id}, "recent_orders": {"$ne": []}})
    latest, second = full.recent_orders[0], full.recent_orders[1]
    both.sql(f"UPDATE orders SET customer_id = {other.id} WHERE id = {latest.id}")
    moved = orders.update(latest.id, [f.customer_id.set(other.id)])
    assert moved.customer.id == other.id
    assert both.differences() == {}
    both.sql(f"UPDATE orders SET status = 'placed', updated_at = NULL WHERE id = {second.id}")
    orders.update(second.id, [f.state.set("placed"), f.updated_at.set(None)])
    assert both.differences() == {}
    template = orders.first({"currency_code": "EUR", "provider_ref": None, "note": None})
    made = m.Order(
        number="new",
        customer_id=full.id,
        currency_code="EUR",
        state="paid",
        amounts=m.OrderAmounts(goods=Decimal("10.50"), shipping=Decimal("1.00"), due=Decimal("11.50")),
        gift=False,
        token=UUID("1" * 32),
        placed_at=datetime(2030, 1, 1, tzinfo=UTC),
        placed_on=datetime(2030, 1, 1, tzinfo=UTC).date(),
        currency_symbol=template.currency_symbol,
    )
    # After the carts, which are no documents.
    both.live.data.context.ids.seed("orders", 2_000_000)
    orders.insert(made)
    both.sql(
        "INSERT INTO orders (id, number, customer_id, currency_code, status, total, shipping_fee, token, placed_at)"
        f" VALUES ({made.id}, 'new', {full.id}, 'EUR', 'paid', 10.50, 1.00, UNHEX('{made.token.hex}'), '2030-01-01')"
    )
    assert made.customer.name == full.names.display
    assert both.live.data.customers.get(full.id).recent_orders[0].id == made.id
    assert both.differences() == {}
    both.sql(f"DELETE FROM orders WHERE id = {made.id}")
    assert orders.delete(made.id)
    assert both.differences() == {}


def test_embedded_rows_that_are_copied(both: Both) -> None:
    """Addresses are at home in customers and copied into orders."""
    customers, f = both.live.data.customers, both.live.f.OrderFields
    known = {each.id for customer in customers.iterate() for each in customer.addresses}
    order = both.live.data.orders.first(f.billing.id.in_(known) & ~(f.shipping_address_id == None))  # noqa: E711
    customer = customers.first({"addresses.id": order.billing_address_id})
    address = next(each for each in customer.addresses if each.id == order.billing_address_id)
    both.sql(f"UPDATE addresses SET city = 'Ulm' WHERE id = {address.id}")
    address.city = "Ulm"
    customers.replace(customer)
    assert both.live.data.orders.get(order.id).billing.city == "Ulm"
    assert both.differences() == {}
    both.sql(f"DELETE FROM addresses WHERE id = {address.id}")
    customer.addresses.remove(address)
    customers.replace(customer)
    assert both.live.data.orders.get(order.id).billing is None
    assert both.differences() == {}
    made = both.live.m.CustomerAddress(street="New 1", city="Bern", country="CH")
    customer.addresses.append(made)
    customers.replace(customer)
    (new,) = [each for each in customer.addresses if each.city == "Bern"]
    assert new.id == max(known) + 1
    both.sql(
        "INSERT INTO addresses (id, customer_id, street, city, country)"
        f" VALUES ({new.id}, {customer.id}, 'New 1', 'Bern', 'CH')",
        f"UPDATE orders SET shipping_address_id = {new.id} WHERE id = {order.id}",
    )
    both.live.data.orders.update(order.id, [f.shipping_address_id.set(new.id)])
    assert both.differences() == {}


def test_a_row_that_is_deleted(both: Both) -> None:
    customer = both.live.data.customers.first({"addresses.1": {"$exists": True}, "recent_orders.1": {"$exists": True}})
    assert both.live.data.orders.count({"customer.id": customer.id}) > 0
    both.sql(
        f"DELETE FROM customers WHERE id = {customer.id}", f"DELETE FROM addresses WHERE customer_id = {customer.id}"
    )
    assert both.live.data.customers.delete(customer.id)
    assert both.live.data.orders.count({"customer.id": customer.id}) == 0
    assert both.differences() == {}


def test_what_the_owner_never_had_is_kept(both: Both) -> None:
    """Customers who left are no documents, but orders still show them."""
    gone = {each["customer"]["id"] for each in both.live.database.orders.find({"customer": {"$ne": None}})}
    gone -= {each["_id"] for each in both.live.database.customers.find()}
    f = both.live.f.OrderFields
    order = both.live.data.orders.first(f.customer.id.in_(gone)).id
    both.sql(f"UPDATE orders SET note = 'x' WHERE id = {order}")
    model = both.live.data.orders.get(order)
    model.note = "x"
    both.live.data.orders.replace(model)
    assert model.customer is not None
    assert both.differences() == {}


def test_plain_values_by_key(both: Both) -> None:
    stock, f = both.live.data.warehouse_stock, both.live.f.WarehouseStockFields
    one = stock.first(f.product.document.exists() & ~f.product.document.is_null())
    both.sql(
        f"UPDATE warehouse_stock SET quantity = 1000, reserved = 1 WHERE warehouse_id = {one.id.warehouse_id}"
        f" AND product_id = {one.id.product_id}"
    )
    stock.update(one.id, [f.quantity.set(1000), f.reserved.set(1), f.available.set(999)])
    product = both.live.data.products.get(one.id.product_id)
    assert product is None or product.stock[str(one.id.warehouse_id)] == 999
    assert both.differences() == {}


def test_chinook(chinook: Migrated, source_factory: Callable[[], str], mongodb_url: str) -> None:
    """Arrays in order, copies by their own keys, rows two levels down."""
    source = source_factory()
    load_chinook(source)
    assert chinook.mappings == CHINOOK
    for both in _both(source, chinook, mongodb_url, None):
        f = both.live.f
        both.sql(
            "UPDATE Artist SET Name = 'Zed' WHERE ArtistId = 1", "UPDATE Album SET Title = 'AAA' WHERE AlbumId = 4"
        )
        both.live.data.artists.update(1, [f.ArtistFields.name.set("Zed")])
        both.live.data.albums.update(4, [f.AlbumFields.title.set("AAA")])
        assert [each.id for each in both.live.data.artists.get(1).albums] == [4, 1]
        album = both.live.data.albums.get(1)
        both.sql(f"UPDATE Track SET Name = 'Loud' WHERE TrackId = {album.tracks[0].track_id}")
        album.tracks[0].name = "Loud"
        both.live.data.albums.replace(album)
        both.sql(
            "UPDATE Employee SET LastName = 'Aaa' WHERE EmployeeId = 3",
            "UPDATE Employee SET ReportsTo = 6 WHERE EmployeeId = 4",
        )
        both.live.data.employees.update(3, [f.EmployeeFields.last_name.set("Aaa")])
        both.live.data.employees.update(4, [f.EmployeeFields.reports_to.set(6)])
        left = both.differences()
        # An album's title in playlists, and plain titles there, are copies without an owner.
        assert {name for name in left if not name.startswith("playlists")} == set()
        for fields in left.values():
            fields.pop("first_rock_titles", None)
            for expected, stored in fields.values():
                assert [{**each, "album": None} for each in expected] == [{**each, "album": None} for each in stored]
