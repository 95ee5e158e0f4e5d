"""SQL of a mapping that fails for some row: every command names file and line of it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shop

GOOD = "UPDATE stock SET ordered = 1, pattern = 'a'"
# What stands in the mapping, its line, and what makes it fail.
CASES = [
    ("columns: [id]\nfields:\n  left: {sql: on_hand - ordered}", 5, "UPDATE stock SET ordered = 9"),
    ("columns: [id]\nwhere: on_hand - ordered > 0", 4, "UPDATE stock SET ordered = 9"),
    (
        "columns: [id]\nembed:\n  parts:\n    from: parts\n    many: true\n    where: weight - tare >= 0\n"
        "    fields:\n      net: {sql: tare - weight + weight}",
        10,
        "UPDATE parts SET weight = 2",
    ),
]


@pytest.fixture
def stock(shop: Shop) -> Shop:
    shop.sql(
        "CREATE TABLE stock (id INT PRIMARY KEY, on_hand INT UNSIGNED NOT NULL, ordered INT UNSIGNED NOT NULL, "
        "pattern VARCHAR(9))"
    )
    shop.sql("CREATE TABLE parts (id INT PRIMARY KEY, stock_id INT, weight INT UNSIGNED, tare INT UNSIGNED)")
    shop.sql("ALTER TABLE parts ADD FOREIGN KEY (stock_id) REFERENCES stock (id)")
    shop.sql("INSERT INTO stock VALUES (1, 5, 1, 'a'), (2, 7, 1, 'a')")
    shop.sql("INSERT INTO parts VALUES (1, 1, 1, 1)")
    return shop


@pytest.mark.slow
@pytest.mark.parametrize(("mapping", "line", "break_it"), CASES)
def test_plan_apply_and_sync_name_the_line(stock: Shop, mapping: str, line: int, break_it: str) -> None:
    stock.write("stock", f"collection: stock\nfrom: stock\n{mapping}\n")
    kept = str(stock.folder / "plan.json")
    wanted = f"stock.yaml:{line}"
    assert stock.run("plan", "--collection", "stock", "--out", kept).exit_code == 0
    assert stock.run("apply", "--yes", "--collection", "stock").exit_code == 0
    stock.sql(break_it)
    for arguments in (
        ("plan", "--replace", "stock"),
        ("sync", "--until-caught-up"),
        ("verify", "--collection", "stock"),
    ):
        result = stock.run(*arguments)
        assert result.exit_code == 6, (arguments, result.stderr)
        assert "the server can't compute `" in result.stderr
        assert wanted in result.stderr, arguments


def test_apply_of_a_kept_plan_names_the_line(stock: Shop) -> None:
    mapping, line, break_it = CASES[0]
    stock.write("stock", f"collection: stock\nfrom: stock\n{mapping}\n")
    kept = str(stock.folder / "plan.json")
    assert stock.run("plan", "--collection", "stock", "--out", kept).exit_code == 0
    stock.sql(break_it)
    result = stock.run("apply", kept, "--yes")
    assert result.exit_code == 6, result.stderr
    assert f"stock.yaml:{line}" in result.stderr
