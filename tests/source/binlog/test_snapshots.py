from __future__ import annotations

import asyncio

from migrator.model.change.events import Rows
from migrator.model.plan.chunk import KeyRange
from migrator.source import MySQLSource
from tests.source.binlog.conftest import Follow
from tests.source.build import node, table
from tests.source.conftest import Execute


def test_a_snapshot_contains_what_was_read(source: MySQLSource, execute: Execute, follow: Follow) -> None:
    execute("CREATE TABLE t (id INT PRIMARY KEY)")
    root = node(table(source.schema(), "t"))
    followed = follow("t")

    async def run() -> None:
        async with source.snapshots() as snapshots:
            seen = set()
            for number in range(20):
                execute(f"INSERT INTO t VALUES ({number})")
                followed.until(Rows)
                # In the middle of the transaction: its Commit is not read yet.
                async with snapshots.at_least(followed.reader.reached) as reader:
                    rows = await reader.roots(root, KeyRange(), 100)
                    assert (str(number).encode(),) in [row[:1] for row in rows]
                    seen.add(id(reader))

    asyncio.run(run())
