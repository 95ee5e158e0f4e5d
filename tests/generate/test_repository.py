"""Reading and writing through a repository, on a real server."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bson.objectid import ObjectId
from pymongo import MongoClient

from tests.generate.conftest import Live, make
from tests.oracle.load import run_script


def test_get_and_get_many_keep_the_order(live_shop: Live) -> None:
    orders = live_shop.data.orders
    assert orders.get(4).number == live_shop.database.orders.find_one({"_id": 4})["number"]
    assert orders.get(10**12) is None
    with live_shop.commands.counted() as sent:
        found = orders.get_many([9, 10**12, 4, 9])
    assert [each and each.id for each in found] == [9, None, 4, 9]
    assert sent == [("find", "orders")]


def test_composite_ids(live_shop: Live) -> None:
    stock, key = live_shop.data.warehouse_stock, live_shop.m.WarehouseStockId
    stored = live_shop.database.warehouse_stock.find_one()
    assert stored is not None
    wanted = key(warehouse_id=stored["_id"]["warehouse_id"], product_id=stored["_id"]["product_id"])
    assert stock.get(wanted).quantity == stored["quantity"]
    assert {wanted: 1}[stock.get(wanted).id] == 1


def test_typed_and_plain_filters_agree(live_shop: Live) -> None:
    orders, f = live_shop.data.orders, live_shop.f.OrderFields
    paid = orders.find((f.state == "paid") & (f.amounts.goods >= Decimal(100)), sort=[f.placed_at.desc(), f.id.asc()])
    plain = orders.find({"state": "paid", "amounts.goods": {"$gte": 100}}, sort=[f.placed_at.desc(), f.id.asc()])
    assert paid
    assert paid == plain
    assert [each.placed_at for each in paid] == sorted((each.placed_at for each in paid), reverse=True)
    assert orders.count(f.state == "paid") == orders.count({"state": "paid"})
    assert orders.count() == orders.count(f.state == "paid") + orders.count(~(f.state == "paid"))
    assert orders.count(f.customer.document.is_null()) == orders.count({"customer": None}) > 0
    assert orders.count(f.items.product_id.in_([1, 2])) == orders.count({"items.product_id": {"$in": [1, 2]}}) > 0
    day = orders.first(f.placed_on.exists()).placed_on
    assert isinstance(day, date)
    assert orders.count(f.placed_on == day) >= 1
    assert orders.count((f.number < "2020") | (f.number > "2024")) == orders.count(
        {"$or": [{"number": {"$lt": "2020"}}, {"number": {"$gt": "2024"}}]}
    )


def test_values_read_only_what_is_asked_for(live_shop: Live) -> None:
    f = live_shop.f.OrderFields
    with live_shop.commands.counted() as sent:
        found = live_shop.data.orders.values(f.id, f.amounts.goods, f.items.line_no, where=f.id < 20, sort=[f.id.asc()])
    assert sent == [("find", "orders")]
    whole = live_shop.data.orders.find(f.id < 20, sort=[f.id.asc()])
    assert found == [(each.id, each.amounts.goods, [item.line_no for item in each.items]) for each in whole]
    assert isinstance(found[0][1], Decimal)


def test_iterate_gives_all(live_shop: Live) -> None:
    f = live_shop.f.OrderFields
    found = [each.id for each in live_shop.data.orders.iterate(sort=[f.id.desc()], batch=100)]
    assert found == sorted((each["_id"] for each in live_shop.database.orders.find()), reverse=True)


@pytest.mark.slow
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("field", ["note", "updated_at", "provider_ref", "state", "id"])
def test_pages_show_every_document_once(live_shop: Live, field: str, descending: bool) -> None:
    orders, f = live_shop.data.orders, live_shop.f.OrderFields
    term = getattr(f, field).desc() if descending else getattr(f, field).asc()
    seen: list[Any] = []
    after, pages = None, 0
    while True:
        page = orders.page(sort=[term], limit=200, after=after)
        seen += page.items
        pages += 1
        after = page.next
        if after is None:
            break
    assert pages == 5
    direction = -1 if descending else 1
    stored = "_id" if field == "id" else field
    expected = live_shop.database.orders.find().sort([(stored, direction), ("_id", direction)])
    assert [each.id for each in seen] == [each["_id"] for each in expected]


def test_pages_go_on_from_numbers_to_object_ids(live_shop: Live) -> None:
    products, f = live_shop.data.products, live_shop.f.ProductFields
    template = products.first()
    for number in range(5):
        products.insert(dataclasses.replace(template, id=live_shop.m.NEW_ID, sku=f"new-{number}"))
    for sort in ([f.id.asc()], [f.id.desc()]):
        seen, after = [], None
        while True:
            page = products.page(sort=sort, limit=60, after=after)
            seen += [each.id for each in page.items]
            after = page.next
            if after is None:
                break
        assert len(seen) == len(set(seen)) == products.count()
        assert sum(isinstance(each, ObjectId) for each in seen) == 5


def test_a_cursor_of_another_sort_is_refused(live_shop: Live) -> None:
    orders, f = live_shop.data.orders, live_shop.f.OrderFields
    after = orders.page(sort=[f.number.asc()], limit=1).next
    with pytest.raises(live_shop.errors.BadCursor):
        orders.page(sort=[f.number.desc()], limit=1, after=after)
    with pytest.raises(live_shop.errors.BadCursor):
        orders.page(sort=[f.number.asc()], limit=1, after="nonsense")
    with pytest.raises(ValueError, match="in an array"):
        orders.page(sort=[f.items.line_no.asc()])


def test_insert_replace_update_delete(live_shop: Live) -> None:
    warehouses, m, f = live_shop.data.warehouses, live_shop.m, live_shop.f.WarehouseFields
    template = warehouses.first()
    made = warehouses.insert(dataclasses.replace(template, id=300, name="Hall"))
    assert warehouses.get(300) == made
    made.name = "Hall 2"
    warehouses.replace(made)
    assert warehouses.get(300).name == "Hall 2"
    after = warehouses.update(300, [f.name.set("Hall 3"), f.opened_on.set(date(2024, 2, 29))])
    assert (after.name, after.opened_on) == ("Hall 3", date(2024, 2, 29))
    assert live_shop.database.warehouses.find_one({"_id": 300})["opened_on"] == datetime(2024, 2, 29)
    assert warehouses.update(300, {"$set": {"name": "Hall 4"}}).name == "Hall 4"
    assert warehouses.delete(300) is True
    assert warehouses.delete(300) is False
    with pytest.raises(live_shop.errors.NotFound):
        warehouses.update(300, [f.name.set("x")])
    with pytest.raises(live_shop.errors.NotFound):
        warehouses.replace(made)
    with pytest.raises(live_shop.errors.MalformedDocument, match="an int32 is expected"):
        warehouses.insert(dataclasses.replace(template, id=m.NEW_ID))
    with pytest.raises(ValueError, match="use replace"):
        warehouses.update(300, {"name": "x"})


def test_stored_types_are_those_of_the_migration(live_shop: Live) -> None:
    f = live_shop.f.OrderFields
    live_shop.data.orders.update(4, [f.customer_id.set(5), f.warehouse_id.set(1), f.amounts.goods.set(Decimal("1.50"))])
    for name, kind in (("customer_id", "long"), ("warehouse_id", "int"), ("amounts.goods", "decimal")):
        assert live_shop.database.orders.count_documents({"_id": 4, name: {"$type": kind}}) == 1
    with pytest.raises(live_shop.errors.MalformedDocument, match="no time zone"):
        f.placed_at.set(datetime(2024, 1, 1))
    with pytest.raises(live_shop.errors.MalformedDocument, match="32 bits"):
        f.warehouse_id.set(2**31)
    with pytest.raises(live_shop.errors.MalformedDocument, match="an int64 is expected"):
        f.customer_id.set("5")


VERSIONED = """
CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(20) NOT NULL, lock_version INT NOT NULL);
INSERT INTO notes VALUES (1, 'first', 7);
"""


@pytest.fixture
def versioned(source_factory: Callable[[], str], tmp_path: Path, mongodb_url: str) -> Iterator[Any]:
    source = source_factory()
    run_script(source, VERSIONED)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "notes.yaml").write_text("collection: notes\nfrom: notes\nids: sequence\n")
    made = make(source, tmp_path / "mappings", tmp_path, "versioned_data")
    made.fill(mongodb_url)
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield made.module("repositories").VersionedData(client.get_default_database()), made


def test_a_version_column_finds_lost_updates(versioned: Any) -> None:
    data, made = versioned
    errors, f = made.module("_runtime.errors"), made.module("fields").NoteFields
    mine, theirs = data.notes.get(1), data.notes.get(1)
    mine.text = "mine"
    data.notes.replace(mine)
    assert mine.lock_version == 8
    theirs.text = "theirs"
    with pytest.raises(errors.Conflict):
        data.notes.replace(theirs)
    assert data.notes.update(1, [f.text.set("again")]).lock_version == 9
    with pytest.raises(errors.Conflict):
        data.notes.update(1, [f.text.set("late")], version=8)
    with pytest.raises(errors.Conflict):
        data.notes.delete(1, version=8)
    assert data.notes.get(1).text == "again"
    assert data.notes.delete(1, version=9)


def test_utc_comes_back_as_utc(live_shop: Live) -> None:
    placed = live_shop.data.orders.get(4).placed_at
    assert placed.tzinfo is not None
    assert placed.utcoffset() == datetime.now(UTC).utcoffset()
