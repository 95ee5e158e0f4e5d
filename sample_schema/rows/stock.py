"""Warehouses and what lies in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from sample_schema.rows.shop import OPENED, WAREHOUSES, Row, Shop, after, point, rectangle
from sample_schema.rows.words import CITIES


def rows(shop: Shop) -> Iterator[tuple[str, Row]]:
    random = shop.random("stock")
    for number in range(1, WAREHOUSES + 1):
        yield "warehouses", _warehouse(number)
    for warehouse in range(1, WAREHOUSES + 1):
        # Every product lies in two warehouses.
        for product in range(1, shop.products + 1):
            if (product + warehouse) % (WAREHOUSES // 2) == 0:
                yield "warehouse_stock", _stock(warehouse, product, random)


def _warehouse(number: int) -> Row:
    city, _, longitude, latitude = CITIES[number]
    offset = round(longitude / 15)
    return {
        "id": number,
        "name": f"{city} {number}",
        "utc_offset": f"{'-' if offset < 0 else ''}{abs(offset):02d}:00:00",
        "lead_time": f"{12 * number}:30:00",
        "opened_on": None if number == 5 else date(2010 + number, 2, 28),
        "location": None if number == 6 else point(longitude, latitude),
        "floor_plan": None if number == 7 else rectangle(400.0 + number, 250.5),
    }


def _stock(warehouse: int, product: int, random: Random) -> Row:
    counted = after(OPENED, random, 1500) + timedelta(microseconds=random.randrange(1_000_000))
    return {
        "warehouse_id": warehouse,
        "product_id": product,
        "quantity": random.randrange(-3, 400),  # sold before it was booked in
        "reserved": random.randrange(0, 20),
        "counted_at": None if product % 9 == 0 else counted,
    }
