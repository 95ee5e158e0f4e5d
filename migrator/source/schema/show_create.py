"""What SHOW CREATE TABLE tells: MariaDB shows it to accounts from which information_schema hides parts of the same."""

from __future__ import annotations

import re

from sqlalchemy import Connection

Rules = dict[str, dict[str, str]]  # by the foreign key's name

_NAME = r"`((?:[^`]|``)+)`"
_ACTION = r"(RESTRICT|CASCADE|SET NULL|NO ACTION|SET DEFAULT)"
_CONSTRAINT = re.compile(
    rf"^\s*CONSTRAINT {_NAME} FOREIGN KEY \(.*\)(?: ON DELETE {_ACTION})?(?: ON UPDATE {_ACTION})?,?$",
    re.MULTILINE,
)
_JSON = rf"json_valid\({_NAME}\)"
# Of a column or of the table; a comment with the same words would end in a quote.
_CHECK = re.compile(rf"CHECK \({_JSON}\),?$", re.IGNORECASE | re.MULTILINE)


def show_create_table(connection: Connection, database: str, name: str) -> str:
    """The statement that would make a base table."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    return str(connection.exec_driver_sql(f"SHOW CREATE TABLE {quote(database)}.{quote(name)}").one()[1])


def foreign_key_rules(create_table: str) -> Rules:
    """What each foreign key does on delete and on update; the text leaves out RESTRICT."""
    return {
        _bare(match[1]): {"on_delete": match[2] or "RESTRICT", "on_update": match[3] or "RESTRICT"}
        for match in _CONSTRAINT.finditer(create_table)
    }


def checked_json(create_table: str) -> set[str]:
    """The columns with the check that makes them MariaDB's JSON."""
    return {_bare(match[1]) for match in _CHECK.finditer(create_table)}


def json_check(clause: str) -> str | None:
    """The column that a CHECK_CLAUSE makes JSON, None when it says something else."""
    match = re.fullmatch(_JSON, clause, re.IGNORECASE)
    return _bare(match[1]) if match is not None else None


def _bare(name: str) -> str:
    return name.replace("``", "`")
