"""Tables of every shape, through the whole of apply: compared with the rows themselves."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.project import Project
from tests.waiting import SECONDS

ODD_SHAPES = (
    "CREATE TABLE nothing (id INT PRIMARY KEY)",
    "CREATE TABLE log (line VARCHAR(20) NULL, n INT NULL)",
    "INSERT INTO log VALUES ('same', 1), ('same', 1), (NULL, NULL), ('other', 2)",
    "CREATE TABLE pairs (a INT, b VARCHAR(10), PRIMARY KEY (a, b))",
    "INSERT INTO pairs SELECT id DIV 7, CONCAT('b', id) FROM accounts",
    "CREATE TABLE words (word VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY)",
    "INSERT INTO words VALUES ('abc'), ('B'), ('Äpfel'), ('zebra'), ('Zoo'), ('é')",
    "CREATE TABLE uses (id INT PRIMARY KEY, word VARCHAR(20) COLLATE utf8mb4_general_ci NOT NULL)",
    "INSERT INTO uses VALUES (1, 'ABC'), (2, 'abc'), (3, 'b'), (4, 'APFEL')",
)


@pytest.mark.slow
def test_shapes(either: Project) -> None:
    either.sql(*ODD_SHAPES)
    either.mapping("nothing", "collection: nothing\nfrom: nothing\n")
    either.mapping("log", "collection: log\nfrom: log\nkey: none\n")
    either.mapping("pairs", "collection: pairs\nfrom: pairs\n")
    either.mapping(
        "words", "collection: words\nfrom: words\nembed:\n  uses: {from: uses, many: true, on: {word: word}}\n"
    )
    either.settings("chunk_rows: 3\n")
    ended = either.apply_here()
    assert ended.code == 0, ended
    assert len(either.documents()) == 600
    assert either.documents("nothing") == {}
    assert (either.files / "nothing.bson").exists() or "nothing" in either.collections()
    log = Counter((each["line"], each["n"]) for each in either.listed("log"))
    assert log == Counter({("same", 1): 2, (None, None): 1, ("other", 2): 1})
    pairs = {(each["_id"]["a"], each["_id"]["b"]) for each in either.listed("pairs")}  # type: ignore[index]
    assert pairs == {(number // 7, f"b{number}") for number in range(1, 601)}
    uses = {str(each["_id"]): [use["id"] for use in each["uses"]] for each in either.listed("words")}  # type: ignore[attr-defined]
    assert uses == {"abc": [1, 2], "B": [3], "Äpfel": [4], "zebra": [], "Zoo": [], "é": []}
    assert "Nothing to do." in either.here("apply").out


@pytest.mark.slow
def test_sixty_collections(project: Project) -> None:
    project.settings("workers: 2\n")
    for number in range(60):
        project.sql(
            f"CREATE TABLE t{number} (id INT PRIMARY KEY, v INT NOT NULL)",
            f"INSERT INTO t{number} VALUES (1, {number})",
        )
        project.mapping(f"t{number}", f"collection: c{number}\nfrom: t{number}\n")
    ended = project.apply()
    assert ended.code == 0, ended
    assert [project.listed(f"c{number}") for number in range(60)] == [[{"_id": 1, "v": number}] for number in range(60)]
    unknown = project.here("apply", "--yes", "--collection", "c61")
    assert unknown.code == 2
    assert "c61" in unknown.err


@pytest.mark.slow
def test_a_chunk_for_every_row(project: Project) -> None:
    project.settings("chunk_rows: 1\n")
    # 600 chunks, each with transactions of its own.
    ended = project.run("apply", "--yes", "--workers", "2", seconds=5 * SECONDS)
    assert ended.code == 0, ended
    assert len(project.documents()) == 600
    assert 500 <= project.chunks_done() <= 700
