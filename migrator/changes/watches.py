"""Which columns of which tables must be known of every row event."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.changes.cascades import Cascades
from migrator.changes.joins import standings
from migrator.model.change import TableName, Watch
from migrator.model.schema import Schema
from migrator.model.tree import Collection


def watches(
    schema: Schema, collections: Iterable[Collection], all_cascades: Iterable[Cascades]
) -> dict[TableName, Watch]:
    """By table: what leads to documents, what is tracked, and the keys whose change sets off a tracked cascade."""
    wanted: dict[TableName, dict[str, None]] = {}

    def add(table: TableName, columns: Iterable[str]) -> None:
        wanted.setdefault(table, {}).update(dict.fromkeys(columns))

    for collection in collections:
        for name in collection.tables:
            # A table without columns that lead anywhere can still be emptied or altered.
            add(name, ())
        for each in standings(collection):
            add(each.table, each.columns)
    for cascades in all_cascades:
        for tracked in cascades.tables:
            add(tracked.table, tracked.columns)
        for cascade in cascades.tracked:
            add(cascade.parent, cascade.key.parent_columns)
    return {name: Watch(schema.by_name[name], tuple(columns)) for name, columns in wanted.items()}
