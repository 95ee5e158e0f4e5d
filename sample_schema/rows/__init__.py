"""The rows of the sample shop: a pure function of scale and seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from sample_schema.rows import catalog, customers, orders, stock, talk
from sample_schema.rows.shop import Row, Shop

__all__ = ["Row", "Shop", "all_rows"]


def all_rows(shop: Shop) -> Iterator[tuple[str, Row]]:
    """Every row as (table, {column: value}), in key order within a table. Parents do not always come first."""
    return chain(catalog.rows(shop), stock.rows(shop), customers.rows(shop), orders.rows(shop), talk.rows(shop))
