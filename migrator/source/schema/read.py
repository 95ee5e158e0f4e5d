"""information_schema into migrator.model.schema.tables: the tables asked for, and those from which cascades lead to
them.

The names of all tables are one query a database. Everything else is asked for by name: the server may open every table
that it tells anything of, and there may be thousands.
https://mariadb.com/kb/en/optimizations-for-information_schema-queries/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import groupby

from sqlalchemy import Connection, RowMapping, bindparam, text

from migrator.errors import AccessDenied, SourceError
from migrator.model.mapping.representation import family_of
from migrator.model.schema.tables import Column, ForeignKey, Index, Schema, Table, is_cascading
from migrator.model.slices import slices
from migrator.source.connection.connect import connected
from migrator.source.connection.url import SourceUrl
from migrator.source.preflight.partly_readable import partly_readable
from migrator.source.schema.show_create import Rules, checked_json, foreign_key_rules, json_check, show_create_table

Row = RowMapping
ByTable = dict[str, list[Row]]
TableKey = tuple[str, str]

# A sequence of MariaDB's is a table, too.
_NAMES = """
SELECT TABLE_NAME AS table_name FROM information_schema.TABLES
WHERE TABLE_SCHEMA = :db AND TABLE_TYPE <> 'SEQUENCE' ORDER BY TABLE_NAME
"""
_TABLES = """
SELECT TABLE_NAME AS table_name, TABLE_TYPE AS kind, ENGINE AS engine, TABLE_ROWS AS table_rows,
       DATA_LENGTH AS data_length
FROM information_schema.TABLES WHERE TABLE_SCHEMA = :db AND TABLE_NAME IN :names
"""
_COLUMNS = """
SELECT TABLE_NAME AS table_name, COLUMN_NAME AS name, DATA_TYPE AS data_type, COLUMN_TYPE AS column_type,
       IS_NULLABLE AS nullable, CHARACTER_MAXIMUM_LENGTH AS length, NUMERIC_PRECISION AS digits,
       NUMERIC_SCALE AS decimals, DATETIME_PRECISION AS fraction, CHARACTER_SET_NAME AS charset,
       COLLATION_NAME AS collation, EXTRA AS extra
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = :db AND TABLE_NAME IN :names
ORDER BY TABLE_NAME, ORDINAL_POSITION
"""
_INDEXES = """
SELECT TABLE_NAME AS table_name, INDEX_NAME AS name, COLUMN_NAME AS column_name, NON_UNIQUE AS not_unique,
       SUB_PART AS prefix, INDEX_TYPE AS kind
FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = :db AND TABLE_NAME IN :names
ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX
"""
_KEYS = """
SELECT TABLE_NAME AS table_name, CONSTRAINT_NAME AS name, COLUMN_NAME AS column_name,
       REFERENCED_TABLE_SCHEMA AS parent_schema, REFERENCED_TABLE_NAME AS parent_table,
       REFERENCED_COLUMN_NAME AS parent_column
FROM information_schema.KEY_COLUMN_USAGE
WHERE TABLE_SCHEMA = :db AND TABLE_NAME IN :names AND REFERENCED_TABLE_NAME IS NOT NULL
ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION
"""
_RULES = """
SELECT TABLE_NAME AS table_name, CONSTRAINT_NAME AS name, DELETE_RULE AS on_delete, UPDATE_RULE AS on_update
FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = :db AND TABLE_NAME IN :names
"""
# MariaDB only, where JSON is an alias for longtext with this check.
_JSON_CHECKS = """
SELECT TABLE_NAME AS table_name, CONSTRAINT_NAME AS name, CHECK_CLAUSE AS clause
FROM information_schema.CHECK_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = :db AND TABLE_NAME IN :names AND CHECK_CLAUSE LIKE 'json\\_valid(%'
"""
_NAMES_AT_ONCE = 500


def read_schema(url: SourceUrl, wanted: Iterable[TableKey] | None = None) -> Schema:
    """Tables and views of the URL's databases, as far as the account may see them.

    Args:
        wanted: (database, name) of those to be read; "" is the URL's database. What isn't there is left out. Also read
            are the tables from which cascades lead to these, through any number of others. None for all there are.

    Raises:
        SourceError: when a database doesn't exist or the account may see nothing of it.
    """
    with connected(url) as connection:
        _prepare(connection)
        denied = partly_readable(connection, url.databases)
        names = tuple(name for database in url.databases for name in _names(connection, url, database))
        known = frozenset(names)
        missing = known if wanted is None else known & {(schema or url.database, name) for schema, name in wanted}
        asked: frozenset[TableKey] = frozenset()
        found: dict[TableKey, Table] = {}
        while missing:
            asked |= missing
            new = {(table.schema, table.name): table for table in _tables(connection, missing, denied)}
            found |= new
            missing = known & {parent for table in new.values() for parent in _cascading_parents(table)} - asked
    visible = tuple(name for name in names if name in found or name not in asked)
    return Schema(url.database, tuple(found[name] for name in visible if name in found), visible)


def _cascading_parents(table: Table) -> Iterator[TableKey]:
    return ((key.parent_schema, key.parent_table) for key in table.foreign_keys if key.cascades)


@dataclass(frozen=True, slots=True)
class CascadingKeys:
    """How many foreign keys of some databases change rows by themselves, and of how many that can't be seen."""

    known: int
    hidden: int


_HOLDERS = text(
    "SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE"
    " WHERE TABLE_SCHEMA IN :databases AND REFERENCED_TABLE_NAME IS NOT NULL"
).bindparams(bindparam("databases", expanding=True))
_ALL_RULES = text(
    "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE"
    " FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA IN :databases"
).bindparams(bindparam("databases", expanding=True))


def cascading_keys(connection: Connection, databases: Sequence[str]) -> CascadingKeys:
    """Two statements, however many tables there are. MariaDB hides rules from an account that may only SELECT."""
    bound = {"databases": list(databases)}
    keys = {tuple(row) for row in connection.execute(_HOLDERS, bound)}
    rules = {tuple(row[:3]): (row[3], row[4]) for row in connection.execute(_ALL_RULES, bound)}
    known = sum(1 for found in rules.values() if is_cascading(*found))
    return CascadingKeys(known, len(keys - rules.keys()))


def _prepare(connection: Connection) -> None:
    dialect = connection.dialect
    if getattr(dialect, "is_mariadb", False):
        return
    version = dialect.server_version_info or ()
    if version >= (8, 0):
        # Otherwise estimates are up to a day old: nothing at all for a table loaded just now.
        connection.exec_driver_sql("SET SESSION information_schema_stats_expiry = 0")
    if version >= (8, 0, 30):
        connection.exec_driver_sql("SET SESSION show_gipk_in_create_table_and_information_schema = ON")


def _names(connection: Connection, url: SourceUrl, database: str) -> list[TableKey]:
    """Every table and view of a database, by name."""
    found = connection.execute(text(_NAMES), {"db": database}).scalars().all()
    known = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = :db"
    if not found and connection.execute(text(known), {"db": database}).first() is None:
        raise SourceError(
            f"there is no database {database}, or the account may not see it",
            where=url.place,
            hint=f"Check the source URL, or grant: GRANT SELECT ON `{database}`.* TO <account>;",
        )
    return [(database, name) for name in found]


def _tables(connection: Connection, wanted: Iterable[TableKey], denied: Mapping[TableKey, str]) -> Iterator[Table]:
    for database, keys in groupby(sorted(wanted), key=lambda key: key[0]):
        names = [name for _, name in keys]
        for some in slices(names, _NAMES_AT_ONCE):
            yield from _some_tables(connection, database, some, denied)


def _some_tables(
    connection: Connection, database: str, names: Sequence[str], denied: Mapping[TableKey, str]
) -> Iterator[Table]:
    def by_table(query: str) -> ByTable:
        found: dict[str, list[Row]] = defaultdict(list)
        statement = text(query).bindparams(bindparam("names", expanding=True))
        for row in connection.execute(statement, {"db": database, "names": list(names)}).mappings():
            found[row["table_name"]].append(row)
        return found

    mariadb = getattr(connection.dialect, "is_mariadb", False)
    tables, columns, indexes, keys, rules = map(by_table, (_TABLES, _COLUMNS, _INDEXES, _KEYS, _RULES))
    json_checks = by_table(_JSON_CHECKS) if mariadb else {}

    @cache
    def definition(name: str) -> str:
        return show_create_table(connection, database, name)

    # The server compares names without case; not every table that it tells of was asked for.
    for name in names:
        if name not in tables or name not in columns:
            continue
        (row,) = tables[name]
        denied_to = denied.get((database, name), "")
        define = partial(_refuse_definition, (database, name), denied_to) if denied_to else definition
        json = _json_columns(row, columns[name], json_checks, define) if mariadb else set[str]()
        yield Table(
            schema=database,
            name=name,
            columns=tuple(_column(column, column["name"] in json) for column in columns[name]),
            primary_key=tuple(r["column_name"] for r in indexes.get(name, []) if r["name"] == "PRIMARY"),
            indexes=_indexes(indexes.get(name, [])),
            foreign_keys=_foreign_keys(keys.get(name, []), _rules(name, keys, rules, define)),
            engine=row["engine"] or "",
            is_view=row["kind"] == "VIEW",
            rows=int(row["table_rows"] or 0),
            bytes=int(row["data_length"] or 0),
            denied_to=denied_to,
        )


def _refuse_definition(table: TableKey, account: str, name: str) -> str:
    """In place of SHOW CREATE TABLE, which is not for accounts that may read some columns only."""
    database, _ = table
    raise AccessDenied(
        "the account may read some columns only, and the server does not show it which of them are JSON, or what a "
        "foreign key does",
        where=f"{database}.{name}",
        hint=f"GRANT SELECT ON `{database.replace('`', '``')}`.`{name.replace('`', '``')}` TO {account};",
    )


def _column(row: Row, is_json: bool) -> Column:
    extra = row["extra"].upper()
    common = Column(
        name=row["name"],
        data_type=row["data_type"].lower(),
        column_type=row["column_type"],
        nullable=row["nullable"] == "YES",
        # Older MariaDB says VIRTUAL and PERSISTENT alone; DEFAULT_GENERATED is only a default.
        generated=bool(re.search(r"\b(VIRTUAL|STORED|PERSISTENT)\b", extra)),
        invisible="INVISIBLE" in extra,
        auto_increment="AUTO_INCREMENT" in extra,
    )
    return _typed(common, row, is_json)


def _typed(column: Column, row: Row, is_json: bool) -> Column:
    if is_json:
        return replace(column, data_type="json", column_type="json")
    match family_of(column):
        case "text":
            return replace(column, length=int(row["length"]), charset=row["charset"], collation=row["collation"])
        case "enum" | "set":
            members = parse_members(row["column_type"])
            return replace(column, charset=row["charset"], collation=row["collation"], members=members)
        case "binary":
            return replace(column, length=int(row["length"]))
        case "bit":
            return replace(column, length=int(row["digits"]))
        case "decimal":
            return replace(column, precision=int(row["digits"]), scale=int(row["decimals"]))
        case "datetime" | "time":
            return replace(column, fraction=int(row["fraction"] or 0))
    return column


_MEMBER = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"''|\\(.)", re.DOTALL)
_ESCAPED = {"0": "\0", "n": "\n", "r": "\r"}


def parse_members(column_type: str) -> tuple[str, ...]:
    """The members of `enum('a','it''s')`, in order of definition."""
    return tuple(_ESCAPE.sub(_unescape, match[1]) for match in _MEMBER.finditer(column_type))


def _unescape(match: re.Match[str]) -> str:
    return "'" if match[1] is None else _ESCAPED.get(match[1], match[1])


def _indexes(rows: list[Row]) -> tuple[Index, ...]:
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["name"] != "PRIMARY":
            parts[row["name"]].append(row)
    return tuple(
        Index(
            name=name,
            columns=tuple(row["column_name"] for row in found if row["column_name"] is not None),
            unique=not int(found[0]["not_unique"]),
            # A FULLTEXT or SPATIAL index finds no row by its whole value.
            whole=all(row["column_name"] is not None and row["prefix"] is None for row in found)
            and found[0]["kind"] in ("BTREE", "HASH"),
        )
        for name, found in parts.items()
    )


def _rules(name: str, keys: ByTable, rules: ByTable, definition: Callable[[str], str]) -> Rules:
    """What each foreign key of a table does on delete and on update.

    MariaDB shows an account that may only SELECT the keys but not their rules.
    """
    if name in keys and name not in rules:
        return foreign_key_rules(definition(name))
    return {row["name"]: {"on_delete": row["on_delete"], "on_update": row["on_update"]} for row in rules.get(name, [])}


def _json_columns(row: Row, columns: list[Row], checks: ByTable, definition: Callable[[str], str]) -> set[str]:
    """The columns of one of MariaDB's tables that were declared as JSON.

    Their checks are hidden from accounts that may only SELECT: where a table shows none, it may have some.
    """
    if row["table_name"] in checks:
        found = (json_check(check["clause"]) for check in checks[row["table_name"]])
        return {name for name in found if name is not None}
    if row["kind"] == "VIEW" or all(column["data_type"].lower() != "longtext" for column in columns):
        return set()
    return checked_json(definition(row["table_name"]))


def _foreign_keys(rows: list[Row], rules: Rules) -> tuple[ForeignKey, ...]:
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        parts[row["name"]].append(row)
    return tuple(
        ForeignKey(
            name=name,
            columns=tuple(row["column_name"] for row in found),
            parent_schema=found[0]["parent_schema"],
            parent_table=found[0]["parent_table"],
            parent_columns=tuple(row["parent_column"] for row in found),
            **rules.get(name, {}),
        )
        for name, found in parts.items()
    )
