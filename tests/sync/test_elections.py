"""Histories on a replica set of three whose primary is stepped down, killed and paused all the while.

They need a mongod on the PATH; MIGRATOR_HISTORIES says how many there are, as for `test_histories`.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pymongo
import pytest

from dev.servers.model import Unavailable
from dev.servers.mongod import Member, ReplicaSet, find_mongod
from tests.histories import campaign
from tests.histories.campaign import Tally
from tests.histories.history import Spec
from tests.histories.replay import fresh

SEED = int(os.environ.get("MIGRATOR_SEED", "1000"))
COUNT = max(1, int(os.environ.get("MIGRATOR_HISTORIES", "8")) // 4)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


class Elections:
    """Something happens to the primary every eight seconds at most, in another thread. Implements campaign.Disturb."""

    def __init__(self, servers: ReplicaSet) -> None:
        self._servers = servers
        self._thread: threading.Thread | None = None
        self.count: dict[str, int] = {"step down": 0, "kill": 0, "pause": 0}

    def __call__(self, rng: random.Random) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._disturb, args=[random.Random(rng.random())], daemon=True)
            self._thread.start()

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join()
        self._servers.primary()

    def _disturb(self, rng: random.Random) -> None:
        what = rng.choice(list(self.count))
        try:
            primary = self._servers.primary()
        except Unavailable:
            return
        self.count[what] += 1
        if what == "step down":
            self._servers.step_down()
        elif what == "kill":
            primary.kill()
            time.sleep(rng.uniform(0.1, 4))
            primary.start()
        else:
            _pause(primary, rng.uniform(1, 6))
        time.sleep(rng.uniform(0.5, 3))


def _pause(member: Member, seconds: float) -> None:
    os.kill(member.pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(member.pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def three() -> Iterator[ReplicaSet]:
    try:
        program = find_mongod()
    except Unavailable as reason:
        pytest.skip(f"an election needs a mongod: {reason}")
    servers = ReplicaSet(program)
    yield servers
    servers.stop()


@contextmanager
def while_disturbed(elections: Elections, seed: int) -> Iterator[None]:
    """For what a test does by itself."""
    over = threading.Event()

    def disturb() -> None:
        rng = random.Random(seed)
        while not over.wait(1):
            elections(rng)

    thread = threading.Thread(target=disturb, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        elections.wait()


@pytest.mark.parametrize("world", ["shop", "nasty"])
@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT))
def test_sync_is_killed_and_primaries_change(
    mysql_server: str, three: ReplicaSet, tmp_path: Path, seed: int, world: str
) -> None:
    tally, elections = Tally(), Elections(three)
    with fresh(mysql_server, three.url) as (source, target):
        spec = Spec(seed, world, writers=2, rounds=2, transactions=80)
        campaign.play_killed(spec, source, target, tmp_path, tally, elections)
    print(f"{spec}: {tally}; {elections.count}")
    assert sum(elections.count.values())


@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT))
def test_a_copy_next_to_writers_while_primaries_change(mysql_server: str, three: ReplicaSet, seed: int) -> None:
    """Copy, catch-up and publishing under elections; whatever stops is started again, as a person does."""
    tally, elections = Tally(), Elections(three)
    with fresh(mysql_server, three.url) as (source, target), while_disturbed(elections, seed):
        spec = Spec(seed, "shop", writers=2, rounds=1, transactions=100)
        campaign.play_next_to_copy(spec, source, target, tally)
    print(f"{spec}: {tally}; {elections.count}")
    assert sum(elections.count.values())


def test_it_has_elections(three: ReplicaSet) -> None:
    """The test of the tests: majorities are acknowledged again after each kind of disturbance."""
    three.step_down()
    # What is acknowledged by the primary alone may be rolled back.
    url = f"{three.url}&w=majority"
    with closing(pymongo.MongoClient[dict[str, object]](url)) as client:
        client.get_database("elections").t.insert_one({"n": 1})
        primary = three.primary()
        primary.kill()
        try:
            client.get_database("elections").t.insert_one({"n": 2})
            assert three.primary() is not primary
        finally:
            primary.start()
        assert client.get_database("elections").t.count_documents({}) == 2
        client.drop_database("elections")
