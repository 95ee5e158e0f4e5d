"""Questions about a root table's key index, each answered from few of its entries: what chunks are planned with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import FromClause, func, literal_column, select
from sqlalchemy.sql import Select

from migrator.model.mapping.row_layout import column_item
from migrator.model.mapping.tree import Node
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.schema.tables import Column
from migrator.source.sql.conditions import within_range
from migrator.source.sql.literal import key_literal
from migrator.source.sql.spelling import Expression, formed, name_of, sql_text, table_of


def extent(root: Node, within: KeyRange) -> str:
    """Lowest and highest value of the leading key column from `within.after`'s on, NULL when there are no rows."""
    source, key = _key_source(root)
    statement = select(func.min(key[0]), func.max(key[0])).select_from(source)
    if within.after is not None:
        statement = statement.where(key[0] >= _literal(root.key[0], within.after[0]))
    return sql_text(statement)


def leading_between(root: Node, low: bytes, high: bytes) -> str:
    """The rows whose leading key is from `low` to `high`; to be explained, not run."""
    source, key = _key_source(root)
    column = root.key[0]
    return sql_text(
        select(key[0]).select_from(source).where(key[0].between(_literal(column, low), _literal(column, high)))
    )


def last_key_upto(root: Node, start: Key | None, last: bytes) -> str:
    """The highest key after `start` whose leading part is at most `last`."""
    source, key = _key_source(root)
    bounds = _after(root, key, start)
    statement = _select_key(root, key).select_from(source).where(*bounds, key[0] <= _literal(root.key[0], last))
    return sql_text(statement.order_by(*(one.desc() for one in key)).limit(1))


def key_after(root: Node, start: Key | None, last: bytes | None, rows: int) -> str:
    """The `rows`-th key after `start`, among those whose leading part is at most `last`."""
    source, key = _key_source(root)
    bounds = _after(root, key, start)
    statement = _select_key(root, key).select_from(source).where(*bounds)
    if last is not None:
        statement = statement.where(key[0] <= _literal(root.key[0], last))
    return sql_text(statement.order_by(*key).limit(1).offset(rows - 1))


def _after(root: Node, key: Sequence[Expression], start: Key | None) -> list[Expression]:
    conditions = within_range(root.key, [name_of(one) for one in key], KeyRange(start, None))
    return [literal_column(condition) for condition in conditions]


def _key_source(root: Node) -> tuple[FromClause, list[Expression]]:
    source = table_of(root.schema, root.table, [one.name for one in root.key])
    return source, [source.c[one.name] for one in root.key]


def _select_key(root: Node, key: Sequence[Expression]) -> Select[Any]:
    """The key as the layout has it, so that ranges and rows speak of the same bytes."""
    return select(*(formed(one, column_item(column).form) for one, column in zip(key, root.key, strict=True)))


def _literal(column: Column, value: bytes) -> Expression:
    return literal_column(key_literal(column, value))
