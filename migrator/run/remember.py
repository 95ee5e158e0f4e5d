"""Reads the rows that have to be remembered because of silent cascades, once, before their events keep them in step."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing, closing, suppress

from migrator.changes.cascades import Tracked
from migrator.errors import SourceUnavailable
from migrator.run.beside import IsOver
from migrator.run.sync_ports import Climber, FollowedSource
from migrator.run.tracking import Tracker


class Moment:
    """A snapshot of the source, taken when this is made; its rows may be read later, in another thread.

    DESIGN premise B: it has to be taken before the first snapshot from which documents are made. Then a row that a
    cascade takes away is either in neither, or remembered.
    """

    def __init__(self, source: FollowedSource) -> None:
        """
        Raises:
            SourceUnavailable: when there is no connection now.
        """
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        try:
            self._snapshot = self._loop.run_until_complete(self._open(source))
        except BaseException:
            self.close()
            raise

    def remember(self, tables: Sequence[Tracked], tracker: Tracker, is_over: IsOver) -> None:
        """Loads all rows of `tables`; some only, when `is_over` says so before the end.

        Raises:
            SourceUnavailable: when the snapshot was lost with its connection; there is no second one of its moment.
        """
        self._loop.run_until_complete(_load(self._snapshot, tables, tracker, is_over))

    def close(self) -> None:
        try:
            # One that was lost is over already.
            with suppress(SourceUnavailable):
                self._loop.run_until_complete(self._stack.aclose())
        finally:
            self._loop.close()

    async def _open(self, source: FollowedSource) -> Climber:
        snapshots = await self._stack.enter_async_context(source.snapshots())
        return await self._stack.enter_async_context(snapshots.now())


def remember(source: FollowedSource, tables: Sequence[Tracked], tracker: Tracker, is_over: IsOver) -> None:
    """Loads all rows of `tables` as they are now; some only, when `is_over` says so before the end."""
    with closing(Moment(source)) as moment:
        moment.remember(tables, tracker, is_over)


async def _load(snapshot: Climber, tables: Sequence[Tracked], tracker: Tracker, is_over: IsOver) -> None:
    for each in tables:
        async with aclosing(snapshot.tracked_rows(each.table, each.key, each.columns)) as pages:
            async for rows in pages:
                if is_over():
                    return
                tracker.load(rows)
