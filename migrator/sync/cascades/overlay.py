"""The tracked rows of one collection as they are now: the rows in the state, and over them the changes that are not
written yet.

Rows that were read once are kept until the next write: nobody else writes the rows of a scope (premise C).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from migrator.model.change.events import Scope, TableName, TrackedChange, TrackedRow
from migrator.model.plan.chunk import Key
from migrator.ports.sync_state import TrackedRows

# Rows of the state that are kept in memory (rule 7).
_KEPT = 10_000


class TooManyRows(Exception):
    """More rows than are kept in memory hold the wanted values."""


@dataclass(slots=True)
class _ValueIndex:
    """Rows of one table by their values of some columns.

    Attributes:
        read: by value the rows that the state has; every value that was asked for is a key.
        changed: by value the keys of changed rows.
    """

    read: dict[Key, list[TrackedRow]] = field(default_factory=dict)
    changed: dict[Key, dict[Key, None]] = field(default_factory=dict)


class Overlay:
    """Changes are kept in the order in which they were made; of each row the last one counts."""

    def __init__(self, scope: Scope, stored: TrackedRows) -> None:
        self._scope = scope
        self._stored = stored
        # By table the last image of each changed row, None for a row that is gone.
        self._changed: dict[TableName, dict[Key, TrackedRow | None]] = {}
        self._indexes: dict[TableName, dict[tuple[str, ...], _ValueIndex]] = {}
        self._kept = 0
        # What undoes the changes since the savepoint, the last one first.
        self._undo: list[tuple[TableName, Key, bool, TrackedRow | None]] = []

    @property
    def unwritten(self) -> int:
        """How many rows were changed and not written."""
        return sum(map(len, self._changed.values()))

    def put(self, row: TrackedRow) -> None:
        self._change(row.table, row.key, row)

    def drop(self, table: TableName, key: Key) -> None:
        self._change(table, key, None)

    def savepoint(self) -> None:
        """`roll_back` undoes the changes from here on."""
        self._undo.clear()

    def roll_back(self) -> None:
        """Undoes the changes since the savepoint."""
        undo, self._undo = self._undo, []
        for table, key, was_changed, before in reversed(undo):
            self._change(table, key, before)
            if not was_changed:
                del self._changed[table][key]
        self._undo.clear()

    def find(self, table: TableName, columns: tuple[str, ...], values: Sequence[Key]) -> list[TrackedRow]:
        """The rows that hold any of `values` in `columns`, byte for byte.

        Raises:
            TooManyRows: when they are too many to be kept with those that were read before.
        """
        index = self._index(table, columns)
        self._read(index, table, columns, values)
        changed = self._changed.get(table, {})
        found: dict[Key, TrackedRow] = {}
        for value in values:
            found.update((row.key, row) for row in index.read[value] if row.key not in changed)
            for key in index.changed.get(value, ()):
                row = changed[key]
                assert row is not None, "a row that is gone is in no index"
                found[key] = row
        return list(found.values())

    def changes(self) -> list[TrackedChange]:
        """What is to be written."""
        return list(self._changes())

    def clear(self) -> None:
        """Forgets everything: it was written, or the state's rows are right without it."""
        self._changed.clear()
        self._undo.clear()
        self.forget_read()

    def forget_read(self) -> None:
        """Gives back the memory of rows that were read."""
        self._indexes.clear()
        self._kept = 0

    def _change(self, table: TableName, key: Key, row: TrackedRow | None) -> None:
        changed = self._changed.setdefault(table, {})
        was_changed, before = key in changed, changed.get(key)
        self._undo.append((table, key, was_changed, before))
        # At the end, since the order is that of the last changes.
        changed.pop(key, None)
        changed[key] = row
        for columns, index in self._indexes.get(table, {}).items():
            if before is not None:
                index.changed.get(_values(before, columns), {}).pop(key, None)
            if row is not None:
                index.changed.setdefault(_values(row, columns), {})[key] = None

    def _index(self, table: TableName, columns: tuple[str, ...]) -> _ValueIndex:
        indexes = self._indexes.setdefault(table, {})
        if columns not in indexes:
            index = indexes[columns] = _ValueIndex()
            for key, row in self._changed.get(table, {}).items():
                if row is not None:
                    index.changed.setdefault(_values(row, columns), {})[key] = None
        return indexes[columns]

    def _read(self, index: _ValueIndex, table: TableName, columns: tuple[str, ...], values: Sequence[Key]) -> None:
        missing = [value for value in dict.fromkeys(values) if value not in index.read]
        if not missing:
            return
        room = _KEPT - self._kept
        found = self._stored.find(self._scope, table, columns, missing, room + 1)
        if len(found) > room:
            raise TooManyRows
        self._kept += len(found)
        index.read.update((value, []) for value in missing)
        for row in found:
            index.read[_values(row, columns)].append(row)

    def _changes(self) -> Iterator[TrackedChange]:
        for table, changed in self._changed.items():
            gone = tuple(key for key, row in changed.items() if row is None)
            rows = tuple(row for row in changed.values() if row is not None)
            if changed:
                yield TrackedChange(self._scope, table, gone, rows)


def _values(row: TrackedRow, columns: Sequence[str]) -> Key:
    """As they are looked for; a NULL, which nobody looks for, makes a value of its own."""
    return tuple(row.values[name] for name in columns)  # type: ignore[misc]
