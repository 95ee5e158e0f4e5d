"""The counters that generated repositories take new ids from, for whoever seeds them when the source is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrator.generate.homes import homes
from migrator.generate.model import ids_of_rows
from migrator.model.tree import Collection

COUNTERS = "sequences"
"""The collection of counters, {_id: name, last: the highest id given out}; see `runtime.aio.ids`."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter, and the column of the source whose AUTO_INCREMENT it goes on with.

    Rows that are no documents have ids, too, so the source knows the highest better than the documents do.
    """

    name: str
    schema: str
    table: str
    column: str


def counters(collections: Sequence[Collection]) -> tuple[Counter, ...]:
    """All counters of these collections, by name."""
    found = []
    for (schema, table), home in homes(collections).items():
        if ids_of_rows(home) == "sequence":
            name = ".".join((home.collection.name, *home.path))
            found.append(Counter(name, schema, table, home.node.key[0].name))
    return tuple(sorted(found, key=lambda each: each.name))
