"""Rows of a copy's snapshot, many to a document: that costs a server hardly more than a document with one of them.

A page is `{_id, ids: […], keys: [[…], …], columns: […], values: {column: […], …}}`; the n-th members of its lists are
one row's. A row that is written or deleted later leaves its page, where nulls stand from then on: at any time a row is
in one place, and a page that holds none of the values that are looked for is not found by its index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from migrator.model.change import TableName, TrackedRow
from migrator.model.chunk import Key
from migrator.target.mongo.entries import column_of, entry_id, field_of

# Measured on the stand-in, rows with two values: pages of 250 take a twentieth of the time of single rows.
PAGE_ROWS = 250
PAGE_BYTES = 256 << 10


def page(rows: Sequence[TrackedRow]) -> dict[str, Any]:
    """Rows of one table as a document."""
    ids = [entry_id(*row.key) for row in rows]
    columns = list(rows[0].values)
    return {
        "_id": ids[0],
        "ids": ids,
        "keys": [row.key for row in rows],
        "columns": [field_of(column) for column in columns],
        "values": {field_of(column): [row.values[column] for row in rows] for column in columns},
    }


def rows_with(
    found: Mapping[str, Any], table: TableName, columns: Sequence[str], wanted: Collection[Key]
) -> Iterator[TrackedRow]:
    """The rows of a page that hold any of `wanted` in `columns`."""
    values = {column_of(field): each for field, each in found["values"].items()}
    for place, held in enumerate(zip(*(values[column] for column in columns), strict=True)):
        if held in wanted:
            row = {column: each[place] for column, each in values.items()}
            yield TrackedRow(table, tuple(found["keys"][place]), row)


def left_by(found: Mapping[str, Any], ids: Collection[bytes]) -> dict[str, Any]:
    """The update by which rows leave a page."""
    places = [place for place, each in enumerate(found["ids"]) if each in ids]
    lists = ["ids", *(f"values.{field}" for field in found["columns"])]
    return {"$set": {f"{each}.{place}": None for each in lists for place in places}}
