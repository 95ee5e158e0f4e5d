"""What the server knows about the tables without reading them, and which of them are small enough to be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from migrator.errors import SourceError
from migrator.model.schema.tables import Index
from migrator.source.measuring.queries import Asker, Row, TimeLimit, number
from migrator.source.measuring.row_queries import table_name
from migrator.source.sql.literal import text_literal

# All questions about a table together take a server about 15 us a row: a third of a second for so many.
SMALL_ROWS = 20_000
SMALL_BYTES = 32 << 20
# Rows of a table of which one question that matters may read all within its time limit.
READABLE_ROWS = 200_000

TableKey = tuple[str, str]


@dataclass(frozen=True)
class TableFacts:
    """A table's properties and the server's estimates.

    Attributes:
        engine: "" for a view.
        rows, bytes: the server's estimates; for a view unknown, 0.
        columns: all, in table order.
        indexes: those that find a row by its value, the primary key too.
    """

    schema: str
    name: str
    engine: str
    is_view: bool
    rows: int
    bytes: int
    columns: tuple[str, ...]
    indexes: tuple[Index, ...]

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def is_readable(self) -> bool:
        """Whether one question may read all of it; so it is where the size is unknown."""
        return self.rows <= READABLE_ROWS

    def has_index(self, names: Sequence[str], known: Sequence[str] = ()) -> bool:
        """Whether an index begins with some of `names` (columns of `known`, that equal constants, may come before)."""
        usable = {*names, *known}
        for index in self.indexes:
            for column in index.columns:
                if column in names:
                    return True
                if column not in usable:
                    break
        return False

    def is_unique(self, names: Sequence[str]) -> bool:
        """Whether at most one row can hold the same values in `names`, NULL aside."""
        return any(index.unique and index.whole and set(index.columns) <= set(names) for index in self.indexes)


def read_facts(ask: Asker, tables: Sequence[TableKey]) -> dict[TableKey, TableFacts]:
    """The facts of some tables.

    Raises:
        SourceError: when one of them doesn't exist, or the account may not see it.
    """
    wanted = ", ".join(f"({text_literal(schema)}, {text_literal(name)})" for schema, name in tables)
    where = f"WHERE (TABLE_SCHEMA, TABLE_NAME) IN ({wanted})"
    found = ask.rows(
        "read the tables' statistics",
        "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_TYPE, TABLE_ROWS, DATA_LENGTH "
        f"FROM information_schema.TABLES {where}",
    )
    columns = _by_table(
        ask.rows(
            "read the tables' columns",
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS "
            f"{where} ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
        )
    )
    parts = _by_table(
        ask.rows(
            "read the tables' indexes",
            "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, NON_UNIQUE, SUB_PART, INDEX_TYPE "
            f"FROM information_schema.STATISTICS {where} ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
        )
    )
    facts = {}
    for schema, name, engine, kind, rows, size in found:
        key = (_text(schema), _text(name))
        facts[key] = TableFacts(
            schema=key[0],
            name=key[1],
            engine=_text(engine),
            is_view=_text(kind).endswith("VIEW"),
            rows=number(rows),
            bytes=number(size),
            columns=tuple(_text(row[2]) for row in columns[key]),
            indexes=_indexes(parts[key]),
        )
    for key in tables:
        if key not in facts:
            raise SourceError(
                "the table doesn't exist any more, or the account may not see it",
                where=".".join(key),
                hint=f"Grant SELECT on it: GRANT SELECT ON `{key[0]}`.* TO <account>;",
            )
    return facts


def is_small(ask: Asker, facts: TableFacts) -> bool:
    """Whether the whole table may be read. Statistics lie, so at most SMALL_ROWS index entries are counted too."""
    if facts.rows > SMALL_ROWS or facts.bytes > SMALL_BYTES:
        return False
    try:
        return counted_upto(ask, facts, SMALL_ROWS + 1) <= SMALL_ROWS
    except TimeLimit:
        return False


def counted_upto(ask: Asker, facts: TableFacts, most: int) -> int:
    """The number of rows, but not more than `most`."""
    table = table_name(facts.schema, facts.name)
    statement = f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT {most}) AS c"
    return number(ask.row(f"count the rows of {facts.qualified}", statement)[0])


def _by_table(rows: Sequence[Row]) -> dict[TableKey, list[Row]]:
    found: dict[TableKey, list[Row]] = defaultdict(list)
    for row in rows:
        found[_text(row[0]), _text(row[1])].append(row)
    return found


def _indexes(rows: Sequence[Row]) -> tuple[Index, ...]:
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        # A FULLTEXT or SPATIAL index finds no row by its value; an expression has no column.
        if row[6] in (b"BTREE", b"HASH"):
            parts[_text(row[2])].append(row)
    return tuple(
        Index(
            name=name,
            columns=tuple(_text(row[3]) for row in found if row[3] is not None),
            unique=number(found[0][4]) == 0,
            whole=all(row[3] is not None and row[5] is None for row in found),
        )
        for name, found in parts.items()
        if found[0][3] is not None
    )


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode()
