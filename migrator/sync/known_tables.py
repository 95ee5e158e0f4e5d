"""What the tables of some collections look like: where the log is being read, and now.

The two differ as long as a statement on definitions is ahead in the log. Documents are made of rows as they are now,
and events tell of rows as they were: each needs its own (edge cases 36, 53).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from migrator.changes.definition_changes import NOTHING, RewrittenColumns, rewritten_columns
from migrator.errors import SourceError, SourceUnavailable
from migrator.model.change.coordinates import coordinates_of
from migrator.model.change.events import Definitions, KnownTables, Scope, TableName
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.model.schema.tables import Column, Schema, Table, fingerprint
from migrator.ports.sync import SyncableSource
from migrator.ports.sync_state import Positions
from migrator.renewal.renew import Expression, Renewal, expressions, renew
from migrator.renewal.rows import keeps_columns, keeps_rows
from migrator.workers.retry import retrying

T = TypeVar("T")

# How long a table that is missing is waited for, step by step.
_MISSING = (0.2, 0.5, 1.0, 2.0)


class KnownDefinitions:
    """Attributes:
    now: as they were read last.
    schema: as the events have them that are read next.
    """

    now: Definitions
    schema: Schema

    def __init__(self, source: SyncableSource, positions: Positions, retry_seconds: float) -> None:
        self._source = source
        self._positions = positions
        self._retry_seconds = retry_seconds
        # What the state has, by scope; where the log ended when each table's definition was read.
        self._kept: dict[Scope, KnownTables] = {}
        self._ends: dict[TableName, Position | None] = {}
        self._unkept: set[Scope] = set()

    def read(self, mapped: frozenset[TableName], settled: Iterable[TableName] = ()) -> None:
        """Reads them as they are now. That may be later than the event that asks for it, in the moment in which a table
        is dropped and made again, or renamed away for another: one that is missing is looked for a few times more.

        Args:
            settled: of these a statement was read from the log: what it did is to be seen.
        """
        read = partial(self._source.definitions, mapped, tuple(settled))
        self.now = self._retrying(read)
        for seconds in _MISSING:
            if mapped <= self.now.schema.by_name.keys():
                break
            time.sleep(seconds)
            self.now = self._retrying(read)

    def begin(self, positions: Mapping[Scope, Position]) -> None:
        """At the earliest of the positions. What isn't known of a scope's tables is taken to be as it is now."""
        self._kept = self._positions.known_tables(positions)
        self.rewind(positions)

    def rewind(self, positions: Mapping[Scope, Position]) -> None:
        """Back to the earliest position that is saved."""
        found = {name: (table, self.now.end) for name, table in self.now.schema.by_name.items()}
        # Of a table that several know, the one counts that is read first.
        for scope in sorted(self._kept, key=lambda scope: coordinates_of(positions[scope]), reverse=True):
            kept = self._kept[scope]
            found |= {(table.schema, table.name): (table, kept.end) for table in kept.tables}
        now = self.now.schema
        self.schema = Schema(now.default, tuple(table for table, _ in found.values()), now.names)
        self._ends = {name: end for name, (_, end) in found.items()}
        self._unkept = set(positions) - self._kept.keys()

    def advance(self, scopes: Iterable[Scope], altered: Container[TableName]) -> None:
        """After a statement; they were read after it, and `scopes` had a position before it.

        Args:
            altered: from here on these are as they are now. Of the others a statement may be ahead.
        """
        now = self.now.schema
        kept = [name for name in self.schema.by_name if name not in altered]
        known = {name: self.schema.by_name[name] for name in kept}
        self.schema = Schema(now.default, tuple({**now.by_name, **known}.values()), now.names)
        self._ends = {name: self._ends[name] if name in known else self.now.end for name in self.schema.by_name}
        self._unkept |= set(scopes)

    @property
    def is_new(self) -> bool:
        """The state doesn't have yet what they look like at some scope's next position."""
        return bool(self._unkept)

    def news(self, scopes: Mapping[Scope, Iterable[TableName]]) -> dict[Scope, KnownTables]:
        """What is to be kept with the next position of each scope, of the tables given."""
        return {scope: self._known(names) for scope, names in scopes.items() if scope in self._unkept}

    def keep(self, kept: Mapping[Scope, KnownTables]) -> None:
        """These are in the state."""
        self._kept |= kept
        self._unkept -= kept.keys()

    def _known(self, names: Iterable[TableName]) -> KnownTables:
        wanted = [name for name in names if name in self.schema.by_name]
        ends = [self._ends[name] for name in wanted]
        latest = None if None in ends or not ends else max(filter(None, ends), key=coordinates_of)
        return KnownTables(tuple(self.schema.by_name[name] for name in wanted), latest)

    @property
    def others(self) -> dict[TableName, tuple[Table, ...]]:
        """Further definitions that an event may be of: those of now, and what other scopes know."""
        tables = [*self.now.schema.tables, *(table for kept in self._kept.values() for table in kept.tables)]
        found: dict[TableName, list[Table]] = {}
        for table in tables:
            mine = self.schema.by_name.get((table.schema, table.name))
            known = found.setdefault((table.schema, table.name), [])
            if mine is not None and table.columns not in (mine.columns, *(one.columns for one in known)):
                known.append(table)
        return {name: tuple(some) for name, some in found.items() if some}

    # --- what became of them ---

    def renewal(self, collection: Collection) -> Renewal:
        """The collection's mapping against the tables of now."""
        schema = self.now.schema
        tables = [table for name in collection.tables if (table := schema.table(*name)) is not None]
        if fingerprint(tables) == collection.schema_fingerprint:
            return Renewal(collection)
        answers = {each: self._answer(each) for each in expressions(collection) if schema.table(*each.table)}
        return renew(collection, schema, answers, self.schema.by_name)

    def rewritten(self, text: str, coordinates: tuple[int, int], collection: Collection) -> bool:
        """Whether a statement may have changed what the documents show of rows, without events.

        Args:
            coordinates: after the statement.
        """
        return any(
            not self._keeps(text, coordinates, name, lambda was, now, what: keeps_rows(collection, was, now, what))
            for name in collection.tables
        )

    def columns_rewritten(
        self, text: str, coordinates: tuple[int, int], table: TableName, names: Sequence[str]
    ) -> bool:
        """As `rewritten`, for columns that rows are found by."""
        return not self._keeps(
            text, coordinates, table, lambda was, now, what: keeps_columns(was, now, tuple(names), what)
        )

    def _keeps(
        self,
        text: str,
        coordinates: tuple[int, int],
        name: TableName,
        judge: Callable[[Table, Table, RewrittenColumns], bool],
    ) -> bool:
        what = rewritten_columns(text, name)
        if what is None or what == NOTHING:
            return what is not None
        was, now, end = self.schema.by_name.get(name), self.now.schema.by_name.get(name), self._ends.get(name)
        # The table before the statement must be known: a definition that was read later may hold what this one did.
        # What later statements did may be in the table of now: those will not be known so well, in their turn.
        if was is None or now is None or end is None or coordinates_of(end) >= coordinates:
            return False
        return judge(was, now, what)

    def _answer(self, asked: Expression) -> Column | str:
        describe = partial(self._source.describe, *asked.table, asked.text)
        try:
            return self._retrying(describe)
        except SourceUnavailable:
            raise
        except SourceError as error:
            return error.what

    def _retrying(self, work: Callable[[], T]) -> T:
        return retrying(self._retry_seconds)(work)
