"""Premise C with real processes: one is stopped in the middle of a write, a second takes over and writes something
newer, the first wakes up. Each rule is also taken out once, and the older document wins: so these tests can fail."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from migrator.errors import LeaseLost
from migrator.model.change.events import TrackedRow
from migrator.ports.sync import Documents
from migrator.target import MongoTarget
from migrator.target.lease import HeldLease, LeaseCheck
from migrator.target.mongo.leases import write_guard
from migrator.target.mongo.leases.write_guard import FencedWrites
from migrator.target.mongo.writing.live import MongoDocuments
from tests.target.build import document
from tests.target.sync.conftest import SCOPE, open_fast
from tests.target.sync.proxy import proxy

Look = Database[dict[str, Any]]
OLD = "the older version"
NEW = "the newer version"
TABLE = ("shop", "order_tags")
# Of a time limit instead of a fence.
LIMIT = 3.0

pytestmark = pytest.mark.slow


def stop_after(owner: type, name: str) -> None:
    """This process stops itself (SIGSTOP) at the end of the next call of a method."""
    original = getattr(owner, name)

    def stopping(*args: Any, **kwargs: Any) -> Any:
        value = original(*args, **kwargs)
        setattr(owner, name, original)
        os.kill(os.getpid(), signal.SIGSTOP)
        return value

    setattr(owner, name, stopping)


def after_the_look() -> None:
    stop_after(HeldLease, "check")


def after_the_mark() -> None:
    stop_after(FencedWrites, "_mark")


def before_the_commit() -> None:
    stop_after(MongoDocuments, "_bulk")


def nowhere() -> None: ...


def without_fence() -> None:
    FencedWrites._mark = lambda self, session: True  # type: ignore[method-assign]


def without_transactions() -> None:
    write_guard.has_transactions = lambda session: False
    write_guard.WRITE_LIMIT_SECONDS = LIMIT


def without_waiting() -> None:
    """Makes no difference to the first, which follows nobody."""
    without_transactions()


def first_owner(url: str, pipe: Connection, rules: Callable[[], None], stop: Callable[[], None], what: str) -> None:
    rules()
    with closing(open_fast(url)) as target, target.sync_lease("sync") as lease:
        documents = target.documents(SCOPE, lease, staged=False)
        state = target.sync_state(lease)
        pipe.send("ready")
        stop()
        outcome = ""
        try:
            if what == "document":
                documents.write([document(1, n=1, v=OLD)], [])
            else:
                state.tracked.put(SCOPE, [TrackedRow(TABLE, (b"1",), {"v": OLD.encode()})])
            outcome = "written, "
            lease.check()
        except LeaseLost:
            outcome += "lost"
        pipe.send(outcome)


@contextmanager
def first(
    url: str, rules: Callable[[], None], stop: Callable[[], None], what: str = "document"
) -> Iterator[tuple[BaseProcess, Connection]]:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=first_owner, args=(url, theirs, rules, stop, what))
    process.start()
    theirs.close()
    try:
        assert mine.recv() == "ready"
        yield process, mine
    finally:
        process.kill()
        process.join()


def wait_until_stopped(process: BaseProcess) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return
        time.sleep(0.02)
    pytest.fail("the first process did not stop")


def wake(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGCONT)


def write_newer(target: MongoTarget, lease: LeaseCheck) -> Documents:
    documents = target.documents(SCOPE, lease, staged=False)
    assert not documents.write([document(1, n=1, v=NEW)], []).conflicts
    return documents


@pytest.mark.parametrize(
    ("rules", "wins", "ends"),
    [(nowhere, NEW, "lost"), (without_fence, OLD, "written, lost"), (without_transactions, OLD, "written, lost")],
    ids=["fenced", "mutant: no fence", "no transactions: what remains"],
)
def test_stopped_between_look_and_send(
    live: MongoTarget, database: Look, mongodb_url: str, rules: Any, wins: str, ends: str
) -> None:
    with first(mongodb_url, rules, after_the_look) as (process, pipe):
        wait_until_stopped(process)
        with live.sync_lease("sync") as lease:
            write_newer(live, lease)
            wake(process)
            assert pipe.recv() == ends
            assert database.orders.find_one({"_id": 1}) == {"_id": 1, "n": 1, "v": wins}
            lease.check()


@pytest.mark.parametrize("stop", [after_the_mark, before_the_commit])
def test_stopped_inside_a_transaction(live: MongoTarget, database: Look, mongodb_url: str, stop: Any) -> None:
    """The second can't write before the first one's transaction is ended."""
    with first(mongodb_url, nowhere, stop) as (process, pipe):
        wait_until_stopped(process)
        with live.sync_lease("sync") as lease:
            began = time.monotonic()
            write_newer(live, lease)
            print(f"waited {time.monotonic() - began:.0f} s for the transaction")
            wake(process)
            assert pipe.recv() == "lost"
            found = database.orders.find_one({"_id": 1})
            assert found is not None
            assert found["v"] == NEW


@pytest.mark.parametrize(
    ("rules", "wins"), [(without_transactions, NEW), (without_waiting, OLD)], ids=["limited", "mutant: no waiting"]
)
def test_held_back_by_the_network(
    live: MongoTarget, database: Look, mongodb_url: str, monkeypatch: pytest.MonkeyPatch, rules: Any, wins: str
) -> None:
    """Without transactions: what was sent in time and arrives within the limit, arrives before the second's first."""
    port = int(mongodb_url.partition("127.0.0.1:")[2].partition("/")[0])
    with proxy(port, OLD.encode()) as network, monkeypatch.context() as patch:
        slow_url = mongodb_url.replace(f":{port}/", f":{network.port}/")
        with first(slow_url, rules, nowhere) as (process, pipe):
            assert network.held.wait(20)
            assert process.pid is not None
            os.kill(process.pid, signal.SIGSTOP)
            wait_until_stopped(process)
            patch.setattr(write_guard, "has_transactions", lambda session: False)
            patch.setattr(write_guard, "WRITE_LIMIT_SECONDS", LIMIT)
            if rules is without_waiting:
                patch.setattr(write_guard.TimeLimitedWrites, "_wait", lambda self: None)
            with live.sync_lease("sync") as lease:
                arrival = threading.Timer(LIMIT / 3, network.release)
                arrival.start()
                write_newer(live, lease)
                arrival.join()
                time.sleep(0.5)
                found = database.orders.find_one({"_id": 1})
                assert found is not None
                assert found["v"] == wins
                wake(process)
                assert pipe.recv() == "written, lost"


@pytest.mark.parametrize(("rules", "wins"), [(nowhere, NEW), (without_fence, OLD)], ids=["fenced", "mutant: no fence"])
def test_what_is_remembered_is_not_turned_back(live: MongoTarget, mongodb_url: str, rules: Any, wins: str) -> None:
    with first(mongodb_url, rules, after_the_look, "state") as (process, pipe):
        wait_until_stopped(process)
        with live.sync_lease("sync") as lease:
            state = live.sync_state(lease)
            row = TrackedRow(TABLE, (b"1",), {"v": NEW.encode()})
            state.tracked.put(SCOPE, [row])
            wake(process)
            assert pipe.recv() == ("lost" if wins == NEW else "written, lost")
            assert bool(state.tracked.find(SCOPE, TABLE, ["v"], [(NEW.encode(),)], 1)) == (wins == NEW)


def test_one_that_lives_is_not_disturbed(live: MongoTarget, mongodb_url: str, database: Look) -> None:
    with first(mongodb_url, nowhere, nowhere) as (_, pipe):
        assert pipe.recv() == "written, "
    found = database.orders.find_one({"_id": 1})
    assert found is not None
    assert found["v"] == OLD
