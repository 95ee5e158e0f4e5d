"""Reads the rows to track because of silent cascades, once, before their events keep them up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, replace

from migrator.changes.cascades import Cascades, TrackedTable, silent_cascades
from migrator.model.change.events import Scope, TableName, TrackedRow
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.model.schema.tables import Schema
from migrator.ports.sync import FollowedSource, RootKeyReader
from migrator.ports.sync_state import TrackedRows
from migrator.sync.cascades.tracker import Tracker
from migrator.workers.background import IsOver

# Why a collection is rebuilt when rows are recorded later than its documents were made.
UNSEEN = "cascades may have changed rows without a trace in the log"

_POLL_SECONDS = 0.2
_AT_ONCE = 4000


@dataclass(frozen=True, slots=True)
class TrackedCollection:
    """The rows that have to be tracked for one collection."""

    scope: Scope
    tables: Sequence[TrackedTable]
    tracker: Tracker

    @property
    def columns(self) -> dict[TableName, Sequence[str]]:
        """By table the columns that are tracked of every row."""
        return {each.table: each.noted for each in self.tables}


# Stores rows of one table as tracked rows of a collection.
Load = Callable[[TrackedCollection, Sequence[TrackedRow]], None]


class _Abandoned(Exception):
    """A snapshot is of no use any more: its connection may be in the middle of a result."""


class RowSnapshot:
    """A snapshot of the source that is taken at one time and read at another, maybe in another thread.

    premise B: it has to be taken before the first snapshot from which documents are made. Then a row that a
    cascade takes away is either in neither, or tracked.

    Attributes:
        position: where the log stood at that moment, None where the server can't tell exactly. The tracked rows are
            of this position: an event from before it, taken in once more, could take a row away that came back later.
    """

    _snapshot: RootKeyReader

    def __init__(self) -> None:
        self.position: Position | None = None
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._is_closed = False

    @classmethod
    def take(cls, source: FollowedSource, reached: Position | None = None) -> RowSnapshot:
        """
        Args:
            reached: what was read of the log already and has to be in the snapshot; None for nothing.

        Raises:
            SourceUnavailable: when there is no connection now.
        """
        taken = cls()
        try:
            taken._snapshot = taken._runner.run(taken._open(source, reached))
        except BaseException:
            taken.close()
            raise
        return taken

    def load(self, parts: Sequence[TrackedCollection], load: Load, is_over: IsOver) -> None:
        """Loads all rows that `parts` need, every table once; some only, when `is_over` says so before the end.

        Raises:
            SourceUnavailable: when the snapshot was lost with its connection; there is no second one of its moment.
            whatever `load` raises.
        """
        for each in tables_of(parts):
            takers = [part for part in parts if each.table in part.columns]
            pages = self._snapshot.tracked_rows(each.table, each.key, each.columns)
            # Not an `async for`: one that is left early would read the rest of the table first.
            while rows := self._runner.run(_some(pages, is_over)):
                for part in takers:
                    load(part, rows)

    def close(self) -> None:
        """Ends the snapshot; does nothing the second time."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._runner.run(self._abandon())
        finally:
            self._runner.close()

    async def _open(self, source: FollowedSource, reached: Position | None) -> RootKeyReader:
        snapshots = await self._stack.enter_async_context(source.snapshots())
        context = snapshots.now() if reached is None else snapshots.at_least(reached)
        snapshot = await self._stack.enter_async_context(context)
        self.position = await snapshots.position()
        return snapshot

    async def _abandon(self) -> None:
        with suppress(_Abandoned):
            async with self._stack:
                raise _Abandoned


def load_tracked_rows(
    source: FollowedSource,
    parts: Sequence[TrackedCollection],
    load: Load,
    is_over: IsOver,
    reached: Position | None = None,
) -> Position | None:
    """Loads all rows that `parts` need from one later moment, and returns its position; see RowSnapshot."""
    with closing(RowSnapshot.take(source, reached)) as moment:
        moment.load(parts, load, is_over)
        return moment.position


def missing_tables(
    needed: Sequence[TrackedTable], known: Mapping[TableName, Sequence[str]]
) -> tuple[TrackedTable, ...]:
    """What has to be tracked and isn't; `known` is of TrackedRows.tables."""
    return tuple(each for each in needed if not set(each.noted) <= set(known.get(each.table, ())))


def untracked(scope: Scope, collection: Collection, schema: Schema, stored: TrackedRows) -> Cascades:
    """The silent cascades of a collection, with those of their tables that the state does not track.

    Nothing where one of them can't be followed: sync refuses such a collection, and a copy does not need the rows.
    """
    cascades = silent_cascades(schema, [collection])
    if cascades.hidden or not cascades.tables:
        return Cascades()
    return replace(cascades, tables=missing_tables(cascades.tables, stored.tables(scope)))


def tables_of(parts: Sequence[TrackedCollection]) -> list[TrackedTable]:
    """Every table once, with the columns that any part needs."""
    found: dict[TableName, TrackedTable] = {}
    for each in [each for part in parts for each in part.tables]:
        before = found.get(each.table, each)
        columns = tuple(dict.fromkeys((*before.columns, *each.columns)))
        found[each.table] = TrackedTable(each.table, each.key, columns)
    return list(found.values())


async def _some(pages: AsyncGenerator[list[TrackedRow], None], is_over: IsOver) -> list[TrackedRow]:
    """The rows of the next pages: every load is a transaction of the target, which costs more than many rows in it."""
    found: list[TrackedRow] = []
    while len(found) < _AT_ONCE and (rows := await _next(pages, is_over)):
        found += rows
    return found


async def _next(pages: AsyncGenerator[list[TrackedRow], None], is_over: IsOver) -> list[TrackedRow]:
    """The next rows; none at the end, or when it is over, even where the server doesn't answer any more."""
    page = asyncio.ensure_future(anext(pages, list[TrackedRow]()))
    while not page.done():
        await asyncio.wait({page}, timeout=_POLL_SECONDS)
        if is_over():
            page.cancel()
            await asyncio.wait({page})
            return []
    return page.result()
