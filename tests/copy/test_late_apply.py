"""Premise C: an apply that is stopped at any moment, and wakes up at any moment of its successor, does no harm.

MIGRATOR_STOPS is how many moments are tried (default 24); hundreds before a release.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo import monitoring
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from migrator import api
from migrator.errors import LeaseHeld, LeaseLost, MigratorError, Stopped
from migrator.model.collection_names import staged_name
from migrator.model.plan.plan import Plan
from migrator.planning.planner import MappingFiles, PlanOptions
from migrator.source import open_source
from migrator.sync.sync import SyncOptions
from migrator.sync.sync import sync as run_sync
from migrator.target.lease import Timing
from migrator.workers.announcer import Announcements
from migrator.workers.interrupt import StopRequest
from tests.copy.stopping import Commands, Deaf, Gate, Killed, Mode, in_background, inline, run_apply, target
from tests.project import ACCOUNTS, BANK

COUNT = int(os.environ.get("MIGRATOR_STOPS", "24"))
SEED = int(os.environ.get("MIGRATOR_SEED", "1000"))
ROWS = 160
LATE = Timing(interval=0.05, give_up=0.3, expiry=0.4, poll=0.02)
NEXT = Timing(interval=0.05, give_up=5.0, expiry=0.4, poll=0.02)

pytestmark = [
    pytest.mark.slow,
    # Threads that are killed leave by an exception.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]


@dataclass(frozen=True)
class World:
    source: str
    target: str
    plan: Plan

    def sql(self, *statements: str) -> None:
        connection = connect_mysql(self.source)
        connection.select_db(make_url(self.source).database or "")
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def expected(self) -> dict[int, Any]:
        connection = connect_mysql(self.source)
        connection.select_db(make_url(self.source).database or "")
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT id, owner, balance FROM accounts")
            found = {key: (owner, balance, []) for key, owner, balance in cursor.fetchall()}
            cursor.execute("SELECT account_id, id, text FROM entries ORDER BY id")
            for account, key, text in cursor.fetchall():
                found[account][2].append((key, text))
        return found

    def documents(self) -> dict[int, Any]:
        with pymongo.MongoClient[dict[str, Any]](self.target) as client:
            found = list(client.get_default_database()["accounts"].find())
        return {
            each["_id"]: (each["owner"], each["balance"], [(entry["id"], entry["text"]) for entry in each["entries"]])
            for each in found
        }

    def names(self) -> list[str]:
        with pymongo.MongoClient[dict[str, Any]](self.target) as client:
            return [each for each in client.get_default_database().list_collection_names() if "__migrator_" in each]


@pytest.fixture
def world(mysql_url: str, mongodb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "accounts.yaml").write_text(ACCOUNTS)
    connection = connect_mysql(mysql_url)
    connection.select_db(make_url(mysql_url).database or "")
    with connection, connection.cursor() as cursor:
        for statement in BANK:
            cursor.execute(statement.replace("600", str(ROWS)))
    plan = api.make_plan(mysql_url, mongodb_url, MappingFiles(tmp_path), PlanOptions(chunk_rows=10))
    inline(monkeypatch)
    return World(mysql_url, mongodb_url, plan)


def changes(chance: random.Random) -> list[str]:
    """Rows deleted and changed: half of all, so that every chunk has some."""
    gone = ", ".join(str(key) for key in chance.sample(range(1, ROWS + 1), ROWS // 3))
    other = ", ".join(str(key) for key in chance.sample(range(1, ROWS + 1), ROWS // 4))
    return [
        f"DELETE FROM entries WHERE account_id IN ({gone})",
        f"DELETE FROM accounts WHERE id IN ({gone})",
        f"UPDATE accounts SET balance = balance + {chance.randrange(1, 99)} WHERE id IN ({other})",
        f"UPDATE entries SET text = 'text {chance.random()}' WHERE account_id IN ({other})",
    ]


def length(world: World) -> int:
    """Commands that an undisturbed apply sends."""
    listener = Commands(lambda number: None)
    run_apply(world.plan, world.source, world.target, LATE, listener)
    with pymongo.MongoClient[dict[str, Any]](world.target) as client:
        client.drop_database(client.get_default_database().name)
    return listener.count


def restore(world: World) -> None:
    with pymongo.MongoClient[dict[str, Any]](world.target) as client:
        client.drop_database(client.get_default_database().name)
    world.sql("DELETE FROM entries", "DELETE FROM accounts", *(each.replace("600", str(ROWS)) for each in BANK[2:]))


def play(world: World, commands: int, chance: random.Random) -> str:
    """One late apply and its successor; what was wrong in the end, "" when nothing was."""
    mode: Mode = chance.choice(["group", "group", "worker"])
    gate = Gate(chance.randrange(1, commands), mode)
    # Beyond the successor's end too.
    wakes_at = chance.randrange(1, round(commands * 1.2))
    changes_at = chance.randrange(1, commands)
    more = changes(chance)
    told = f"stopped at {gate._stop_at} of {commands}, {mode}, woken at {wakes_at}"

    def successor_sends(number: int) -> None:
        if number >= changes_at and more:
            world.sql(*(more.pop(0) for _ in range(len(more))))
        if number >= wakes_at:
            gate.open()

    def late() -> None:
        with suppress(LeaseLost, Stopped, Killed):
            run_apply(world.plan, world.source, world.target, LATE, Commands(gate))

    with in_background(late) as ended:
        try:
            assert gate.closed.wait(30), told
            world.sql(*changes(chance))
            _take_over(world, Commands(successor_sends))
        finally:
            gate.open()
        fault = ended()
    if fault is not None and not isinstance(fault, MigratorError):
        raise AssertionError(told) from fault
    _wait_for_workers()
    with closing(target(world.target, NEXT, Commands(lambda number: None))) as following:
        options = SyncOptions(until_caught_up=True, retry_seconds=5.0)
        announcements = Announcements("sync")
        result = run_sync(open_source(world.source), following, options, Deaf(), StopRequest(), announcements)
    assert result.caught_up, told
    expected, found = world.expected(), world.documents()
    if expected == found:
        return ""
    wrong = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
    return f"{told}: {len(wrong)} documents are wrong, {wrong[:5]}, collections {world.names()}"


def _take_over(world: World, listener: Commands) -> None:
    """As a person does, who is told that another apply is at work: its last renewal may just have been sent."""
    for _ in range(20):
        with suppress(LeaseHeld):
            return run_apply(world.plan, world.source, world.target, NEXT, listener)
    raise AssertionError("the lease is renewed by whom?")


def _wait_for_workers() -> None:
    """Late workers finish what they were at."""
    for thread in threading.enumerate():
        if thread.name == "worker":
            thread.join(30)


@pytest.mark.timeout(3600)
def test_an_apply_that_wakes_up_late(world: World) -> None:
    commands = length(world)
    for number in range(COUNT):
        restore(world)
        wrong = play(world, commands, random.Random(SEED + number))
        assert not wrong, f"seed {SEED + number}: {wrong}"


class Moment(monitoring.CommandListener):
    """Calls `act` in the thread that is about to send the nth command that is `wanted`, and in all that come after."""

    def __init__(self, wanted: Callable[[monitoring.CommandStartedEvent], bool], nth: int, act: Callable[[], None]):
        self._wanted = wanted
        self._left = nth
        self._act = act

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self._left and self._wanted(event):
            self._left -= 1
        if not self._left:
            self._act()

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


def _loads(event: monitoring.CommandStartedEvent) -> bool:
    return event.command_name == "insert" and "__migrator_" in event.command["insert"]


def _indexes(event: monitoring.CommandStartedEvent) -> bool:
    """The first thing that is done after the catch-up."""
    return event.command_name == "createIndexes" and "__migrator_" in event.command["createIndexes"]


def insert_after_the_catch_up(world: World) -> list[int]:
    """A worker stops before it inserts a chunk, and wakes when the successor has caught up; rows brought back."""
    stopped, awake = threading.Event(), threading.Event()

    def stop() -> None:
        stopped.set()
        assert awake.wait(60)

    def wake() -> None:
        if not awake.is_set():
            awake.set()
            time.sleep(1.0)

    def late() -> None:
        with suppress(LeaseLost, Stopped, Killed, MigratorError):
            run_apply(world.plan, world.source, world.target, LATE, Moment(_loads, 3, stop))

    with in_background(late) as ended:
        try:
            assert stopped.wait(30)
            world.sql("DELETE FROM entries", "DELETE FROM accounts WHERE id <= 100")
            for _ in range(20):
                with suppress(LeaseHeld):
                    run_apply(world.plan, world.source, world.target, NEXT, Moment(_indexes, 1, wake))
                    break
        finally:
            awake.set()
        ended()
    _wait_for_workers()
    return sorted(world.documents().keys() - world.expected().keys())


@pytest.fixture
def indexed(world: World, tmp_path: Path) -> World:
    (tmp_path / "accounts.yaml").write_text(f"{ACCOUNTS}indexes:\n  - {{keys: {{owner: 1}}}}\n")
    plan = api.make_plan(world.source, world.target, MappingFiles(tmp_path), PlanOptions(chunk_rows=10))
    return replace(world, plan=plan)


def test_an_insert_after_the_successor_has_caught_up(indexed: World) -> None:
    assert insert_after_the_catch_up(indexed) == []


def test_without_names_of_their_own_it_would_do_harm(indexed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant: every holding loads under one name."""

    def one_for_all(name: str, run_id: str, holding: int) -> str:
        return staged_name(name, run_id, 0)

    for module in ("copy_state.collection_store", "writing.chunk_writer", "target"):
        monkeypatch.setattr(f"migrator.target.mongo.{module}.staged_name", one_for_all)
    monkeypatch.setattr(
        "migrator.target.mongo.copy_state.collection_store.MongoCollectionStore.take_over",
        lambda self, run_id, name: True,
    )
    assert insert_after_the_catch_up(indexed) != []
