"""The comparison of everything migrator makes of a folder with what the oracle makes of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from migrator.model.mapping.policies import Policies
from tests.oracle.compare import differences, without_id
from tests.oracle.documents import Expected, Oracle
from tests.oracle.migrated import Migrated, migrate, migrate_keys, resolved


class Comparison:
    """A folder of mappings, read once, to be compared again and again while rows change."""

    def __init__(self, url: str, folder: Path, policies: dict[str, Any] | None = None) -> None:
        self._url = url
        self._oracle = Oracle(url, folder, policies)
        self._collections = resolved(url, folder, Policies(**policies or {}))

    def lines(self) -> list[str]:
        """Differences over all collections, every document built row by row by the oracle; none is agreement.

        migrator is asked for ranges first, and then for the same documents by their keys.
        """
        found: list[str] = []
        for collection in self._collections:
            expected = self._oracle.all_row_by_row(collection.name)
            actual = migrate(self._url, collection)
            keyless = self._oracle.collections[collection.name].keyless
            found += _named(collection.name, expected, actual, keyless)
            if not keyless:
                again = migrate_keys(self._url, collection, actual.keys)
                found += _named(f"{collection.name} by key", expected, again, keyless)
        return found


def disagreements(url: str, folder: Path, policies: dict[str, Any] | None = None) -> list[str]:
    """The lines of one comparison."""
    return Comparison(url, folder, policies).lines()


def _named(name: str, expected: Expected, actual: Migrated, keyless: bool) -> list[str]:
    if keyless:
        ours, theirs = (Counter(map(without_id, side.documents.values())) for side in (expected, actual))
        lines = [f"{len(ours - theirs)} missing, {len(theirs - ours)} extra"] if ours != theirs else []
    else:
        lines = differences(expected.documents, actual.documents)
    if expected.rejected != actual.rejected:
        lines.append(f"rejected {sorted(actual.rejected)}, expected {sorted(expected.rejected)}")
    return [f"{name}: {line}" for line in lines]
