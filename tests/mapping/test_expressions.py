"""Which SQL depends on one row of one table only."""

from __future__ import annotations

import pytest

from migrator.mapping.expressions import judge
from migrator.model.schema.tables import Column, Table

NAMES = ("id", "total", "shipping", "name", "placed_at", "prefs", "place", "we ird", "user", "rank")
ORDERS = Table("shop", "orders", tuple(Column(name, "int", "int", True) for name in NAMES))


@pytest.mark.parametrize(
    "sql",
    [
        "total - shipping",
        "TOTAL + Shipping",
        "orders.total",
        '`we ird` = "text"',
        "name = 'NOW()'",
        "name COLLATE utf8mb4_bin = _utf8mb4'x'",
        "user",
        "CASE WHEN total > 1 THEN (shipping) ELSE NULL END",
        "IF(total, shipping, id) DIV 2 % 3",
        "REPLACE(name, 'a', 'b')",
        "INSERT(name, 1, 1, 'b')",
        "TRUNCATE(total, 1)",
        "LEFT(name, 3) LIKE 'x%' ESCAPE '!'",
        "placed_at + INTERVAL 1 DAY > '2024-01-01'",
        "TIMESTAMPDIFF(MONTH, placed_at, '2024-01-01')",
        "EXTRACT(YEAR FROM placed_at)",
        "UNIX_TIMESTAMP(placed_at)",
        "CONVERT_TZ(placed_at, 'UTC', 'Europe/Berlin')",
        "GET_FORMAT(DATE, 'USA')",
        "prefs->'$.a' = prefs->>'$.b'",
        "JSON_VALUE(prefs, '$.a' RETURNING DECIMAL(10, 2))",
        "'a' MEMBER OF(prefs)",
        "CAST(total AS CHAR(10) CHARACTER SET utf8mb4)",
        "CONVERT(name USING latin1)",
        "ST_X(place) <=> NULL",
        "(id, total) IN ((1, 2), (3, 4))",
        "name RLIKE '^a' AND NOT (total XOR shipping)",
        "x'41' = name",
        "total IN(1)",
        "1",
    ],
)
def test_of_one_row(sql: str) -> None:
    assert judge(sql, ORDERS) == []


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("", "one SQL expression"),
        ("total, id", "one value"),
        ("total t", "one value"),
        ("total AS t", "one value"),
        ("*", "one value"),
        ("orders.*", "`*` is not a column"),
        ("total; DELETE FROM orders", "without `;`"),
        ("DELETE FROM orders", "can't be read"),
        ("total FROM orders", "can't be read"),
        ("total LIMIT 1", "can't be read"),
        ("total INTO OUTFILE 'x'", "can't be read"),
        ("total) OR (1", "parentheses"),
        ("(total", "parentheses"),
        ("'open", "no end"),
        ("total -- x", "comments"),
        ("total # x", "comments"),
        ("total /* x */", "comments"),
        ("total /*! + SLEEP(1) */", "comments"),
        ("SELECT 1", "subquery"),
        ("total = (SELECT 1)", "subquery"),
        ("EXISTS (SELECT 1)", "subquery"),
        ("id IN (SELECT 1)", "subquery"),
        ("id UNION SELECT 1", "can't be read"),
        ("COUNT(*)", "reads other rows"),
        ("sum(total)", "reads other rows"),
        ("JSON_ARRAYAGG(total)", "reads other rows"),
        ("BIT_AND(total)", "reads other rows"),
        ("RANK() OVER (ORDER BY id)", "window"),
        ("LAG(total) OVER w", "window"),
        ("MATCH (name) AGAINST ('x')", "other rows"),
        ("NOW()", "every moment"),
        ("now(3)", "every moment"),
        ("CURRENT_TIMESTAMP", "every moment"),
        ("placed_at > CURDATE()", "every moment"),
        ("UTC_DATE", "every moment"),
        ("LOCALTIME", "every moment"),
        ("SYSDATE()", "every moment"),
        ("UNIX_TIMESTAMP()", "every moment"),
        ("RAND()", "every moment"),
        ("UUID()", "every moment"),
        ("IF(SLEEP(1), 1, 2)", "every moment"),
        ("USER()", "every session"),
        ("CURRENT_USER", "every session"),
        ("DATABASE()", "every session"),
        ("LAST_INSERT_ID()", "every session"),
        ("CONNECTION_ID()", "every session"),
        ("VERSION()", "every session"),
        ("GET_LOCK('a', 1)", "every session"),
        ("NEXT VALUE FOR s", "can't be read"),
        ("NEXTVAL(s)", "every session"),
        ("@x", "variables"),
        ("@x := 1", "variables"),
        ("@@session.time_zone", "variables"),
        ("total = ?", "parameters"),
        ("total = :n", "parameters"),
        ("my_function(total)", "not a function of the server's own"),
        ("shop.abs(total)", "not a function of the server's own"),
        ("`abs`(total)", "not a function of the server's own"),
        ("TO_ARRAY(total)", "not a function of the server's own"),
        ("totl", "no column `totl`"),
        ("customers.id", "not in the table orders"),
        ("shop.orders.id", "not in the table orders"),
        ("total\0", ""),
    ],
)
def test_of_more_than_one_row(sql: str, reason: str) -> None:
    messages = [message for message, _ in judge(sql, ORDERS)]
    assert messages
    assert any(reason in message for message in messages), messages


def test_suggestions() -> None:
    assert judge("shiping", ORDERS) == [("shop.orders has no column `shiping`", "did you mean `shipping`?")]
    assert judge("SUBSTRNG(name, 1)", ORDERS)[0][1] == "did you mean SUBSTRING?"
