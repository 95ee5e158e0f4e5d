"""The SELECT statements that read the rows of a mapping's node. Pure: a node and keys in, text out.

A SELECT is compiled once per node (`Template`); the condition on keys, different in every statement, is put in as
text: compiling it took almost half of the time of a copy.

Each table stands in a derived table that holds the node's conditions and expressions, where the user's SQL sees just
that table and needs no qualification; both servers merge such a table into the outer query. In the outer query the
node's own table is `t`, its link table `l`, its parent's table `p`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import BINARY, FromClause, cast, func, literal_column, select
from sqlalchemy.sql import Select

from migrator.model.mapping.aggregates import decimals_of
from migrator.model.mapping.representation import family_of
from migrator.model.mapping.row_layout import Item, Layout, Origin, layout, map_key_item
from migrator.model.mapping.tree import Aggregate, Link, Node, Order
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.schema.tables import Column, ColumnName, Table
from migrator.source.sql.alphabets import Alphabets
from migrator.source.sql.conditions import exactly, nearly, within_range
from migrator.source.sql.literal import key_literal, text_literal
from migrator.source.sql.spelling import Expression, equal, formed, name_of, sql_text, table_of, verbatim

_LONG = ("text", "binary", "json", "geometry", "vector")

# Stands where a template's condition and LIMIT will be. No SQL that a server would take has these.
_GAP = "\x00keys\x00"
_LIMIT = "\x00limit\x00"
_NO_LIMIT = str(2**64 - 1)  # as the manual has it: LIMIT needs a number


@dataclass(frozen=True)
class Template:
    """A compiled SELECT with a gap for the condition on `columns`, whose names in the statement are `names`."""

    text: str
    columns: tuple[Column, ...]
    names: tuple[str, ...]

    def matching(self, keys: Sequence[Key]) -> str:
        """The statement for the rows with any of `keys`, or (when dense integers) between their ends."""
        return self._filled(nearly(self.columns, self.names, keys), _NO_LIMIT)

    def exactly(self, keys: Sequence[Key]) -> str:
        """The statement for the rows with any of `keys`, by the source's own comparison."""
        return self._filled(exactly(self.columns, self.names, keys), _NO_LIMIT)

    def first(self, within: KeyRange, limit: int) -> str:
        """The statement for the first rows of a key range."""
        return self._filled(" AND ".join(within_range(self.columns, self.names, within)) or "TRUE", str(limit))

    def _filled(self, condition: str, limit: str) -> str:
        return self.text.replace(_GAP, condition).replace(_LIMIT, limit)


def roots(root: Node) -> Template:
    """Root rows in key order."""
    source = _FromClause.of(root, None)
    key = [source.column("table", one.name) for one in root.key]
    statement = source.select().where(literal_column(_GAP)).order_by(*key).limit(literal_column(_LIMIT))
    return Template(sql_text(statement), root.key, tuple(map(name_of, key)))


def keyless_rows(root: Node, some: int | None = None) -> str:
    """All root rows of a table without a key, or the first `some` that the server comes across; rows with the same
    bytes follow each other."""
    source = _FromClause.of(root, None, some)
    return sql_text(source.select().order_by(*source.every_value()))


def children(node: Node, parent: Node) -> Template:
    """The rows of `node` by match values, ordered by those, then in the node's order, at most `limit` for each.

    Of an aggregate, one row for each match value that has rows.
    """
    source = _FromClause.of(node, parent)
    names = source.match_values()
    if node.aggregate is not None:
        grouped = source.select().where(literal_column(_GAP)).group_by(*names).order_by(*names)
        return Template(sql_text(grouped), match_columns(node, parent), tuple(map(name_of, names)))
    order = source.order()
    wanted: Expression = literal_column(_GAP)
    if node.limit is None:
        text = sql_text(source.select().where(wanted).order_by(*names, *order))
    else:
        number = func.row_number().over(partition_by=names, order_by=order)
        values = [value.label(f"c{place}") for place, value in enumerate(source.values())]
        inner = select(*values, number.label("n")).select_from(source.tables).where(wanted).subquery("r")
        kept = [inner.c[f"c{place}"] for place in range(len(values))]
        outer = select(*kept).where(inner.c.n <= literal_column(str(node.limit)))
        text = sql_text(outer.order_by(*kept[: len(names)], inner.c.n))
    return Template(text, match_columns(node, parent), tuple(map(name_of, names)))


class Templates:
    """What statements are made of: the templates of the nodes read so far, for as long as a process reads them.

    Attributes:
        alphabets: of the columns that values were looked for in by another collation than theirs.
    """

    def __init__(self) -> None:
        self.alphabets = Alphabets()
        # By id since hashing a whole tree takes longer than compiling. The node is kept with its template, and is
        # compared: in another process, to which this was sent, the id may be another node's.
        self._known: dict[int, tuple[Node, Template]] = {}

    def roots(self, root: Node) -> Template:
        return self._get(root, lambda: roots(root))

    def children(self, node: Node, parent: Node) -> Template:
        return self._get(node, lambda: children(node, parent))

    def _get(self, node: Node, build: Callable[[], Template]) -> Template:
        known = self._known.get(id(node))
        if known is None or known[0] is not node:
            known = self._known[id(node)] = node, build()
        return known[1]


def match_columns(node: Node, parent: Node) -> tuple[Column, ...]:
    """The columns of Layout.match: the child's side of an exact join, else the parent's own key."""
    join = node.parent_join()
    if join is None:
        raise AssertionError(f"{node.id} has no join")
    return join.child if join.exact else parent.key


def probe(schema: str, name: str, expression: str) -> str:
    """Asks for the type of `expression` over a row of a table, not for rows."""
    return sql_text(select(verbatim(expression).label("x")).select_from(table_of(schema, name, ())).limit(0))


def join_probe(left: ColumnName, right: ColumnName) -> str:
    """Joins two tables by a column of each, and asks for no rows."""
    sides = [
        table_of(schema, name, (column,)).alias(alias) for (schema, name, column), alias in ((left, "p"), (right, "t"))
    ]
    joined = sides[0].join(sides[1], sides[0].c[left[2]] == sides[1].c[right[2]])
    return sql_text(select(literal_column("1")).select_from(joined).limit(0))


def locking_read(table: Table, columns: Sequence[str], key: Key) -> str:
    """Waits until the row that a unique key names is not locked by a transaction (MySQL 8.0)."""
    source = table_of(table.schema, table.name, columns)
    conditions: list[Expression] = [
        literal_column(f"{name_of(source.c[name])} = {key_literal(table.by_name[name], value)}")
        for name, value in zip(columns, key, strict=True)
    ]
    return f"{sql_text(select(source.c[columns[0]]).where(*conditions))} FOR SHARE"


@dataclass(frozen=True)
class _FromClause:
    """What a node's rows are selected from.

    Attributes:
        layout: which values are wanted.
        tables: the joined tables.
        by_origin: each of them by what the layout calls it.
        expressions: SQL text -> its name in the derived table `t`.
        columns: the columns of the layout's items, as far as their types matter.
    """

    node: Node
    layout: Layout
    tables: FromClause
    by_origin: dict[Origin, FromClause]
    expressions: dict[str, str]
    columns: dict[tuple[Origin, str], Column]

    @classmethod
    def of(cls, node: Node, parent: Node | None, some: int | None = None) -> _FromClause:
        wanted = layout(node, parent)
        expressions = _aliases(wanted)
        own = _own_table(node, wanted, expressions, some)
        by_origin: dict[Origin, FromClause] = {"table": own, "expression": own}
        tables: FromClause = own
        if node.link is not None:
            link = by_origin["link"] = _link_table(node, node.link, wanted)
            tables = link.join(own, equal(link, node.link.child.parent, own, node.link.child.child))
        join = node.parent_join()
        if join is not None and parent is not None and not join.exact:
            names = dict.fromkeys(one.name for one in (*parent.key, *join.parent))
            above = by_origin["parent"] = table_of(parent.schema, parent.table, names).alias("p")
            near = by_origin["link"] if node.link is not None else own
            tables = tables.join(above, equal(above, join.parent, near, join.child))
        return cls(node, wanted, tables, by_origin, expressions, _columns_of(node))

    def select(self) -> Select[Any]:
        return select(*self.values()).select_from(self.tables)

    def values(self) -> list[Expression]:
        """The layout's items, in order."""
        return [self._value(item) for item in self.layout.items]

    def match_values(self) -> list[Expression]:
        return [self.column(item.origin, item.name) for item in self.layout.items[: self.layout.match]]

    def column(self, origin: Origin, name: str) -> Expression:
        return self.by_origin[origin].c[name]

    def order(self) -> list[Expression]:
        """The node's order, complete: a link's key last, every value where the table has no key."""
        node = self.node
        found = [self._term(one) for one in node.order]
        if not node.order:
            key = [self.column("table", one.name) for one in node.key]
            found = [*self._map_key(), *key]
        if not node.key:
            found += self.every_value()
        if node.link is not None:
            found += [self.column("link", name) for name in node.link.key]
        return found

    def _map_key(self) -> list[Expression]:
        key = self.node.map_key
        return [] if key is None else [self.column(map_key_item(self.node, key).origin, key.name)]

    def _term(self, one: Order) -> Expression:
        column = self.column("link" if one.from_link else "table", one.column)
        return column.desc() if one.descending else column

    def every_value(self) -> list[Expression]:
        """Sort keys that put rows with the same bytes together.

        The server compares only the first max_sort_length bytes of long values, so those are hashed.
        """
        return [self._bytes(item) for item in self.layout.items[self.layout.match :]]

    def _bytes(self, item: Item) -> Expression:
        value = cast(self._value(item), BINARY())
        known = self.columns.get((item.origin, item.name))
        short = known is not None and (family_of(known) not in _LONG or (known.length or 1024) <= 200)
        return value if short else func.sha2(value, literal_column("256"))

    def _aggregate(self, aggregate: Aggregate) -> Expression:
        """The function over the rows of a group."""
        if aggregate.column is None:
            count = func.count()
            return count > literal_column("0") if aggregate.function == "exists" else count
        column: Expression = self.column("table", aggregate.column.name)
        found: Expression = getattr(func, aggregate.function)(column)
        if family_of(aggregate.column) in ("float", "double"):
            # -0 and 0 are equal, and which one comes is not certain.
            found = found + literal_column("0")
        elif family_of(aggregate.column) == "year" and aggregate.function in ("min", "max"):
            # As the column itself is printed.
            found = func.lpad(found, literal_column("4"), literal_column("'0'"))
        decimals = decimals_of(aggregate)
        return found if decimals is None else func.round(found, literal_column(str(decimals)))

    def _value(self, item: Item) -> Expression:
        if item.origin == "aggregate":
            assert self.node.aggregate is not None
            return formed(self._aggregate(self.node.aggregate), item.form, is_enum=False)
        name = self.expressions[item.name] if item.origin == "expression" else item.name
        known = self.columns.get((item.origin, item.name))
        return formed(self.column(item.origin, name), item.form, is_enum=known is not None and known.members != ())


def _aliases(wanted: Layout) -> dict[str, str]:
    """A name for each expression that no column has."""
    taken = {item.name for item in wanted.items}
    free = (name for name in (f"x{number}" for number in count()) if name not in taken)
    return {text: next(free) for text in dict.fromkeys(i.name for i in wanted.items if i.origin == "expression")}


def _own_table(node: Node, wanted: Layout, expressions: dict[str, str], some: int | None) -> FromClause:
    names = [item.name for item in wanted.items if item.origin == "table"]
    names += [one.column for one in node.order if not one.from_link]
    names += [one.name for one in node.key]
    names += [node.aggregate.column.name] if node.aggregate is not None and node.aggregate.column is not None else []
    join = node.link.child if node.link is not None else node.join
    names += [one.name for one in join.child] if join is not None else []
    base = table_of(node.schema, node.table, dict.fromkeys((*names, *(name for name, _ in node.match))))
    chosen: list[Expression] = [base.c[name] for name in dict.fromkeys(names)]
    chosen += [verbatim(text).label(alias) for text, alias in expressions.items()]
    constants = [base.c[name] == literal_column(text_literal(value)) for name, value in node.match]
    return _derived(base, chosen, node.where, constants, "t", some)


def _link_table(node: Node, link: Link, wanted: Layout) -> FromClause:
    names = [item.name for item in wanted.items if item.origin == "link"]
    names += [one.column for one in node.order if one.from_link]
    names += [one.name for one in (*link.parent.child, *link.child.parent)]
    base = table_of(link.schema, link.table, dict.fromkeys((*names, *link.key)))
    return _derived(base, list(base.c), link.where, [], "l")


def _derived(
    base: FromClause,
    chosen: Sequence[Expression],
    where: str | None,
    conditions: Sequence[Expression],
    alias: str,
    some: int | None = None,
) -> FromClause:
    statement = select(*chosen).select_from(base).where(*conditions)
    if where is not None:
        statement = statement.where(verbatim(where))
    if some is not None:
        statement = statement.limit(literal_column(str(some)))
    return statement.subquery(alias)


def _columns_of(node: Node) -> dict[tuple[Origin, str], Column]:
    cases = node.variants.cases if node.variants is not None else ()
    fields = [*node.fields, *(field for _, case in cases for field in case)]
    found: dict[tuple[Origin, str], Column] = {("table", one.name): one for one in node.key}
    found |= {("link" if one.from_link else "table", one.column.name): one.column for one in fields if one.sql is None}
    return found
