"""`order_by:` to an order in which no two rows tie (premise D)."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.mapping.linked_columns import own_or_linked
from migrator.mapping.location import Location
from migrator.model.mapping.spec import OrderTerm
from migrator.model.mapping.tree import Order
from migrator.model.schema.tables import Column, Table


def stated_order(terms: Sequence[OrderTerm], table: Table, link: Table | None, location: Location) -> tuple[Order, ...]:
    """What `order_by:` (at `location`) says; columns that don't exist are reported.

    `link` is the link table of a `through`, whose columns may be named too (see `own_or_linked`).
    """
    found: list[Order] = []
    for number, term in enumerate(terms):
        here = location.at(number)
        known, from_link = own_or_linked(term.column, table, link, here)
        if known is not None:
            found.append(Order(known.name, term.descending, from_link))
    return tuple(found)


def complete_order(order: tuple[Order, ...], key: tuple[Column, ...], table: Table) -> tuple[Order, ...]:
    """`order` with the key after it, without a key all columns. A link's key is appended by itself."""
    named = {one.column for one in order if not one.from_link}
    rest = [column.name for column in (key or table.columns) if column.name not in named]
    return (*order, *(Order(name) for name in rest))
