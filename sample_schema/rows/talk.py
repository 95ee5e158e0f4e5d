"""What people write and click: comments, old notes, visits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from sample_schema.rows.shop import OPENED, Row, Shop, after, skewed
from sample_schema.rows.words import PATHS, PRAISE


def rows(shop: Shop) -> Iterator[tuple[str, Row]]:
    random = shop.random("talk")
    for number in range(1, shop.orders // 2 + 1):
        yield "comments", _comment(number, shop, random)
    for number in range(1, shop.customers // 4 + 1):
        yield "legacy_notes", _legacy_note(number, shop, random)
    for number in range(1, shop.visits + 1):
        visit = _visit(number, shop, random)
        yield "visits", visit
        if number % 50 == 0:
            yield "visits", visit


def _comment(number: int, shop: Shop, random: Random) -> Row:
    about_order = number % 3 == 0
    written = after(OPENED, random, 1800)
    subject = shop.order_id(random.randrange(1, shop.orders + 1)) if about_order else skewed(random, shop.products)
    return {
        "id": number,
        "subject_type": "order" if about_order else "product",
        "subject_id": subject,
        "author_id": None if number % 6 == 0 else skewed(random, shop.customers),
        "stars": None if about_order else random.randrange(1, 6),
        "body": random.choice(PRAISE),
        "written_at": written,
        "deleted_at": after(written, random, 10) if number % 20 == 0 else None,
    }


def _legacy_note(number: int, shop: Shop, random: Random) -> Row:
    # Every tenth is about a customer who is long gone.
    customer = 5_000_000 + number if number % 10 == 0 else random.randrange(1, shop.customers + 1)
    noted = OPENED.date() - timedelta(days=random.randrange(2000))
    return {"id": number, "customer_id": customer, "body": "Rückruf erbeten – café", "noted_on": noted}


def _visit(number: int, shop: Shop, random: Random) -> Row:
    return {
        "visited_at": OPENED + timedelta(hours=number),
        "path": random.choice(PATHS),
        "customer_id": skewed(random, shop.customers) if number % 4 else None,
        "ip": random.randbytes(4 if number % 3 else 16),
        "took_ms": random.randrange(1, 50000) / 10,
    }
