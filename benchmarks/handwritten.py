"""What a capable team writes for `mappings/orders.yaml` in an afternoon: the yardstick for `apply` into MongoDB.

SQLAlchemy and PyMySQL, pages of orders, one IN query per child table and page, dicts, insert_many, one process.
Usage: python -m benchmarks.handwritten MYSQL_URL MONGODB_URL
"""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pymongo
from bson import Binary, Decimal128
from sqlalchemy import Connection, bindparam, create_engine, text

PAGE = 1000


def convert(value: Any) -> Any:
    """Driver values to what pymongo takes."""
    if isinstance(value, Decimal):
        return Decimal128(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, timedelta):
        return value // timedelta(microseconds=1)
    return value


def rows(connection: Connection, sql: str, ids: list[Any]) -> list[dict[str, Any]]:
    result = connection.execute(text(sql).bindparams(bindparam("ids", expanding=True)), {"ids": ids or [None]})
    return [{key: convert(value) for key, value in row.items()} for row in result.mappings()]


def by(found: list[dict[str, Any]], key: str) -> dict[Any, list[dict[str, Any]]]:
    groups = defaultdict(list)
    for row in found:
        groups[row.pop(key)].append(row)
    return groups


def index(found: list[dict[str, Any]], key: str = "id") -> dict[Any, dict[str, Any]]:
    return {row[key]: row for row in found}


def keys(found: list[dict[str, Any]], name: str) -> list[Any]:
    return list({row[name] for row in found if row[name] is not None})


def without(row: dict[str, Any] | None, *names: str) -> dict[str, Any] | None:
    return None if row is None else {key: value for key, value in row.items() if key not in names}


def documents(connection: Connection, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = [order["id"] for order in orders]
    customers = index(
        rows(connection, "SELECT id, name, email FROM customers WHERE id IN :ids", keys(orders, "customer_id"))
    )
    wanted = keys(orders, "billing_address_id") + keys(orders, "shipping_address_id")
    address_columns = "id, label, street, city, postcode, country"
    addresses = index(rows(connection, f"SELECT {address_columns} FROM addresses WHERE id IN :ids", wanted))
    currencies = index(
        rows(connection, "SELECT code, symbol FROM currencies WHERE code IN :ids", keys(orders, "currency_code")),
        "code",
    )
    items = rows(connection, "SELECT * FROM order_items WHERE order_id IN :ids ORDER BY order_id, line_no", ids)
    product_columns = "id, sku, title, brand_id, category_id"
    products = index(
        rows(connection, f"SELECT {product_columns} FROM products WHERE id IN :ids", keys(items, "product_id"))
    )
    found = list(products.values())
    brands = index(rows(connection, "SELECT id, name, country FROM brands WHERE id IN :ids", keys(found, "brand_id")))
    categories = index(
        rows(connection, "SELECT id, name, slug FROM categories WHERE id IN :ids", keys(found, "category_id"))
    )
    articles = {
        (row.pop("product_id"), row.pop("article_no")): row
        for row in rows(
            connection,
            "SELECT product_id, article_no, color, size, ean FROM articles WHERE product_id IN :ids",
            keys(items, "product_id"),
        )
    }
    for item in items:
        product = products.get(item["product_id"])
        item["product"] = product and {
            "sku": product["sku"],
            "title": product["title"],
            "brand": without(brands.get(product["brand_id"]), "id"),
            "category": without(categories.get(product["category_id"]), "id"),
        }
        item["article"] = articles.get((item["product_id"], item["article_no"]))
    children = {
        "items": by(items, "order_id"),
        "payments": by(rows(connection, "SELECT * FROM payments WHERE order_id IN :ids ORDER BY id", ids), "order_id"),
        "coupons": by(
            rows(
                connection,
                "SELECT l.order_id, c.*, l.amount, l.redeemed_at FROM order_coupons l "
                "JOIN coupons c ON c.code = l.coupon_code WHERE l.order_id IN :ids ORDER BY c.code",
                ids,
            ),
            "order_id",
        ),
        "shipments": by(
            rows(connection, "SELECT * FROM shipments WHERE order_id IN :ids ORDER BY shipped_at, id", ids), "order_id"
        ),
        "comments": by(
            rows(
                connection,
                "SELECT subject_id, body, written_at, author_id FROM comments WHERE subject_id IN :ids "
                "AND subject_type = 'order' AND deleted_at IS NULL ORDER BY written_at DESC, id",
                ids,
            ),
            "subject_id",
        ),
    }
    authors = [comment for group in children["comments"].values() for comment in group]
    names = index(rows(connection, "SELECT id, name FROM customers WHERE id IN :ids", keys(authors, "author_id")))
    for comment in authors:
        comment["author"] = names.get(comment.pop("author_id"))
    invoices = index(rows(connection, "SELECT * FROM invoices WHERE order_id IN :ids", ids), "order_id")
    options = by(rows(connection, "SELECT * FROM order_options WHERE order_id IN :ids ORDER BY name", ids), "order_id")
    return [_document(order, customers, addresses, currencies, children, invoices, options) for order in orders]


def _document(
    order: dict[str, Any],
    customers: dict[Any, Any],
    addresses: dict[Any, Any],
    currencies: dict[Any, Any],
    children: dict[str, dict[Any, list[dict[str, Any]]]],
    invoices: dict[Any, Any],
    options: dict[Any, Any],
) -> dict[str, Any]:
    key = order["id"]
    document = {"_id": key, **without(order, "id", "total", "shipping_fee", "due", "status", "is_gift", "token")}
    document["state"] = order["status"]
    document["gift"] = bool(order["is_gift"])
    document["token"] = Binary.from_uuid(UUID(bytes=order["token"]))
    document["provider_ref"] = None if order["provider_ref"] is None else str(order["provider_ref"])
    document["amounts"] = {"goods": order["total"], "shipping": order["shipping_fee"], "due": order["due"]}
    document["customer"] = customers.get(order["customer_id"])
    document["billing"] = addresses.get(order["billing_address_id"])
    document["shipping"] = addresses.get(order["shipping_address_id"])
    document["currency_symbol"] = (currencies.get(order["currency_code"]) or {}).get("symbol")
    for name, groups in children.items():
        document[name] = groups.get(key, [])
    document["invoice"] = without(invoices.get(key), "order_id")
    document["options"] = {row["name"]: row["value"] for row in options.get(key, [])}
    return document


def main(mysql_url: str, mongodb_url: str) -> None:
    engine = create_engine(mysql_url.replace("mysql://", "mysql+pymysql://", 1))
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongodb_url, w="majority")
    collection = client.get_default_database()["handwritten"]
    collection.drop()
    with engine.connect() as connection:
        connection.execute(text("SET time_zone = '+00:00'"))
        last, count = 0, 0
        sql = text(
            "SELECT id, number, customer_id, billing_address_id, shipping_address_id, warehouse_id, currency_code, "
            "status, total, shipping_fee, total + shipping_fee AS due, is_gift, provider_ref, token, note, placed_at, "
            "DATE(placed_at) AS placed_on, updated_at "
            "FROM orders WHERE status <> 'cart' AND id > :last ORDER BY id LIMIT :n"
        )
        while page := connection.execute(sql, {"last": last, "n": PAGE}).mappings().all():
            orders = [{key: convert(value) for key, value in row.items()} for row in page]
            last = orders[-1]["id"]
            collection.insert_many(documents(connection, orders), ordered=False)
            count += len(orders)
    print(f"{count} orders")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
