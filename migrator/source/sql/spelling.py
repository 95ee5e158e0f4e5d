"""How the pieces of a statement are spelled in MySQL's SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BINARY, ColumnElement, FromClause, and_, cast, collate, column, literal_column, table
from sqlalchemy.dialects import mysql
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import quoted_name

from migrator.model.mapping.row_layout import Form
from migrator.model.schema.collation import collated
from migrator.model.schema.tables import Column

# A paramstyle without % leaves every % of the user's SQL alone.
_DIALECT = mysql.dialect(paramstyle="named")
_UNSIGNED = mysql.INTEGER(unsigned=True)

Expression = ColumnElement[Any]


def sql_text(statement: Select[Any]) -> str:
    """The statement as it is sent: no parameters, every value in its place."""
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def name_of(column: Expression) -> str:
    """A column as it stands in a compiled statement."""
    return str(column.compile(dialect=_DIALECT))


def table_of(schema: str, name: str, columns: Iterable[str]) -> FromClause:
    """A table with some of its columns; every name is quoted."""
    return table(_quoted(name), *(column(_quoted(one)) for one in columns), schema=_quoted(schema))


def verbatim(sql: str) -> Expression:
    """The user's SQL, byte for byte; the line break ends a comment at its end."""
    return literal_column(f"({sql}\n)")


def formed(value: Expression, form: Form, *, is_enum: bool = False) -> Expression:
    """`value` in a form of model.mapping.row_layout."""
    match form:
        case "bytes":
            return cast(value, BINARY())
        case "unsigned":
            return cast(value, _UNSIGNED)
        case "number":
            return value.op("+")(literal_column("0" if is_enum else "0e0"))
        case "plain" | "wkb":
            return value


def equal(left: FromClause, ours: Sequence[Column], right: FromClause, theirs: Sequence[Column]) -> Expression:
    """Columns of two tables, pairwise, by the source's own comparison."""
    return and_(*(_side(left, a, b) == _side(right, b, a) for a, b in zip(ours, theirs, strict=True)))


def _side(source: FromClause, one: Column, other: Column) -> Expression:
    """A column of a table as it stands next to `other`."""
    collation = collated(one, other)
    return collate(source.c[one.name], collation) if collation else source.c[one.name]


def _quoted(name: str) -> quoted_name:
    return quoted_name(name, quote=True)
