"""What a file system can do to migrator, and what mongorestore expects of the files."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import bson
import pytest

from migrator.errors import MigratorError, TargetError
from migrator.model.mapping.tree import IndexSpec
from migrator.target import FilesTarget, open_target
from migrator.target.files.failure import translated
from migrator.target.files.folder import Folder, file_name
from tests.target.build import chunk, collection_plan, document, result, run

RUN = "0a1b2c3d"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def target(out: Path) -> Iterator[FilesTarget]:
    with closing(open_target(f"file:{out}")) as target:
        assert isinstance(target, FilesTarget)
        yield target


def load(target: FilesTarget, name: str = "orders", chunks: int = 1, text: str = "") -> None:
    plan = collection_plan(name)
    target.state().begin(run(plan))
    target.publisher().prepare(RUN, plan)
    writer = target.writer()
    for number in range(chunks):
        one = chunk(number, collection=name)
        target.state().add_chunks([one])
        writer.start(one)
        writer.write(one, [document(number, text=text)])
        writer.finish(result(one, 1), ())


def test_the_files_are_as_mongodump_makes_them(target: FilesTarget, out: Path) -> None:
    index = IndexSpec("n_1", (("n", 1),), unique=True, nullable=(("n", ("int",)),), expire_after_seconds=5)
    load(target)
    target.publisher().publish(RUN, collection_plan(indexes=(index,), validator='{"bsonType": "object"}'))
    assert sorted(path.name for path in out.iterdir()) == [".migrator", "orders.bson", "orders.metadata.json"]
    assert bson.decode_all((out / "orders.bson").read_bytes()) == [{"_id": 0, "text": ""}]
    found = json.loads((out / "orders.metadata.json").read_text())
    assert len(bytes.fromhex(found.pop("uuid"))) == 16
    assert found == {
        "collectionName": "orders",
        "type": "collection",
        "indexes": [
            {"v": {"$numberInt": "2"}, "key": {"_id": {"$numberInt": "1"}}, "name": "_id_"},
            {
                "v": {"$numberInt": "2"},
                "key": {"n": {"$numberInt": "1"}},
                "name": "n_1",
                "unique": True,
                "partialFilterExpression": {"n": {"$type": ["int"]}},
                "expireAfterSeconds": {"$numberInt": "5"},
            },
        ],
        "options": {
            "validator": {"$jsonSchema": {"bsonType": "object"}},
            "validationLevel": "moderate",
            "validationAction": "error",
        },
    }


@pytest.mark.parametrize(
    ("name", "on_disk"),
    [
        ("orders", "orders"),
        ("a/b", "a%2Fb"),
        ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"),
        ("..", ".."),
        ("a b%c;d?é", "a%20b%25c%3Bd%3F%C3%A9"),
        ("a$b&c+d=e:f@g", "a$b&c+d=e:f@g"),
        ("x" * 238, "x" * 238),
        # Cut and hash as mongodump does; the digest is from `openssl sha1 -binary | base64`.
        ("x" * 239, "x" * 208 + "%24Nq75d-cu3iRxNs-ce3Tvf9gagoU"),
    ],
)
def test_names_on_disk(target: FilesTarget, out: Path, name: str, on_disk: str) -> None:
    assert file_name(name) == on_disk
    load(target, name)
    target.publisher().publish(RUN, collection_plan(name))
    assert (out / f"{file_name(name)}.bson").exists()
    assert {path.parent for path in out.parent.rglob("*.bson")} == {out}
    (found,) = target.inspect([name])
    assert (found.name, found.owned) == (name, True)


def test_reading_leaves_nothing(target: FilesTarget, out: Path) -> None:
    target.inspect(["orders"])
    target.identity()
    list(target.checks())
    assert target.state().open_run() is None
    assert target.state().progress(RUN) == {}
    assert not out.exists()


def test_chunks_are_in_order_whatever_the_order_of_work(target: FilesTarget, out: Path) -> None:
    plan = collection_plan()
    target.state().begin(run(plan))
    target.publisher().prepare(RUN, plan)
    target.state().add_chunks([chunk(number) for number in range(12)])
    writer = target.writer()
    for number in (11, 2, 0, 10, 1, 9, 3, 8, 4, 7, 5, 6):
        writer.start(chunk(number))
        writer.write(chunk(number), [document(number)])
        writer.finish(result(chunk(number), 1), ())
    target.publisher().publish(RUN, plan)
    assert [found["_id"] for found in bson.decode_all((out / "orders.bson").read_bytes())] == list(range(12))


def test_an_unfinished_chunk_is_not_published(target: FilesTarget, out: Path) -> None:
    load(target)
    target.state().add_chunks([chunk(1)])
    with pytest.raises(TargetError, match="chunk 1 is not finished"):
        target.publisher().publish(RUN, collection_plan())
    assert not (out / "orders.bson").exists()


def test_a_damaged_part_is_noticed(target: FilesTarget, out: Path) -> None:
    load(target)
    part = Folder(out).part(chunk(0))
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(TargetError, match="damaged"):
        target.publisher().publish(RUN, collection_plan())
    assert not (out / "orders.bson").exists()


def test_replacing_removes_compressed_files_of_the_same_name(target: FilesTarget, out: Path) -> None:
    out.mkdir()
    (out / "orders.bson.gz").write_bytes(b"theirs")
    load(target)
    (found,) = target.inspect(["orders"])
    assert (found.exists, found.owned) == (True, False)
    with pytest.raises(MigratorError, match="did not make it"):
        target.publisher().publish(RUN, collection_plan())
    target.publisher().publish(RUN, collection_plan(action="replace"))
    assert not (out / "orders.bson.gz").exists()


def test_documents_of_files_made_by_others_are_estimated(target: FilesTarget, out: Path) -> None:
    out.mkdir()
    (out / "orders.bson").write_bytes(bson.encode({"_id": 1, "text": "x" * 1000}) * 5000)
    (out / "users.bson").write_bytes(b"\x00" * 100)
    orders, users = target.inspect(["orders", "users"])
    assert (orders.exists, orders.owned, orders.documents) == (True, False, 5000)
    assert (users.exists, users.documents) == (True, 0)


def test_a_full_disk_says_where_and_how_much_is_free(
    target: FilesTarget, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.state().begin(run(collection_plan()))
    target.publisher().prepare(RUN, collection_plan())
    target.state().add_chunks([chunk(0)])
    writer = target.writer()
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "part", lambda folder, chunk: Path("/dev/full"))
        writer.start(chunk(0))
        with pytest.raises(TargetError, match=r"No space left on device: \d+ bytes are free") as caught:
            writer.write(chunk(0), [document(1, text="x" * 100_000)])
    assert "/dev/full" in caught.value.where
    assert "Free space there" in caught.value.hint
    # It goes on where it stopped once there is space.
    writer.start(chunk(0, attempt=2))
    writer.write(chunk(0, attempt=2), [document(1)])
    writer.finish(result(chunk(0, attempt=2), 1), ())
    target.publisher().publish(RUN, collection_plan())
    assert bson.decode_all((out / "orders.bson").read_bytes()) == [{"_id": 1}]


def publish_with_little_room(url: str, pipe: Connection) -> None:
    """A process that may not make files of more than 300 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    with closing(open_target(url)) as target:
        try:
            target.publisher().publish(RUN, collection_plan())
        except TargetError as error:
            pipe.send(str(error))
        else:
            pipe.send("published")


@pytest.mark.slow
def test_no_room_for_the_whole_leaves_nothing_under_the_final_name(target: FilesTarget, out: Path) -> None:
    load(target, chunks=5, text="x" * 100_000)
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=publish_with_little_room, args=(f"file:{out}", theirs))
    process.start()
    said = mine.recv()
    process.join()
    assert os.strerror(errno.EFBIG) in said
    assert "whole.bson" in said
    assert not (out / "orders.bson").exists()
    target.publisher().publish(RUN, collection_plan())
    assert len(bson.decode_all((out / "orders.bson").read_bytes())) == 5


def test_a_file_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with closing(open_target(f"file:{tmp_path}/file")) as target:
        with pytest.raises(TargetError, match="name a folder"):
            target.state().begin(run(collection_plan()))
        (check,) = target.checks()
        assert (check.status, check.name) == ("blocked", "reachable")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(target: FilesTarget, out: Path) -> None:
    out.mkdir()
    out.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(TargetError, match="Let this user write there"):
        target.state().begin(run(collection_plan()))


@pytest.mark.parametrize(
    ("number", "says"), [(errno.EROFS, "read-only"), (errno.EACCES, "Let this user write"), (errno.EIO, "disk fails")]
)
def test_faults_of_the_file_system_have_hints(tmp_path: Path, number: int, says: str) -> None:
    with pytest.raises(TargetError, match=says) as caught, translated(tmp_path):
        raise OSError(number, os.strerror(number))
    assert caught.value.where == str(tmp_path)


def test_a_state_that_is_none(target: FilesTarget, out: Path) -> None:
    (out / ".migrator").mkdir(parents=True)
    (out / ".migrator" / "state.sqlite3").write_text("something else, and long enough to be read as a header" * 100)
    with pytest.raises(TargetError, match="state can't be used"):
        target.state().open_run()


def work(url: str, numbers: list[int], pipe: Connection) -> None:
    with closing(open_target(url)) as target:
        writer = target.writer()
        for number in numbers:
            writer.start(chunk(number))
            writer.write(chunk(number), [document(number * 10 + n) for n in range(10)])
            writer.finish(result(chunk(number), 10), ())
    pipe.send("done")


@pytest.mark.slow
def test_many_processes_write_at_once(target: FilesTarget, out: Path) -> None:
    plan = collection_plan()
    target.state().begin(run(plan))
    target.publisher().prepare(RUN, plan)
    target.state().add_chunks([chunk(number) for number in range(60)])
    context = multiprocessing.get_context("spawn")
    pipes = []
    processes = []
    for worker in range(3):
        mine, theirs = context.Pipe()
        numbers = list(range(worker, 60, 3))
        processes.append(context.Process(target=work, args=(f"file:{out}", numbers, theirs)))
        pipes.append(mine)
        processes[-1].start()
    assert [pipe.recv() for pipe in pipes] == ["done"] * 3
    for process in processes:
        process.join()
    target.publisher().publish(RUN, plan)
    assert [found["_id"] for found in bson.decode_all((out / "orders.bson").read_bytes())] == list(range(600))
