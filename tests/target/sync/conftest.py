"""A MongoDB target with a live collection, and its sync state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from migrator.model.change.events import Scope
from migrator.model.mapping.tree import IndexSpec
from migrator.ports.sync_state import SyncState
from migrator.target import MongoTarget
from migrator.target.lease import Timing
from migrator.target.url import MongoUrl, parse_target_url
from tests.target.build import chunk, collection_plan, document, result, run

RUN = "0a1b2c3d"
SCOPE = Scope(RUN, "orders")
FAST = Timing(interval=0.1, give_up=0.6, expiry=1.0, poll=0.05)
UNIQUE = IndexSpec("n_1", (("n", 1),), unique=True, nullable=(("n", ("int", "long", "string")),))


def open_fast(url: str) -> MongoTarget:
    parsed = parse_target_url(url)
    assert isinstance(parsed, MongoUrl)
    return MongoTarget(parsed, FAST, 5)


def publish(target: MongoTarget, run_id: str = RUN, name: str = "orders", count: int = 0) -> None:
    """A live collection with a unique index on `n`, made by a run that is done."""
    plan = collection_plan(name, indexes=(UNIQUE,), action="rebuild")
    state = target.state()
    state.begin(run(plan, run_id=run_id))
    target.publisher().prepare(run_id, plan)
    only = chunk(0, collection=name, run_id=run_id)
    state.add_chunks([only])
    state.all_planned(run_id, name)
    writer = target.writer()
    writer.start(only)
    writer.write(only, [document(key, n=key, v="copied") for key in range(count)])
    writer.finish(result(only, count), ())
    assert target.publisher().publish(run_id, plan) == ()
    state.finish(run_id, "done")


@pytest.fixture
def target(mongodb_url: str) -> Iterator[MongoTarget]:
    with closing(open_fast(mongodb_url)) as target:
        yield target


@pytest.fixture
def live(target: MongoTarget) -> MongoTarget:
    """With a live and empty collection `orders`."""
    publish(target)
    return target


@pytest.fixture
def state(target: MongoTarget) -> SyncState:
    return target.sync_state()


@pytest.fixture
def database(mongodb_url: str) -> Iterator[Database[dict[str, object]]]:
    with MongoClient[dict[str, object]](mongodb_url) as client:
        yield client.get_default_database()
