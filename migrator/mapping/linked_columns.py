"""A column by its name, of an embedded table or of the link table that leads to it."""

from __future__ import annotations

from migrator.mapping.catalog import column
from migrator.mapping.expressions import find_column, missing_column
from migrator.mapping.location import Location
from migrator.mapping.suggest import did_you_mean
from migrator.model.schema.tables import Column, Table


def own_or_linked(name: str, table: Table, link: Table | None, location: Location) -> tuple[Column | None, bool]:
    """The column that `name` means, and whether it is the link table's; None, and reported, when there is none.

    A column of the link table is meant where the table itself has none of that name. The name of either table may
    stand in front.
    """
    if link is None or find_column(table.columns, name) is not None:
        return column(table, name, location), False
    prefix, _, bare = name.partition(".")
    if bare and prefix == table.name:
        return column(table, bare, location), False
    return _link_column(name, table, link, location), True


def _link_column(name: str, table: Table, link: Table, location: Location) -> Column | None:
    prefix, _, bare = name.partition(".")
    if bare and prefix == link.name:
        return column(link, bare, location)
    found = find_column(link.columns, name)
    if found is None and (link.denied_to or table.denied_to):
        location.report(*missing_column(link if link.denied_to else table, name))
    elif found is None:
        names = [*(one.name for one in table.columns), *(f"{link.name}.{one.name}" for one in link.columns)]
        hint = did_you_mean(name, names, what="their columns")
        location.report(f"neither {table.qualified} nor {link.qualified} has a column `{name}`", hint)
    return found
