"""verify again and again during random histories with a live sync: no false alarm; then a fault, which it finds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from migrator import api
from migrator.copy.options import ApplyOptions
from migrator.model.report.verify import Selection, Tally, VerifyReport
from migrator.target import open_target
from migrator.verify.outcome import VerifyOptions
from tests.histories.history import History, Spec
from tests.sync import running

VERIFIES = 3


class Silent:
    """An observer of verify."""

    def started(self, expected: int, begun: str) -> None: ...

    def looked(self, collection: str, tally: Tally, waiting: int) -> None: ...

    def doing(self, activity: object) -> None: ...

    def paused(self, reason: str) -> None: ...

    def continued(self) -> None: ...

    def note(self, text: str) -> None: ...


def verified(source: str, target: str, *, repair: bool = False) -> VerifyReport:
    options = VerifyOptions(Selection(), ApplyOptions(workers=1, restart=True), repair)
    return api.verify(source, target, None, options, Silent())


@contextmanager
def live(folder: Path, source: str, target: str, history: History) -> Iterator[None]:
    sync = running.sync(folder, source, target, history.world.mappings)
    try:
        end = time.monotonic() + 60
        while open_target(target, 5.0).sync_target().sync_lease_owner() is None:  # type: ignore[union-attr]
            assert sync.code is None, sync.said
            assert time.monotonic() < end, sync.said
            time.sleep(0.2)
        yield
        assert sync.code is None, sync.said
    finally:
        sync.kill()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_next_to_a_history(mysql_url: str, mongodb_url: str, tmp_path: Path, seed: int) -> None:
    spec = Spec(seed, ("nasty", "shop")[seed % 2], 2, 1, 400)
    # Columns come and go in other histories; here the sync must live to the end.
    history = History(replace(spec, mix=replace(spec.mix, definitions=0)), mysql_url)
    stop = threading.Event()
    try:
        running.apply(mysql_url, mongodb_url, history.world.mappings, history.collections, chunk_rows=3)
        with live(tmp_path, mysql_url, mongodb_url, history):
            with history.writing(stop):
                for _ in range(VERIFIES):
                    report = verified(mysql_url, mongodb_url)
                    assert report.following
                    faults = [fault for each in report.collections for fault in each.faults]
                    assert not faults, (spec, faults)
                plant(mongodb_url, history)
                found = verified(mysql_url, mongodb_url).tally
                assert found.extra == 1, found
                stop.set()
            report = verified(mysql_url, mongodb_url, repair=True)
            assert (report.tally.faults, report.tally.extra) == (1, 1), report
    finally:
        stop.set()
        history.close()


def plant(target: str, history: History) -> None:
    """A document that no row can have made, which no sync will touch."""
    with MongoClient[dict[str, Any]](target) as client:
        client.get_default_database()[history.collections[0]].insert_one({"_id": {"planted": 1}, "x": 1})
