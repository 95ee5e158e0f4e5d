"""A small source and target for one thing that bites: apply, statements, sync, and the oracle's word on it all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from migrator import api
from migrator.copy.options import ApplyOptions
from migrator.model.change.events import SyncReport
from migrator.model.mapping.policies import Policies
from migrator.model.report.activity import Activity
from migrator.planning.planner import MappingFiles, PlanOptions
from migrator.sync.sync import SyncOptions, SyncResult
from migrator.workers.interrupt import StopRequest
from tests.oracle.compare import by_id, differences
from tests.oracle.documents import Oracle


@dataclass
class Heard:
    """What sync or apply said."""

    notes: list[str] = field(default_factory=list)
    reports: list[SyncReport] = field(default_factory=list)
    doings: list[Activity] = field(default_factory=list)

    def reported(self, report: SyncReport) -> None:
        self.reports.append(report)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def started(self, *_: Any, **__: Any) -> None: ...

    def chunk_done(self, _: Any) -> None: ...

    def catching_up(self, _: Any) -> None: ...

    def doing(self, activity: Activity) -> None:
        self.doings.append(activity)

    def paused(self, _: str) -> None: ...

    def continued(self) -> None: ...

    def published(self, _: str) -> None: ...


@dataclass(frozen=True)
class World:
    """Mappings of `folder`, between two empty databases."""

    source: str
    target: str
    folder: Path

    def mapping(self, text: str) -> None:
        """Adds a mapping file; its name is the collection's."""
        self.folder.mkdir(exist_ok=True)
        name = text.split("collection:", 1)[1].split()[0]
        (self.folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    @property
    def files(self) -> MappingFiles:
        return MappingFiles(self.folder, Policies())

    @contextmanager
    def connected(self) -> Iterator[pymysql.connections.Connection[Any]]:
        with closing(connect_mysql(self.source)) as connection:
            connection.select_db(make_url(self.source).database or "")
            connection.autocommit(True)
            yield connection

    def sql(self, *statements: str) -> None:
        """One session, autocommit."""
        with self.connected() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def apply(self, *, workers: int = 1, options: PlanOptions | None = None) -> Heard:
        heard = Heard()
        plan = api.make_plan(self.source, self.target, self.files, options or PlanOptions())
        assert not plan.blocked, plan.blocked
        api.apply(plan, self.source, self.target, ApplyOptions(workers=workers, retry_seconds=10), heard)
        return heard

    def sync(self, *, seconds: float | None = 60.0, retry_seconds: float = 10.0) -> tuple[SyncResult, Heard]:
        """Until it has caught up."""
        heard = Heard()
        options = SyncOptions(until_caught_up=True, seconds=seconds, retry_seconds=retry_seconds)
        result = api.sync(self.source, self.target, self.files, options, heard, StopRequest())
        assert result.caught_up, heard
        return result, heard

    def documents(self, collection: str) -> dict[bytes, bytes]:
        """By the BSON of `{_id: ...}`."""
        with MongoClient[RawBSONDocument](self.target, document_class=RawBSONDocument) as client:
            return by_id(document.raw for document in client.get_default_database()[collection].find())

    def found(self, collection: str) -> dict[Any, dict[str, Any]]:
        """By `_id`, decoded."""
        with MongoClient[dict[str, Any]](self.target) as client:
            return {each["_id"]: each for each in client.get_default_database()[collection].find()}

    def disagreements(self) -> list[str]:
        """Where documents differ from what the oracle builds from SQL, nothing when they don't."""
        oracle = Oracle(self.source, self.folder)
        lines = []
        for name in oracle.collections:
            expected = oracle.all_grouped(name)
            lines += [f"{name}: {line}" for line in differences(expected.documents, self.documents(name))]
        return lines
