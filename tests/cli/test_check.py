"""migrator check and migrator schema."""

from __future__ import annotations

import json

from migrator.mapping.file.jsonschema import json_schema
from tests.cli.conftest import Shop, migrator


def test_right_mappings(shop: Shop) -> None:
    result = shop.run("check")
    assert result.exit_code == 0, result.stderr
    assert "2 mappings, no mistakes." in result.stdout
    assert "3 tables" in result.stdout


def test_every_mistake_of_every_file_with_its_place(shop: Shop) -> None:
    shop.write("orders", "collection: orders\nfrom: orders\nfields:\n  a: nmber\nembed:\n  c: {from: custmers}\n")
    shop.write("customers", "collection: customers\nfrom: customers\nvalidater: true\n")
    shop.write("third", "collection: third\n")
    found = shop.run("check")
    assert (found.exit_code, found.stdout) == (3, "")
    assert "customers.yaml:3: unknown key `validater`" in found.stderr
    assert "third.yaml:1: `from` is missing" in found.stderr
    assert "orders.yaml:4" in found.stderr
    assert "did you mean `number`?" in found.stderr
    assert "orders.yaml:6" in found.stderr
    assert found.stderr.endswith("error: 4 mistakes in the mapping files\n")


def test_a_reference_to_what_a_broken_file_may_describe_is_no_mistake_yet(shop: Shop) -> None:
    reference = "references:\n  buyer: {collection: customers, on: {customer_id: _id}}\n"
    shop.write("orders", f"collection: orders\nfrom: orders\n{reference}")
    shop.write("customers", "collection: customers\nfrom: customers\nvalidater: true\n")
    found = shop.run("check")
    assert "orders.yaml" not in found.stderr
    shop.write("customers", "collection: clients\nfrom: customers\n")
    assert "no mapping describes a collection `customers`" in shop.run("check").stderr


def test_mistakes_are_told_though_the_source_is_not_there(shop: Shop) -> None:
    shop.write("customers", "collection: customers\nfrom: customers\nvalidater: true\n")
    found = shop.run("check", "--source", "mysql://u@127.0.0.1:1/x")
    assert found.exit_code == 3
    assert "unknown key `validater`" in found.stderr


def test_the_target_is_not_asked(shop: Shop) -> None:
    assert shop.run("check", "--target", "mongodb://nowhere.invalid/x").exit_code == 0


def test_flags_lead_elsewhere(shop: Shop) -> None:
    other = shop.folder / "other"
    shop.mappings.rename(other)
    assert shop.run("check").exit_code == 3
    assert shop.run("check", "--mappings", str(other)).exit_code == 0
    project = shop.folder / "elsewhere.yaml"
    project.write_text("workers: many\n", encoding="utf-8")
    result = shop.run("check", "--mappings", str(other), "--config", str(project))
    assert result.exit_code == 2
    assert "elsewhere.yaml:1" in result.stderr


def test_schema_is_the_formats_json_schema() -> None:
    result = migrator("schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json_schema()
