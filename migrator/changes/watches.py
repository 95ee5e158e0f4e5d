"""Which columns of which tables every row event must contain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from migrator.changes.cascades import Cascades
from migrator.changes.table_uses import table_uses
from migrator.model.change.events import TableName, Watch
from migrator.model.mapping.tree import Collection
from migrator.model.schema.tables import Schema, Table


def watches(
    schema: Schema,
    collections: Iterable[Collection],
    all_cascades: Iterable[Cascades],
    others: Mapping[TableName, tuple[Table, ...]] | None = None,
) -> dict[TableName, Watch]:
    """By table: what leads to documents, what is tracked, and the keys whose change sets off a tracked cascade.

    Args:
        others: further definitions of tables, see Watch.
    """
    wanted: dict[TableName, dict[str, None]] = {}

    def add(table: TableName, columns: Iterable[str]) -> None:
        wanted.setdefault(table, {}).update(dict.fromkeys(columns))

    for collection in collections:
        for name in collection.tables:
            # A table without columns that lead anywhere can still be emptied or altered.
            add(name, ())
        for each in table_uses(collection):
            add(each.table, each.columns)
    for cascades in all_cascades:
        for tracked in cascades.tables:
            add(tracked.table, tracked.columns)
        for cascade in cascades.tracked:
            add(cascade.parent, cascade.key.parent_columns)
    more = others or {}
    return {name: Watch(schema.by_name[name], tuple(columns), more.get(name, ())) for name, columns in wanted.items()}
