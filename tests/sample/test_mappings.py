"""The mapping files of the sample and of Chinook are right for what they describe, and show the whole format."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions, DatetimeConversion

from migrator.documents.assemble import Assembler
from migrator.indexing.documents import IndexRefusal, refusal
from migrator.mapping.file.load import load_mappings
from migrator.mapping.resolve import resolve
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.tree import Collection, Node
from migrator.model.plan.chunk import KeyRange, Rejected
from migrator.source.connection.url import parse_source_url
from migrator.source.mysql import MySQLSource
from sample_schema.database import connect
from tests.chinook import load as chinook

ROOT = Path(__file__).parents[2]
DATES: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)


def resolved(url: str, folder: Path) -> dict[str, Collection]:
    source = MySQLSource(parse_source_url(url))
    found = resolve(load_mappings(folder), source.schema(), source, Policies())
    return {collection.name: collection for collection in found}


def assembled(url: str, collections: Iterable[Collection]) -> tuple[dict[str, int], list[Rejected]]:
    """How many documents each collection has, and all rejected rows."""

    async def all_of(collection: Collection) -> None:
        async with source.open_reader() as reader:
            async for batch in Assembler(collection).within(reader, KeyRange(None, None)):
                counts[collection.name] = counts.get(collection.name, 0) + len(batch.documents)
                rejected.extend(batch.rejected)

    source = MySQLSource(parse_source_url(url))
    counts: dict[str, int] = {}
    rejected: list[Rejected] = []
    for collection in collections:
        asyncio.run(all_of(collection))
    return counts, rejected


@pytest.fixture(scope="module")
def shop_mappings(shop_url: str) -> dict[str, Collection]:
    return resolved(shop_url, ROOT / "mappings")


@pytest.fixture(scope="module")
def nodes(shop_mappings: dict[str, Collection]) -> dict[str, Node]:
    return {node.id: node for collection in shop_mappings.values() for node in collection.root.walk()}


def test_collections(shop_mappings: dict[str, Collection]) -> None:
    assert sorted(shop_mappings) == [
        *("categories", "customers", "orders", "products", "visits", "warehouse_stock", "warehouses"),
    ]


def test_every_shape_and_key_is_shown(shop_mappings: dict[str, Collection], nodes: dict[str, Node]) -> None:
    assert {node.shape for node in nodes.values()} == {"root", "one", "many", "scalars", "map"}
    assert [c.name for c in shop_mappings.values() if len(c.root.key) > 1] == ["warehouse_stock"]
    assert nodes["visits"].key == ()
    assert nodes["orders.items.product.brand"].table == "brands"
    assert nodes["orders.currency"].flatten
    assert nodes["orders.payments"].variants is not None
    assert nodes["orders.comments"].match == (("subject_type", "order"),)
    assert nodes["customers.recent_orders"].limit == 5
    assert {index.name for c in shop_mappings.values() for index in c.indexes if index.nullable} == {
        "invoice.number_1",
        "phone_1",
    }


def test_depth_nests_a_table_in_itself(nodes: dict[str, Node]) -> None:
    assert "categories.parent.parent.parent.parent" in nodes
    assert "categories.parent.parent.parent.parent.parent" not in nodes
    assert nodes["customers.referrer"].children == ()


def test_joins_by_text_are_left_to_the_server(nodes: dict[str, Node]) -> None:
    inexact = {node.id for node in nodes.values() if (join := node.parent_join()) and not join.exact}
    inexact |= {node.id for node in nodes.values() if node.link and not node.link.child.exact}
    assert inexact == {"orders.currency", "orders.coupons"}


def test_soft_delete_is_a_condition_or_opted_out_of(nodes: dict[str, Node]) -> None:
    def conditions() -> Iterator[tuple[str, bool]]:
        for name in ("customers", "products", "products.reviews", "products.reviews.author", "orders.comments"):
            yield name, True
        for name in ("orders", "orders.customer", "orders.items.product", "customers.referrer", "products.brand"):
            yield name, False

    for name, expected in conditions():
        assert ("deleted_at" in (nodes[name].where or "")) is expected, name


def test_nothing_is_rejected(shop_url: str, shop_mappings: dict[str, Collection]) -> None:
    counts, rejected = assembled(shop_url, shop_mappings.values())
    assert rejected == []
    with connect(shop_url) as connection, connection.cursor() as cursor:
        for name, condition in {
            "categories": "TRUE",
            "customers": "deleted_at IS NULL",
            "orders": "status <> 'cart'",
            "products": "deleted_at IS NULL",
            "visits": "TRUE",
            "warehouse_stock": "TRUE",
            "warehouses": "TRUE",
        }.items():
            cursor.execute(f"SELECT COUNT(*) FROM {name} WHERE {condition}")
            assert cursor.fetchone() == (counts[name],), name


def test_every_index_takes_every_document(shop_url: str, shop_mappings: dict[str, Collection]) -> None:
    """By MongoDB's rules, which a stand-in doesn't have."""

    async def look() -> None:
        for collection in shop_mappings.values():
            async with source.open_reader() as reader:
                async for batch in Assembler(collection).within(reader, KeyRange(None, None)):
                    for made in batch.documents:
                        decoded = bson.decode(made.bson, codec_options=DATES)
                        refused.extend(filter(None, (refusal(spec, decoded) for spec in collection.indexes)))
                        looked.add(collection.name)

    source = MySQLSource(parse_source_url(shop_url))
    refused: list[IndexRefusal] = []
    looked: set[str] = set()
    asyncio.run(look())
    assert refused == []
    assert looked == set(shop_mappings)


def test_without_its_policies_it_would_be(shop_url: str, tmp_path: Path) -> None:
    copytree(ROOT / "mappings", tmp_path / "mappings")
    for file in (tmp_path / "mappings").iterdir():
        text = file.read_text(encoding="utf-8")
        for policy in ("zero_date: null", "unsigned_overflow: decimal", "big_decimal: string"):
            text = text.replace(policy, f"{policy.split(':')[0]}: reject")
        file.write_text(text, encoding="utf-8")
    _, rejected = assembled(shop_url, resolved(shop_url, tmp_path / "mappings").values())
    assert {(row.collection, row.table.split(".")[1], row.column) for row in rejected} >= {
        ("orders", "orders", "updated_at"),
        ("orders", "shipments", "delivered_on"),
        ("customers", "customers", "last_login"),
        ("products", "products", "views"),
        ("products", "products", "unit_cost"),
    }


def test_ids_keep_their_type(shop_mappings: dict[str, Collection]) -> None:
    # What refers to a product by an int64 must find an int64 there.
    for collection in shop_mappings.values():
        for field in collection.root.fields:
            if field.path[0] == "_id":
                assert field.value.kind in ("int32", "int64")


def test_chinook(mysql_url: str) -> None:
    chinook.load(mysql_url)
    found = resolved(mysql_url, chinook.MAPPINGS)
    counts, rejected = assembled(mysql_url, found.values())
    assert counts == {"albums": 347, "artists": 275, "customers": 59, "employees": 8, "playlists": 18}
    assert rejected == []
    ids = {node.id for collection in found.values() for node in collection.root.walk()}
    assert {"artists.albums.tracks.genre", "employees.manager.manager", "customers.invoices.lines.track"} <= ids
