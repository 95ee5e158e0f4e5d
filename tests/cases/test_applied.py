"""Every case through plan and apply, all of them as collections of one run into a folder of BSON files.

The cases share table names, so each has a database of its own; a mapping finds its tables there.
"""

from __future__ import annotations

import secrets
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import bson
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from migrator import api
from migrator.copy.options import ApplyOptions
from migrator.mapping.validator import validator
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import ChunkResult
from migrator.model.plan.plan import Plan
from migrator.model.plan.run import CollectionProgress, Run
from migrator.planning.build import CollectionFacts, PlanContext, build
from migrator.planning.decide import Consent, decide
from migrator.source import open_source
from migrator.target import open_target
from tests.cases.case import Case, all_cases
from tests.cases.check import check
from tests.oracle.load import run_script
from tests.oracle.migrated import id_of, resolved

CASES = [case for case in all_cases() if not case.error()]
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Applied:
    folder: Path
    rejected: dict[str, set[tuple[str, ...]]]

    def documents(self, name: str) -> dict[bytes, bytes]:
        options = CodecOptions(document_class=RawBSONDocument)
        with (self.folder / f"{name}.bson").open("rb") as stream:
            found = [document.raw for document in bson.decode_file_iter(stream, options)]
        by_id = {id_of(document): document for document in found}
        assert len(by_id) == len(found)
        return by_id


class Silent:
    """Hears of the work and says nothing."""

    def started(self, run: Run, progress: Mapping[str, CollectionProgress], *, resumed: bool) -> None: ...

    def chunk_done(self, result: ChunkResult) -> None: ...

    def doing(self, activity: object) -> None: ...

    def paused(self, reason: str) -> None: ...

    def continued(self) -> None: ...

    def catching_up(self, progress: object) -> None: ...

    def published(self, collection: str) -> None: ...

    def note(self, text: str) -> None: ...


@pytest.fixture(scope="module")
def databases(mysql_server: str, flavor: str) -> Iterator[dict[str, str]]:
    """The URL of a database for each case that this server can hold, with the case's tables in it."""
    prefix = f"t_{secrets.token_hex(4)}"
    cases = [case for case in CASES if case.flavor in (None, flavor)]
    names = {case.name: f"{prefix}_{number}" for number, case in enumerate(cases)}
    urls = {
        name: make_url(mysql_server).set(database=database).render_as_string(hide_password=False)
        for name, database in names.items()
    }
    with connect_mysql(mysql_server) as connection:
        try:
            for case in cases:
                connection.cursor().execute(f"CREATE DATABASE `{names[case.name]}` CHARACTER SET utf8mb4")
                run_script(urls[case.name], case.schema)
            yield urls
        finally:
            for database in names.values():
                connection.cursor().execute(f"DROP DATABASE IF EXISTS `{database}`")


def collection_of(case: Case, url: str, scratch: Path) -> Collection:
    """The case's collection, under the case's name."""
    folder = scratch / case.name
    folder.mkdir()
    shutil.copy(case.mapping, folder)
    (found,) = resolved(url, folder, Policies(**case.policies))
    return replace(found, name=case.name)


def plan_of(source_url: str, target_url: str, collections: list[Collection]) -> Plan:
    """As `api.make_plan`, for collections that come from different databases."""
    source = open_source(source_url)
    with closing(open_target(target_url)) as target:
        ground = PlanContext(
            "2024-01-01T00:00:00+00:00", source.identity(), "source", target.identity(), (), syncable=False
        )
        surveys = []
        before = target.inspect([each.name for each in collections])
        for collection, found in zip(collections, before, strict=True):
            wanted = validator(collection)
            decision = decide(collection, found, wanted, Consent())
            measure = source.measure(collection, exact=False)
            surveys.append(CollectionFacts(collection, found, decision, wanted, measure))
    return build(ground, surveys, None)


@pytest.fixture(scope="module")
def applied(databases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Applied:
    folder = tmp_path_factory.mktemp("applied")
    target_url = f"file:{folder}"
    scratch = tmp_path_factory.mktemp("mappings")
    collections = [collection_of(case, databases[case.name], scratch) for case in CASES if case.name in databases]
    first, *others = (make_url(url).database or "" for url in databases.values())
    source_url = f"{databases[collections[0].name]}?databases={','.join([first, *others])}"
    plan = plan_of(source_url, target_url, collections)
    result = api.apply(plan, source_url, target_url, ApplyOptions(workers=2), Silent())
    rejected = defaultdict(set)
    for reason in api.rejected(target_url, result.run, 10_000):
        rejected[reason.collection].add((reason.document,))
    return Applied(folder, rejected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_documents(case: Case, applied: Applied, databases: dict[str, str], flavor: str) -> None:
    if case.name not in databases:
        pytest.skip(f"needs {case.flavor}")
    check(case, flavor, applied.documents(case.name), applied.rejected.get(case.name, set()))
