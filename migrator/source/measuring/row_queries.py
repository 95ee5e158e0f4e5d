"""SQL text for the rows of a mapping's tables: all of them, some of them, and joined down from the root.

Pure: nodes in, text out. The user's SQL stands where it sees the one table it was written for, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from migrator.model.mapping.tree import Field, Link, Node, Order
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.schema.tables import Column
from migrator.source.measuring.row_sizes import link_size, row_size
from migrator.source.sql.literal import key_literal, text_literal


def quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def table_name(schema: str, name: str) -> str:
    return f"{quoted(schema)}.{quoted(name)}"


@dataclass(frozen=True)
class Among:
    """Some rows: those whose `columns` equal a row of `keys`, an SELECT of columns m0, m1, ..."""

    columns: tuple[str, ...]
    keys: str


@dataclass(frozen=True)
class Head:
    """Some rows: the first that the server comes upon, for a table without a key."""

    columns: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class Where:
    """Some rows: those for which an SQL condition over the table's columns holds."""

    condition: str


Some = Among | Head | Where | None


@dataclass(frozen=True)
class TablePart:
    """A table with the mapping's conditions on it."""

    schema: str
    table: str
    where: str | None = None
    match: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, node: Node) -> TablePart:
        return cls(node.schema, node.table, node.where, node.match)

    @classmethod
    def of_link(cls, link: Link) -> TablePart:
        return cls(link.schema, link.table, link.where)

    def unconditional(self) -> TablePart:
        return TablePart(self.schema, self.table)

    def column(self, name: str) -> str:
        return f"{quoted(self.table)}.{quoted(name)}"

    def value(self, field: Field) -> str:
        """A field's value: its column, or the user's expression; the line break ends a comment at its end."""
        return self.column(field.column.name) if field.sql is None else f"({field.sql}\n)"

    def select(self, values: Mapping[str, str], some: Some = None) -> str:
        """The kept rows, or some of them: `values` is alias -> expression."""
        chosen = ", ".join(f"{expression} AS {alias}" for alias, expression in values.items())
        conditions = [f"({self.where}\n)"] if self.where is not None else []
        conditions += [f"{self.column(name)} = {text_literal(constant)}" for name, constant in self.match]
        base = table_name(self.schema, self.table)
        match some:
            case Among(columns, keys):
                pairs = [f"{self.column(name)} = migrator_some.m{place}" for place, name in enumerate(columns)]
                base = f"({keys}) AS migrator_some STRAIGHT_JOIN {base} ON {' AND '.join(pairs)}"
            case Head(columns, rows):
                names = ", ".join(map(quoted, columns))
                base = f"(SELECT {names} FROM {base} LIMIT {rows}) AS {quoted(self.table)}"
            case Where(condition):
                conditions.append(f"({condition})")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {chosen} FROM {base}{where}"


def within(part: TablePart, columns: Sequence[Column], keys: KeyRange) -> Some:
    """The rows of a key range, so spelled that the server reads a range of the key's index."""
    names = [part.column(one.name) for one in columns]
    conditions = []
    if keys.after is not None:
        conditions.append(_beyond(columns, names, keys.after, ">", ">"))
    if keys.upto is not None:
        conditions.append(_beyond(columns, names, keys.upto, "<", "<="))
    return Where(" AND ".join(conditions)) if conditions else None


def at_keys(part: TablePart, columns: Sequence[Column], keys: Sequence[Key]) -> Where:
    """The rows that the source's own comparison finds for some keys, which are not none."""
    names = [part.column(one.name) for one in columns]
    rows = [
        " AND ".join(
            f"{name} = {key_literal(column, value)}" for name, column, value in zip(names, columns, key, strict=True)
        )
        for key in keys
    ]
    return Where(" OR ".join(f"({row})" for row in rows))


def _beyond(columns: Sequence[Column], names: Sequence[str], key: Key, strictly: str, at_last: str) -> str:
    """a > x OR (a = x AND b > y), to any depth: row constructors would not be used for a range."""
    literal = key_literal(columns[0], key[0])
    if len(columns) == 1:
        return f"({names[0]} {at_last} {literal})"
    deeper = _beyond(columns[1:], names[1:], key[1:], strictly, at_last)
    edge = "<=" if strictly == "<" else ">="
    return f"({names[0]} {edge} {literal} AND ({names[0]} {strictly} {literal} OR {deeper}))"


@dataclass(frozen=True)
class Chain:
    """The rows of one node as they come into documents, joined down from the root.

    Attributes:
        sql: a SELECT with the columns below, `b` (BSON bytes of the row) and, for a map, `g` (bytes of its key).
        root: names of the columns that hold the root's key.
        above: names of the columns that together with `root` name the parent's row.
    """

    sql: str
    root: tuple[str, ...]
    above: tuple[str, ...]

    @property
    def parent(self) -> tuple[str, ...]:
        return (*self.root, *self.above)


def chain(path: Sequence[Node], roots: Some = None, leaf: Some = None) -> Chain:
    """The rows of the last node of `path`, which leads from the root to it.

    Args:
        path: root, child of the root, ..., the node.
        roots: only below some of the root rows.
        leaf: only for some rows of the last node (for a `through` node, of its link table).
    """
    root = path[0]
    part = TablePart.of(root)
    names = tuple(f"r{place}" for place in range(len(root.key)))
    values = dict(zip(names, (part.column(one.name) for one in root.key), strict=True))
    values |= _joins_below(part, path, 0)
    values["b"] = row_size(root, part)
    sql = part.select(values, roots)
    above: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    for level in range(1, len(path)):
        above = (*above, *own)
        node = path[level]
        own = tuple(f"a{level}_{place}" for place in range(len(node.key)))
        sql = _level(sql, path, level, (*names, *above), leaf if level == len(path) - 1 else None)
    return Chain(sql, names, above)


def _joins_below(part: TablePart, path: Sequence[Node], level: int) -> dict[str, str]:
    """The columns by which the next node of the path is joined."""
    join = path[level + 1].parent_join() if level + 1 < len(path) else None
    columns = join.parent if join is not None else ()
    return {f"j{place}": part.column(one.name) for place, one in enumerate(columns)}


def _level(above_sql: str, path: Sequence[Node], level: int, kept: Sequence[str], some: Some) -> str:
    """The rows of one level below those of `above_sql`, whose columns `kept` are handed on."""
    node = path[level]
    part = TablePart.of(node)
    own = {f"a{level}_{place}": part.column(one.name) for place, one in enumerate(node.key)}
    handed = own | _joins_below(part, path, level)
    if node.map_key is not None and not node.map_key_from_link:
        handed["g"] = f"CAST({part.column(node.map_key.name)} AS BINARY)"
    linked: dict[str, str] = {}
    join = node.link.child if node.link is not None else node.join
    if join is None:
        raise AssertionError(f"{node.id} has no join")
    inside = {f"c{place}": part.column(one.name) for place, one in enumerate(join.child)}
    inside |= _ordering(node, part, from_link=False)
    inside |= handed | {"b": row_size(node, part)}
    own_table = part.select(inside, None if node.link is not None else some)
    size, order = "t.b", [_term(place, one) for place, one in enumerate(node.order)]
    if node.link is None:
        tables = f"({above_sql}) AS p JOIN ({own_table}) AS t ON {_equal('p.j', 't.c', len(join.child))}"
    else:
        link = TablePart.of_link(node.link)
        values = {f"u{place}": link.column(one.name) for place, one in enumerate(node.link.parent.child)}
        values |= {f"d{place}": link.column(one.name) for place, one in enumerate(join.parent)}
        values |= {f"k{place}": link.column(name) for place, name in enumerate(node.link.key)}
        values |= _ordering(node, link, from_link=True)
        values["b"] = link_size(node, link)
        if node.map_key is not None and node.map_key_from_link:
            linked["g"] = values["g"] = f"CAST({link.column(node.map_key.name)} AS BINARY)"
        to_link = _equal("p.j", "l.u", len(node.link.parent.child))
        tables = (
            f"({above_sql}) AS p JOIN ({link.select(values, some)}) AS l ON {to_link} "
            f"JOIN ({own_table}) AS t ON {_equal('l.d', 't.c', len(join.child))}"
        )
        size = "t.b + l.b"
        order += [f"l.k{place}" for place in range(len(node.link.key))]
    chosen = [f"p.{name}" for name in kept] + [f"t.{alias}" for alias in handed]
    chosen += [f"l.{alias}" for alias in linked] + [f"{size} AS b"]
    if node.limit is None:
        return f"SELECT {', '.join(chosen)} FROM {tables}"
    ordered = f" ORDER BY {', '.join(order)}" if order else ""
    partition = ", ".join(f"p.{name}" for name in kept)
    chosen.append(f"ROW_NUMBER() OVER (PARTITION BY {partition}{ordered}) AS n")
    names = [*kept, *handed, *linked, "b"]
    return f"SELECT {', '.join(names)} FROM (SELECT {', '.join(chosen)} FROM {tables}) AS w WHERE n <= {node.limit}"


def _ordering(node: Node, part: TablePart, *, from_link: bool) -> dict[str, str]:
    """The columns of one of a node's two tables by which its rows are ordered."""
    return {f"o{place}": part.column(one.column) for place, one in enumerate(node.order) if one.from_link is from_link}


def _term(place: int, one: Order) -> str:
    return f"{'l' if one.from_link else 't'}.o{place}{' DESC' if one.descending else ''}"


def _equal(left: str, right: str, count: int) -> str:
    return " AND ".join(f"{left}{place} = {right}{place}" for place in range(count))
