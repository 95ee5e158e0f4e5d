"""The row that was changed last: without GTIDs, only its lock shows when a transaction of MySQL is committed."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.model.change.position import Position
from migrator.model.plan.chunk import Key
from migrator.model.schema.tables import Table


@dataclass(frozen=True, slots=True)
class LastChangedRow:
    """Attributes:
    key: its values of `columns`, which name a row of `table`.
    """

    table: Table
    columns: tuple[str, ...]
    key: Key


@dataclass(frozen=True, slots=True)
class PositionWithRow(Position):
    """A Position within this process; `touched` is None before any watched row was changed."""

    touched: LastChangedRow | None
