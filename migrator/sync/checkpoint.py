"""Where each followed collection stands in the log, as the state has it (rule 5)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from migrator.model.change.coordinates import coordinates_of, is_before
from migrator.model.change.events import Scope, TableName, TrackedChange
from migrator.model.change.position import Position
from migrator.ports.sync_state import Positions
from migrator.sync.known_tables import KnownDefinitions
from migrator.workers.retry import RetryingCall

# How often a position that moved without changes is saved (edge case 42).
_SAVE_QUIET_EVERY = 5.0


class Checkpoint:
    """The saved position of each collection, and with it what the collection's tables look like from there on."""

    def __init__(self, stored: Positions, tables: KnownDefinitions, patience: RetryingCall) -> None:
        self._stored = stored
        self._tables = tables
        self._patience = patience
        self._positions: dict[Scope, Position] = {}
        self._coordinates: dict[Scope, tuple[int, int]] = {}
        self._saved_at = 0.0

    def open(self, scopes: Iterable[Scope]) -> None:
        """Reads the positions; every one of `scopes` has one in the state."""
        self._moved(self._stored.load(scopes))

    @property
    def positions(self) -> Mapping[Scope, Position]:
        return self._positions

    @property
    def earliest(self) -> Position:
        """Where the log has to be read from."""
        return min(self._positions.values(), key=coordinates_of)

    @property
    def is_due(self) -> bool:
        """A position that moved without changes should be saved now."""
        return self._tables.is_new or time.monotonic() - self._saved_at >= _SAVE_QUIET_EVERY

    def scopes_before_event(self, reached: Position) -> list[Scope]:
        """The collections for which an event that ends at `reached` is new: the others were copied after it."""
        end = coordinates_of(reached)
        return [scope for scope, place in self._coordinates.items() if place < end]

    def before(self, position: Position) -> list[Scope]:
        """The collections whose saved position comes before this one."""
        return [scope for scope, saved in self._positions.items() if is_before(saved, position)]

    def save(
        self,
        scopes: Sequence[Scope],
        position: Position,
        tables: Mapping[Scope, Iterable[TableName]],
        tracked: Sequence[TrackedChange] = (),
    ) -> None:
        """Everything before `position` is in the documents of `scopes`, or dirty in the state.

        Args:
            tables: by collection those whose events matter to it; their definitions are kept with the position.
            tracked: changes of tracked rows, written in one act with the positions where the target can.
        """
        known = self._tables.news({scope: tables[scope] for scope in scopes})
        self._patience(partial(self._stored.save, scopes, position, tracked, known))
        self._tables.keep(known)
        self._moved(dict.fromkeys(scopes, position))
        self._saved_at = time.monotonic()

    def _moved(self, positions: Mapping[Scope, Position]) -> None:
        self._positions.update(positions)
        self._coordinates.update((scope, coordinates_of(position)) for scope, position in positions.items())
