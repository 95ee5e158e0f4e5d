"""One at a time, with real processes that are killed and stopped."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import pytest

from migrator.errors import LeaseHeld, LeaseLost, TargetUnavailable
from migrator.ports.copy import Target
from migrator.target import FilesTarget, MongoTarget
from migrator.target.lease import HeldLease, Holding, Owner, Timing, hold
from migrator.target.process import ProcessId, is_dead, this_process
from migrator.target.url import MongoUrl, parse_target_url
from tests.target.conftest import Place

FAST = Timing(interval=0.1, give_up=0.6, expiry=1.0, poll=0.05)


def fast_target(url: str) -> Target:
    parsed = parse_target_url(url)
    return MongoTarget(parsed, FAST) if isinstance(parsed, MongoUrl) else FilesTarget(parsed, FAST)


def holder(url: str, pipe: Connection) -> None:
    """A process with the lease: tells whether it still has it whenever it is asked; ends at None."""
    with closing(fast_target(url)) as target, target.lease("apply") as lease:
        pipe.send("held")
        while pipe.recv() is not None:
            try:
                lease.check()
            except LeaseLost as error:
                pipe.send(error.what)
            else:
                pipe.send("held")
    pipe.send("released")


@contextmanager
def held(url: str) -> Iterator[tuple[BaseProcess, Connection]]:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=holder, args=(url, theirs))
    process.start()
    theirs.close()
    try:
        assert mine.recv() == "held"
        yield process, mine
    finally:
        process.kill()
        process.join()


def test_a_live_owner_is_named(place: Place) -> None:
    with held(place.url) as (process, pipe):
        with pytest.raises(LeaseHeld) as caught, fast_target(place.url).lease("apply"):
            pass
        assert f"process {process.pid} on {os.uname().nodename}" in str(caught.value)
        assert "apply is running" in str(caught.value)
        time.sleep(FAST.expiry)
        pipe.send("?")
        assert pipe.recv() == "held"
        pipe.send(None)
        assert pipe.recv() == "released"
    with fast_target(place.url).lease("sample") as lease:
        lease.check()


def test_a_killed_owner_is_followed_at_once(place: Place) -> None:
    with held(place.url) as (process, _):
        process.kill()
        process.join()
        started = time.monotonic()
        with fast_target(place.url).lease("apply"):
            assert time.monotonic() - started < FAST.expiry


def test_a_stopped_owner_loses_the_lease_and_learns_it(place: Place) -> None:
    with held(place.url) as (process, pipe):
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
        started = time.monotonic()
        with fast_target(place.url).lease("apply") as lease:
            assert time.monotonic() - started >= FAST.expiry - FAST.interval
            os.kill(process.pid, signal.SIGCONT)
            pipe.send("?")
            assert pipe.recv() != "held"
            time.sleep(3 * FAST.interval)
            pipe.send("?")
            assert "taken over" in pipe.recv()
            pipe.send(None)
            assert pipe.recv() == "released"
            # What the late one gave back was not this one's.
            time.sleep(3 * FAST.interval)
            lease.check()


class MemoryStore:
    """A lease store whose owner may be on another machine."""

    def __init__(self) -> None:
        self.holding: Holding | None = None
        self.broken = False
        self.on_read: Callable[[], None] = lambda: None

    def read(self) -> Holding | None:
        self.on_read()
        return self.holding

    def take(self, owner: Owner, over: Holding | None) -> bool:
        if self.holding != over:
            return False
        self.holding = Holding(owner, 0)
        return True

    def renew(self, token: str, beat: int) -> bool:
        if self.broken:
            raise TargetUnavailable("gone")
        if self.holding is None or self.holding.owner.token != token:
            return False
        self.holding = Holding(self.holding.owner, beat)
        return True

    def release(self, token: str) -> None:
        if self.broken:
            raise TargetUnavailable("gone")
        if self.holding is not None and self.holding.owner.token == token:
            self.holding = None


def elsewhere() -> Holding:
    # A pid that certainly is none here: it must not count for anything.
    return Holding(Owner("abc", ProcessId("far", "another boot", 99999999, "1"), "apply", "2024-05-01"), 7)


def test_a_silent_owner_on_another_machine_is_waited_for() -> None:
    store = MemoryStore()
    store.holding = elsewhere()
    started = time.monotonic()
    with hold(store, "apply", "there", FAST):
        assert time.monotonic() - started >= FAST.expiry


def test_a_moving_owner_on_another_machine_is_respected() -> None:
    store = MemoryStore()
    store.holding = found = elsewhere()
    reads = 0

    def move() -> None:
        nonlocal reads
        reads += 1
        if reads == 4:
            store.holding = Holding(found.owner, found.beat + 1)

    store.on_read = move
    with pytest.raises(LeaseHeld, match="on far"), hold(store, "apply", "there", FAST):
        pass
    assert store.holding is not None
    assert store.holding.owner == found.owner


def test_an_owner_that_cannot_renew_takes_itself_for_dead_before_anybody_else_does() -> None:
    store = MemoryStore()
    with hold(store, "apply", "there", FAST) as lease:
        store.broken = True
        started = time.monotonic()
        while time.monotonic() - started < FAST.expiry and still_held(lease):
            time.sleep(0.02)
        assert FAST.give_up - FAST.interval <= time.monotonic() - started < FAST.expiry
        # Nobody took over: going on is right as soon as the store answers.
        store.broken = False
        time.sleep(3 * FAST.interval)
        lease.check()
        store.broken = True
    # It could not be given back, and that hid nothing.
    assert store.holding is not None


def still_held(lease: HeldLease) -> bool:
    try:
        lease.check()
    except LeaseLost:
        return False
    return True


def test_two_at_once_never_both_have_it() -> None:
    store = MemoryStore()
    store.holding = elsewhere()
    real = store.take
    # Another contender is quicker, between this one's look and its take.
    faster = Owner("faster", this_process(), "apply", "2024-05-01")

    def beaten(owner: Owner, over: Holding | None) -> bool:
        store.take = real  # type: ignore[method-assign]
        assert real(faster, over)
        return real(owner, over)

    store.take = beaten  # type: ignore[method-assign]
    beats = 0

    def beat() -> None:
        nonlocal beats
        if store.holding is not None and store.holding.owner == faster:
            beats += 1
            store.holding = Holding(faster, beats)

    store.on_read = beat
    with pytest.raises(LeaseHeld), hold(store, "apply", "there", FAST):
        pass


def test_dead_only_when_sure() -> None:
    me = this_process()
    assert not is_dead(me)
    assert is_dead(ProcessId(me.host, me.machine, me.pid, "1"))  # the pid was used again
    assert not is_dead(ProcessId(me.host, "another", 99999999, "1"))
    assert not is_dead(ProcessId(me.host, "", 99999999, "1"))
