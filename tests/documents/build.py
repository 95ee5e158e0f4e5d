"""Hand-made trees and rows for the tests of the assembler alone; everything else runs on real servers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import bson

from migrator.documents.assemble import Assembler
from migrator.documents.reader import Row
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.representation import represent
from migrator.model.mapping.tree import Collection, Field, Join, Node
from migrator.model.plan.chunk import Batch, Key, KeyRange
from migrator.model.schema.tables import Column


def column(name: str, kind: str = "int", *, nullable: bool = True, **more: Any) -> Column:
    return Column(name, kind, more.pop("column_type", kind), nullable, **more)


def text(name: str) -> Column:
    return column(name, "varchar", column_type="varchar(50)", length=50, charset="utf8mb4")


def field(path: str, of: Column, as_type: str | None = None, **policies: Any) -> Field:
    return Field(tuple(path.split(".")), of, None, represent(of, as_type, replace(Policies(), **policies)))


ID = column("id", nullable=False)
PARENT = column("parent_id", nullable=False)


def root(*fields: Field, children: Sequence[Node] = (), **more: Any) -> Node:
    return Node("r", "s", "r", "root", (), (ID,), (field("_id", ID), *fields), children=tuple(children), **more)


def child(name: str, shape: Any, *fields: Field, parent: Column = ID, **more: Any) -> Node:
    join = more.pop("join", Join((parent,), (PARENT,), True))
    return Node(f"r.{name}", "s", name, shape, (name,), (ID,), tuple(fields), join=join, **more)


class Rows:
    """A reader over lists of rows in layout order, by node id. Counts what is asked for."""

    def __init__(self, **rows: list[Row]) -> None:
        self.rows = rows
        self.calls: list[tuple[str, int]] = []

    async def roots(self, root: Node, within: KeyRange, limit: int) -> list[Row]:
        found = [row for row in self.rows["r"] if within.after is None or int(row[0] or 0) > int(within.after[0])]
        return found[:limit]

    async def roots_by_key(self, root: Node, keys: Sequence[Key]) -> list[Row]:
        return [row for row in self.rows["r"] if (row[0],) in keys]

    async def keyless(self, root: Node, some: int | None = None) -> AsyncIterator[list[Row]]:
        yield self.rows["r"][:some]

    async def children(self, node: Node, parent: Node, match: Sequence[Key]) -> AsyncGenerator[list[Row], None]:
        self.calls.append((node.id, len(match)))
        yield self.rows[node.id.replace(".", "_")]


async def batches(node: Node, rows: Rows) -> list[Batch]:
    return [batch async for batch in Assembler(Collection("c", node, "c.yaml", "")).within(rows, KeyRange())]


def decoded(found: Sequence[Batch]) -> list[dict[str, Any]]:
    return [bson.decode(document.bson) for batch in found for document in batch.documents]
