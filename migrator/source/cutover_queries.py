"""What must be known of the source when an application leaves it."""

from __future__ import annotations

from sqlalchemy import func, select

from migrator.model.report.cutover import Counter
from migrator.source.connection.connect import connected
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import SourceUrl
from migrator.source.sql.literal import text_literal
from migrator.source.sql.spelling import sql_text, table_of


def read_only(url: SourceUrl) -> bool:
    """Whether the server refuses writes of accounts without special privileges."""
    with connected(url) as connection:
        return str(connection.exec_driver_sql("SELECT @@GLOBAL.read_only").scalar()).upper() not in ("0", "OFF")


def highest(url: SourceUrl, counter: Counter) -> int:
    """The highest number of a column, or what AUTO_INCREMENT has given out to rows that are gone; 0 for none."""
    with connected(url) as connection:
        table = table_of(counter.schema, counter.table, [counter.column])
        statement = sql_text(select(func.max(table.c[counter.column])).select_from(table))
        most = connection.exec_driver_sql(statement).scalar() or 0
        if read_identity(connection).flavor == "mysql":
            # MySQL 8 answers from statistics that may be a day old.
            connection.exec_driver_sql("SET SESSION information_schema_stats_expiry = 0")
        given = connection.exec_driver_sql(_next(counter)).scalar()
        return max(int(most), int(given or 1) - 1, 0)


def _next(counter: Counter) -> str:
    schema, table = text_literal(counter.schema), text_literal(counter.table)
    return (
        f"SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {table}"
    )
