"""Old SQL and new calls, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pymysql
import pytest
from sqlalchemy.engine import make_url

from tests.generate.conftest import Live, Migrated

SQL = """
SELECT o.id, o.number, o.total, o.is_gift, o.token, o.placed_at, c.name AS customer
FROM orders o LEFT JOIN customers c ON c.id = o.customer_id
WHERE o.status = 'paid' ORDER BY o.id LIMIT 50
"""


@pytest.fixture
def mysql(shop: Migrated) -> Iterator[Any]:
    url = make_url(shop.source)
    connection = pymysql.connect(
        host=url.host,
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        database=url.database,
        cursorclass=pymysql.cursors.DictCursor,
    )
    yield connection
    connection.close()


def old(mysql: Any) -> Any:
    with mysql.cursor() as cursor:
        cursor.execute(SQL)
        return cursor.fetchall()


def new(live: Live) -> Any:
    f = live.f.OrderFields
    return live.data.orders.find(f.state == "paid", sort=[f.id.asc()], limit=50)


def row(order: Any) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "total": order.amounts.goods,
        "is_gift": order.gift,
        "token": order.token,
        "placed_at": order.placed_at,
        "customer": order.customer and order.customer.name,
    }


def shadow(shop: Migrated, reported: list[Any], **options: Any) -> Any:
    return shop.module("shadow").Shadow(reported.append, **options)


def test_no_difference_where_there_is_none(shop: Migrated, live_shop: Live, mysql: Any) -> None:
    reported: list[Any] = []
    found = shadow(shop, reported).compare("orders", old=lambda: old(mysql), new=lambda: new(live_shop), rows=row)
    assert len(found) == 50
    assert reported == []


def test_both_sides_of_a_difference_are_shown(shop: Migrated, live_shop: Live, mysql: Any) -> None:
    ids = [each["id"] for each in old(mysql)]
    live_shop.database.orders.update_one({"_id": ids[3]}, {"$set": {"number": "wrong"}})
    live_shop.database.orders.delete_one({"_id": ids[49]})
    reported: list[Any] = []
    compare = shadow(shop, reported).compare
    compare("orders", old=lambda: old(mysql), new=lambda: new(live_shop)[:49], rows=row)
    value, missing = reported
    assert (value.kind, value.fields, value.new["number"]) == ("value", "number", "wrong")
    assert value.old["number"] == old(mysql)[3]["number"]
    assert (missing.kind, missing.old["id"], missing.new) == ("missing", ids[49], None)
    assert value.old_seconds > 0
    assert value.new_seconds > 0
    reported.clear()
    shadow(shop, reported, ignore=["number"]).compare(
        "orders", old=lambda: old(mysql)[:49], new=lambda: new(live_shop)[:49], rows=row
    )
    assert reported == []


def test_the_new_call_can_do_no_harm(shop: Migrated) -> None:
    reported: list[Any] = []
    found = shadow(shop, reported).compare("x", old=lambda: [{"a": 1}], new=lambda: 1 / 0, rows=row)
    assert found == [{"a": 1}]
    assert reported[0].kind == "error"
    assert "ZeroDivisionError" in reported[0].fields


def test_off_means_off(shop: Migrated) -> None:
    def never() -> Any:
        raise AssertionError("must not be called")

    reported: list[Any] = []
    compare = shadow(shop, reported, share=0.0).compare
    assert compare("x", old=lambda: [{"a": 1}], new=never, rows=never) == [{"a": 1}]
    assert reported == []


def test_order_and_driver_types_don_t_matter_where_they_should_not(shop: Migrated) -> None:
    reported: list[Any] = []
    one, other = [{"a": 1, "b": None}, {"a": 2, "b": "x"}], [{"a": Decimal("2.0"), "b": "x"}, {"a": True, "b": None}]
    shadow(shop, reported, ordered=False).compare("x", old=lambda: one, new=lambda: other, rows=dict)
    assert reported == []
    shadow(shop, reported).compare("x", old=lambda: one, new=lambda: other, rows=dict)
    assert len(reported) == 2
    reported.clear()
    shadow(shop, reported).compare("x", old=lambda: one, new=lambda: [{"a": 1}, other[0]], rows=dict)
    assert [each.fields for each in reported] == ["b"]
