"""Every oddity that docs/sample.md promises is in the database at scale 1."""

from __future__ import annotations

from typing import Any

import pytest
from pymysql.connections import Connection

ODD = {
    "enum index 0": "orders WHERE status = '' AND status + 0 = 0",
    "unsigned bigint at its end": "products WHERE views = 18446744073709551615",
    "first integer too big for int64": "products WHERE views = 9223372036854775808",
    "40 digits": "products WHERE LENGTH(REPLACE(unit_cost, '.', '')) = 40",
    "40 digits below zero": "products WHERE unit_cost < -1e29",
    "zero DATE": "customers WHERE CAST(born_on AS CHAR) = '0000-00-00'",
    "partial DATE": "customers WHERE CAST(born_on AS CHAR) IN ('1984-00-00', '1984-05-00')",
    "zero DATETIME": "customers WHERE CAST(last_login AS CHAR) = '0000-00-00 00:00:00'",
    "partial DATETIME": "customers WHERE CAST(last_login AS CHAR) = '2024-00-10 12:00:00'",
    "zero TIMESTAMP": "orders WHERE CAST(updated_at AS CHAR) = '0000-00-00 00:00:00'",
    "zero DATE of a shipment": "shipments WHERE CAST(delivered_on AS CHAR) = '0000-00-00'",
    "DATE at its ends": "customers WHERE born_on IN ('1000-01-01', '9999-12-31')",
    "microseconds": "orders WHERE MICROSECOND(placed_at) % 1000 > 0",
    "last microsecond": "orders WHERE placed_at = '2023-12-31 23:59:59.999999'",
    "YEAR 0000": "products WHERE model_year = 0",
    "YEAR at its end": "products WHERE model_year = 2155",
    "longest TIME": "warehouses WHERE CAST(lead_time AS CHAR) = '838:59:59'",
    "most negative TIME": "warehouses WHERE CAST(utc_offset AS CHAR) = '-838:59:59'",
    "TIME above a day": "shipments WHERE packed_in > '24:00:00'",
    "tinyint(1) that is no boolean": "customers WHERE newsletter IN (-1, 2, 127)",
    "BIT(1) set": "products WHERE is_digital = b'1'",
    "BIT(8) full": "products WHERE flags = 255",
    "empty SET": "products WHERE sizes = '' AND sizes + 0 = 0",
    "full SET": "products WHERE sizes = 'S,M,L,XL,XXL'",
    "JSON null": "products WHERE JSON_TYPE(attributes) = 'NULL'",
    "no JSON": "products WHERE attributes IS NULL",
    "JSON keys with dot and dollar": """products WHERE JSON_CONTAINS_PATH(attributes, 'one', '$."$sale"', '$."a.b"')""",
    "JSON integer above int64": "products WHERE JSON_EXTRACT(attributes, '$.huge') = 9223372036854775808",
    "JSON array at the top": "products WHERE JSON_TYPE(attributes) = 'ARRAY'",
    "JSON in TEXT": "customers WHERE JSON_VALID(preferences)",
    "0.1 as FLOAT": "products WHERE CAST(weight_kg AS CHAR) = '0.1'",
    "largest DOUBLE": "products WHERE rating > 1.79e308",
    "BINARY ending in zeros": "customers WHERE HEX(public_id) LIKE '%0000'",
    "BINARY key ending in zeros": "shipments WHERE HEX(id) LIKE '%00000000'",
    "emoji": "products WHERE HEX(title) LIKE '%F09F%'",
    "emoji with joiners": "products WHERE HEX(title) LIKE '%E2808D%'",
    "right to left": "products WHERE HEX(title) LIKE 'D79C%'",
    "NUL in text": "products WHERE HEX(title) LIKE '6E756C00%'",
    "decomposed letters": "products WHERE HEX(title) LIKE '%65CC81'",
    "spaces at both ends": "products WHERE HEX(title) LIKE '2020%2020'",
    "quotes and backslash": "products WHERE HEX(title) = HEX(CONCAT('O''Neill \"Pro\" ', CHAR(92), ' 100%'))",
    "cp1252 in latin1": "customers WHERE HEX(legacy_name) LIKE '%93%80'",
    "UTF-8 in latin1": "customers WHERE HEX(legacy_name) = '4DC3BC6C6C6572'",
    "case-only different key": "order_coupons WHERE HEX(coupon_code) = HEX('spring5')",
    "key with a trailing space": "order_coupons WHERE HEX(coupon_code) = HEX('SPRING5 ')",
    "tags that differ by case": "tags a JOIN tags b ON LOWER(a.name) = b.name WHERE a.id <> b.id",
    "nullable unique, many times NULL": "customers WHERE phone IS NULL",
    "negative stock": "warehouse_stock WHERE quantity < 0",
    "identical rows": "(SELECT COUNT(*) n FROM visits GROUP BY visited_at, path, ip, took_ms) v WHERE n > 1",
    "map keys with a dot": "order_options WHERE name LIKE '%.%'",
    "map values NULL and empty": "order_options WHERE value IS NULL OR value = ''",
    "soft-deleted": "products WHERE deleted_at IS NOT NULL",
    "plane coordinates": "warehouses WHERE ST_AsText(floor_plan) LIKE 'POLYGON((0 0,401%'",
}

# Rows whose key names no parent, by foreign key. All others have none.
ORPHANS = {
    "categories_parent": 1,
    "orders_customer": 1,
    "orders_shipping": 1,
    "order_items_order": 1,
    "order_items_product": 1,
    "order_items_article": 1,
    "product_tags_tag": 1,
}


@pytest.mark.parametrize("condition", ODD.values(), ids=ODD.keys())
def test_odd_value_exists(shop: Connection[Any], condition: str) -> None:
    with shop.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        cursor.execute(f"SELECT COUNT(*) FROM {condition}")
        (found,) = cursor.fetchone()
    assert found > 0


def test_orphans_are_those_intended_and_no_others(shop: Connection[Any]) -> None:
    pairs: dict[str, tuple[str, str, list[tuple[str, str]]]] = {}
    with shop.cursor() as cursor:
        cursor.execute(
            "SELECT CONSTRAINT_NAME, TABLE_NAME, REFERENCED_TABLE_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME"
            " FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = DATABASE()"
            " AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY 1, ORDINAL_POSITION"
        )
        for name, child, parent, column, parent_column in cursor.fetchall():
            pairs.setdefault(name, (child, parent, []))[2].append((column, parent_column))
        found = {}
        for name, (child, parent, columns) in pairs.items():
            on = " AND ".join(f"c.`{here}` = p.`{there}`" for here, there in columns)
            set_ = " AND ".join(f"c.`{here}` IS NOT NULL" for here, _ in columns)
            first = columns[0][1]
            cursor.execute(
                f"SELECT COUNT(*) FROM `{child}` c LEFT JOIN `{parent}` p ON {on} WHERE {set_} AND p.`{first}` IS NULL"
            )
            found[name] = cursor.fetchone()[0]
    assert {name: count for name, count in found.items() if count} == ORPHANS
    assert len(found) == 29


def test_relations_without_foreign_key_have_orphans_too(shop: Connection[Any]) -> None:
    with shop.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM legacy_notes WHERE customer_id NOT IN (SELECT id FROM customers)")
        assert cursor.fetchone() == (10,)
        cursor.execute(
            "SELECT COUNT(*) FROM comments WHERE subject_type = 'order' AND subject_id NOT IN (SELECT id FROM orders)"
        )
        assert cursor.fetchone() == (1,)
