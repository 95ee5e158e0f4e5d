"""Brands, categories, tags, products and their articles."""

from __future__ import annotations

from collections.abc import Iterator
from json import dumps
from random import Random

from sample_schema.rows.shop import CATEGORIES, OPENED, Row, Shop, after, money, skewed
from sample_schema.rows.words import ADJECTIVES, CITIES, COLORS, EMOJI, LAST, SIZES, TAGS, THINGS


def rows(shop: Shop) -> Iterator[tuple[str, Row]]:
    random = shop.random("catalog")
    for number in range(1, shop.brands + 1):
        yield "brands", _brand(number, random)
    for number in range(1, CATEGORIES + 1):
        yield "categories", _category(number)
    for number in range(1, shop.tags + 1):
        yield "tags", {"id": number, "name": TAGS[number - 1] if number <= len(TAGS) else f"tag {number}"}
    for number in range(1, shop.products + 1):
        yield "products", _product(number, shop, random)
        for category in sorted({skewed(random, CATEGORIES) for _ in range(number % 4)}):
            yield "product_categories", {"product_id": number, "category_id": category}
        for tag in sorted({skewed(random, shop.tags) for _ in range(number % 5)}):
            tagged = after(OPENED, random, 1500)
            relevance = random.randrange(1, 100) / 100
            yield "product_tags", {"product_id": number, "tag_id": tag, "relevance": relevance, "tagged_at": tagged}
        for article in range(1, shop.articles(number) + 1):
            yield "articles", _article(number, article, random)


def _brand(number: int, random: Random) -> Row:
    return {
        "id": number,
        "name": f"{LAST[number % len(LAST)]} & {LAST[number * 7 % len(LAST)]}",
        "country": None if number % 6 == 0 else CITIES[number % len(CITIES)][1],
        "founded": None if number % 9 == 0 else random.randrange(1902, 2019),
    }


def _category(number: int) -> Row:
    # A tree: 1 to 4 are roots, every other hangs below one with a lower number, four levels deep.
    return {
        "id": number,
        "parent_id": None if number <= 4 else (number - 1) // 3,
        "name": f"{ADJECTIVES[number % len(ADJECTIVES)]} {THINGS[number * 5 % len(THINGS)]}s",
        "slug": f"c{number}",
        "position": number % 7,
    }


def _product(number: int, shop: Shop, random: Random) -> Row:
    thing = number * 3 % len(THINGS)
    title = f"{ADJECTIVES[number % len(ADJECTIVES)]} {THINGS[thing]}"
    created = after(OPENED, random, 1200)
    price = random.randrange(199, 50000)
    attributes = {
        "material": THINGS[number % 3],
        "size": {"w": number % 90, "h": number / 8},
        "care": [30, "dry"],
    }
    return {
        "id": number,
        "sku": f"SKU-{number:07d}" if number % 10 else f"sku-{number:07d}",
        "title": f"{title} {EMOJI[thing]}" if number % 8 == 0 else title,
        "description": None if number % 5 == 0 else f"{title}. " * (1 + number % 6),
        "brand_id": None if number % 11 == 0 else skewed(random, shop.brands),
        "category_id": None if number % 13 == 0 else skewed(random, CATEGORIES),
        "state": ("active", "active", "active", "draft", "retired")[number % 5],
        "price": money(price),
        "unit_cost": None if number % 7 == 0 else money(price * 60).scaleb(-2),
        "weight_kg": None if number % 10 == 0 else random.randrange(1, 3000) / 100,
        "rating": None if number % 3 == 0 else random.random() * 4 + 1,
        "views": random.getrandbits(20),
        "sizes": ",".join(size for bit, size in enumerate(SIZES) if number >> bit & 1),
        "is_digital": int(number % 20 == 0),
        "flags": number % 256,
        "model_year": None if number % 4 == 0 else 2000 + number % 25,
        "attributes": None if number % 6 == 0 else dumps(attributes),
        "thumbnail": None if number % 3 else random.randbytes(24),
        "created_at": created,
        "deleted_at": after(created, random, 300) if number % 40 == 0 else None,
    }


def _article(product: int, number: int, random: Random) -> Row:
    return {
        "product_id": product,
        "article_no": number,
        "color": random.choice(COLORS),
        "size": None if number == 3 else random.choice(SIZES),
        "ean": None if product % 9 == 0 else f"4{product:010d}{number:02d}",
        "surcharge": money(random.choice((0, 0, 500, 1250))),
    }
