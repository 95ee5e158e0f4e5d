"""Rows as SQL: which exist, and what a new one could hold. Looks at the live data only through `Look`."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Protocol

from tests.histories.cells import cell, spare
from tests.histories.shape import Link, Shape, Table
from tests.histories.worlds import Hints
from tests.oracle.session import name

# SQL by column.
Cells = dict[str, str]


class Look(Protocol):
    """The live data, as the writer's own transaction sees it."""

    def count(self, table: str) -> int: ...

    def row(self, table: Table, columns: Sequence[str], number: int) -> Cells | None:
        """SQL of some columns of the row with this number, counted from 0 in the order of the key."""
        ...


class Pen:
    """Makes up what to write."""

    def __init__(self, rng: random.Random, shape: Shape, hints: Hints, look: Look) -> None:
        self.rng = rng
        self.shape = shape
        self._hints = hints
        self._look = look

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def table(self, tables: Iterable[Table] | None = None) -> Table | None:
        """One of these, by default of all."""
        choice = list(self.shape.tables.values() if tables is None else tables)
        return self.rng.choice(choice) if choice else None

    def existing(self, table: Table, columns: Sequence[str]) -> Cells | None:
        """Some columns of any row that is there."""
        count = self._look.count(table.name)
        return self._look.row(table, columns, self.rng.randrange(count)) if count else None

    def key(self, table: Table) -> Cells | None:
        """The key of any row."""
        return self.existing(table, table.key) if table.key else None

    def new_row(self, table: Table) -> Cells | None:
        """A whole row; None when a parent that it needs isn't there."""
        cells: Cells = {}
        for link in table.parents:
            if any(column in cells or not table.writable(column) for column in link.columns):
                continue
            found = self.parent(table, link)
            if found is None:
                return None
            cells |= found
        for column in table.columns:
            if column.name in cells or (column.name == table.counter and self.chance(0.7)):
                continue
            cells[column.name] = self.value(table, column.name)
        return cells

    def parent(self, table: Table, link: Link) -> Cells | None:
        """`link`'s columns so that they name a row, nearly always; or are NULL, where they may be."""
        nullable = [column for column in link.columns if table.column(column).nullable]
        if nullable and self.chance(0.15):
            # One half of a key that is NULL names nothing either.
            empty = nullable if self.chance(0.5) else [self.rng.choice(nullable)]
            others = {column: self.value(table, column) for column in link.columns if column not in empty}
            return dict.fromkeys(empty, "NULL") | ({} if len(nullable) == len(empty) else others)
        if not link.guarded and self.chance(0.1):
            return {column: self.value(table, column) for column in link.columns}
        found = self.existing(self.shape.tables[link.parent], link.parent_columns)
        if found is None or "NULL" in found.values():
            if link.guarded:
                return dict.fromkeys(link.columns, "NULL") if len(nullable) == len(link.columns) else None
            return {column: self.value(table, column) for column in link.columns}
        return {
            mine: self._respelled(table, mine, found[theirs])
            for mine, theirs in zip(link.columns, link.parent_columns, strict=True)
        }

    def _respelled(self, table: Table, column: str, sql: str) -> str:
        """As somebody else would type it, where the collation doesn't care."""
        spelled = table.column(column)
        if spelled.collation is None or not spelled.collation.endswith("_ci") or not self.chance(0.4):
            return sql
        return self.rng.choice((f"UPPER({sql})", f"LOWER({sql})", f"LEFT(CONCAT({sql}, ' '), {spelled.length})"))

    def value(self, table: Table, column: str) -> str:
        """A value by hint or type."""
        known = table.column(column)
        if (table.name, column) in self._hints:
            return self.rng.choice(self._hints[table.name, column])
        rare = any(column in key for key in table.unique)
        if known.nullable and self.chance(0.1 if rare else 0.2):
            return "NULL"
        return cell(self.rng, known, rare=rare)

    def changes(self, table: Table, count: int, *, keys: bool) -> Cells:
        """New values for about `count` columns; columns that name a parent change together."""
        candidates = [column.name for column in table.columns if keys or column.name not in table.key]
        cells: Cells = {}
        for column in self.rng.sample(candidates, min(count, len(candidates))):
            link = next((link for link in table.parents if column in link.columns), None)
            if link is None or any(
                not table.writable(mine) or (mine in table.key and not keys) for mine in link.columns
            ):
                cells[column] = self.value(table, column)
            elif found := self.parent(table, link):
                cells |= found
        return cells

    def spare(self, table: Table, column: str) -> str | None:
        return spare(table.column(column))


def where(cells: Cells) -> str:
    return " AND ".join(f"{name(column)} = {sql}" for column, sql in cells.items())


def assignments(cells: Cells) -> str:
    return ", ".join(f"{name(column)} = {sql}" for column, sql in cells.items())


def insertion(verb: str, table: Table, rows: Sequence[Cells]) -> str:
    """`verb` is INSERT, INSERT IGNORE or REPLACE; rows may have different columns, what is missing is the default."""
    columns = [column.name for column in table.columns if any(column.name in row for row in rows)]
    lines = ", ".join("(" + ", ".join(row.get(column, "DEFAULT") for column in columns) + ")" for row in rows)
    return f"{verb} INTO {name(table.name)} ({', '.join(map(name, columns))}) VALUES {lines}"
