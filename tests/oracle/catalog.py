"""What information_schema says about tables: columns, keys and foreign keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tests.oracle.session import Session, identifier

_MEMBER = re.compile(r"'((?:[^']|'')*)'")


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    full_type: str
    nullable: bool
    length: int | None
    precision: int | None
    fraction: int
    charset: str | None
    collation: str | None
    extra: str

    @property
    def unsigned(self) -> bool:
        return "unsigned" in self.full_type

    @property
    def members(self) -> list[str]:
        """Of ENUM and SET in order of definition."""
        return [text.replace("''", "'") for text in _MEMBER.findall(self.full_type)]

    @property
    def generated_key(self) -> bool:
        """MySQL's generated invisible primary key."""
        return self.name == "my_row_id" and "INVISIBLE" in self.extra.upper()


@dataclass(frozen=True)
class ForeignKey:
    table: str
    columns: list[str]
    parent: str
    parent_columns: list[str]


@dataclass
class Table:
    """`name` and the tables in foreign keys are `schema.table`."""

    name: str
    columns: list[Column]
    unique: list[tuple[str, list[str]]]
    foreign_keys: list[ForeignKey]

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name.lower() == name.lower():
                return column
        raise LookupError(f"{self.name} has no column {name}")

    @cached_property
    def primary_key(self) -> list[str]:
        return next((columns for name, columns in self.unique if name == "PRIMARY"), [])

    @cached_property
    def row_key(self) -> list[str]:
        """What names a row: the primary key, else the shortest unique key over NOT NULL columns, else nothing."""
        if self.primary_key:
            return self.primary_key
        for _, columns in sorted(self.unique, key=lambda index: (len(index[1]), index[0].lower())):
            if not any(self.column(name).nullable for name in columns):
                return columns
        return []


class Catalog:
    """Tables by `schema.table`, each read when first asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tables: dict[str, Table] = {}

    def table(self, name: str) -> Table:
        if name not in self._tables:
            self._tables[name] = self._read(name)
        return self._tables[name]

    def expression(self, table: str, sql: str) -> Column:
        """What the server makes of an expression's result when it stores it in a table.

        An integer is as wide as the server announces it, not as narrow as the column that would do for it.
        """
        run = self._session.rows
        run("DROP TEMPORARY TABLE IF EXISTS oracle_expression")
        run(f"CREATE TEMPORARY TABLE oracle_expression AS SELECT ({sql}) AS x FROM {identifier(table)} LIMIT 0")
        try:
            rows = run("SHOW FULL COLUMNS FROM oracle_expression")
        finally:
            run("DROP TEMPORARY TABLE IF EXISTS oracle_expression")
        full = str(rows[0][1])
        if self._session.announces_bigint(f"SELECT ({sql}) AS x FROM {identifier(table)} LIMIT 0"):
            full = "bigint unsigned" if "unsigned" in full else "bigint"
        return _from_full_type("x", full, rows[0][2])

    def _read(self, name: str) -> Table:
        schema, table = name.split(".", 1)
        run = self._session.rows
        json = self._json_columns(schema, table)
        columns = [
            Column(
                name=row[0],
                type="json" if row[0] in json else row[1].lower(),
                full_type=row[2],
                nullable=row[3] == "YES",
                length=_int(row[4]) if row[4] is not None else _bits(row[2]),
                precision=_int(row[5]),
                fraction=_int(row[6]) or 0,
                charset=row[7],
                collation=row[8],
                extra=row[9] or "",
            )
            for row in run(
                "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION,"
                " DATETIME_PRECISION, CHARACTER_SET_NAME, COLLATION_NAME, EXTRA FROM information_schema.COLUMNS"
                " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
                (schema, table),
            )
        ]
        if not columns:
            raise LookupError(f"no table {name}")
        unique: dict[str, list[str | None]] = {}
        for index, column, prefix in run(
            "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS"
            " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX",
            (schema, table),
        ):
            unique.setdefault(index, []).append(column if prefix is None else None)
        keys: dict[str, ForeignKey] = {}
        for constraint, column, parent_schema, parent, parent_column in run(
            "SELECT CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME,"
            " REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = %s"
            " AND TABLE_NAME = %s AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION",
            (schema, table),
        ):
            key = keys.setdefault(constraint, ForeignKey(name, [], f"{parent_schema}.{parent}", []))
            key.columns.append(column)
            key.parent_columns.append(parent_column)
        whole = [(index, [part for part in parts if part]) for index, parts in unique.items() if all(parts)]
        return Table(name, columns, whole, list(keys.values()))

    def _json_columns(self, schema: str, table: str) -> set[str]:
        """MariaDB's JSON columns are longtext with a check of the column's own name."""
        if not self._session.mariadb:
            return set()
        rows = self._session.rows(
            "SELECT CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS"
            " WHERE CONSTRAINT_SCHEMA = %s AND TABLE_NAME = %s",
            (schema, table),
        )
        return {name for name, clause in rows if clause.replace("`", "").lower() == f"json_valid({name.lower()})"}


def _from_full_type(name: str, full: str, collation: str | None) -> Column:
    """A column from SHOW COLUMNS' type text, for the result of an expression."""
    kind = re.split(r"[( ]", full, maxsplit=1)[0].lower()
    sizes = [int(size) for size in re.findall(r"\d+", full)] if kind not in ("enum", "set") else []
    first = sizes[0] if sizes else None
    timed = kind in ("time", "datetime", "timestamp")
    charset = collation.split("_", 1)[0] if collation else None
    return Column(
        name=name,
        type=kind,
        full_type=full,
        nullable=True,
        length=None if timed or kind == "decimal" else first,
        precision=first if kind == "decimal" else None,
        fraction=(first or 0) if timed else 0,
        charset=charset,
        collation=collation,
        extra="",
    )


def _bits(full_type: str) -> int | None:
    found = re.match(r"bit\((\d+)\)", full_type)
    return int(found[1]) if found else None


def _int(value: object) -> int | None:
    return None if value is None else int(str(value))
