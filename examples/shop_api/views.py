"""What requests ask for, as calls of the repositories: no HTTP here, and no MongoDB either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from examples.shop_data import ShopData
from examples.shop_data.fields import CustomerFields, OrderFields
from examples.shop_data.models import Customer, Order

PAGE = 100


class Missing(Exception):
    """There is no such thing."""


def orders(data: ShopData, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of orders with their warehouses and what these have in stock, the latest first.

    What was a join over five tables is three queries, whatever the number of orders.
    """
    where = OrderFields.customer_id == int(query["customer"]) if "customer" in query else None
    page = data.orders.page(
        where,
        sort=[OrderFields.placed_at.desc()],
        limit=min(int(query.get("limit", PAGE)), PAGE),
        after=query.get("after"),
        include=["warehouse.warehouse_stock"],
    )
    return {"orders": [_summary(order) for order in page.items], "next": page.next}


def order(data: ShopData, key: int) -> dict[str, Any]:
    """One order, whole."""
    found = data.orders.get(key, include=["warehouse"])
    if found is None:
        raise Missing(f"there is no order {key}")
    lines = [
        {
            "line": item.line_no,
            "product": item.product.title if item.product else None,
            "quantity": item.quantity,
            "total": str(item.line_total),
        }
        for item in found.items
    ]
    warehouse = found.warehouse.name if found.warehouse else None
    return {
        "id": found.id,
        "number": found.number,
        "state": found.state,
        "customer": _who(found),
        "warehouse": warehouse,
        "note": found.note,
        "lines": lines,
    }


def customer(data: ShopData, key: int) -> dict[str, Any]:
    """One customer with the latest orders."""
    found = data.customers.get(key)
    if found is None:
        raise Missing(f"there is no customer {key}")
    return _customer(found)


def rename_customer(data: ShopData, key: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """Changes a customer's name, here and in every order that shows it."""
    return _customer(data.customers.update(key, [CustomerFields.names.display.set(str(body["name"]))]))


def note_order(data: ShopData, key: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """Writes a note to an order."""
    data.orders.update(key, [OrderFields.note.set(str(body["note"]))])
    return order(data, key)


def _summary(found: Order) -> dict[str, Any]:
    stock = (
        {each.id.product_id: each.available or 0 for each in found.warehouse.warehouse_stock} if found.warehouse else {}
    )
    return {
        "id": found.id,
        "number": found.number,
        "placed_at": found.placed_at.isoformat() if found.placed_at else None,
        "total": str(found.amounts.goods),
        "customer": _who(found),
        "warehouse": found.warehouse.name if found.warehouse else None,
        "in_stock": all(stock.get(item.product_id, 0) >= item.quantity for item in found.items),
    }


def _who(found: Order) -> str | None:
    return found.customer.name if found.customer else None


def _customer(found: Customer) -> dict[str, Any]:
    recent = [{"number": each.number, "total": str(each.total)} for each in found.recent_orders]
    return {"id": found.id, "name": found.names.display, "email": found.email, "recent_orders": recent}
