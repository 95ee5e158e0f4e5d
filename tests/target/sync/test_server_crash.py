"""The server is killed between calls and in the middle of them; what a call said is there afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from pymongo import MongoClient

from dev.servers.model import Server
from migrator.model.change.events import DocumentRef, TrackedRow, WriteOutcome
from migrator.target import MongoTarget
from migrator.target.lease import Timing
from migrator.target.url import MongoUrl, parse_target_url
from tests.target.build import document, reject
from tests.target.sync.conftest import SCOPE, publish
from tests.target.sync.test_state import TAGS, position

pytestmark = pytest.mark.slow

Start = Callable[[], Server]


def url_of(server: Server) -> str:
    head, _, options = server.url.partition("?")
    return f"{head.rstrip('/')}/shop?{options}&serverSelectionTimeoutMS=1000"


@contextmanager
def target_on(server: Server) -> Iterator[MongoTarget]:
    parsed = parse_target_url(url_of(server))
    assert isinstance(parsed, MongoUrl)
    # The owner must live through the server's restart.
    with closing(MongoTarget(parsed, Timing(0.5, 20.0, 30.0, 0.1), 40)) as target:
        yield target


def reaches(start: int, stop: int) -> list[DocumentRef]:
    return [DocumentRef("orders", "key", (b"%d" % n,)) for n in range(start, stop)]


@pytest.mark.parametrize("fenced", [False, True], ids=["plain", "fenced"])
def test_what_was_acknowledged_survives(mongod_factory: Start, fenced: bool) -> None:
    server = mongod_factory()
    with target_on(server) as target:
        publish(target)
        with target.sync_lease("sync") as lease:
            state = target.sync_state(lease if fenced else None)
            orders = target.documents(SCOPE, lease, staged=False)

            def crash() -> None:
                server.kill()
                server.start()

            state.dirty.mark(SCOPE, reaches(0, 50))
            crash()
            first, second, *_ = state.dirty.oldest(SCOPE, 50)
            assert state.dirty.count([SCOPE]) == 50
            state.dirty.advance(SCOPE, first, (b"7",), 1)
            state.dirty.settle(SCOPE, [second])
            state.positions.save([SCOPE], position(1))
            crash()
            assert state.positions.load([SCOPE]) == {SCOPE: position(1)}
            assert state.dirty.oldest(SCOPE, 1)[0].after == (b"7",)
            assert state.dirty.count([SCOPE]) == 49
            row = TrackedRow(TAGS, (b"1",), {"tag": b"red"})
            state.tracked.put(SCOPE, [row])
            state.rejected.record(SCOPE, [(b"5",)], [reject(5)], conflict=True)
            assert orders.write([document(1, n=1)], []) == WriteOutcome()
            crash()
            assert state.tracked.find(SCOPE, TAGS, ["tag"], [(b"red",)], 5) == [row]
            assert state.rejected.conflicting(SCOPE, 5) == [(b"5",)]
            assert orders.ids(None, 5) == [b"\x0e\x00\x00\x00\x10_id\x00\x01\x00\x00\x00\x00"]
            lease.check()


def test_killed_in_the_middle_of_calls(mongod_factory: Start) -> None:
    """Each call is repeated by itself until it is done, and repeating does no harm."""
    server = mongod_factory()
    with target_on(server) as target:
        publish(target)
        ending = threading.Event()
        kills = 0

        def kill_now_and_then() -> None:
            nonlocal kills
            while not ending.wait(0.7):
                server.kill()
                time.sleep(0.2)
                server.start()
                kills += 1

        with target.sync_lease("sync") as lease:
            state = target.sync_state(lease)
            orders = target.documents(SCOPE, lease, staged=False)
            killer = threading.Thread(target=kill_now_and_then)
            killer.start()
            try:
                started = time.monotonic()
                n = 0
                # Fifteen seconds, and on a busy machine until there was something to survive.
                while time.monotonic() < started + 15 or (kills < 4 and time.monotonic() < started + 120):
                    state.dirty.mark(SCOPE, reaches(n, n + 100))
                    assert state.dirty.count([SCOPE]) == 100
                    entries = state.dirty.oldest(SCOPE, 200)
                    assert [entry.ref for entry in entries] == reaches(n, n + 100)
                    assert orders.write([document(key, n=key) for key in range(n, n + 100)], []) == WriteOutcome()
                    state.dirty.settle(SCOPE, entries)
                    state.positions.save([SCOPE], position(n))
                    assert state.positions.load([SCOPE]) == {SCOPE: position(n)}
                    n += 100
            finally:
                ending.set()
                killer.join()
        with MongoClient[dict[str, Any]](url_of(server)) as client:
            assert client.shop.orders.count_documents({}) == n
        print(f"{n // 100} rounds, {kills} kills")
        assert kills > 3
        assert n > 100
