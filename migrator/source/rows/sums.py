"""Sums over the tables of a mapping's node, by the server's own aggregates: one statement a node.

The documents' arrays are the joins of the tables, so the joins are written out here and no row is read. Written apart
from `statements` and from the assembler on purpose: a mistake there must not be made here a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from migrator.model.mapping.tree import Join, Link, Node
from migrator.model.plan.chunk import Key
from migrator.model.report.sums import TEXT_BYTES, FieldSums, MeasuredField, NodeSums, SummedNode
from migrator.model.schema.collation import collated
from migrator.model.schema.tables import Column
from migrator.source.connection.connect import connected_raw
from migrator.source.connection.url import SourceUrl
from migrator.source.sql.literal import key_literal, text_literal

# Of one place in the chain: its number, `t` for the node's own table or `l` for its link table, and the column.
_Column = tuple[int, str, str]


def sums(url: SourceUrl, nodes: Sequence[SummedNode], without: Sequence[Key]) -> tuple[NodeSums, ...]:
    """What the source holds at each spot of one collection, in one snapshot.

    Args:
        without: root keys whose documents were rejected.
    """
    with connected_raw(url) as connection, connection.cursor() as cursor:
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        found = []
        for summed in nodes:
            cursor.execute(statement(summed, without))
            (row,) = cursor.fetchall()
            found.append(_sums(summed, row))
        return tuple(found)


def statement(summed: SummedNode, without: Sequence[Key] = ()) -> str:
    """The SELECT of one row: how many rows, then of each field count, sum, least and greatest."""
    tables = _JoinedTables.of(summed, without)
    selected = ["COUNT(*)"]
    for measured in summed.fields:
        selected += _aggregates(measured, tables)
        if summed.node.shape in ("scalars", "map") and measured.field.value.policies.null == "omit":
            tables.conditions.append(f"{_present(measured, tables.of_field(measured))} IS NOT NULL")
    where = f" WHERE {' AND '.join(tables.conditions)}" if tables.conditions else ""
    return f"SELECT {', '.join(selected)} FROM {tables.text}{where}"


@dataclass
class _JoinedTables:
    """The joined tables so far, and what their columns are called."""

    text: str = ""
    conditions: list[str] = field(default_factory=list)
    names: dict[_Column, str] = field(default_factory=dict)
    depth: int = 0

    @classmethod
    def of(cls, summed: SummedNode, without: Sequence[Key]) -> _JoinedTables:
        tables = cls()
        for number, node in enumerate(summed.chain):
            below = summed.chain[number + 1] if number + 1 < len(summed.chain) else None
            tables._add(number, node, below, summed.fields if below is None else ())
            if number == 0 and without:
                tables.conditions.append(tables._not_among(node.key, without))
            if node.limit is not None:
                tables._limit(summed.chain[: number + 1], node.limit)
        tables.depth = len(summed.chain) - 1
        return tables

    def own(self, name: str) -> str:
        """A column, or an expression, of the last node's table."""
        return self.names[self.depth, "t", name]

    def of_field(self, measured: MeasuredField) -> str:
        """A field's value, of every row."""
        one = measured.field
        name = one.sql if one.sql is not None else one.column.name
        return self.names[self.depth, "l" if one.from_link else "t", name]

    def _add(self, number: int, node: Node, below: Node | None, fields: Sequence[MeasuredField]) -> None:
        own, linked, expressions = _needed(node, below, fields)
        for column in own:
            self.names[number, "t", column] = f"t{number}.{_quoted(column)}"
        for place, expression in enumerate(expressions):
            self.names[number, "t", expression] = f"t{number}.{_alias(place)}"
        table = f"{_derived(node, own, expressions)} AS t{number}"
        if node.link is not None:
            for column in linked:
                self.names[number, "l", column] = f"l{number}.{_quoted(column)}"
            link = f"{_derived_link(node.link, linked)} AS l{number}"
            self.text += f" JOIN {link} ON {self._joined(node.link.parent, number - 1, 't', number, 'l')}"
            self.text += f" JOIN {table} ON {self._joined(node.link.child, number, 'l', number, 't')}"
        elif node.join is not None:
            self.text += f" JOIN {table} ON {self._joined(node.join, number - 1, 't', number, 't')}"
        else:
            self.text = table

    def _joined(self, join: Join, above: int, side: str, number: int, own: str) -> str:
        pairs = zip(join.parent, join.child, strict=True)
        return " AND ".join(
            f"{_compared(self.names[above, side, a.name], a, b)} = {_compared(self.names[number, own, b.name], b, a)}"
            for a, b in pairs
        )

    def _limit(self, chain: Sequence[Node], limit: int) -> None:
        """Numbers the rows of each parent in the node's order, and goes on with the first ones."""
        number, node = len(chain) - 1, chain[-1]
        parents = [
            self.names[place, "t", column.name] for place, above in enumerate(chain[:-1]) for column in above.key
        ]
        parents += [
            self.names[place, "l", name]
            for place, above in enumerate(chain[:-1])
            if above.link
            for name in above.link.key
        ]
        order = [
            f"{self.names[number, 'l' if one.from_link else 't', one.column]}{' DESC' if one.descending else ''}"
            for one in node.order
        ]
        if not node.order:
            key = [] if node.map_key is None else [("l" if node.map_key_from_link else "t", node.map_key.name)]
            order = [self.names[number, side, name] for side, name in (*key, *(("t", one.name) for one in node.key))]
        if node.link is not None:
            order += [self.names[number, "l", name] for name in node.link.key]
        known = list(self.names.items())
        selected = [f"{name} AS c{place}" for place, (_, name) in enumerate(known)]
        window = f"ROW_NUMBER() OVER (PARTITION BY {', '.join(parents)} ORDER BY {', '.join(order)}) AS n"
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        self.text = f"(SELECT {', '.join([*selected, window])} FROM {self.text}{where}) AS r{number}"
        self.names = {key: f"r{number}.c{place}" for place, (key, _) in enumerate(known)}
        self.conditions = [f"r{number}.n <= {limit}"]

    def _not_among(self, key: Sequence[Column], without: Iterable[Key]) -> str:
        names = [self.names[0, "t", column.name] for column in key]
        each = [
            " AND ".join(
                f"{name} = {key_literal(column, part)}" for name, column, part in zip(names, key, one, strict=True)
            )
            for one in without
        ]
        return f"NOT ({' OR '.join(f'({one})' for one in each)})"


def _needed(
    node: Node, below: Node | None, fields: Sequence[MeasuredField]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Columns of the node's table, of its link table, and expressions over its table."""
    plain = [each.field for each in fields if each.field.sql is None]
    own = [column.name for column in (*node.key, *_joined_columns(node, below), *_deciding_columns(node))]
    own += [one.column for one in node.order if not one.from_link]
    own += [each.column.name for each in plain if not each.from_link]
    linked = _link_columns(node.link) if node.link is not None else []
    linked += [one.column for one in node.order if one.from_link]
    linked += [each.column.name for each in plain if each.from_link]
    expressions = [each.field.sql for each in fields if each.field.sql is not None]
    return tuple(dict.fromkeys(own)), tuple(dict.fromkeys(linked)), tuple(dict.fromkeys(expressions))


def _joined_columns(node: Node, below: Node | None) -> Iterator[Column]:
    """What joins the node's table to the one below it, and to its parent or its link table."""
    down = None if below is None else below.parent_join()
    if down is not None:
        yield from down.parent
    up = node.join if node.link is None else node.link.child
    if up is not None:
        yield from up.child


def _deciding_columns(node: Node) -> Iterator[Column]:
    """What a row's key in a map, or its variant, is read from."""
    if node.map_key is not None and not node.map_key_from_link:
        yield node.map_key
    if node.variants is not None:
        yield node.variants.column


def _link_columns(link: Link) -> list[str]:
    return [*(column.name for column in (*link.parent.child, *link.child.parent)), *link.key]


def _derived(node: Node, columns: Sequence[str], expressions: Sequence[str]) -> str:
    """The node's table alone, as the user's conditions and expressions want to see it."""
    selected = [_quoted(name) for name in columns]
    selected += [f"({text}\n) AS {_alias(place)}" for place, text in enumerate(expressions)]
    conditions = [f"{_quoted(name)} = {text_literal(value)}" for name, value in node.match]
    conditions += [f"({node.where}\n)"] if node.where is not None else []
    return _select(selected, node.schema, node.table, conditions)


def _derived_link(link: Link, columns: Sequence[str]) -> str:
    conditions = [f"({link.where}\n)"] if link.where is not None else []
    return _select([_quoted(name) for name in columns], link.schema, link.table, conditions)


def _select(selected: Sequence[str], schema: str, table: str, conditions: Sequence[str]) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"(SELECT {', '.join(selected)} FROM {_quoted(schema)}.{_quoted(table)}{where})"


def _compared(name: str, column: Column, other: Column) -> str:
    collation = collated(column, other)
    return f"{name} COLLATE {collation}" if collation else name


def _alias(place: int) -> str:
    """Of an expression; no column is called so."""
    return _quoted(f"\u00a7{place}")


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


# --- what is added up ---


def _aggregates(measured: MeasuredField, tables: _JoinedTables) -> Iterator[str]:
    """Count, sum, least and greatest."""
    value = tables.of_field(measured)
    if measured.case is not None:
        column, case = measured.case
        held = f"CAST(CONVERT({tables.own(column)} USING utf8mb4) AS BINARY)"
        value = f"IF({held} = CAST({text_literal(case)} AS BINARY), {value}, NULL)"
    yield f"COUNT({_present(measured, value)})"
    match measured.measure:
        case "number" | "real":
            number = _number(measured, value)
            yield from (f"SUM({number})", f"MIN({number})", f"MAX({number})")
        case "date":
            moment = _moment(measured, value)
            yield from (f"SUM({moment})", f"MIN({moment})", f"MAX({moment})")
        case "bool":
            yield from (f"SUM({value} + 0 <> 0)", "NULL", "NULL")
        case "text":
            text = f"CONVERT({value} USING utf8mb4)"
            some = f"LEFT(CAST({text} AS BINARY), {TEXT_BYTES})"
            yield from (f"SUM(LENGTH({text}))", f"MIN({some})", f"MAX({some})")
        case "bytes":
            yield from (f"SUM(LENGTH({value}))", "NULL", "NULL")
        case "count":
            yield from ("NULL", "NULL", "NULL")


def _present(measured: MeasuredField, value: str) -> str:
    """What of `value` is not null in documents either."""
    kind = measured.field.value
    if kind.kind == "json":
        text = value if kind.family == "json" else f"CONVERT({value} USING utf8mb4)"
        # MySQL would refuse to name the type of what is no JSON.
        return f"IF({value} IS NULL OR IF(JSON_VALID({text}), JSON_TYPE({text}), '') = 'NULL', NULL, 1)"
    if kind.kind == "date" and kind.policies.zero_date == "null":
        return f"IF({_is_day(value)}, 1, NULL)"
    return value


def _number(measured: MeasuredField, value: str) -> str:
    family = measured.field.value.family
    if family in ("integer", "decimal", "double"):
        return value
    return f"{value} + 0e0" if family == "float" else f"{value} + 0"


def _moment(measured: MeasuredField, value: str) -> str:
    """Milliseconds since 1970, microseconds cut; NULL for what is no day."""
    since = f"FLOOR(TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', {value}) / 1000)"
    return f"IF({_is_day(value)}, {since}, NULL)"


def _is_day(value: str) -> str:
    whole = f"YEAR({value}) > 0 AND MONTH({value}) > 0 AND DAY({value}) > 0"
    # The last day of 2024-02-31 would be NULL.
    first = f"CONCAT(LPAD(YEAR({value}), 4, '0'), '-', MONTH({value}), '-01')"
    return f"{whole} AND DAY({value}) <= DAY(LAST_DAY({first}))"


def _sums(summed: SummedNode, row: Sequence[bytes | None]) -> NodeSums:
    fields = []
    for place, measured in enumerate(summed.fields):
        count, total, least, greatest = row[1 + 4 * place : 5 + 4 * place]
        values = int(count or b"0")
        text = measured.measure == "text"
        fields.append(
            FieldSums(
                values,
                values,
                _decimal(total),
                least if text else _decimal(least),
                greatest if text else _decimal(greatest),
            )
        )
    return NodeSums(int(row[0] or b"0"), tuple(fields))


def _decimal(value: bytes | None) -> Decimal | None:
    return None if value is None else Decimal(value.decode())
