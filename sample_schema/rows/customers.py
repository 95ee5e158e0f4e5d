"""Customers, their addresses and wish lists."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from json import dumps
from random import Random

from sample_schema.rows.shop import OPENED, Row, Shop, after, point, skewed, uuid4
from sample_schema.rows.words import CITIES, FIRST, LAST, STREETS, WESTERN


def rows(shop: Shop) -> Iterator[tuple[str, Row]]:
    random = shop.random("customers")
    for number in range(1, shop.customers + 1):
        yield "customers", _customer(number, random)
        for address in addresses_of(number):
            yield "addresses", _address(address, number, random)
        for product in sorted({skewed(random, shop.products) for _ in range(number % 3)}):
            yield "wishlists", {"customer_id": number, "product_id": product}


def addresses_of(customer: int) -> list[int]:
    """Ids of the addresses of a customer: one, two or three, and every tenth has none."""
    before = _addresses_up_to(customer - 1)
    return list(range(before + 1, _addresses_up_to(customer) + 1))


def _addresses_up_to(customer: int) -> int:
    return sum(_ADDRESSES[: customer % 10]) + customer // 10 * sum(_ADDRESSES)


_ADDRESSES = (1, 2, 1, 1, 3, 1, 2, 1, 1, 0)
"""How many addresses customers 1 to 10 have; the next ten have the same."""


def _customer(number: int, random: Random) -> Row:
    first, last = random.choice(FIRST), random.choice(LAST)
    created = after(OPENED, random, 1500)
    preferences = {"language": random.choice(("de", "en", "pt")), "theme": "dark", "font.size": number % 5 + 10}
    return {
        "id": number,
        "public_id": uuid4(random),
        "email": f"{'Shop' if number % 12 == 0 else 'shop'}.{number}@example.com",
        "phone": f"+{4900000000 + number}" if number % 4 else None,
        "name": f"{first} {last}",
        "legacy_name": random.choice(WESTERN) if number % 5 == 0 else None,
        "kind": ("private", "private", "private", "business", "reseller")[number % 5],
        "newsletter": number % 2,
        "born_on": _born(number, random),
        "last_login": None if number % 3 == 0 else after(created, random, 200),
        "referrer_id": skewed(random, number - 1) if number % 6 == 0 else None,
        "preferences": None if number % 4 == 0 else dumps(preferences),
        "risk_score": None if number % 2 else random.randrange(-100, 100),
        "created_at": created + timedelta(microseconds=random.randrange(1_000_000)),
        "deleted_at": after(created, random, 100) if number % 25 == 0 else None,
    }


def _born(number: int, random: Random) -> date | str | None:
    if number % 50 == 49:
        return "0000-00-00"
    if number % 3 == 0:
        return None
    return date(1940, 1, 1) + timedelta(days=random.randrange(25000))


def _address(number: int, customer: int, random: Random) -> Row:
    city, country, longitude, latitude = random.choice(CITIES)
    near = point(longitude + random.randrange(-99, 99) / 1000, latitude + random.randrange(-99, 99) / 1000)
    return {
        "id": number,
        "customer_id": customer,
        "label": random.choice(("home", "work", "grandma 👵", None)),
        "street": f"{random.choice(STREETS)} {random.randrange(1, 200)}",
        "city": city,
        "postcode": None if number % 7 == 0 else f"{random.randrange(100000):05d}",
        "country": country,
        "location": None if number % 5 == 0 else near,
    }
