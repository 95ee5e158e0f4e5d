"""One order of the sample shop: its rows in MySQL, and the document that was made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pymongo
import pymysql
from bson import json_util
from rich.console import Console, Group, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from sqlalchemy.engine import make_url

SIDE_BY_SIDE = 150
"""Columns of the terminal from which on rows and document are printed side by side."""

CHOICE = """
    SELECT o.id FROM orders o
    JOIN customers c ON c.id = o.customer_id
    JOIN invoices v ON v.order_id = o.id
    JOIN payments p ON p.order_id = o.id
    WHERE o.status <> 'cart' AND (SELECT count(*) FROM order_items i WHERE i.order_id = o.id) = 2
    ORDER BY (SELECT count(*) FROM order_coupons u WHERE u.order_id = o.id) DESC,
             (SELECT count(*) FROM shipments s WHERE s.order_id = o.id) DESC, o.id
    LIMIT 1
"""
"""An order with a bit of everything."""

LONE_FIELD = re.compile(r'\{\s+("\$\w+": "[^"\\]*")\s+\}')
"""A typed value such as {"$date": "…"} spread over three lines."""

ROWS = {
    "orders": "SELECT id, number, customer_id, currency_code, status, total, placed_at FROM orders WHERE id = %s",
    "customers": "SELECT c.id, c.name, c.email FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.id = %s",
    "order_items": "SELECT line_no, product_id, quantity, unit_price FROM order_items"
    " WHERE order_id = %s ORDER BY line_no",
    "products": "SELECT DISTINCT p.id, p.sku, p.title, p.brand_id FROM products p"
    " JOIN order_items i ON i.product_id = p.id WHERE i.order_id = %s ORDER BY p.id",
    "invoices": "SELECT * FROM invoices WHERE order_id = %s",
    "payments": "SELECT id, kind, amount, card_brand, card_last4, iban FROM payments WHERE order_id = %s ORDER BY id",
    "order_coupons": "SELECT * FROM order_coupons WHERE order_id = %s ORDER BY coupon_code",
    "shipments": "SELECT hex(id) AS id, carrier, shipped_at FROM shipments WHERE order_id = %s ORDER BY shipped_at",
}
"""The most telling of the tables that an order is made of."""


@dataclass(frozen=True)
class Order:
    """`rows` by table name, each with its column names and values as text; `document` as extended JSON."""

    key: int
    rows: Mapping[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]
    document: str


def read_order(source: str, target: str) -> Order:
    """Reads an order from both sides.

    Args:
        source: URL of the shop in MySQL.
        target: URL of the database that it was copied to.

    Raises:
        LookupError: the shop has no such order, or the target has no document of it.
    """
    url = make_url(source)
    rows = {}
    with (
        pymysql.connect(
            host=url.host,
            port=url.port or 3306,
            user=url.username,
            password=url.password or "",
            database=url.database,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(CHOICE)
        chosen = cursor.fetchone()
        if chosen is None:
            raise LookupError("the shop has no order with customer, invoice, payment and two items")
        (key,) = chosen
        for table, statement in ROWS.items():
            cursor.execute(statement, [key])
            columns = tuple(str(column[0]) for column in cursor.description or ())
            found = tuple(tuple("NULL" if value is None else str(value) for value in row) for row in cursor.fetchall())
            rows[table] = (columns, found)
    with pymongo.MongoClient[dict[str, object]](target) as client:
        document = client.get_default_database()["orders"].find_one({"_id": key})
    if document is None:
        raise LookupError(f"the collection orders has no document with _id {key}")
    text = json_util.dumps(document, json_options=json_util.RELAXED_JSON_OPTIONS, indent=2, ensure_ascii=False)
    return Order(key, rows, LONE_FIELD.sub(r"{\1}", text))


def show_order(order: Order, console: Console) -> None:
    """Prints rows and document: side by side where the terminal is wide enough."""
    rows = Group(*(_table(name, columns, found) for name, (columns, found) in order.rows.items() if found))
    document = Syntax(order.document, "json", background_color="default", word_wrap=True)
    if console.width < SIDE_BY_SIDE:
        console.print("[bold]Rows in MySQL[/]", rows, "[bold]One document in MongoDB[/]", document, sep="\n")
        return
    beside = Table.grid(padding=(0, 3), expand=True)
    beside.add_column("Rows in MySQL", ratio=1)
    beside.add_column("One document in MongoDB", ratio=1)
    beside.add_row("[bold]Rows in MySQL[/]", "[bold]One document in MongoDB[/]")
    beside.add_row(rows, document)
    console.print(beside)


def _table(name: str, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> RenderableType:
    table = Table(title=name, title_justify="left", title_style="cyan", header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
