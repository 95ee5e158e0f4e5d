"""Plans made by hand: an order with everything a plan can say about it, and small collections for the other actions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migrator.mapping.validator import validator
from migrator.model.change.position import ServerIdentity
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.representation import represent
from migrator.model.mapping.tree import Collection, Field, IndexSpec, Join, Link, Node, Order, Variants
from migrator.model.plan.plan import (
    Capabilities,
    CollectionMeasure,
    Extreme,
    Finding,
    Measure,
    NodeMeasure,
    Plan,
    TargetCollection,
    TargetIdentity,
)
from migrator.model.schema.tables import Column
from migrator.planning.build import CollectionFacts, PlanContext, build
from migrator.planning.decide import Consent, decide

SOURCE = ServerIdentity("mariadb", "10.11.19", "mariadb-1-ab12", 1)
CAN = Capabilities("mongodb", True, True, True, 16 * 1024 * 1024, False)
TARGET = TargetIdentity("mongodb://db.example:27017/shop", "7.0.5", CAN)


def column(name: str, kind: str = "int", *, nullable: bool = False, **more: Any) -> Column:
    return Column(name, kind, more.pop("column_type", kind), nullable, **more)


def text(name: str, *, nullable: bool = False) -> Column:
    return column(name, "varchar", nullable=nullable, column_type="varchar(50)", length=50, charset="utf8mb4")


def field(path: str, of: Column, as_type: str | None = None, *, link: bool = False, **policies: Any) -> Field:
    where = tuple(path.split(".")) if path else ()
    return Field(where, of, None, represent(of, as_type, replace(Policies(), **policies)), from_link=link)


ID = column("id", "bigint")
ORDER_ID = column("order_id", "bigint")


def key(parent: Column, child: Column) -> Join:
    return Join((parent,), (child,), exact=True)


def node(name: str, table: str, shape: Any, join: Join | None, *fields: Field, **more: Any) -> Node:
    settings: dict[str, Any] = {"path": (name.rsplit(".", 1)[-1],), "key": (ID,), "order": (Order("id"),)}
    return Node(name, "shop", table, shape, fields=fields, join=join, **(settings | more))


def orders() -> Collection:
    product = node(
        "orders.items.product",
        "products",
        "one",
        key(column("product_id", "bigint"), ID),
        field("sku", text("sku")),
        where="`deleted_at` IS NULL",
    )
    items = node(
        "orders.items",
        "order_items",
        "many",
        key(ID, ORDER_ID),
        field("line_no", column("line_no")),
        field("price", column("price", "decimal", column_type="decimal(10,2)", precision=10, scale=2)),
        order=(Order("line_no"), Order("id")),
        limit=500,
        children=(product,),
    )
    customer = node(
        "orders.customer",
        "customers",
        "one",
        key(column("customer_id", "bigint", nullable=True), ID),
        field("id", ID),
        field("name", text("name")),
    )
    tags = node(
        "orders.tags",
        "tags",
        "scalars",
        None,
        field("", text("name")),
        link=Link("shop", "order_tags", key(ID, ORDER_ID), key(column("tag_id", "bigint"), ID), ("order_id", "tag_id")),
    )
    options = node(
        "orders.options",
        "order_options",
        "map",
        key(ID, ORDER_ID),
        field("", text("value", nullable=True)),
        map_key=text("name"),
    )
    comments = node(
        "orders.comments",
        "comments",
        "many",
        key(ID, column("subject_id", "bigint")),
        field("body", text("body")),
        match=(("subject_type", "order"),),
    )
    currency = node(
        "orders.currency",
        "currencies",
        "one",
        key(text("currency_code"), text("code")),
        field("symbol", text("symbol")),
        flatten=True,
        path=(),
    )
    root = Node(
        "orders",
        "shop",
        "orders",
        "root",
        (),
        (ID,),
        (
            field("_id", ID),
            field("number", text("number", nullable=True)),
            field("placed_at", column("placed_at", "datetime", column_type="datetime(6)", fraction=6)),
            field("ship.city", text("ship_city")),
        ),
        where="status <> 'draft'",
        variants=Variants(text("kind"), (("card", (field("last4", text("last4")),)),)),
        children=(customer, currency, items, tags, options, comments),
    )
    indexes = (
        IndexSpec("number_1", (("number", 1),), unique=True, nullable=(("number", ("string",)),)),
        IndexSpec("customer.id_1_placed_at_-1", (("customer.id", 1), ("placed_at", -1))),
        IndexSpec("seen_at_1", (("seen_at", 1),), expire_after_seconds=86400),
    )
    return Collection("orders", root, "mappings/orders.yaml", "m1", indexes, validator=True, schema_fingerprint="s1")


def small(name: str, **more: Any) -> Collection:
    root = Node(name, "shop", name, "root", (), (ID,), (field("_id", ID), field("name", text("name"))))
    settings: dict[str, Any] = {"mapping_hash": "m1", "schema_fingerprint": "s1"}
    return Collection(name, root, f"mappings/{name}.yaml", **(settings | more))


def before(name: str, **more: Any) -> TargetCollection:
    """What the target holds: nothing, unless told otherwise."""
    nothing = TargetCollection(name, False, False, 0, "", "", (), (), "", f"structure of {name}")
    return replace(nothing, **more)


def owned(name: str, **more: Any) -> TargetCollection:
    """A collection that migrator published with the same mapping."""
    facts: dict[str, Any] = {"documents": 12, "mapping_hash": "m1", "schema_fingerprint": "s1"}
    return before(name, exists=True, owned=True, **(facts | more))


def measure(documents: int = 12, average: int = 400, biggest: int = 900, **more: Any) -> CollectionMeasure:
    facts: dict[str, Any] = {
        "documents": Measure(documents, exact=True),
        "biggest": Extreme(Measure(biggest, exact=False), "7"),
        "total_bytes": Measure(documents * average, exact=False),
        "nodes": (),
        "findings": (),
    }
    return CollectionMeasure(**(facts | more))


def nodes(**rows: Any) -> tuple[NodeMeasure, ...]:
    """Rows by node; a tuple is (rows, longest array, the document that has it)."""
    found = []
    for name, what in rows.items():
        count, longest, which = what if isinstance(what, tuple) else (what, None, "")
        extreme = None if longest is None else Extreme(Measure(longest, exact=True), which)
        place = "orders" if name == "orders" else f"orders.{name.replace('_', '.')}"
        found.append(NodeMeasure(place, Measure(count, exact=count < 100_000), extreme, Measure(80, exact=False)))
    return tuple(found)


def survey(
    collection: Collection,
    held: TargetCollection,
    found: CollectionMeasure | None = None,
    consent: Consent = Consent(),  # noqa: B008 - frozen
    samples: tuple[str, ...] = (),
) -> CollectionFacts:
    wanted = validator(collection)
    return CollectionFacts(collection, held, decide(collection, held, wanted, consent), wanted, found, samples)


def plan(*surveys: CollectionFacts, findings: tuple[Finding, ...] = (), **more: Any) -> Plan:
    ground = PlanContext("2026-01-02T03:04:05+00:00", SOURCE, "10.0.0.5:3306/shop", TARGET, findings, syncable=True)
    return build(replace(ground, **more), surveys, None)


def full() -> Plan:
    """All that a plan can say."""
    found = measure(
        1_003_412,
        average=1_800,
        biggest=9_200_000,
        nodes=nodes(
            orders=1_003_412,
            customer=48_200,
            currency=12,
            items=(3_120_450, 812, "1000177"),
            items_product=5_000,
            tags=(410_000, 9, "7"),
            options=(12, 3, "12"),
            comments=(0, 0, ""),
        ),
        findings=(
            Finding(
                "warning",
                "lossy-microseconds",
                "orders: placed_at",
                "~998,120 rows hold microseconds, which are cut: BSON dates have milliseconds",
                "Write `submillisecond: companion` at the field to keep them in a second field, or `string` for text.",
            ),
            Finding("info", "orphans", "orders.customer", "3 rows refer to a customer that does not exist; null there"),
            Finding(
                "blocked",
                "duplicate-unique",
                "orders: number_1",
                "2 values stand in several documents, as '2024-001' in 1, 7",
                "Fix the rows, or leave `unique` out.",
            ),
        ),
    )
    return plan(
        survey(orders(), before("orders"), found, samples=('{"_id": 1, "number": "2024-001", "tags": ["red"]}',)),
        survey(small("customers", mapping_hash="m2"), owned("customers", indexes=("by_hand",)), measure()),
        survey(small("products"), before("products", exists=True, documents=88), measure()),
        survey(
            small("brands"),
            before("brands", exists=True, documents=3),
            measure(3),
            Consent(adopt=frozenset({"brands"})),
        ),
        survey(
            small("tags", indexes=(IndexSpec("name_1", (("name", 1),), unique=True),)),
            owned("tags", index_specs=(IndexSpec("old_1", (("old", 1),)), IndexSpec("name_1", (("name", 1),)))),
            measure(9),
        ),
        survey(small("visits"), owned("visits")),
        findings=(
            Finding("warning", "binlog-format", "source", "binlog_format is STATEMENT; sync needs ROW", "SET GLOBAL …"),
        ),
    )
