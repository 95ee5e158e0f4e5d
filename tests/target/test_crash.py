"""Publishing is cut off at every step, then done again by a process that knows nothing of the first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from migrator.model.mapping.tree import IndexSpec
from migrator.target import open_target
from migrator.target.files import collection_store as files_store
from migrator.target.files.collection_store import FilesCollectionStore
from migrator.target.files.database import StateDatabase
from migrator.target.files.folder import Folder
from migrator.target.files.records import FilesRecords
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state.collection_store import MongoCollectionStore
from migrator.target.mongo.copy_state.records import MongoRecords
from migrator.target.mongo.leases.write_guard import UnguardedWrites
from migrator.target.publish import CollectionPublisher
from migrator.target.store_protocols import CollectionStore as Collections
from migrator.target.store_protocols import Records
from migrator.target.url import FilesUrl, parse_target_url
from tests.target.build import chunk, collection_plan, document, result, run
from tests.target.conftest import Place

BY_DAY = IndexSpec("day_1", (("day", 1),))
NEW = "22222222"
# Calls that publishing makes to the target and to the state.
STEPS = 10


class Crash(BaseException):
    """Like a kill: nothing in migrator may catch it."""


class Fuse:
    """Crashes before, or right after, the nth call that goes through it."""

    def __init__(self, nth: int, *, after: bool) -> None:
        self.left, self.after = nth, after

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def fused(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Crash
            value = call(*args, **kwargs)
            if self.left == 0:
                raise Crash
            return value

        return fused


class Fused:
    """An object whose every method goes through a fuse."""

    def __init__(self, inner: object, fuse: Fuse) -> None:
        self._inner, self._fuse = inner, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._fuse.wrap(found) if callable(found) else found


def parts(url: str) -> tuple[Collections, Records]:
    parsed = parse_target_url(url)
    if isinstance(parsed, FilesUrl):
        folder = Folder(parsed.folder)
        database = StateDatabase(folder)
        return FilesCollectionStore(folder, database), FilesRecords(database)
    session = Session(parsed)
    return MongoCollectionStore(session), MongoRecords(session, UnguardedWrites(session))


PLAN = collection_plan(action="rebuild", indexes=(BY_DAY,), validator='{"bsonType": "object"}', mapping_hash="m2")


def load(url: str, run_id: str, first: int) -> None:
    """Three chunks of two documents, all written."""
    with closing(open_target(url)) as target:
        state = target.state()
        state.begin(run(PLAN, run_id=run_id))
        target.publisher().prepare(run_id, PLAN)
        writer = target.writer()
        for number in range(3):
            one = chunk(number, run_id=run_id)
            state.add_chunks([one])
            writer.start(one)
            writer.write(one, [document(first + number * 2), document(first + number * 2 + 1)])
            writer.finish(result(one, 2), ())
        state.all_planned(run_id, "orders")


def check_and_repeat(place: Place, before: str) -> None:
    """After a crash: what is live is all old or all new; a fresh process brings it to the end."""
    live = [found["_id"] for found in place.look.documents("orders")]
    assert live in ([0, 1, 2, 3, 4, 5], [100, 101, 102, 103, 104, 105])
    with closing(open_target(place.url)) as target, target.lease("test") as lease:
        state, publisher = target.state(lease), target.publisher(lease)
        (found,) = target.inspect(["orders"])
        published = state.progress(NEW)["orders"].published
        assert found.owned
        assert published == (live[0] == 100)
        # apply compares with the plan, and must find what it left, or that this very run has published.
        assert published or found.structure == before
        if not published:
            state.take_over(NEW)
            publisher.take_over(NEW, PLAN)
        assert publisher.publish(NEW, PLAN) == ()
        (found,) = target.inspect(["orders"])
        assert (found.owned, found.mapping_hash, found.index_specs) == (True, "m2", (BY_DAY,))
        assert state.progress(NEW)["orders"].published
        state.finish(NEW, "done")
    assert [found["_id"] for found in place.look.documents("orders")] == [100, 101, 102, 103, 104, 105]
    assert BY_DAY.name in place.look.indexes("orders")
    assert place.look.validator("orders") == {"$jsonSchema": {"bsonType": "object"}}
    assert place.look.names() == ["orders"]


def publish_first(place: Place) -> str:
    load(place.url, "11111111", 0)
    assert place.target.publisher().publish("11111111", PLAN) == ()
    place.target.state().finish("11111111", "done")
    load(place.url, NEW, 100)
    return place.target.inspect(["orders"])[0].structure


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("nth", range(1, STEPS + 1))
def test_a_crash_between_steps(place: Place, nth: int, after: bool) -> None:
    before = publish_first(place)
    fuse = Fuse(nth, after=after)
    collections, records = parts(place.url)
    fused: Any = Fused(collections, fuse), Fused(records, fuse)
    with pytest.raises(Crash):
        CollectionPublisher(*fused, "test").publish(NEW, PLAN)
    check_and_repeat(place, before)


def test_these_are_all_the_steps(place: Place) -> None:
    publish_first(place)
    fuse = Fuse(1000, after=False)
    collections, records = parts(place.url)
    fused: Any = Fused(collections, fuse), Fused(records, fuse)
    CollectionPublisher(*fused, "test").publish(NEW, PLAN)
    assert 1000 - fuse.left == STEPS


FILE_STEPS = [(os, "fsync"), (Path, "replace"), (Path, "unlink"), (shutil, "rmtree")]


@pytest.mark.parametrize("place", ["files"], indirect=True)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", FILE_STEPS, ids=lambda step: step[1])
def test_files_crash_inside_steps(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str], after: bool
) -> None:
    before = publish_first(place)
    # Every part is made safe and deleted by itself, so that a crash falls between any two.
    monkeypatch.setattr(files_store, "_STEP_BYTES", 1)
    crashes = 0
    for nth in range(1, 20):
        with monkeypatch.context() as patch:
            patch.setattr(*step, Fuse(nth, after=after).wrap(getattr(*step)))
            try:
                place.target.publisher().publish(NEW, PLAN)
            except Crash:
                crashes += 1
            else:
                break
        (found,) = place.target.inspect(["orders"])
        assert found.owned
        assert found.mapping_hash == "m2" or found.structure == before
    assert crashes > 0
    check_and_repeat(place, before)
