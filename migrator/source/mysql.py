"""The source as the rest of migrator sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from functools import cached_property

from migrator.model.change.events import Definitions, LogStatus, TableName, Watch
from migrator.model.change.position import Load, Position, ServerIdentity
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.plan.plan import CollectionMeasure, Finding
from migrator.model.report.check import Check
from migrator.model.report.cutover import Counter
from migrator.model.report.sums import NodeSums, SummedNode
from migrator.model.schema.tables import Column, ColumnName, Schema
from migrator.source import cutover_queries, log_position, server_load
from migrator.source.binlog import open_reader, snapshots
from migrator.source.binlog.positions import log_status
from migrator.source.binlog.reader import BinlogReader
from migrator.source.connection import blocked
from migrator.source.connection.connect import connected
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import SourceUrl
from migrator.source.measuring import failing_expressions, measure
from migrator.source.preflight import checks as preflight
from migrator.source.rows import chunks, shared_snapshot, sums
from migrator.source.rows import snapshot as rows
from migrator.source.schema import current_definitions, describe
from migrator.source.schema import read as schema
from migrator.source.sql import statements


@dataclass(frozen=True)
class MySQLSource:
    """Implements ports.copy.Source and ports.sync.FollowedSource: thin methods over this package. Picklable."""

    url: SourceUrl

    @cached_property
    def _server(self) -> ServerIdentity:
        with connected(self.url) as connection:
            return read_identity(connection)

    @cached_property
    def _templates(self) -> statements.Templates:
        return statements.Templates()

    def identity(self) -> ServerIdentity:
        """The server that the first connection reached; every reader must reach the same one."""
        return self._server

    def schema(self, tables: Iterable[TableName] | None = None) -> Schema:
        return schema.read_schema(self.url, tables)

    def definitions(self, tables: Iterable[TableName], settled: Iterable[TableName] = ()) -> Definitions:
        return current_definitions.read_definitions(self.url, tables, settled)

    def describe(self, schema: str, table: str, expression: str) -> Column:
        return describe.describe(self.url, schema, table, expression)

    def can_compare(self, left: ColumnName, right: ColumnName) -> bool:
        return describe.can_compare(self.url, left, right)

    def measure(
        self, collection: Collection, *, exact: bool, report: Callable[[str], None] | None = None
    ) -> CollectionMeasure:
        with self.located(lambda: [collection]):
            return measure.measure(self.url, collection, exact=exact, report=report)

    def located(self, collections: Callable[[], Sequence[Collection]]) -> AbstractContextManager[None]:
        """Names file and line of the expression of these collections that makes a statement inside the block fail."""
        return failing_expressions.located(self.url, collections)

    def findings(self) -> tuple[Finding, ...]:
        return preflight.findings(self.url)

    def checks(self) -> Iterator[Check]:
        return preflight.checks(self.url)

    def position(self) -> Position | None:
        return log_position.position(self.url)

    def chunks(self, collection: Collection, rows: int, after: KeyRange | None) -> Iterator[KeyRange]:
        return chunks.chunk_ranges(self.url, collection, rows, after)

    def sums(self, nodes: Sequence[SummedNode], without: Sequence[Key]) -> tuple[NodeSums, ...]:
        return sums.sums(self.url, nodes, without)

    def read_only(self) -> bool:
        return cutover_queries.read_only(self.url)

    def highest(self, counter: Counter) -> int:
        return cutover_queries.highest(self.url, counter)

    def blocked(self) -> str:
        return blocked.blocked(self.url)

    def load(self) -> Load:
        return server_load.read_load(self.url)

    def open_reader(self) -> AbstractAsyncContextManager[rows.SnapshotReader]:
        return rows.open_reader(self.url, self._server, self._templates)

    def follow(self, position: Position, watches: Mapping[TableName, Watch]) -> AbstractContextManager[BinlogReader]:
        return open_reader.follow(self.url, position, watches)

    def snapshots(self) -> AbstractAsyncContextManager[snapshots.SnapshotSource]:
        return snapshots.open_snapshots(self.url, self._server, self._templates)

    def log_status(self, position: Position) -> LogStatus:
        return log_status.log_status(self.url, position)

    def require_followable(self) -> None:
        preflight.require_followable(self.url)

    def cascades_are_logged(self) -> bool:
        return preflight.cascades_are_logged(self.url)

    def hold_shared_snapshot(self) -> AbstractContextManager[shared_snapshot.SharedSnapshot]:
        return shared_snapshot.hold_shared_snapshot(self.url)
