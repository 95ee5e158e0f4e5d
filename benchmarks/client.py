"""The same rows as `apply` reads, as plain SELECTs for the command-line client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from migrator.mapping.file.load import load_mappings
from migrator.mapping.resolve import resolve
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.row_layout import layout
from migrator.model.mapping.tree import Node
from migrator.source import open_source


def select_statements(source_url: str, mappings: Path) -> Iterator[str]:
    """One SELECT per node: the node's columns of its whole table. Tables that many parents share are read once."""
    source = open_source(source_url)
    seen = set()
    for collection in resolve(load_mappings(mappings), source.schema(), source, Policies()):
        for statement in _below(collection.root, None):
            if statement not in seen:
                seen.add(statement)
                yield statement


def _below(node: Node, parent: Node | None) -> Iterator[str]:
    order = layout(node, parent)
    columns = {item.name for item in order.items if item.origin == "table"}
    expressions = {item.name for item in order.items if item.origin == "expression"}
    listed = ", ".join([*(f"`{name}`" for name in sorted(columns)), *sorted(expressions)])
    where = f" WHERE {node.where}" if node.where else ""
    yield f"SELECT {listed} FROM `{node.schema}`.`{node.table}`{where}"
    if node.link is not None:
        yield f"SELECT * FROM `{node.link.schema}`.`{node.link.table}`"
    for child in node.children:
        yield from _below(child, node)
