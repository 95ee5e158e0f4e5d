"""What a MongoDB server can do to migrator: vanish, refuse, lack things."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure, ServerSelectionTimeoutError

from dev.servers.model import Server
from migrator.errors import SettingsError, TargetError, TargetUnavailable
from migrator.model.mapping.tree import IndexSpec
from migrator.model.plan.chunk import Document
from migrator.target import MongoTarget, open_target
from migrator.target.mongo.connection import failure
from migrator.target.mongo.connection.failure import from_failure, translate
from tests.target.build import chunk, collection_plan, document, result, run

RUN = "0a1b2c3d"


@pytest.fixture
def target(mongodb_url: str) -> Iterator[MongoTarget]:
    with closing(open_target(mongodb_url)) as target:
        assert isinstance(target, MongoTarget)
        yield target


def begin(target: MongoTarget, **plan: Any) -> None:
    made = collection_plan(**plan)
    target.state().begin(run(made))
    target.publisher().prepare(RUN, made)
    target.state().add_chunks([chunk(0)])


def test_writes_wait_for_a_majority_whatever_the_url_says(mongodb_url: str) -> None:
    with closing(open_target(mongodb_url + "&w=0&readPreference=secondary&readConcernLevel=local")) as target:
        assert isinstance(target, MongoTarget)
        database = target._session.database
        assert database.write_concern.document == {"w": "majority", "wtimeout": 60000}
        assert database.read_concern.document == {"level": "majority"}
        assert database.read_preference.mongos_mode == "primary"


def test_duplicates_are_named_and_the_other_indexes_are_built(target: MongoTarget, mongodb_url: str) -> None:
    unique = IndexSpec("number_1", (("number", 1),), unique=True, nullable=(("number", ("string",)),))
    other = IndexSpec("other_1", (("other", 1),), unique=True)
    day = IndexSpec("day_1", (("day", 1),))
    plan = collection_plan(indexes=(unique, other, day))
    begin(target)
    writer = target.writer()
    writer.start(chunk(0))
    numbers = [None, None, "A-1", "A-2", "A-2"]
    writer.write(chunk(0), [document(n, number=number, other=n) for n, number in enumerate(numbers)])
    writer.finish(result(chunk(0), 5), ())
    (problem,) = target.publisher().publish(RUN, plan)
    assert "orders: the unique index number_1 could not be built" in problem
    assert "number" in problem
    assert "A-2" not in problem
    assert target.publisher().publish(RUN, plan) == (problem,)
    (found,) = target.inspect(["orders"])
    assert found.index_specs == (other, day)
    # Fixed in the source and copied again, or here: the index can come later.
    MongoClient(mongodb_url).get_default_database().orders.delete_one({"_id": 4})
    assert target.publisher().alter(collection_plan(action="indexes", create=(unique,))) == ()
    assert target.inspect(["orders"])[0].index_specs == (other, day, unique)


def test_nulls_do_not_collide(target: MongoTarget) -> None:
    unique = IndexSpec("n_1", (("n", 1),), unique=True, nullable=(("n", ("int", "long")),))
    begin(target)
    writer = target.writer()
    writer.start(chunk(0))
    writer.write(chunk(0), [document(1, n=None), document(2, n=None), document(3), document(4, n=7)])
    writer.finish(result(chunk(0), 4), ())
    assert target.publisher().publish(RUN, collection_plan(indexes=(unique,))) == ()


def test_documents_refused_for_good_are_returned(target: MongoTarget, mongodb_url: str) -> None:
    begin(target)
    writer = target.writer()
    writer.start(chunk(0))
    bad = Document((b"bad",), bson.encode({"_id": {"$a": 1}}))
    refused = writer.write(chunk(0), [document(1), bad, document(2)])
    assert [key for key, _ in refused] == [(b"bad",)]
    assert "$" in refused[0][1].said
    staged = MongoClient(mongodb_url).get_default_database()[f"orders__migrator_{RUN}"]
    assert staged.count_documents({}) == 2


@pytest.mark.parametrize(
    "key", [{"a": 1, "b": "x"}, bson.Binary(b"\x00\xff"), bson.Int64(5), bson.Decimal128("1.50"), "é", bson.ObjectId()]
)
def test_replacing_finds_every_kind_of_id(target: MongoTarget, mongodb_url: str, key: Any) -> None:
    begin(target)
    writer = target.writer()
    writer.start(chunk(0))
    for value in ("old", "new"):
        assert writer.write(chunk(0), [Document((b"1",), bson.encode({"_id": key, "v": value}))]) == []
    staged = MongoClient(mongodb_url).get_default_database()[f"orders__migrator_{RUN}"]
    assert [found["v"] for found in staged.find()] == ["new"]
    writer.remove(chunk(0), [bson.encode({"_id": key})])
    assert staged.count_documents({}) == 0


def test_a_late_worker_does_not_replace_what_another_wrote(target: MongoTarget) -> None:
    begin(target)
    late, successor = target.writer(), target.writer()
    late.start(chunk(0))
    successor.start(chunk(0, attempt=2))
    successor.write(chunk(0, attempt=2), [document(1, v="new")])
    with pytest.raises(Exception, match="begun chunk 0 again"):
        late.write(chunk(0), [document(1, v="old")])


def test_garbage_of_finished_runs_goes_with_the_next_lease(target: MongoTarget, mongodb_url: str) -> None:
    begin(target)
    target.state().finish(RUN, "done")
    database = MongoClient(mongodb_url).get_default_database()
    database[f"orders__migrator_{RUN}"].insert_one({"late": True})
    database["theirs__migrator_ffffffff"].insert_one({"of a run nobody knows": True})
    with target.lease("apply"):
        pass
    names = set(database.list_collection_names())
    assert f"orders__migrator_{RUN}" not in names
    assert "theirs__migrator_ffffffff" in names


@pytest.mark.parametrize("kind", ["text", "hashed"])
def test_a_kind_of_index_that_the_server_lacks_is_a_problem_not_an_end(
    target: MongoTarget, kind: str, mongodb_server_is_standin: bool
) -> None:
    begin(target)
    spec = IndexSpec(f"a_{kind}", (("a", kind),))
    problems = target.publisher().publish(RUN, collection_plan(indexes=(spec,)))
    assert len(problems) == (1 if mongodb_server_is_standin else 0)


def test_wide_progress_is_quick(target: MongoTarget) -> None:
    begin(target)
    target.state().add_chunks([chunk(number) for number in range(1, 500)])
    started = time.monotonic()
    assert target.state().progress(RUN)["orders"].chunks == 500
    assert time.monotonic() - started < 1


def test_nobody_there(free_port: int) -> None:
    url = f"mongodb://u:S3cret@127.0.0.1:{free_port}/shop?serverSelectionTimeoutMS=300"
    with closing(open_target(url)) as target:
        with pytest.raises(TargetUnavailable, match="refused") as caught:
            target.identity()
        assert "S3cret" not in str(caught.value)
        assert f"u@127.0.0.1:{free_port}" in str(caught.value)
        (check,) = target.checks()
        assert (check.status, check.name) == ("blocked", "reachable")
        assert "S3cret" not in f"{check}"


@pytest.fixture
def free_port() -> int:
    from dev.servers.process import free_port as find

    return find()


@pytest.mark.slow
def test_work_goes_on_after_the_server_was_killed(mongod_factory: Callable[[], Server]) -> None:
    server = mongod_factory()
    head, _, options = server.url.partition("?")
    url = f"{head.rstrip('/')}/shop?{options}&serverSelectionTimeoutMS=1000"
    with closing(open_target(url)) as target:
        assert isinstance(target, MongoTarget)
        begin(target)
        writer = target.writer()
        writer.start(chunk(0))
        assert writer.write(chunk(0), [document(1)]) == []
        server.kill()
        again = threading.Timer(3, server.start)
        again.start()
        try:
            assert writer.write(chunk(0), [document(1), document(2)]) == []
        finally:
            again.join()
        writer.finish(result(chunk(0), 2), ())
        assert target.publisher().publish(RUN, collection_plan()) == ()
        # Ownership outlives a restart of the server.
        server.kill()
        server.start()
        assert target.inspect(["orders"])[0].owned
        assert target.state().progress(RUN)["orders"].published


@pytest.mark.slow
def test_a_server_that_stays_away_ends_the_work(mongod_factory: Callable[[], Server], monkeypatch: Any) -> None:
    monkeypatch.setattr(failure, "_RETRY_SECONDS", 2.0)
    server = mongod_factory()
    head, _, options = server.url.partition("?")
    with closing(open_target(f"{head.rstrip('/')}/shop?{options}&serverSelectionTimeoutMS=500")) as target:
        assert isinstance(target, MongoTarget)
        begin(target)
        writer = target.writer()
        writer.start(chunk(0))
        server.kill()
        started = time.monotonic()
        with pytest.raises(TargetUnavailable):
            writer.write(chunk(0), [document(1)])
        assert 2 <= time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (AutoReconnect("connection reset"), TargetUnavailable, "reset"),
        (ServerSelectionTimeoutError("refused, Timeout: 30s, Topology: long"), TargetUnavailable, "refused"),
        (OperationFailure("x", 18, {"errmsg": "Authentication failed."}), TargetError, "authSource"),
        (OperationFailure("x", 13, {"errmsg": "not authorized"}), TargetError, "readWrite"),
        (OperationFailure("x", 14031, {"errmsg": "no space"}), TargetError, "disk is full"),
        (OperationFailure("x", 8000, {"errmsg": "over quota"}), TargetError, "Atlas"),
        (OperationFailure("x", 10107, {"errmsg": "not primary"}), TargetUnavailable, "not primary"),
        (OperationFailure("x", 64, {"errmsg": "waiting for replication timed out"}), TargetUnavailable, "timed out"),
        (
            OperationFailure("x", 999, {"errmsg": "new one", "errorLabels": ["RetryableWriteError"]}),
            TargetUnavailable,
            "new one",
        ),
        (
            BulkWriteError({"writeErrors": [{"code": 13, "errmsg": "not authorized", "index": 0}]}),
            TargetError,
            "lacks a privilege",
        ),
    ],
)
def test_errors_are_told_apart(error: Any, kind: type[TargetError], says: str) -> None:
    made = translate(error, "there")
    assert type(made) is kind
    assert says in str(made)
    assert "Topology" not in str(made)


class Refusing:
    """A collection whose bulk writes fail."""

    def __init__(self, *failures: dict[str, Any], acknowledged: bool = True) -> None:
        concern = [] if acknowledged else [{"code": 64, "errmsg": "waiting for replication timed out"}]
        self.details = {"writeErrors": list(failures), "writeConcernErrors": concern}
        self.calls = 0

    def insert_many(self, *args: Any, **kwargs: Any) -> None:
        self.calls += 1
        raise BulkWriteError(self.details)


@pytest.mark.parametrize(
    ("codes", "acknowledged", "kind"),
    [((121, 14031), True, TargetError), ((121, 10107), True, TargetUnavailable), ((121,), False, TargetUnavailable)],
)
def test_refused_documents_never_hide_a_fault(
    target: MongoTarget, monkeypatch: Any, codes: tuple[int, ...], acknowledged: bool, kind: type[TargetError]
) -> None:
    monkeypatch.setattr(failure, "_RETRY_SECONDS", 1.0)
    begin(target)
    writer = target.writer()
    writer.start(chunk(0))
    failures = [{"code": code, "errmsg": "no", "index": index} for index, code in enumerate(codes)]
    refusing = Refusing(*failures, acknowledged=acknowledged)
    monkeypatch.setattr(writer, "_staged", lambda chunk: refusing)
    with pytest.raises(TargetError) as caught:
        writer.write(chunk(0), [document(n) for n in range(3)])
    assert type(caught.value) is kind
    assert (refusing.calls > 1) == (kind is TargetUnavailable)


def test_codes() -> None:
    assert isinstance(from_failure({"code": 189, "errmsg": "stepped down"}, ""), TargetUnavailable)
    assert not isinstance(from_failure({"code": 1, "errmsg": "internal"}, ""), TargetUnavailable)


def test_settings_are_checked_at_once() -> None:
    with pytest.raises(SettingsError, match="no database"):
        open_target("mongodb://localhost")


def test_a_wrong_password(mongodb_server: str) -> None:
    host = mongodb_server.partition("://")[2].partition("/")[0].rpartition("@")[2]
    with closing(open_target(f"mongodb://nobody:S3cret@{host}/shop?directConnection=true")) as target:
        with pytest.raises(TargetError, match="Check user and password") as caught:
            target.identity()
        assert "S3cret" not in str(caught.value)
        assert not isinstance(caught.value, TargetUnavailable)
