"""The counters that generated repositories take new ids from, to be set when the application leaves the source."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.generate.describe import ids_of_rows
from migrator.generate.homes import homes
from migrator.model.mapping.tree import Collection
from migrator.model.report.cutover import Counter


def counters(collections: Sequence[Collection]) -> tuple[Counter, ...]:
    """All counters of these collections, by name."""
    found = []
    for (schema, table), home in homes(collections).items():
        if ids_of_rows(home) == "sequence":
            name = ".".join((home.collection.name, *home.path))
            found.append(Counter(name, schema, table, home.node.key[0].name))
    return tuple(sorted(found, key=lambda each: each.name))
