"""The sample's rows before they meet a server."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import islice, zip_longest

import pytest

from sample_schema.rows import Shop, all_rows
from sample_schema.rows.customers import addresses_of

KEYS = {
    "articles": ("product_id", "article_no"),
    "coupons": ("code",),
    "order_coupons": ("order_id", "coupon_code"),
    "order_items": ("order_id", "line_no"),
    "order_options": ("order_id", "name"),
    "product_categories": ("product_id", "category_id"),
    "product_tags": ("product_id", "tag_id"),
    "visits": (),
    "warehouse_stock": ("warehouse_id", "product_id"),
    "wishlists": ("customer_id", "product_id"),
}


def test_same_seed_and_scale_same_rows() -> None:
    for one, other in zip_longest(all_rows(Shop(1, 7)), all_rows(Shop(1, 7))):
        assert one == other


def test_rows_are_the_same_on_every_machine() -> None:
    # Changes with the generator, and only then: write the new value when you changed it on purpose.
    digest = hashlib.sha256()
    for table, row in all_rows(Shop(1, 1)):
        digest.update(repr((table, row)).encode())
    assert digest.hexdigest()[:16] == "d997371984fcb720"


def test_another_seed_gives_other_rows() -> None:
    assert list(islice(all_rows(Shop(1, 1)), 500)) != list(islice(all_rows(Shop(1, 2)), 500))


@pytest.mark.parametrize("scale", [1, 5])
def test_about_ten_thousand_rows_a_scale(scale: int) -> None:
    count = sum(1 for _ in all_rows(Shop(scale, 1)))
    assert 9_500 * scale < count < 12_000 * scale


def test_all_rows_of_a_table_have_the_same_columns() -> None:
    columns: dict[str, list[str]] = {}
    for table, row in all_rows(Shop(1, 1)):
        assert list(row) == columns.setdefault(table, list(row)), table
    assert len(columns) == 24


def test_keys_are_unique() -> None:
    seen: Counter[tuple[object, ...]] = Counter()
    for table, row in all_rows(Shop(2, 1)):
        if key := KEYS.get(table, ("id",)):
            seen[(table, *(row[name] for name in key))] += 1
    assert [key for key, times in seen.items() if times > 1] == []


def test_some_orders_are_long_some_customers_busy_and_ids_jump() -> None:
    lines: Counter[object] = Counter()
    orders: Counter[object] = Counter()
    ids: list[int] = []
    for table, row in all_rows(Shop(1, 1)):
        if table == "order_items":
            lines[row["order_id"]] += 1
        elif table == "orders":
            orders[row["customer_id"]] += 1
            assert isinstance(row["id"], int)
            ids.append(row["id"])
    del orders[None]
    assert max(lines.values()) >= 100
    assert any(number not in lines for number in ids)
    assert orders.most_common(1)[0][1] > 20
    assert ids == sorted(ids)
    assert max(ids) > 1_000_000


def test_addresses_are_numbered_without_gaps() -> None:
    ids = [address for customer in range(1, 101) for address in addresses_of(customer)]
    assert ids == list(range(1, len(ids) + 1))
    assert {len(addresses_of(customer)) for customer in range(1, 11)} == {0, 1, 2, 3}
