"""How big the shop is, which ids exist, and the random numbers everything is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from struct import pack
from typing import TypeAlias
from uuid import UUID

Value: TypeAlias = int | float | str | bytes | Decimal | date | datetime | None
Row: TypeAlias = dict[str, Value]

OPENED = datetime(2019, 3, 1, 8)
"""When the first order came in. Everything is placed relative to it, never to today."""

WAREHOUSES = 8
CATEGORIES = 60
CURRENCIES = ("EUR", "USD", "GBP", "JPY")


@dataclass(frozen=True, slots=True)
class Shop:
    """Sizes and ids for one scale. Scale 1 has about 10,000 rows over all tables, scale 100 about a million."""

    scale: int
    seed: int

    @property
    def brands(self) -> int:
        return 25 + 3 * self.scale

    @property
    def tags(self) -> int:
        return min(30 + 2 * self.scale, 2000)

    @property
    def coupons(self) -> int:
        return 20 + 2 * self.scale

    @property
    def products(self) -> int:
        return 250 * self.scale

    @property
    def customers(self) -> int:
        return 400 * self.scale

    @property
    def orders(self) -> int:
        return 1000 * self.scale

    @property
    def visits(self) -> int:
        return 500 * self.scale

    def random(self, topic: str) -> Random:
        """Random numbers that depend on seed and topic only, so that one table's code doesn't move another's rows."""
        return Random(f"{self.seed}/{topic}")

    def order_id(self, number: int) -> int:
        """The id of the order that came in as `number` (from 1): ids jump by a million where a server was replaced."""
        return number if number <= self.orders // 2 else number + 1_000_000

    def articles(self, product_id: int) -> int:
        """How many articles a product has; some have none."""
        return product_id % 4


def skewed(random: Random, count: int) -> int:
    """1 to `count`, low numbers far more often: a few customers order most, a few products sell most."""
    return int(count * random.random() ** 3) + 1


def money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def uuid4(random: Random) -> bytes:
    return UUID(int=random.getrandbits(128), version=4).bytes


def after(start: datetime, random: Random, days: float) -> datetime:
    """A moment up to `days` after `start`, to the second."""
    return start + timedelta(seconds=int(random.random() * days * 86400))


def point(x: float, y: float) -> bytes:
    """A POINT as both servers store it: SRID 0, then little-endian WKB."""
    return pack("<IBIdd", 0, 1, 1, x, y)


def rectangle(width: float, height: float) -> bytes:
    """A POLYGON from the origin, as both servers store it."""
    ring = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height), (0.0, 0.0))
    return pack("<IBIII", 0, 1, 3, 1, len(ring)) + b"".join(pack("<dd", x, y) for x, y in ring)
