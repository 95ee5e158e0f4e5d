"""The SELECT statements that find the documents which rows are part of. Pure: a path and values in, text out.

Root keys are found from the changed end by plain joins. What the nodes leave out (`where`, `match`, `limit`) is
left aside: a document that doesn't hold the row is rebuilt in vain, one that did hold it until now is not missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import FromClause, literal_column, select

from migrator.model.change.events import RefKind
from migrator.model.mapping.row_layout import column_item
from migrator.model.mapping.tree import Node
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.schema.tables import Column
from migrator.source.sql.comparison import Comparison
from migrator.source.sql.conditions import exactly, joined, within_range
from migrator.source.sql.literal import text_literal
from migrator.source.sql.spelling import Expression, equal, formed, name_of, sql_text, table_of


@dataclass(frozen=True)
class RootKeyQuery:
    """The way from values to root keys, as joined tables.

    Attributes:
        tables: all of them, joined.
        key: the root's key in them.
        comparisons: columns of theirs, each with the one whose values are given; `names` is what the former are called
            in the statement.
        repeats: whether a root may be found more than once.
    """

    root: Node
    tables: FromClause
    key: tuple[Expression, ...]
    comparisons: tuple[Comparison, ...]
    names: tuple[str, ...]
    repeats: bool

    @classmethod
    def of(cls, path: Sequence[Node], kind: RefKind) -> RootKeyQuery:
        """Raises AssertionError for a hop without values, or a path without a join."""
        *above, last = path
        needed = _needed_columns(path, kind)
        sources = [
            table_of(node.schema, node.table, needed[place]).alias(f"n{place}") for place, node in enumerate(above)
        ]
        tables: FromClause = sources[0]
        near: FromClause = sources[0]
        for place, node in enumerate(above[1:], 1):
            if node.link is not None:
                names = [column.name for column in (*node.link.parent.child, *node.link.child.parent)]
                between = table_of(node.link.schema, node.link.table, dict.fromkeys(names)).alias(f"l{place}")
                tables = tables.join(between, equal(near, node.link.parent.parent, between, node.link.parent.child))
                tables = tables.join(
                    sources[place], equal(between, node.link.child.parent, sources[place], node.link.child.child)
                )
            else:
                assert node.join is not None, f"{node.id} has no join"
                tables = tables.join(sources[place], equal(near, node.join.parent, sources[place], node.join.child))
            near = sources[place]
        join = last.parent_join()
        assert join is not None, f"{last.id} has no join"
        wanted, given = join.parent, join.child
        if kind == "child":
            assert last.link is not None, f"{last.id} has no link table"
            names = [column.name for column in (*join.child, *last.link.child.parent)]
            link = table_of(last.link.schema, last.link.table, dict.fromkeys(names)).alias("l")
            tables = tables.join(link, equal(near, join.parent, link, join.child))
            near, wanted, given = link, last.link.child.parent, last.link.child.child
        key = tuple(sources[0].c[column.name] for column in above[0].key)
        named = tuple(name_of(near.c[column.name]) for column in wanted)
        comparisons = tuple(Comparison(one, other) for one, other in zip(wanted, given, strict=True))
        return cls(above[0], tables, key, comparisons, named, repeats=len(above) > 1 or kind == "child")

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those whose values are given."""
        return tuple(one.given for one in self.comparisons)

    def keys(self, values: Sequence[Key], within: KeyRange, limit: int) -> str:
        """The statement for the lowest root keys of a range that `values` lead to."""
        conditions = within_range(self.root.key, [name_of(one) for one in self.key], within)
        conditions.append(joined(self.comparisons, self.names, values))
        statement = select(*_formed(self.root, self.key)).select_from(self.tables)
        statement = statement.where(*(literal_column(one) for one in conditions))
        if self.repeats:
            # By the key itself: as text, equal keys could print in several ways, and an index would not serve.
            statement = statement.group_by(*self.key)
        return sql_text(statement.order_by(*self.key).limit(limit))


def lowest(root: Node, keys: Sequence[Key], limit: int) -> str:
    """The statement for the lowest of some root keys, in the server's order, which nobody else knows."""
    source = table_of(root.schema, root.table, [column.name for column in root.key])
    key = tuple(source.c[column.name] for column in root.key)
    condition: Expression = literal_column(exactly(root.key, [name_of(one) for one in key], keys))
    return sql_text(select(*_formed(root, key)).where(condition).order_by(*key).limit(limit))


def all_rows(schema: str, name: str, key: Sequence[Column], columns: Sequence[Column]) -> str:
    """The statement for some columns of every row of a table, in key order, the key first."""
    source = table_of(schema, name, dict.fromkeys(one.name for one in (*key, *columns)))
    values = [formed(source.c[one.name], column_item(one).form) for one in (*key, *columns)]
    return sql_text(select(*values).order_by(*(source.c[one.name] for one in key)))


def _formed(root: Node, key: Sequence[Expression]) -> list[Expression]:
    """As the layout has it, so that these keys and those of documents are the same bytes."""
    return [formed(one, column_item(column).form) for one, column in zip(key, root.key, strict=True)]


def _needed_columns(path: Sequence[Node], kind: RefKind) -> list[list[str]]:
    """Of every node above the last one: the columns of its key (the root's) and of the joins on both sides."""
    found: list[dict[str, None]] = [{} for _ in path[:-1]]
    found[0] |= dict.fromkeys(column.name for column in path[0].key)
    for place, node in enumerate(path[1:]):
        join = node.parent_join()
        assert join is not None, f"{node.id} has no join"
        found[place] |= dict.fromkeys(column.name for column in join.parent)
        if place + 1 < len(found):
            own = node.link.child if node.link is not None else join
            found[place + 1] |= dict.fromkeys(column.name for column in own.child)
    return [list(one) for one in found]


def column_types(schema: str, name: str) -> str:
    """The statement for name, base type, full type and character set of a table's columns."""
    source = table_of("information_schema", "COLUMNS", ("TABLE_SCHEMA", "TABLE_NAME", *_TYPES))
    where = [_text(schema) == source.c.TABLE_SCHEMA, _text(name) == source.c.TABLE_NAME]
    return sql_text(select(*(source.c[one] for one in _TYPES)).where(*where))


_TYPES = ("COLUMN_NAME", "DATA_TYPE", "COLUMN_TYPE", "CHARACTER_SET_NAME")


def _text(value: str) -> Expression:
    return literal_column(text_literal(value))
