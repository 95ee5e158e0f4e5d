"""A page of 100 with two includes, against the SQL join that it replaces and against a query for each document."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymysql
from pymongo import MongoClient
from sqlalchemy.engine import make_url

from benchmarks.measure import Ran
from examples.shop_data import ShopData
from examples.shop_data.fields import WarehouseStockFields as Fields

MAPPINGS = Path(__file__).parent.parent / "mappings"
COLLECTIONS = ("warehouse_stock", "warehouses", "products")
CALLS = 30

# The same facts: the stock, its warehouse, and its product with brand and category, which products embed.
JOIN = """
SELECT s.*, w.*, p.*, b.*, c.id, c.name, c.slug
FROM warehouse_stock s
JOIN warehouses w ON w.id = s.warehouse_id
JOIN products p ON p.id = s.product_id AND p.deleted_at IS NULL
LEFT JOIN brands b ON b.id = p.brand_id
LEFT JOIN categories c ON c.id = p.category_id
WHERE s.quantity > 0 ORDER BY s.product_id, s.warehouse_id LIMIT 100
"""

Row = tuple[str, Ran, str, Ran, str]


def pages(source: str, target: str, rounds: int) -> list[Row]:
    """Rows for the table: what was measured, how long, against what, how long, the goal."""
    _fill(source, target)
    place = make_url(source)
    connection = pymysql.connect(
        host=place.host,
        port=place.port or 3306,
        user=place.username,
        password=place.password or "",
        database=place.database,
    )
    with connection, MongoClient[dict[str, Any]](target) as client:
        data = ShopData(client.get_default_database())
        times: dict[str, list[float]] = {"includes": [], "join": [], "each": []}
        # In turn, so that whatever else the machine does falls on all of them alike.
        for _ in range(rounds):
            times["includes"].append(_median(lambda: _with_includes(data)))
            times["join"].append(_median(lambda: _joined(connection)))
            times["each"].append(_median(lambda: _one_by_one(data)))
        client.drop_database(client.get_default_database().name)
    page, join, each = (Ran(statistics.median(times[name]), 0.0) for name in ("includes", "join", "each"))
    name = "page of 100, two includes"
    return [(name, page, "SQL join of the same", join, "<= 5"), (name, page, "a query for each", each, "<= 0.3")]


def _fill(source: str, target: str) -> None:
    command = [sys.executable, "-m", "migrator", "apply", "--yes", "--source", source, "--target", target]
    chosen = [part for name in COLLECTIONS for part in ("--collection", name)]
    subprocess.run([*command, "--mappings", str(MAPPINGS), *chosen], check=True, capture_output=True)


def _median(call: Callable[[], int]) -> float:
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        if call() != 100:
            raise SystemExit("a page has not 100 rows")
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _with_includes(data: ShopData) -> int:
    page = data.warehouse_stock.page(
        Fields.quantity > 0, sort=[Fields.id.product_id.asc()], limit=100, include=["warehouse", "product_page"]
    )
    return sum(each.warehouse is not None for each in page.items)


def _joined(connection: pymysql.connections.Connection[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(JOIN)
        return len(cursor.fetchall())


def _one_by_one(data: ShopData) -> int:
    page = data.warehouse_stock.page(Fields.quantity > 0, sort=[Fields.id.product_id.asc()], limit=100)
    found = 0
    for each in page.items:
        warehouse = data.warehouses.get(each.id.warehouse_id)
        data.products.get(each.id.product_id)
        found += warehouse is not None
    return found
