"""Reads the rows that have to be remembered because of silent cascades, once, before their events keep them in step."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from migrator.changes.cascades import Tracked
from migrator.run.sync_ports import FollowedSource
from migrator.run.tracking import Tracker


def remember(source: FollowedSource, tables: Sequence[Tracked], tracker: Tracker) -> int:
    """Loads all rows of `tables` and returns how many these are.

    DESIGN premise B: it has to end before the first snapshot is taken from which documents are made. Then a row that a
    cascade takes away is either in neither, or remembered.
    """
    return asyncio.run(_remember(source, tables, tracker))


async def _remember(source: FollowedSource, tables: Sequence[Tracked], tracker: Tracker) -> int:
    count = 0
    async with source.snapshots() as snapshots, snapshots.now() as snapshot:
        for each in tables:
            async with aclosing(snapshot.tracked_rows(each.table, each.key, each.columns)) as pages:
                async for rows in pages:
                    tracker.load(rows)
                    count += len(rows)
    return count
