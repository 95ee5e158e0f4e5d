"""plan warns of a source that writes its log faster than it can be followed, and says nothing of a quiet one."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from migrator import api
from migrator.mapping.file.load import read_mappings
from migrator.mapping.resolve import resolve
from migrator.model.mapping.policies import Policies
from migrator.planning import log_rate as pace_module
from migrator.planning.log_rate import LogRate, log_rate_findings, mark_log, measure_log_rate
from migrator.planning.planner import MappingFiles, PlanOptions
from migrator.source import open_source
from tests.project import ACCOUNTS, BANK


def test_only_what_is_written_faster_than_followed_is_a_finding() -> None:
    assert log_rate_findings(None) == ()
    assert log_rate_findings(LogRate(written=1000.0, followed=1000.0, seconds=3.0)) == ()
    (found,) = log_rate_findings(LogRate(written=3_000_000.0, followed=1_200_000.0, seconds=3.0))
    assert (found.severity, found.code) == ("warning", "log-rate")
    assert "3.0 MB of log a second in the 3 s" in found.text
    assert "followed 1.2 MB a second" in found.text


@pytest.fixture
def collections(mysql_url: str, tmp_path: Path) -> Any:
    (tmp_path / "accounts.yaml").write_text(ACCOUNTS)
    connection = connect_mysql(mysql_url)
    connection.select_db(make_url(mysql_url).database or "")
    with connection, connection.cursor() as cursor:
        for statement in BANK:
            cursor.execute(statement)
    source = open_source(mysql_url)
    return resolve(read_mappings(tmp_path), source.schema(), source, Policies())


def write(url: str, times: int) -> None:
    connection = connect_mysql(url)
    connection.select_db(make_url(url).database or "")
    with connection, connection.cursor() as cursor:
        for _ in range(times):
            cursor.execute("UPDATE accounts SET balance = balance + 1, owner = CONCAT('owner ', RAND())")


def test_both_rates_of_a_source_that_writes(mysql_url: str, collections: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source(mysql_url)
    monkeypatch.setattr(pace_module, "_LEAST_SECONDS", 0.0)
    since = mark_log(source)
    assert since is not None
    assert measure_log_rate(source, source.schema(), collections, since) is None  # hardly anything was written
    write(mysql_url, 20)
    found = measure_log_rate(source, source.schema(), collections, since)
    assert found is not None
    # 600 rows of two images each, twenty times; a row has some fifty bytes.
    assert found.written * found.seconds > 600 * 20 * 50
    assert found.followed > 0
    # The trial reads to the end of the log within its two seconds, or for as long as they last.
    assert found.followed <= found.written * found.seconds / 0.01


def test_a_plan_next_to_a_fast_writer(
    mysql_url: str, mongodb_url: str, collections: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A trial that does nothing is slower than any writer.
    monkeypatch.setattr(pace_module, "TRIAL_SECONDS", 0.0)
    monkeypatch.setattr(pace_module, "_REFS", 1)
    # A plan of so small a bank may take a moment only.
    monkeypatch.setattr(pace_module, "_LEAST_SECONDS", 0.0)
    monkeypatch.setattr(pace_module, "_LEAST_BYTES", 1)
    original = pace_module._followed
    monkeypatch.setattr(pace_module, "_followed", lambda *arguments: (original(*arguments) or 0.0) / 1000)
    over = threading.Event()

    def writer() -> None:
        while not over.is_set():
            write(mysql_url, 1)
            time.sleep(0.01)

    thread = threading.Thread(target=writer, daemon=True)
    thread.start()
    try:
        made = api.make_plan(mysql_url, mongodb_url, MappingFiles(tmp_path), PlanOptions(exact=True))
    finally:
        over.set()
        thread.join()
    assert [finding.code for finding in made.findings if finding.code == "log-rate"] == ["log-rate"]
