"""Which rows of a table count: `where:` as written, and the soft-delete condition added to it."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.errors import MigratorError, Retryable
from migrator.mapping.catalog import Catalog, column
from migrator.mapping.expressions import find_column, judge, missing_column
from migrator.mapping.fields import check_constant
from migrator.mapping.location import Location
from migrator.model.mapping.policies import SoftDelete
from migrator.model.schema.collation import is_text
from migrator.model.schema.tables import Column, Table


def condition(
    where: str | None, soft_delete: SoftDelete | None, table: Table, location: Location, catalog: Catalog
) -> str | None:
    """The complete SQL condition on `table`'s rows, None for all rows.

    `soft_delete` is added where the table has its column; `location` is the part of the mapping that names the table.
    """
    parts = []
    if where is not None:
        catalog.expression(where, table, location.at("where"))
        parts.append(where)
    if soft_delete is not None and find_column(table.columns, soft_delete.column):
        for message, suggestion in judge(soft_delete.keep, table):
            location.report(
                f"the soft-delete condition `{soft_delete.keep}` doesn't fit {table.name}: {message}", suggestion
            )
        parts.append(soft_delete.keep)
    elif soft_delete is not None and table.denied_to:
        message, hint = missing_column(table, soft_delete.column)
        location.report(f"{message}: soft_delete would leave its rows out", f"{hint} Or write `soft_delete: false`")
    return " AND ".join(f"({part})" for part in parts) if len(parts) > 1 else (parts[0] if parts else None)


def constants(
    match: Mapping[str, str], table: Table, location: Location, catalog: Catalog
) -> tuple[tuple[str, str], ...]:
    """`match:` with the columns in the schema's spelling; constants that a column never holds are reported."""
    found = []
    for name, constant in match.items():
        here = location.at("match", name)
        known = column(table, name, here, at_key=True)
        if known is not None:
            check_constant(known, constant, here)
            _check_characters(known, constant, table, here, catalog)
            found.append((known.name, constant))
    return tuple(found)


def _check_characters(column: Column, constant: str, table: Table, location: Location, catalog: Catalog) -> None:
    """Reports a text with characters that the column's character set lacks: the server would refuse to compare them."""
    if constant.isascii() or not is_text(column):
        return
    name = column.name.replace("`", "``")
    try:
        catalog.describe(table.schema, table.name, f"`{name}` = _utf8mb4 x'{constant.encode().hex()}'")
    except Retryable:
        raise
    except MigratorError:
        message = f"`{column.name}` ({column.collation}) can't hold `{constant}`: no row has it"
        location.report(message, "write what the rows have")
