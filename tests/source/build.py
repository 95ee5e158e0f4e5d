"""Mapping trees over reflected tables, made by hand: what migrator.mapping would resolve, without needing it."""

from __future__ import annotations

from typing import Any

from migrator.model.mapping.policies import Policies
from migrator.model.mapping.representation import represent
from migrator.model.mapping.tree import Collection, Field, Join, Link, Node, Order
from migrator.model.schema.tables import Schema, Table

_EXACT = ("integer", "binary", "date", "datetime", "decimal", "uuid")


def field(table: Table, name: str, as_type: str | None = None, **more: Any) -> Field:
    column = table.by_name[name]
    return Field((name,), column, None, represent(column, as_type, Policies()), **more)


def join(parent: Table, parent_columns: list[str], child: Table, child_columns: list[str], *, exact: bool) -> Join:
    return Join(
        tuple(parent.by_name[name] for name in parent_columns),
        tuple(child.by_name[name] for name in child_columns),
        exact,
    )


def node(table: Table, *, id: str = "root", fields: list[str] | None = None, **more: Any) -> Node:
    """A node with plain fields, keyed by the table's primary key, in key order unless told otherwise."""
    names = [column.name for column in table.columns] if fields is None else fields
    settings: dict[str, Any] = {
        "shape": "root" if id == "root" else "many",
        "path": () if id == "root" else (id,),
        "key": tuple(table.by_name[name] for name in table.primary_key),
        "order": () if id == "root" else tuple(Order(name) for name in table.primary_key),
        "fields": tuple(field(table, name) for name in names),
    }
    return Node(id=id, schema=table.schema, table=table.name, **(settings | more))


def link(table: Table, parent: Join, child: Join, where: str | None = None) -> Link:
    return Link(table.schema, table.name, parent, child, table.primary_key, where)


def collection(root: Node) -> Collection:
    return Collection(name=root.table, root=root, file="test.yaml", mapping_hash="")


def table(schema: Schema, name: str, database: str = "") -> Table:
    found = schema.table(database or schema.default, name)
    assert found is not None
    return found
