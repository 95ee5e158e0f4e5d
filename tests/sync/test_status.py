"""What `status` says, compared with the truth: at random moments of a history with kills, stops and restarts."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from migrator import api
from migrator.cli.output import status as status_output
from migrator.model.change.coordinates import is_before
from migrator.model.change.events import Scope, SyncReport
from migrator.model.change.position import Position
from migrator.model.report.status import Status, SyncStatus
from migrator.model.serialize import from_json, to_json
from migrator.source.binlog.positions.log_start import read_end
from migrator.source.connection.connect import connected
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import parse_source_url
from migrator.sync.follower import Progress
from migrator.sync.progress_meter import Meter
from migrator.sync.status import STALE_AFTER, read_status
from migrator.sync.sync import SyncOptions
from migrator.target import open_target, process
from migrator.workers.activity_recorder import NOTE_EVERY
from migrator.workers.interrupt import StopRequest
from tests.sync.premises.world import Heard, World
from tests.sync.test_running import ROOT
from tests.waiting import until

TABLES = ("CREATE TABLE items (id INT PRIMARY KEY, n INT)", "INSERT INTO items SELECT seq, 0 FROM ({numbers}) s")
ITEMS = "collection: items\nfrom: items\n"
COUNT = 200
# Between a change and what is said of it: an answer of the server, a batch, a report, and a busy machine.
SLACK = 3.5
SEED = int(os.environ.get("MIGRATOR_SEED", "1000"))


@dataclass(frozen=True)
class Moment:
    """The truth: where the log ended, and how many operations were committed by then."""

    at: float
    end: Position
    operations: int


class Source:
    """Operations, and a look at the log every few milliseconds."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._url = parse_source_url(world.source)
        self.operations = 0
        self.moments: list[Moment] = []
        self._per_second = 0.0
        self._ending = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in (self._write, self._look)]
        for thread in self._threads:
            thread.start()

    def rate(self, per_second: float) -> None:
        self._per_second = per_second

    def close(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()
        assert not self._failures, self._failures

    def at(self, moment: float) -> Moment:
        """The last one before it."""
        return next((each for each in reversed(self.moments) if each.at <= moment), self.moments[0])

    def unread(self, position: Position, moment: float) -> int:
        """How many operations were committed by then that are after `position`."""
        done = max((each.operations for each in self.moments if not is_before(position, each.end)), default=0)
        return max(0, self.at(moment).operations - done)

    def _run(self, work: Any) -> None:
        try:
            work()
        except BaseException as failure:
            self._failures.append(failure)

    def _write(self) -> None:
        with self._world.connected() as connection, connection.cursor() as cursor:
            while not self._ending.is_set():
                per_second = self._per_second
                if not per_second:
                    time.sleep(0.02)
                    continue
                cursor.execute("UPDATE items SET n = n + 1 WHERE id = %s", (1 + self.operations % COUNT,))
                self.operations += 1
                time.sleep(1 / per_second)

    def _look(self) -> None:
        with connected(self._url) as connection:
            server = read_identity(connection)
            while not self._ending.wait(0.02):
                # First the count: the log holds at least these.
                operations = self.operations
                end = read_end(connection, server)
                self.moments.append(Moment(time.monotonic(), end, operations))


@dataclass
class State:
    """The truth about a sync."""

    alive: bool = False
    killed_at: float = 0.0
    asleep_since: float | None = None
    awake_since: float = 0.0


ALIVE = State(alive=True)


class Sync(State):
    """A real sync: started, killed, put to sleep and woken up."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        ends = ["--source", self._world.source, "--target", self._world.target, "--mappings", str(self._world.folder)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "migrator", "sync", *ends],
            cwd=self._world.folder.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.alive, self.awake_since = True, time.monotonic()
        until(self._is_seen, "a sync that has its lease")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process, self.asleep_since, self.alive = None, None, False
        self.killed_at = time.time()
        self.kills += 1

    def sleep(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        self.asleep_since = time.monotonic()

    def wake(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self.asleep_since, self.awake_since = None, time.monotonic()

    def _is_seen(self) -> bool:
        found = api.status(self._world.target).sync
        return found is not None and found.work.running


@pytest.fixture
def items(world: World) -> World:
    numbers = " UNION ALL ".join(f"SELECT {each} AS seq" for each in range(1, COUNT + 1))
    world.sql(*(each.format(numbers=numbers) for each in TABLES))
    world.mapping(ITEMS)
    world.apply()
    return world


@pytest.fixture
def source(items: World) -> Iterator[Source]:
    source = Source(items)
    try:
        until(lambda: source.moments, "a look at the log")
        yield source
    finally:
        source.close()


@pytest.fixture
def sync(items: World) -> Iterator[Sync]:
    sync = Sync(items)
    yield sync
    if sync.alive:
        sync.kill()


def judge(status: Status, began: float, source: Source, sync: State) -> str:
    """Fails where the status says what is not so; `began`: right before it was asked for. Returns what it said."""
    assert status.sync is not None
    said, work = status.sync, status.sync.work
    (items,) = status.collections
    assert work.running == sync.alive
    if not sync.alive:
        assert (said.state, said.lag_seconds, items.state) == ("stopped", None, "waits-for-sync")
        assert work.not_running_since is not None
        late = sync.killed_at - datetime.fromisoformat(work.not_running_since).timestamp()
        assert -SLACK < late < NOTE_EVERY + SLACK, f"killed {late} s after its end, as status says"
        return "stopped"
    asleep = 0.0 if sync.asleep_since is None else began - sync.asleep_since
    if asleep > STALE_AFTER + SLACK:
        assert said.stale
        assert said.age is not None
        assert abs(said.age - asleep) < SLACK
        assert (said.state, said.lag_seconds, items.state) == ("unknown", None, "unknown")
        return "stale"
    if sync.asleep_since is None and began - sync.awake_since > STALE_AFTER + SLACK:
        assert not said.stale
    if said.lag_seconds is None:
        assert said.state == "unknown"
        assert items.state == "unknown"
        return "unknown"
    assert said.report is not None
    assert said.report.position is not None
    assert said.age is not None
    # What is claimed: all that was logged before this moment is in the documents.
    claimed = began - said.age - said.lag_seconds - SLACK
    unread = source.unread(said.report.position, claimed)
    assert not is_before(said.report.position, source.at(claimed).end), f"{unread} operations unread: {said}"
    if items.state == "in-step":
        assert said.state == "following"
        assert not items.dirty
    return items.state


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + 2))
def test_at_random_moments_of_a_history(items: World, source: Source, sync: Sync, seed: int) -> None:
    rng = random.Random(seed)
    heard: Counter[str] = Counter()
    sync.start()
    with closing(open_target(items.target)) as target:

        def watch(seconds: float) -> None:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                began = time.monotonic()
                heard[judge(read_status(target), began, source, sync)] += 1
                time.sleep(rng.random() / 5)

        for _ in range(5):
            source.rate(rng.choice([0, 3, 100, 2000]))
            match rng.choice(["kill", "kill", "sleep", "work"]):
                case "kill":
                    sync.kill()
                    watch(rng.random() * 3)
                    sync.start()
                case "sleep":
                    sync.sleep()
                    watch(rng.random() * (STALE_AFTER + SLACK + 2))
                    sync.wake()
            watch(rng.random() * 5)
        source.rate(0)
        until(lambda: _sync(read_status(target)).lag_seconds == 0, "the end")
        assert source.unread(_report(read_status(target)).position or source.moments[0].end, time.monotonic()) == 0
    print(f"seed {seed}: {source.operations} operations, {sync.kills} kills, {dict(heard)}")
    assert heard["in-step"]


class Judging(Heard):
    """Asks for the status at every report of a sync of this process."""

    def __init__(self, source: Source, target: str, stop: StopRequest) -> None:
        super().__init__()
        self.said: list[str] = []
        self._source = source
        self._target = target
        self._stop = stop

    def reported(self, report: SyncReport) -> None:
        super().reported(report)
        if self._stop.asked:
            return
        began = time.monotonic()
        status = api.status(self._target)
        self.said.append(judge(status, began, self._source, ALIVE))
        if _sync(status).lag_seconds == 0:
            self._stop.ask()


@pytest.mark.slow
def test_nothing_is_known_right_after_a_restart(items: World, source: Source) -> None:
    """However much is unread: it was called in step, with a lag of 0."""
    items.sync()
    source.rate(100_000)
    until(lambda: source.operations > 3000, "operations")
    source.rate(0)
    stop = StopRequest()
    heard = Judging(source, items.target, stop)
    api.sync(items.source, items.target, None, SyncOptions(seconds=60), heard, stop)
    assert heard.said[:2] == ["unknown", "unknown"]
    assert heard.said[-1] == "in-step"
    assert _report(api.status(items.target)).lag_transactions == 0


@pytest.mark.slow
def test_seen_from_another_machine(items: World, source: Source, sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be looked at, whether it lives is told by its lease, and soon."""
    sync.start()
    until(lambda: api.status(items.target).collections[0].state == "in-step", "in step")
    time.sleep(3)
    # The sync knows what it is; only this process is of another machine.
    monkeypatch.setattr(process, "_machine", lambda: "another machine")
    began = time.monotonic()
    assert _sync(api.status(items.target)).work.running
    assert time.monotonic() - began < 2, "it was watched, which takes long"
    sync.kill()
    until(lambda: not _sync(api.status(items.target)).work.running, "its end")
    assert judge(api.status(items.target), time.monotonic(), source, sync) == "stopped"


def _sync(status: Status) -> SyncStatus:
    assert status.sync is not None
    return status.sync


def _report(status: Status) -> SyncReport:
    report = _sync(status).report
    assert report is not None
    return report


# --- clocks ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("hours", [-5, 5])
def test_a_wrong_clock_of_a_machine(items: World, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """Of the one that syncs: ages are told by the target's clock, the lag by the source's."""
    items.sql("UPDATE items SET n = 1 WHERE id = 1")
    clock = time.time
    heard = Heard()
    stop = StopRequest()
    with monkeypatch.context() as patch:
        patch.setattr("migrator.sync.progress_meter.time.time", lambda: clock() + hours * 3600)
        thread = threading.Thread(target=api.sync, args=(items.source, items.target, None, SyncOptions(), heard, stop))
        thread.start()
        try:
            until(lambda: heard.reports and heard.reports[-1].state == "following", "a sync that follows")
            items.sql("UPDATE items SET n = 2 WHERE id = 1")
            until(lambda: heard.reports[-1].changes, "the change")
            found = _sync(api.status(items.target))
        finally:
            stop.ask()
            thread.join()
    assert found.report is not None
    assert abs((datetime.fromisoformat(found.report.at) - datetime.now(UTC)).total_seconds()) > 4 * 3600
    assert found.age is not None
    assert found.age < STALE_AFTER
    lags = [each.lag_seconds for each in heard.reports if each.lag_seconds is not None]
    assert max(lags) < 60


# --- what earlier versions left -------------------------------------------------------------------------------------


def _old_report(items: World, **changes: Any) -> None:
    report = SyncReport("sync: process 7 on old", "2026-01-01T00:00:00+00:00", "", {}, None)
    age = changes.pop("age")
    found = replace(report, at=(datetime.now(UTC) - timedelta(seconds=age)).isoformat(timespec="seconds"), **changes)
    with MongoClient[dict[str, Any]](items.target) as client:
        notes = client.get_default_database()["_migrator_sync"]
        notes.replace_one({"_id": "report"}, {"kind": "report", "report": to_json(found)}, upsert=True)


def test_the_report_of_an_earlier_version(items: World) -> None:
    _old_report(items, age=100, state="following", lag_seconds=0.0)
    found = _sync(api.status(items.target))
    assert (found.state, found.lag_seconds, found.work.running) == ("stopped", None, False)
    assert found.age is not None
    assert 98 < found.age < 110
    assert found.work.not_running_since is not None


def test_a_report_without_a_lag_reads_as_unknown() -> None:
    text = to_json(SyncReport("o", "s", "a", {}, None))
    assert from_json(SyncReport, text).lag_seconds is None
    assert from_json(SyncReport, text.replace('"lag_seconds":null', '"lag_seconds":0.0')).lag_seconds == 0.0


# --- one model ------------------------------------------------------------------------------------------------------


def test_names_of_earlier_versions_stay(items: World) -> None:
    found = json.loads(status_output.as_json(api.status(items.target)))
    assert {"target", "run", "collections", "sync", "sync_owner", "sync_age_seconds"} <= found.keys()
    (collection,) = found["collections"]
    assert collection.keys() >= {"name", "run", "documents", "rejected", "copying", "following", "dirty", "why"}
    assert found["sync"] is None
    items.sync()
    found = json.loads(status_output.as_json(api.status(items.target)))
    old = "owner started at serving position logged_at lag_seconds lag_transactions expires_in dirty changes documents"
    assert found["sync"].keys() >= {*old.split(), "rate", "state", "error"}
    assert found["sync"]["state"] == "stopped"
    assert found["sync_owner"] is None
    assert found["sync"]["work"]["ended"] == "done"


# --- the meter ------------------------------------------------------------------------------------------------------


def test_of_another_follower_nothing_is_known_yet(items: World) -> None:
    """It may begin further in front, with a collection that was added: what the last one knew is not true of it."""
    with closing(open_target(items.target)) as target:
        position = next(iter(target.sync_state().positions.load([Scope(_run(items), "items")]).values()))
    meter = Meter("me")
    progress = Progress(position, 100.0, True, time.monotonic(), 100.0, False, changes=7)
    meter.take(progress)
    before = meter.report()
    assert (before.position, before.lag_seconds, before.state) == (position, 0.0, "following")
    meter.begin()
    after = meter.report()
    assert (after.position, after.lag_seconds, after.lag_transactions, after.state) == (None, None, None, "unknown")
    assert after.changes == 7


def test_the_lag_grows_while_nothing_is_heard() -> None:
    """A server that hangs sends nothing: what was logged since is not known of."""
    meter = Meter("me")
    meter.take(Progress(None, 0.0, True, time.monotonic() - 42, 0.0, False))
    report = meter.report()
    assert report.lag_seconds == pytest.approx(42, abs=1)
    assert (report.state, report.lag_transactions) == ("catching-up", None)


def test_what_waits_keeps_the_lag_of_what_was_done_before() -> None:
    """Read to the log's end, and not all of it done: the lag is that of what is."""
    meter = Meter("me")
    meter.take(Progress(None, time.time(), False, 0.0, time.time() - 30, True))
    report = meter.report()
    assert report.lag_seconds == pytest.approx(30, abs=1)
    assert report.state == "catching-up"


def _run(items: World) -> str:
    with MongoClient[dict[str, Any]](items.target) as client:
        found = client.get_default_database()["_migrator_collections"].find_one({"_id": "items"})
    assert found is not None
    return str(found["run"])
