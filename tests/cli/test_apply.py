"""migrator apply: asking, doing, resuming, kept plans, trials, collections of others, rejected rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import ORDERS, Shop
from tests.printed import action_of

pytestmark = pytest.mark.slow

APPLY = ("apply", "--yes", "--workers", "1")


@pytest.fixture
def kept(shop: Shop) -> Path:
    """A plan in a file."""
    file = shop.folder / "plan.json"
    assert shop.run("plan", "--out", str(file)).exit_code == 0
    return file


def test_it_does_what_the_plan_says(shop: Shop) -> None:
    result = shop.run(*APPLY)
    assert result.exit_code == 0, result.stderr
    assert shop.ids() == [1, 2, 3]
    assert shop.database["orders"].find_one({"_id": 1}, {"items": 1}) is not None
    assert "number_1" in shop.database["orders"].index_information()
    assert action_of("orders", result.stdout) == "create"
    assert "Done in" in result.stdout
    assert "orders is live" in result.stderr


def test_the_summary_counts(shop: Shop) -> None:
    lines = shop.run(*APPLY).stdout.splitlines()
    (row,) = [line.split() for line in lines if line.startswith("orders ") and "create" not in line]
    assert row[:3] == ["orders", "3", "8"], "3 orders, 2 customers, 3 items"
    assert row[-1] == "0"


def test_the_same_again_does_nothing(shop: Shop) -> None:
    shop.run(*APPLY)
    result = shop.run("apply")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Nothing to do." in result.stdout


def test_it_asks_and_there_is_nobody_to_ask(shop: Shop) -> None:
    result = shop.run("apply")
    assert result.exit_code == 2
    assert "no terminal" in result.stderr
    assert "--yes" in result.stderr
    assert shop.ids() == []


def test_only_one_collection(shop: Shop) -> None:
    assert shop.run(*APPLY, "--collection", "customers").exit_code == 0
    assert shop.ids("customers") == [1, 2]
    assert shop.ids("orders") == []


def test_a_trial_touches_nothing_else(shop: Shop) -> None:
    result = shop.run("apply", "--sample", "2")
    assert result.exit_code == 0, result.stderr
    assert "orders: 2 documents in the trial collection " in result.stdout
    name = result.stdout.split("orders: 2 documents in the trial collection ")[1].split()[0]
    assert shop.ids(name) == [1, 2]
    assert shop.ids("orders") == []
    assert action_of("orders", shop.run("plan").stdout) == "create"


def test_what_others_made_is_refused(shop: Shop) -> None:
    shop.database["orders"].insert_one({"_id": "theirs"})
    result = shop.run(*APPLY)
    assert result.exit_code == 4
    assert "the plan is blocked, nothing was done" in result.stderr
    assert shop.ids() == ["theirs"]
    assert shop.ids("customers") == []


def test_replace_puts_the_copy_in_its_place(shop: Shop) -> None:
    shop.database["orders"].insert_one({"_id": "theirs"})
    shop.database["orders"].create_index("by_hand")
    result = shop.run(*APPLY, "--replace", "orders")
    assert result.exit_code == 0, result.stderr
    assert "index-lost" in result.stdout
    assert shop.ids() == [1, 2, 3]
    assert sorted(shop.database["orders"].index_information()) == ["_id_", "number_1"]


def test_adopt_keeps_the_documents_and_owns_them(shop: Shop) -> None:
    shop.database["orders"].insert_one({"_id": "theirs", "number": "x"})
    shop.database["orders"].create_index("by_hand")
    result = shop.run(*APPLY, "--adopt", "orders")
    assert result.exit_code == 0, result.stderr
    assert shop.ids() == ["theirs"]
    assert sorted(shop.database["orders"].index_information()) == ["_id_", "by_hand_1", "number_1"]
    assert "unchanged: customers, orders" in shop.run("plan").stdout
    shop.write("orders", ORDERS.replace("[id, name]", "[id]"))
    assert shop.run(*APPLY).exit_code == 0, "its own now: rebuilt without asking"
    assert shop.ids() == [1, 2, 3]


def test_replace_copies_an_unchanged_collection_again(shop: Shop) -> None:
    shop.run(*APPLY)
    shop.sql("INSERT INTO orders VALUES (4, 'A-4', 1, 1.00)")
    assert "Nothing to do." in shop.run(*APPLY).stdout
    result = shop.run(*APPLY, "--replace", "orders")
    assert result.exit_code == 0, result.stderr
    assert shop.ids() == [1, 2, 3, 4]


def test_changed_indexes_touch_no_documents(shop: Shop) -> None:
    shop.run(*APPLY)
    shop.database["orders"].update_one({"_id": 1}, {"$set": {"mark": True}})
    shop.write("orders", ORDERS.replace("keys: {number: 1}, unique: true", "keys: {total: 1}"))
    result = shop.run(*APPLY)
    assert result.exit_code == 0, result.stderr
    assert sorted(shop.database["orders"].index_information()) == ["_id_", "total_1"]
    marked = shop.database["orders"].find_one({"_id": 1})
    assert marked is not None
    assert marked["mark"] is True


def test_rejected_rows_are_told_with_examples(shop: Shop) -> None:
    shop.sql("SET sql_mode = ''", "UPDATE customers SET born_on = '0000-00-00' WHERE id = 2")
    result = shop.run(*APPLY)
    assert result.exit_code == 5, result.stderr
    assert "Rejected: 1 reason recorded" in result.stdout
    assert "customers 2: " in result.stdout
    assert "born_on: " in result.stdout
    assert "born_on = " not in result.stdout
    assert shop.ids("customers") == [1]
    shown = shop.run(*APPLY, "--replace", "customers", "--show-values")
    assert "born_on = '0000-00-00'" in shown.stdout
    shop.sql("UPDATE customers SET born_on = '1906-12-09' WHERE id = 2")
    again = shop.run(*APPLY)
    assert again.exit_code == 0, again.stderr
    assert ": 1 reason for rejected documents" in again.stdout
    assert shop.ids("customers") == [1, 2]
    assert "2 unchanged" in shop.run("plan").stdout


def test_another_policy_lets_them_pass(shop: Shop) -> None:
    shop.sql("SET sql_mode = ''", "UPDATE customers SET born_on = '0000-00-00' WHERE id = 2")
    assert shop.run(*APPLY).exit_code == 5
    shop.write("customers", "collection: customers\nfrom: customers\npolicies: {zero_date: null}\n")
    assert shop.run(*APPLY).exit_code == 0
    assert shop.ids("customers") == [1, 2]


def test_a_unique_index_over_duplicates(shop: Shop) -> None:
    """Blocked when plan sees it, so it takes rows that change in between: here the plan is made before."""
    shop.write("orders", ORDERS.replace("number: 1}, unique", "total: 1}, unique"))
    file = shop.folder / "plan.json"
    assert shop.run("plan", "--out", str(file)).exit_code == 0
    shop.sql("UPDATE orders SET total = 7")
    result = shop.run(*APPLY, str(file))
    assert result.exit_code == 5
    assert "total_1" in result.stdout
    assert shop.ids() == [1, 2, 3]


def test_an_index_that_is_left_out_ends_with_5_and_comes_with_the_next_apply(shop: Shop) -> None:
    shop.write("orders", ORDERS.replace("validator", "  - {keys: {items.sku: 1}, unique: true, name: skus}\nvalidator"))
    file = shop.folder / "plan.json"
    assert shop.run("plan", "--out", str(file)).exit_code == 0
    shop.sql("INSERT INTO items VALUES (3, 1, 'pen')")
    result = shop.run("apply", str(file), "--yes", "--workers", "1")
    assert result.exit_code == 5, result.stderr
    assert "skus could not be built" in result.stdout + result.stderr
    assert "number_1" in shop.database["orders"].index_information()
    again = shop.run(*APPLY)
    assert again.exit_code != 0
    assert "index skus comes" in again.stdout
    assert "duplicate-unique" in again.stdout
    shop.sql("DELETE FROM items WHERE order_id = 3")
    shop.database["orders"].update_one({"_id": 3}, {"$set": {"items": []}})
    assert shop.run(*APPLY).exit_code == 0
    assert "skus" in shop.database["orders"].index_information()


def test_an_index_that_documents_refuse_blocks_the_plan(shop: Shop) -> None:
    shop.sql(
        "CREATE TABLE places (id INT PRIMARY KEY, customer_id INT NOT NULL, spot POINT, KEY (customer_id))",
        "INSERT INTO places VALUES (1, 1, POINT(1, 2)), (2, 1, NULL)",
    )
    with_places = (
        "collection: customers\nfrom: customers\nembed:\n"
        "  places: {{from: places, many: true, on: {{id: customer_id}}, {0}}}\n"
        "indexes: [{{keys: {{places.spot: 2dsphere}}}}]\n"
    )
    shop.write("customers", with_places.format("columns: [spot]"))
    refused = shop.run("check")
    assert refused.exit_code != 0
    assert "customers.yaml:5: `places.spot` can be null in an array" in refused.stderr
    assert "write `spot: {null: omit}` under `fields:` of `embed: places`" in refused.stderr
    shop.write("customers", with_places.format("columns: [], fields: {spot: {null: omit}}"))
    assert shop.run("check").exit_code == 0
    shop.sql("UPDATE places SET spot = ST_GeomFromText('POINT(1 2)', 3857) WHERE id = 2")
    blocked = shop.run(*APPLY)
    assert blocked.exit_code != 0
    assert "unindexable" in blocked.stdout
    assert "(such as 1)" in " ".join(blocked.stdout.split())
    assert "customers" not in shop.database.list_collection_names()
    shop.sql("UPDATE places SET spot = NULL WHERE id = 2")
    assert shop.run(*APPLY).exit_code == 0
    assert "places.spot_2dsphere" in shop.database["customers"].index_information()


def test_a_kept_plan(shop: Shop, kept: Path) -> None:
    result = shop.run(*APPLY, str(kept))
    assert result.exit_code == 0, result.stderr
    assert shop.ids() == [1, 2, 3]


def test_a_part_of_a_kept_plan(shop: Shop, kept: Path) -> None:
    assert shop.run(*APPLY, str(kept), "--collection", "customers").exit_code == 0
    assert (shop.ids(), shop.ids("customers")) == ([], [1, 2])
    result = shop.run(*APPLY, str(kept), "--collection", "nothing")
    assert result.exit_code == 2
    assert "the plan does not contain the collection nothing" in result.stderr


def test_a_kept_plan_needs_no_mappings(shop: Shop, kept: Path) -> None:
    shop.mappings.rename(shop.folder / "gone")
    result = shop.run(*APPLY, str(kept))
    assert result.exit_code == 0, result.stderr
    assert "note: there are no mappings" in result.stderr
    assert shop.ids() == [1, 2, 3]


def test_a_kept_plan_is_refused_after_the_mapping_changed(shop: Shop, kept: Path) -> None:
    shop.write("orders", ORDERS.replace("[id, name]", "[id]"))
    result = shop.run(*APPLY, str(kept))
    assert result.exit_code == 4
    assert "orders: the mapping changed: customer: columns changed: - name" in result.stderr
    assert shop.ids() == []


def test_a_kept_plan_is_refused_after_the_schema_changed(shop: Shop, kept: Path) -> None:
    shop.sql("ALTER TABLE items ADD COLUMN weight INT NULL")
    result = shop.run(*APPLY, str(kept))
    assert result.exit_code == 4
    assert "orders: the schema of" in result.stderr
    assert "columns changed: + weight" in result.stderr
    assert "customers:" not in result.stderr
    assert shop.ids() == []


def test_a_kept_plan_is_refused_after_the_target_changed(shop: Shop, kept: Path) -> None:
    shop.database["orders"].insert_one({"_id": "theirs"})
    result = shop.run(*APPLY, str(kept))
    assert result.exit_code == 4
    assert "orders: the target's collection is not as it was" in result.stderr
    assert shop.ids() == ["theirs"]


def test_a_kept_plan_is_refused_for_another_target(shop: Shop, kept: Path) -> None:
    head, _, tail = shop.target.partition("?")
    result = shop.run(*APPLY, str(kept), "--target", f"{head}_other?{tail}")
    assert result.exit_code == 4
    assert "it was made for the target" in result.stderr


@pytest.mark.parametrize("option", [("--adopt", "orders"), ("--replace", "orders"), ("--exact",)])
def test_a_kept_plan_is_made_already(shop: Shop, kept: Path, option: tuple[str, ...]) -> None:
    result = shop.run(*APPLY, str(kept), *option)
    assert result.exit_code == 2
    assert "plan --out" in result.stderr


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (None, 2, "the plan can't be read"),
        ("no json", 4, "not a plan this version can read"),
        ("{}", 4, "not a plan this version can read"),
    ],
)
def test_a_file_that_is_no_plan(shop: Shop, text: str | None, code: int, says: str) -> None:
    file = shop.folder / "other.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    result = shop.run(*APPLY, str(file))
    assert result.exit_code == code
    assert says in result.stderr
    assert "other.json" in result.stderr


def test_a_plan_of_another_format(shop: Shop, kept: Path) -> None:
    data = json.loads(kept.read_text(encoding="utf-8"))
    kept.write_text(json.dumps(data | {"version": 99}), encoding="utf-8")
    result = shop.run(*APPLY, str(kept))
    assert result.exit_code == 4
    assert "format 99" in result.stderr


def test_into_a_folder_of_files(shop: Shop) -> None:
    result = shop.run(*APPLY, "--target", f"file:{shop.folder / 'out'}")
    assert result.exit_code == 0, result.stderr
    assert list((shop.folder / "out").rglob("orders*.bson"))
