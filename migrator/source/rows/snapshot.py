"""Rows of one consistent snapshot, as the server prints them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import asyncmy
from asyncmy.cursors import SSCursor

from migrator.errors import SourceError
from migrator.model.change.events import RefKind, TableName, TrackedRow
from migrator.model.change.position import ServerIdentity
from migrator.model.mapping.representation import family_of
from migrator.model.mapping.tree import Node
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.schema.tables import Column
from migrator.source.connection.connect import open_stream
from migrator.source.connection.failure import translated
from migrator.source.connection.identity import IDENTITY_QUERY, identity_of, require_same_server
from migrator.source.connection.url import SourceUrl
from migrator.source.sql import statements
from migrator.source.sql.conditions import sorted_keys
from migrator.source.sql.root_key_statements import RootKeyQuery, all_rows, column_types, lowest

Row = tuple[bytes | None, ...]

PARTS_PER_STATEMENT = 2000  # a key of two columns has two parts
_KEY_BYTES_PER_STATEMENT = 256 << 10
_ROWS_AT_ONCE = 1000
_FIRST_ROWS = 50
_BYTES_AT_ONCE = 4 << 20


class SnapshotReader:
    """Reads one snapshot over one connection, one statement at a time. Implements documents.reader.RowReader and
    ports.sync.RootKeyReader."""

    def __init__(self, connection: asyncmy.Connection, url: SourceUrl, templates: statements.Templates) -> None:
        self._connection = connection
        self._url = url
        self._templates = templates

    async def roots(self, root: Node, within: KeyRange, limit: int) -> list[Row]:
        """At most `limit` root rows of the range in key order."""
        return await self._all(self._templates.roots(root).first(within, limit))

    async def roots_by_key(self, root: Node, keys: Sequence[Key]) -> list[Row]:
        """The root rows that the source's comparison finds for `keys`."""
        found: list[Row] = []
        for some in _packets(sorted_keys(root.key, keys)):
            found += await self._all(self._templates.roots(root).exactly(some))
        return found

    def keyless(self, root: Node, some: int | None = None) -> AsyncGenerator[list[Row], None]:
        """All rows of a root table without a key, or `some`; rows with the same bytes follow each other."""
        return self._stream(statements.keyless_rows(root, some))

    async def children(self, node: Node, parent: Node, match: Sequence[Key]) -> AsyncGenerator[list[Row], None]:
        """Rows of `node` for the match values, those of one match value together and in the node's order.

        Whoever stops before the end closes the iterator (contextlib.aclosing).
        """
        template = self._templates.children(node, parent)
        for some in _packets(sorted_keys(template.columns, match)):
            # Closed by hand: leaving an `async for` early closes nothing.
            async with aclosing(self._stream(template.matching(some))) as stream:
                async for rows in stream:
                    yield rows

    async def root_keys(
        self, path: Sequence[Node], kind: RefKind, values: Sequence[Key], after: Key | None, limit: int
    ) -> list[Key]:
        """Implements ports.sync.RootKeyReader.root_keys."""
        query = RootKeyQuery.of(path, kind)
        within = KeyRange(after, None)
        found: list[Key] = []
        for some in _packets(sorted_keys(query.columns, values)):
            comparisons = await self._templates.alphabets.prepared(query.comparisons, some, self._all)
            statement = replace(query, comparisons=comparisons).keys(some, within, limit)
            new = _keys(await self._all(statement))
            found = await self._lowest(path[0], found, new, limit)
            if len(found) == limit:
                within = KeyRange(after, found[-1])
        return found

    async def _lowest(self, root: Node, some: list[Key], others: list[Key], limit: int) -> list[Key]:
        """The first `limit` keys of two lists in key order."""
        if not some or not others:
            return some or others
        together = list(dict.fromkeys((*some, *others)))
        if all(family_of(column) == "integer" for column in root.key):
            return sorted_keys(root.key, together)[:limit]
        return _keys(await self._all(lowest(root, together, limit)))

    async def tracked_rows(
        self, table: TableName, key: Sequence[str], columns: Sequence[str]
    ) -> AsyncGenerator[list[TrackedRow], None]:
        """Implements ports.sync.RootKeyReader.tracked_rows."""
        found = await self._all(column_types(*table))
        by_name = {one.name: one for one in map(_column, found)}
        missing = [name for name in (*key, *columns) if name not in by_name]
        if missing:
            raise SourceError(
                f"there is no column {', '.join(missing)}",
                where=".".join(table),
                hint="The table may have changed since the plan was made: make a new plan.",
            )
        statement = all_rows(*table, [by_name[name] for name in key], [by_name[name] for name in columns])
        width = len(key)
        async with aclosing(self._stream(statement)) as stream:
            async for rows in stream:
                keys = _keys(rows, width)
                values = [dict(zip(columns, row[width:], strict=True)) for row in rows]
                yield [TrackedRow(table, one, value) for one, value in zip(keys, values, strict=True)]

    async def _all(self, statement: str) -> list[Row]:
        return [row async for rows in self._stream(statement) for row in rows]

    async def _stream(self, statement: str) -> AsyncGenerator[list[Row], None]:
        """The result in lists of a few MB: the server waits while they are worked on, nothing is buffered whole."""
        # SSCursor also spares the SHOW WARNINGS that the buffered one sends.
        cursor = self._connection.cursor(SSCursor)
        size, done = _FIRST_ROWS, False
        try:
            with translated(self._url):
                await cursor.execute(statement)
            while not done:
                with translated(self._url):
                    rows = await cursor.fetchmany(size)
                done = len(rows) < size
                if rows:
                    size = _next_size(rows)
                    yield rows
        except GeneratorExit:
            # What the server has begun to send must be read before the connection can be asked anything else.
            with translated(self._url):
                while await cursor.fetchmany(_ROWS_AT_ONCE):
                    pass
            raise


@asynccontextmanager
async def open_reader(
    url: SourceUrl, server: ServerIdentity, templates: statements.Templates
) -> AsyncIterator[SnapshotReader]:
    """A new snapshot on a new connection, which must have reached `server` (premise A).

    Raises:
        SourceError: when it is another server, or there is no way in.
        SourceUnavailable: when the connection can't be had now.
    """
    connection = await open_stream(url)
    try:
        with translated(url):
            async with connection.cursor() as cursor:
                await cursor.execute(IDENTITY_QUERY)
                variables = [(name.decode(), value.decode()) for name, value in await cursor.fetchall()]
                require_same_server(identity_of(variables), server, url)
                await cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        yield SnapshotReader(connection, url, templates)
    finally:
        # The transaction only read: the server ends it with the connection. A result in the middle is dropped with it.
        connection.close()


def _packets(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Neighbouring keys, so few that a statement stays far below any server's max_allowed_packet."""
    start = parts = size = 0
    for place, key in enumerate(keys):
        parts += len(key)
        size += sum(map(len, key))
        if parts >= PARTS_PER_STATEMENT or size >= _KEY_BYTES_PER_STATEMENT:
            yield keys[start : place + 1]
            start, parts, size = place + 1, 0, 0
    if start < len(keys):
        yield keys[start:]


def _keys(rows: Sequence[Row], width: int | None = None) -> list[Key]:
    """The first values of rows; those of a key are never NULL."""
    return [tuple([value or b"" for value in row[:width]]) for row in rows]


def _column(row: Row) -> Column:
    name, data_type, column_type, charset = (None if value is None else value.decode() for value in row)
    return Column(name or "", (data_type or "").lower(), column_type or "", nullable=True, charset=charset)


def _next_size(rows: Sequence[Row]) -> int:
    """How many rows to take next, judged by some of the last."""
    some = rows[:: max(1, len(rows) // 10)]
    average = sum(len(value) + 33 for row in some for value in row if value is not None) // len(some)
    return max(1, min(_ROWS_AT_ONCE, _BYTES_AT_ONCE // max(1, average)))
