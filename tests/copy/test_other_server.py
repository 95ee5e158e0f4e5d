"""Premise A: rows come from the server whose position was noted, whoever reads them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from migrator import api
from migrator.copy.chunk_worker import ChunkHandler, CopyEndpoints, SharedSnapshotHandler
from migrator.copy.options import ApplyOptions
from migrator.errors import PlanRefused
from migrator.model.plan.plan import Plan
from migrator.planning.planner import MappingFiles, PlanOptions
from migrator.source import open_source
from migrator.target.files.target import FilesTarget
from migrator.waits import Waits
from migrator.workers.pool import Pool
from tests.cases.test_applied import Silent
from tests.oracle.load import run_script


@pytest.fixture
def elsewhere(mysql_url: str, tmp_path: Path) -> Plan:
    """A plan that was made for another server."""
    run_script(mysql_url, "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "t.yaml").write_text("collection: t\nfrom: t\n", encoding="utf-8")
    files = MappingFiles(tmp_path / "mappings")
    plan = api.make_plan(mysql_url, f"file:{tmp_path / 'out'}", files, PlanOptions())
    return replace(plan, source=replace(plan.source, uuid="another"))


def no_target(_: Waits) -> FilesTarget:
    raise AssertionError("the target must not be opened")


@pytest.mark.parametrize("handler", [ChunkHandler, SharedSnapshotHandler])
def test_a_worker_refuses_before_it_opens_the_target(
    elsewhere: Plan, mysql_url: str, handler: type[ChunkHandler] | type[SharedSnapshotHandler]
) -> None:
    ends = CopyEndpoints(partial(open_source, mysql_url), no_target)
    with pytest.raises(PlanRefused, match="another server"):
        handler(elsewhere, ends, 1.0)


def test_processes_of_workers_hand_the_refusal_on(elsewhere: Plan, mysql_url: str, tmp_path: Path) -> None:
    ends = api.ends(mysql_url, f"file:{tmp_path / 'out'}")
    pool = Pool(partial(ChunkHandler, elsewhere, ends, 1.0), 2, ("migrator.api",))
    try:
        with pytest.raises(PlanRefused, match="another server"):
            pool.wait_ready()
    finally:
        pool.close()


def test_apply_refuses_and_leaves_nothing(elsewhere: Plan, mysql_url: str, tmp_path: Path) -> None:
    target = f"file:{tmp_path / 'out'}"
    with pytest.raises(PlanRefused, match="another server"):
        api.apply(elsewhere, mysql_url, target, ApplyOptions(), Silent())
    assert list((tmp_path / "out").glob("*.bson")) == []
