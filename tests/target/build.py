"""Plans, runs and chunks for tests of targets, where what they were made from doesn't matter."""

from __future__ import annotations

import bson

from migrator.model.change.position import Position, ServerIdentity
from migrator.model.mapping.tree import Collection, IndexSpec, Node
from migrator.model.plan.chunk import Chunk, ChunkResult, Document, KeyRange, Rejected
from migrator.model.plan.plan import (
    Action,
    Capabilities,
    CollectionPlan,
    Measure,
    Plan,
    TargetCollection,
    TargetIdentity,
)
from migrator.model.plan.run import Run
from migrator.model.schema.tables import Column

ID = Column("id", "int", "int(11)", False)
NOTHING = TargetCollection("", False, False, 0, "", "", (), (), "", "")
SERVER = ServerIdentity("mariadb", "10.11.19", "mariadb-1-abc", 1)


def collection_plan(
    name: str = "orders",
    *,
    action: Action = "create",
    indexes: tuple[IndexSpec, ...] = (),
    validator: str = "",
    mapping_hash: str = "m1",
    create: tuple[IndexSpec, ...] = (),
    drop: tuple[str, ...] = (),
) -> CollectionPlan:
    collection = Collection(
        name=name,
        root=Node(name, "shop", name, "root", (), (ID,), ()),
        file=f"{name}.yaml",
        mapping_hash=mapping_hash,
        indexes=indexes,
        schema_fingerprint="s1",
    )
    return CollectionPlan(collection, action, (), None, 1000, create, drop, validator, NOTHING)


def run(*plans: CollectionPlan, run_id: str = "0a1b2c3d", created: str = "2024-05-01T10:00:00") -> Run:
    target = TargetIdentity("there", "1", Capabilities("mongodb", True, True, True, 1 << 24, False))
    whole = Plan(1, created, SERVER, "127.0.0.1:3306/shop", ("shop",), target, plans, (), Measure(1, False), True)
    return Run(run_id, whole, Position(SERVER, "0-1-7", "log.000001", 4, "mariadb-snapshot"), "2024-05-01T10:00:00")


def chunk(number: int, *, attempt: int = 1, collection: str = "orders", run_id: str = "0a1b2c3d") -> Chunk:
    keys = KeyRange((b"%d" % (number * 10),) if number else None, (b"%d" % (number * 10 + 10),))
    return Chunk(run_id, collection, number, keys, attempt)


def document(key: int, **fields: object) -> Document:
    return Document((b"%d" % key,), bson.encode({"_id": key, **fields}))


def result(of: Chunk, documents: int, rejected: int = 0) -> ChunkResult:
    return ChunkResult(of, documents, documents * 3, documents * 100, rejected, 0.5)


def reject(key: int) -> Rejected:
    return Rejected("orders", str(key), "shop.orders", str(key), "total", "1e99", "too large")
