"""Tables and mapping trees made by hand."""

from __future__ import annotations

from typing import Any

from migrator.model.mapping.tree import Collection, Join, Link, Node
from migrator.model.schema.tables import Column, ForeignKey, Schema, Table


def column(name: str, kind: str = "int", *, nullable: bool = False, **more: Any) -> Column:
    return Column(name, kind, kind, nullable, **more)


def table(name: str, *columns: str, key: tuple[str, ...] = ("id",), keys: tuple[ForeignKey, ...] = ()) -> Table:
    """`columns` are INT columns in addition to the key's."""
    names = dict.fromkeys((*key, *columns))
    return Table("shop", name, tuple(map(column, names)), key, foreign_keys=keys)


def refers(name: str, columns: str, parent: str, to: str = "id", *, delete: str = "", update: str = "") -> ForeignKey:
    return ForeignKey(
        name, tuple(columns.split()), "shop", parent, tuple(to.split()), delete or "RESTRICT", update or "RESTRICT"
    )


def schema(*tables: Table) -> Schema:
    return Schema("shop", tables)


def join(parent: Table, parent_columns: str, child: Table, child_columns: str, *, exact: bool = True) -> Join:
    return Join(
        tuple(parent.by_name[name] for name in parent_columns.split()),
        tuple(child.by_name[name] for name in child_columns.split()),
        exact,
    )


def node(of: Table, id: str = "root", **more: Any) -> Node:
    shape = "root" if id == "root" else more.pop("shape", "many")
    return Node(
        id=id,
        schema=of.schema,
        table=of.name,
        shape=shape,
        path=() if id == "root" else (id,),
        key=tuple(of.by_name[name] for name in of.primary_key),
        fields=(),
        **more,
    )


def link(of: Table, parent: Join, child: Join) -> Link:
    return Link(of.schema, of.name, parent, child, of.primary_key)


def collection(root: Node) -> Collection:
    return Collection(root.table, root, "test.yaml", "")
