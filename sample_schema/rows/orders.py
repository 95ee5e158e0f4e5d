"""Currencies, coupons, and orders with all that hangs on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from sample_schema.rows.customers import addresses_of
from sample_schema.rows.shop import CURRENCIES, OPENED, WAREHOUSES, Row, Shop, after, money, skewed, uuid4
from sample_schema.rows.words import CARRIERS

DAYS = 1800
"""The days over which orders are spread."""

OPTIONS = ("gift_wrap", "delivery_window", "source", "utm.campaign")


def rows(shop: Shop) -> Iterator[tuple[str, Row]]:
    for number, code in enumerate(CURRENCIES, 1):
        decimals = 0 if code == "JPY" else 2
        yield "currencies", {"id": number, "code": code, "symbol": "€$£¥"[number - 1], "decimals": decimals}
    for number in range(1, shop.coupons + 1):
        yield "coupons", _coupon(number)
    random = shop.random("orders")
    pace = timedelta(days=DAYS) / shop.orders
    for number in range(1, shop.orders + 1):
        placed = OPENED + pace * number + timedelta(microseconds=random.randrange(1_000_000))
        yield from _order(number, placed, shop, random)


def _coupon(number: int) -> Row:
    return {
        "code": "SPRING5" if number == 1 else f"CODE{number:05d}",
        "percent": Decimal(number % 50) / 2,
        "valid_until": None if number % 3 == 0 else date(2021, 1, 1) + timedelta(days=number),
    }


def _order(number: int, placed: datetime, shop: Shop, random: Random) -> Iterator[tuple[str, Row]]:
    """An order and its rows in other tables, its total the sum of its items."""
    order = shop.order_id(number)
    items: list[Row] = []
    total = Decimal("0.00")
    for line in range(1, _size(number, random) + 1):
        quantity, price = skewed(random, 9), money(random.randrange(199, 50000))
        items.append(_item(order, line, quantity, price, shop, random))
        total += quantity * price
    status = _status(number, random)
    guest = number % 10 == 1
    customer = None if guest else skewed(random, shop.customers)
    addresses = addresses_of(customer) if customer else []
    yield (
        "orders",
        {
            "id": order,
            "number": f"{placed:%Y}-{number:08d}",
            "customer_id": customer,
            "billing_address_id": addresses[0] if addresses else None,
            "shipping_address_id": random.choice(addresses) if addresses and number % 4 else None,
            "warehouse_id": random.randrange(1, WAREHOUSES + 1) if status in ("shipped", "returned") else None,
            "currency_code": CURRENCIES[skewed(random, len(CURRENCIES)) - 1],
            "status": status,
            "total": total,
            "shipping_fee": money(random.choice((0, 490, 990))),
            "is_gift": int(number % 15 == 0),
            "provider_ref": random.getrandbits(63) if number % 3 else None,
            "token": uuid4(random),
            "note": "Please ring twice 🔔\nthank you" if number % 9 == 0 else None,
            "internal_note": "checked by hand" if number % 30 == 0 else None,
            "placed_at": placed,
            "updated_at": after(placed.replace(microsecond=0), random, 30) if number % 4 else None,
        },
    )
    for item in items:
        yield "order_items", item
    for option in OPTIONS[: max(0, number % 10 - 5)]:
        yield "order_options", {"order_id": order, "name": option, "value": random.choice(("yes", "", None, "für 2"))}
    if number % 7 == 0:
        yield from _coupons(order, placed, shop, random)
    if status == "cart":
        return
    if status != "placed":
        yield "invoices", _invoice(number, order, total, placed)
        yield from _payments(number, order, total, placed, random)
    if status in ("shipped", "returned"):
        for _ in range(1 + (number % 12 == 0)):
            yield "shipments", _shipment(number, order, placed, random)


def _size(number: int, random: Random) -> int:
    """How many items: one to five as a rule, none now and then, a hundred and more once in five hundred orders."""
    if number % 500 == 250:
        return random.randrange(100, 180)
    if number > 100 and number % 60 == 0:
        return 0
    return skewed(random, 5)


def _status(number: int, random: Random) -> str:
    if number <= 20:
        return "shipped"
    return random.choices(("cart", "placed", "paid", "shipped", "returned"), (6, 10, 14, 60, 10))[0]


def _item(order: int, line: int, quantity: int, price: Decimal, shop: Shop, random: Random) -> Row:
    product = skewed(random, shop.products)
    articles = shop.articles(product)
    return {
        "order_id": order,
        "line_no": line,
        "product_id": product,
        "article_no": random.randrange(1, articles + 1) if articles else None,
        "quantity": quantity,
        "unit_price": price,
        "engraving": "für Oma 💐" if line == 1 and order % 25 == 0 else None,
    }


def _coupons(order: int, placed: datetime, shop: Shop, random: Random) -> Iterator[tuple[str, Row]]:
    for code in sorted({skewed(random, shop.coupons) for _ in range(1 + order % 2)}):
        yield (
            "order_coupons",
            {
                "order_id": order,
                "coupon_code": _coupon(code)["code"],
                "amount": money(random.randrange(100, 2000)),
                "redeemed_at": placed.replace(microsecond=placed.microsecond // 1000 * 1000),
            },
        )


def _invoice(number: int, order: int, total: Decimal, placed: datetime) -> Row:
    return {
        "id": number,
        "order_id": order,
        "number": f"R{number:011d}",
        "amount": total,
        "issued_on": placed.date(),
        "due_on": placed.date() + timedelta(days=30),
    }


def _payments(number: int, order: int, total: Decimal, placed: datetime, random: Random) -> Iterator[tuple[str, Row]]:
    parts = (total,) if number % 14 else (money(100), total - money(100))
    for part, amount in enumerate(parts):
        card = random.random() < 0.7
        yield (
            "payments",
            {
                "id": number * 2 + part,
                "order_id": order,
                "kind": "card" if card else "bank",
                "amount": amount,
                "paid_at": placed + timedelta(minutes=3, microseconds=random.randrange(1000)),
                "card_brand": random.choice(("visa", "mastercard", "amex")) if card else None,
                "card_last4": f"{random.randrange(10000):04d}" if card else None,
                "iban": None if card else f"DE{random.randrange(10**20):020d}",
                "bic": None if card else "COBADEFF",
            },
        )


def _shipment(number: int, order: int, placed: datetime, random: Random) -> Row:
    hours = random.randrange(1, 60)
    shipped = placed + timedelta(hours=hours)
    delivered = "0000-00-00" if number % 45 == 0 else shipped.date() + timedelta(days=2)
    return {
        "id": uuid4(random),
        "order_id": order,
        "carrier": random.choice(CARRIERS),
        "packed_in": None if number % 8 == 0 else f"{hours}:15:00.{random.randrange(1000):03d}",
        "shipped_at": shipped.replace(microsecond=shipped.microsecond // 1000 * 1000),
        "delivered_on": None if number % 11 == 0 else delivered,
    }
