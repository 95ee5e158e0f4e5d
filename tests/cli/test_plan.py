"""migrator plan: what it shows, what it writes, and that it changes nothing."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from migrator.model.plan.plan import Plan
from migrator.model.serialize import from_json
from tests.cli.conftest import ORDERS, Shop
from tests.printed import action_of


def test_a_first_plan(shop: Shop) -> None:
    result = shop.run("plan", "--details")
    assert result.exit_code == 0, result.stderr
    assert action_of("orders", result.stdout) == "create"
    assert "3 documents" in result.stdout
    assert "items  many  items  id = order_id, 3 rows, longest 2 in 1" in result.stdout
    assert "+ index number_1  {number: 1} unique, where number is not null" in result.stdout
    assert "2 to create" in result.stdout
    assert result.stderr == ""


def test_it_changes_nothing(shop: Shop) -> None:
    shop.run("plan", "--samples", "2", "--exact", "--out", str(shop.folder / "plan.json"))
    shop.run("check")
    assert shop.database.client.list_database_names().count(shop.database.name) == 0


def test_json_and_file_hold_the_same_plan(shop: Shop) -> None:
    file = shop.folder / "plan.json"
    result = shop.run("plan", "--json", "--out", str(file))
    assert result.exit_code == 0, result.stderr
    kept = from_json(Plan, file.read_bytes())
    assert from_json(Plan, result.stdout) == kept
    assert [each.collection.name for each in kept.collections] == ["customers", "orders"]
    assert f"`migrator apply {file}`" in result.stderr
    assert list(shop.folder.glob(".plan*")) == []


def test_a_file_that_cannot_be_written(shop: Shop) -> None:
    result = shop.run("plan", "--out", str(shop.folder / "no" / "plan.json"))
    assert result.exit_code == 2
    assert "the plan can't be written" in result.stderr


def test_a_link_stays_and_leads_to_the_plan(shop: Shop) -> None:
    file, link = shop.folder / "kept.json", shop.folder / "plan.json"
    link.symlink_to(file)
    assert shop.run("plan", "--out", str(link)).exit_code == 0
    assert link.is_symlink()
    assert from_json(Plan, file.read_bytes()).collections


def test_a_pipe_is_written_to_and_stays_a_pipe(shop: Shop) -> None:
    pipe = shop.folder / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        text = pool.submit(pipe.read_bytes)
        assert shop.run("plan", "--out", str(pipe)).exit_code == 0
        assert from_json(Plan, text.result()).collections
    assert pipe.is_fifo()


def test_a_limit_for_a_replica_that_is_not_named(shop: Shop) -> None:
    result = shop.run("apply", "--yes", "--max-replica-lag", "5")
    assert result.exit_code == 2
    assert "the source URL names no replica" in result.stderr


def test_samples_of_a_table_without_a_key_are_not_the_whole_table(shop: Shop) -> None:
    shop.sql("CREATE TABLE visits (at INT, path VARCHAR(20))")
    shop.sql(*["INSERT INTO visits VALUES (1, '/a'), (2, '/b'), (2, '/b'), (3, '/c')"] * 3)
    shop.write("visits", "collection: visits\nfrom: visits\nkey: none\n")
    result = shop.run("plan", "--samples", "2", "--json", "--collection", "visits")
    assert result.exit_code == 0, result.stderr
    (collection,) = from_json(Plan, result.stdout).collections
    assert len(collection.samples) == 2


def test_samples_are_documents_of_real_rows(shop: Shop) -> None:
    result = shop.run("plan", "--samples", "1", "--json", "--collection", "orders")
    (collection,) = from_json(Plan, result.stdout).collections
    (sample,) = collection.samples
    assert json.loads(sample) == {
        "_id": 1,
        "number": "A-1",
        "customer_id": 1,
        "total": {"$numberDecimal": "10.50"},
        "customer": {"id": 1, "name": "Ada"},
        "items": [{"line_no": 1, "sku": "pen"}, {"line_no": 2, "sku": "ink"}],
    }
    assert '"sku": "pen"' in shop.run("plan", "--samples", "1").stdout


def test_some_collections_only(shop: Shop) -> None:
    result = shop.run("plan", "--collection", "orders")
    assert action_of("orders", result.stdout) == "create"
    assert action_of("customers", result.stdout) is None


@pytest.mark.parametrize("option", ["--collection", "--adopt", "--replace"])
def test_an_unknown_collection(shop: Shop, option: str) -> None:
    result = shop.run("plan", option, "order")
    assert result.exit_code == 2
    assert "no mapping describes the collection order" in result.stderr
    assert "did you mean `orders`?" in result.stderr


def test_what_others_made_blocks(shop: Shop) -> None:
    shop.database["orders"].insert_one({"_id": "theirs"})
    result = shop.run("plan")
    assert result.exit_code == 10
    assert "not-owned" in result.stdout
    assert "Blocked by 1: apply" in result.stdout
    for option, action in (("--replace", "replace"), ("--adopt", "adopt")):
        result = shop.run("plan", option, "orders")
        assert result.exit_code == 0, result.stdout
        assert action_of("orders", result.stdout) == action
    assert shop.run("plan", "--replace", "customers").exit_code == 10


def test_chunk_rows_of_the_project_file(shop: Shop) -> None:
    (shop.folder / "migrator.yaml").write_text("chunk_rows: 2\n", encoding="utf-8")
    assert "in chunks of 2 rows" in shop.run("plan", "--details").stdout


def test_policies_of_the_project_file(shop: Shop) -> None:
    (shop.folder / "migrator.yaml").write_text("policies: {null: omit}\n", encoding="utf-8")
    result = shop.run("plan", "--json", "--samples", "3", "--collection", "orders")
    sample = from_json(Plan, result.stdout).collections[0].samples[2]
    assert json.loads(sample) == {"_id": 3, "total": {"$numberDecimal": "0.00"}, "items": []}


@pytest.mark.slow
def test_the_same_again_is_unchanged_and_changes_are_named(shop: Shop) -> None:
    applied = shop.run("apply", "--yes", "--workers", "1")
    assert applied.exit_code == 0, applied.stderr
    assert "2 unchanged" in shop.run("plan").stdout
    shop.write("orders", ORDERS.replace("number: 1}, unique", "total: 1}, unique"))
    result = shop.run("plan", "--details")
    assert action_of("orders", result.stdout) == "indexes"
    assert "- index number_1" in result.stdout
    assert "+ index total_1  {total: 1} unique" in result.stdout
    shop.write("orders", ORDERS.replace("[id, name]", "[id]"))
    changed = shop.run("plan").stdout
    assert "orders: the mapping has changed since it was applied" in changed
    assert "orders: customer: columns changed: - name" in changed
    shop.write("orders", ORDERS)
    shop.sql("ALTER TABLE items ADD COLUMN weight INT NULL")
    result = shop.run("plan")
    assert action_of("orders", result.stdout) == "rebuild"
    assert "the schema of" in result.stdout
    assert "unchanged: customers" in result.stdout
