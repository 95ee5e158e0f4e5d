"""Names in a mapping to tables and columns of the source, with suggestions for those that don't exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from migrator.errors import AccessDenied, MigratorError, Retryable
from migrator.mapping.expressions import find_column, judge, missing_column
from migrator.mapping.location import Location
from migrator.mapping.suggest import did_you_mean, nearest
from migrator.model.mapping.tree import SqlText
from migrator.model.schema.tables import Column, ColumnName, Schema, Table

Describe = Callable[[str, str, str], Column]
CanCompare = Callable[[ColumnName, ColumnName], bool]


class Server(Protocol):
    """Who is asked what only the source's server knows."""

    def describe(self, schema: str, table: str, expression: str) -> Column:
        """What an SQL expression over one row of a table is; a MigratorError that is not Retryable says what is wrong
        with the expression."""
        ...

    def can_compare(self, left: ColumnName, right: ColumnName) -> bool:
        """Whether the tables can be joined by these columns."""
        ...


_GRANT = "grant the account SELECT on it; `migrator doctor` prints the statement"


def meanings(name: str) -> tuple[tuple[str, str], ...]:
    """What `name` in a mapping may mean, as (database, table), the likelier first: `shop.orders` may be `orders` of the
    database `shop`, or a table with a dot in its name. The database "" is the source URL's."""
    database, _, bare = name.partition(".")
    return (("", name), (database, bare)) if bare else (("", name),)


@dataclass(frozen=True)
class Catalog:
    """The source as the check sees it: its tables, and the server's judgement of expressions and joins."""

    schema: Schema
    describe: Describe
    can_compare: CanCompare
    # SQL that is used, with the file that it stands in.
    sql: list[tuple[str, SqlText]] = field(default_factory=list)

    def table(self, name: str, location: Location) -> Table | None:
        """The table that `name` (`table` or `schema.table`) means; None, and reported, when there is none."""
        database, _, bare = name.partition(".")
        tables = (self.schema.table(schema or self.schema.default, table) for schema, table in meanings(name))
        found = next((table for table in tables if table is not None), None)
        if found is not None:
            return found
        denied = [message for schema, table in meanings(name) if (message := self._denied(schema, table))]
        databases = {schema for schema, _ in self.schema.names}
        if denied:
            location.report(f"the account may not read `{name}`, if there is such a table: {denied[0]}", _GRANT)
        elif bare and database not in databases:
            hint = did_you_mean(database, databases, what="known databases")
            hint += f"; to read another one, append `databases={database}` to the source URL's options"
            location.report(f"there is no database `{database}`, or its tables can't be read", hint)
        elif not bare and self.schema.default not in databases:
            location.report(f"the database {self.schema.default} has no tables, or they can't be read")
        else:
            database, bare = (database, bare) if bare else (self.schema.default, name)
            location.report(f"there is no table `{bare}` in {database}", self._suggest_table(database, bare))
        return None

    def _denied(self, schema: str, table: str) -> str:
        """What the server says when the account may not read a table that it does not see; else ""."""
        try:
            self.describe(schema or self.schema.default, table, "1")
        except AccessDenied as error:
            return error.what
        except Retryable:
            raise
        except MigratorError:
            pass  # there is none
        return ""

    def _suggest_table(self, database: str, name: str) -> str:
        here = [table for schema, table in self.schema.names if schema == database]
        close = nearest(name, here)
        if close is not None and close.lower() == name.lower():
            return f"did you mean `{close}`? Names of tables are case-sensitive"
        if close is not None:
            return f"did you mean `{close}`?"
        elsewhere = [f"{schema}.{table}" for schema, table in self.schema.names if table == name]
        return f"did you mean `{elsewhere[0]}`?" if elsewhere else did_you_mean(name, here, what="its tables")

    def expression(self, text: str, table: Table, location: Location) -> Column | None:
        """What the server says `text` over a row of `table` is; None, and reported, when it can't be used."""
        mistakes = judge(text, table)
        for message, suggestion in mistakes:
            location.report(message, suggestion)
        if mistakes:
            return None
        line = location.places.problem(location.path, "").line
        self.sql.append((location.places.file, SqlText((table.schema, table.name), text, line)))
        try:
            return self.describe(table.schema, table.name, text)
        except Retryable:
            raise
        except MigratorError as error:
            location.report(f"the server refuses this SQL: {error.what}", error.hint)
            return None


def column(table: Table, name: str, location: Location, *, at_key: bool = False) -> Column | None:
    """The table's column `name`, in the schema's spelling; None, and reported, when there is none."""
    found = find_column(table.columns, name)
    if found is None:
        location.report(*missing_column(table, name), at_key=at_key)
    return found


def columns(table: Table, names: Iterable[str], location: Location) -> tuple[Column, ...]:
    """Those of `names` (a list at `location`) that exist; the others, and those named twice, are reported."""
    found: list[Column] = []
    for number, name in enumerate(names):
        here = location.at(number)
        known = column(table, name, here)
        if known is None:
            continue
        if known in found:
            here.report(f"`{name}` occurs twice in this list")
        else:
            found.append(known)
    return tuple(found)


def row_key(table: Table) -> tuple[Column, ...]:
    """The columns that name a row: the primary key or else a unique NOT NULL key; () for none."""
    keys = table.unique_keys
    return tuple(table.by_name[name] for name in keys[0]) if keys else ()


def is_generated_key(table: Table, candidate: Column) -> bool:
    """Whether the column is MySQL's generated invisible primary key (manual, 15.1.20.11): no data of the user's."""
    return candidate.invisible and candidate.auto_increment and table.primary_key == ("my_row_id",) == (candidate.name,)
