"""An apply next to a source that writes faster than it follows says so, and goes on when the source rests."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from migrator import api
from migrator.copy import catch_up_trend, catch_up_watch
from migrator.copy.catch_up_trend import CatchUp
from migrator.planning.planner import MappingFiles, PlanOptions
from migrator.sync import batch
from migrator.target.lease import Timing
from tests.copy.stopping import Commands, Deaf, inline, run_apply
from tests.copy.test_late_apply import World
from tests.project import ACCOUNTS, BANK

pytestmark = pytest.mark.slow


class Hearing(Deaf):
    """Ends the writer when it has heard what it waits for."""

    def __init__(self, enough: threading.Event) -> None:
        self.notes: list[str] = []
        self.reports: list[CatchUp] = []
        self._enough = enough

    def note(self, text: str) -> None:
        self.notes.append(text)
        if "will not catch up" in text:
            self._enough.set()

    def catching_up(self, progress: CatchUp) -> None:
        self.reports.append(progress)


def test_a_catch_up_without_an_end(
    mysql_url: str, mongodb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "accounts.yaml").write_text(ACCOUNTS)
    plan_options = PlanOptions(chunk_rows=100)
    connection = connect_mysql(mysql_url)
    connection.select_db(make_url(mysql_url).database or "")
    with connection, connection.cursor() as cursor:
        for statement in BANK:
            cursor.execute(statement)
    plan = api.make_plan(mysql_url, mongodb_url, MappingFiles(tmp_path), plan_options)
    world = World(mysql_url, mongodb_url, plan)
    inline(monkeypatch)
    # A minute is three seconds here.
    monkeypatch.setattr(catch_up_trend, "_TREND_OVER", 3.0)
    monkeypatch.setattr(catch_up_watch, "_ASK_EVERY", 0.5)
    # A batch is one transaction of the writer: it changes all rows, and batches would collapse many of them.
    monkeypatch.setattr(batch, "_REFS", 50)
    monkeypatch.setattr(batch, "_REFS_AT_MOST", 100)
    enough = threading.Event()
    heard = Hearing(enough)
    catching_up = threading.Event()

    def write() -> None:
        writer = connect_mysql(mysql_url)
        writer.select_db(make_url(mysql_url).database or "")
        with writer, writer.cursor() as cursor:
            while not enough.is_set():
                cursor.execute("UPDATE accounts SET balance = balance + 1")
                if catching_up.is_set():
                    time.sleep(0.01)

    def far_away(number: int) -> None:
        """The target is slow once the copy is done."""
        if heard.reports and not enough.is_set():
            catching_up.set()
            time.sleep(0.2)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        timing = Timing(interval=0.5, give_up=30, expiry=40, poll=0.05)
        run_apply(plan, mysql_url, mongodb_url, timing, Commands(far_away), heard)
    finally:
        enough.set()
        thread.join()
    (said,) = [each for each in heard.notes if "will not catch up" in each]
    assert "Nothing is lost and nothing goes live meanwhile" in said
    assert any(each.growing for each in heard.reports)
    assert all(each.changes_rate >= 0 for each in heard.reports)
    assert len(world.documents()) == 600
    _: Any = world
