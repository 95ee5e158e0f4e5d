"""Blocking helpers around a snapshot reader, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeVar, cast

from migrator.model.mapping.tree import Node
from migrator.model.plan.chunk import Key, KeyRange
from migrator.source import MySQLSource
from migrator.source.connection.connect import connected_raw
from migrator.source.rows.snapshot import SnapshotReader

T = TypeVar("T")
Rows = list[tuple[bytes | None, ...]]


def with_reader(source: MySQLSource, work: Callable[[SnapshotReader], Awaitable[T]]) -> T:
    async def run() -> T:
        async with source.open_reader() as reader:
            return await work(reader)

    return asyncio.run(run())


async def gathered(lists: AsyncIterator[Rows]) -> Rows:
    async with aclosing(cast(Any, lists)):
        return [row async for rows in lists for row in rows]


def roots(source: MySQLSource, root: Node, within: KeyRange, limit: int = 1_000_000) -> Rows:
    return with_reader(source, lambda reader: reader.roots(root, within, limit))


def roots_by_key(source: MySQLSource, root: Node, keys: Sequence[Key]) -> Rows:
    return with_reader(source, lambda reader: reader.roots_by_key(root, keys))


def keyless(source: MySQLSource, root: Node) -> Rows:
    return with_reader(source, lambda reader: gathered(reader.keyless(root)))


def children(source: MySQLSource, node: Node, parent: Node, match: Sequence[Key]) -> Rows:
    return with_reader(source, lambda reader: gathered(reader.children(node, parent, match)))


def raw(source: MySQLSource, sql: str) -> Rows:
    """What plain SQL gives, as bytes."""
    with connected_raw(source.url) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return [tuple(row) for row in cursor.fetchall()]
