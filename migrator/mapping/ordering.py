"""`order_by:` to an order in which no two rows tie (premise D)."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.mapping.catalog import column
from migrator.mapping.expressions import find_column, missing_column
from migrator.mapping.location import Location
from migrator.mapping.suggest import did_you_mean
from migrator.model.mapping.spec import OrderTerm
from migrator.model.mapping.tree import Order
from migrator.model.schema.tables import Column, Table


def stated_order(terms: Sequence[OrderTerm], table: Table, link: Table | None, location: Location) -> tuple[Order, ...]:
    """What `order_by:` (at `location`) says; columns that don't exist are reported.

    `link` is the link table of a `through`: a column of it is meant where the table itself has none of that name, or
    where the link table's name stands in front.
    """
    found: list[Order] = []
    for number, term in enumerate(terms):
        here = location.at(number)
        if link is None or find_column(table.columns, term.column) is not None:
            known, from_link = column(table, term.column, here), False
        else:
            known, from_link = _link_column(term.column, table, link, here), True
        if known is not None:
            found.append(Order(known.name, term.descending, from_link))
    return tuple(found)


def complete_order(order: tuple[Order, ...], key: tuple[Column, ...], table: Table) -> tuple[Order, ...]:
    """`order` with the key after it, without a key all columns. A link's key is appended by itself."""
    named = {one.column for one in order if not one.from_link}
    rest = [column.name for column in (key or table.columns) if column.name not in named]
    return (*order, *(Order(name) for name in rest))


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
