"""What was read of the log and is not treated yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from migrator.model.change.events import CaughtUp, Commit, DocumentRef, Scope

# A batch ends when it has so many different references.
_REFS = 2000
# A batch goes on to the end of its transaction, unless that would take so many references: then position and tracked
# rows are saved together at its end.
_REFS_AT_MOST = 2 * _REFS
# Row changes that trackers collect for a batch (rule 7).
_TRACKED_AT_MOST = 10_000


@dataclass(slots=True)
class SyncBatch:
    """Document references in the order in which they were read, by collection.

    Attributes:
        tracked: row changes that trackers have collected.
        is_inside: the last event was one of a transaction whose end was not read yet.
        end: of the last transaction that is whole, or of the log when nothing more waits.
    """

    tracked: int = 0
    is_inside: bool = False
    end: Commit | CaughtUp | None = None
    _refs: dict[Scope, dict[DocumentRef, None]] = field(default_factory=dict)
    _count: int = 0

    def add(self, scope: Scope, refs: Iterable[DocumentRef]) -> None:
        mine = self._refs.setdefault(scope, {})
        before = len(mine)
        mine.update(dict.fromkeys(refs))
        self._count += len(mine) - before

    def take(self, scope: Scope) -> list[DocumentRef]:
        """The references of one collection, which somebody else treats."""
        return list(self._refs.pop(scope, ()))

    def end_at(self, end: Commit | CaughtUp) -> None:
        """A transaction is whole, or nothing more waits."""
        self.end = end
        self.is_inside = False

    @property
    def pending(self) -> dict[Scope, list[DocumentRef]]:
        return {scope: list(refs) for scope, refs in self._refs.items() if refs}

    @property
    def size(self) -> int:
        """How many references and tracked row changes it has."""
        return self._count + self.tracked

    @property
    def is_full(self) -> bool:
        most = _REFS_AT_MOST if self.is_inside else _REFS
        return self._count >= most or self.tracked >= _TRACKED_AT_MOST

    def clear(self) -> None:
        """All references are treated."""
        self._refs.clear()
        self._count = self.tracked = 0

    def drop(self) -> None:
        """Everything is read again, from a saved position."""
        self.clear()
        self.end = None
        self.is_inside = False
