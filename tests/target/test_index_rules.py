"""What MongoDB itself does with indexes: every rule that check and plan rely on, asked of the server.

A stand-in doesn't have these rules, so there the tests are skipped; tests/indexing asks the same cases of migrator.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import groupby
from math import cos, pi, sin
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import BulkWriteError, OperationFailure, WriteError

from migrator.indexing.collations import is_locale, near_locale
from migrator.indexing.conflicts import is_rival, is_same_index, takes_rivals
from migrator.indexing.documents import refusal
from migrator.indexing.geometry import geo_problem
from migrator.model.mapping.tree import IndexSpec
from migrator.target import indexes
from tests.indexing.cases import BOW, CASES, POINT, SMALL, SQUARE, Case, moved

pytestmark = pytest.mark.needs_mongodb("the rules of MongoDB's indexes")

GROUPS = [[*cases] for _, cases in groupby(CASES, key=lambda case: (case.keys, case.options))]


@pytest.fixture
def database(mongodb_url: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client.get_default_database()


def build(database: Database[dict[str, Any]], name: str, *specs: IndexSpec) -> None:
    database.command("createIndexes", name, indexes=[indexes.document(spec) for spec in specs])


@pytest.mark.parametrize("cases", GROUPS, ids=lambda cases: cases[0].name)
def test_documents(database: Database[dict[str, Any]], cases: list[Case]) -> None:
    """An insert fails where the rule says so, with the code it says, and nowhere else."""
    build(database, "c", cases[0].spec)
    wrong = []
    for case in cases:
        code: int | None = None
        try:
            database["c"].insert_one(dict(case.document))
        except WriteError as error:
            code = error.code
        if (code is None) is bool(case.path) or (code is not None and code not in case.codes):
            wrong.append((case.name, code))
    assert wrong == []


@pytest.mark.parametrize("case", [case for case in CASES if case.path][::7], ids=lambda case: case.name)
def test_an_index_over_such_a_document_can_not_be_built(database: Database[dict[str, Any]], case: Case) -> None:
    database["c"].insert_one(dict(case.document))
    with pytest.raises(OperationFailure) as caught:
        build(database, "c", case.spec)
    assert caught.value.code in case.codes


GEOMETRIES: list[Any] = [
    *(None, [], {}, [1, 2], "x", POINT),
    *({"type": "Polygon", "coordinates": [ring]} for ring in (SQUARE, BOW, SMALL, moved(BOW, 3.25))),
    {"type": "Polygon", "coordinates": [SQUARE, moved(SMALL, 0.125)]},
    {"type": "LineString", "coordinates": [[0, 0], [0, 0]]},
]
PLAIN: list[Any] = [None, 1, "x", [], [1], [1, 2], {"0": 1}, [{"0": 1}], [{"x": 1}, {"x": [1]}], [[1], [2]], {"x": [1]}]
KINDS: dict[int | str, list[Any]] = {
    "2dsphere": [*GEOMETRIES, *({"x": value} for value in GEOMETRIES)],
    1: PLAIN,
    "hashed": PLAIN,
    "text": [*PLAIN, "en", {"language": "en"}, {"language": 1, "x": "y"}, [{"language": "zz"}]],
}


@pytest.mark.parametrize("kind", KINDS)
def test_random_documents(database: Database[dict[str, Any]], kind: int | str) -> None:
    """Server and rule agree about documents put together at random, in arrays and out of them."""
    chance = random.Random(20)
    values = KINDS[kind]

    def value() -> Any:
        chosen = chance.choice(values)
        return chosen if chance.random() < 0.5 else [{"x": chance.choice(values)} for _ in range(chance.randint(1, 3))]

    wrong = []
    for keys in (["a"], ["a.x"], ["a", "b"], ["a.x", "b.x"], ["a.x", "a.y"], ["a.0", "b"], ["a.1.x"]):
        if kind == "hashed" and len(keys) > 1:
            continue
        spec = IndexSpec("i", tuple((path, kind) for path in keys))
        name = f"c_{'_'.join(keys).replace('.', '')}"
        build(database, name, spec)
        for _ in range(150):
            document = {"a": value(), "b": value()}
            if kind == "text" and chance.random() < 0.5:
                document["language"] = chance.choice(["en", "zz"])
            try:
                database[name].insert_one(dict(document))
                said = None
            except WriteError as error:
                said = error.code
            mine = refusal(spec, bson.decode(bson.encode(document)))
            if (said is None) is not (mine is None):
                wrong.append((keys, document, said, mine))
    assert wrong == []


def random_ring(chance: random.Random) -> list[list[float]]:
    """Closed; on a grid, wild, or around a middle, from a street's size to a continent's."""
    corners, shape = chance.randint(3, 8), chance.random()
    size = 10 ** chance.uniform(-7, 1.5)
    x, y = chance.uniform(-120, 120), chance.uniform(-30, 30)
    if shape < 0.3:
        ring = [[float(chance.randint(-5, 5)), float(chance.randint(-5, 5))] for _ in range(corners)]
    elif shape < 0.6:
        ring = [[x + chance.uniform(-size, size), y + chance.uniform(-size, size)] for _ in range(corners)]
    else:
        turns = [2 * pi * corner / corners for corner in range(corners)]
        ring = [[x + size * cos(turn) * chance.uniform(0.3, 1), y + size * sin(turn)] for turn in turns]
    return [*ring, ring[0]]


def random_hole(chance: random.Random, ring: list[list[float]]) -> list[list[float]]:
    """Like the ring, smaller, most of the time around the same middle."""
    x, y = (sum(position[axis] for position in ring) / len(ring) for axis in (0, 1))
    size, aside = chance.choice([0.05, 0.2, 0.5, 1]), chance.choice([0, 0, 1])
    return [[x + (a - x) * (size + aside), y + (b - y) * size] for a, b in ring]


def test_random_polygons(database: Database[dict[str, Any]]) -> None:
    """What the rule refuses, the server refuses; what the server refuses, the rule knows but for close calls."""
    chance = random.Random(3)
    build(database, "c", IndexSpec("i", (("g", "2dsphere"),)))
    documents = []
    for number in range(3000):
        ring = random_ring(chance)
        holes = [random_hole(chance, ring) for _ in range(chance.choice([0, 0, 1, 2]))]
        documents.append({"_id": number, "g": {"type": "Polygon", "coordinates": [ring, *holes]}})
    mine = {each["_id"] for each in documents if geo_problem(each["g"]) is not None}
    with pytest.raises(BulkWriteError) as caught:
        database["c"].insert_many(documents, ordered=False)
    theirs = {each["op"]["_id"] for each in caught.value.details["writeErrors"]}
    assert mine - theirs == set()
    assert len(mine) > 1000
    assert len(documents) - len(theirs) > 500
    assert len(theirs - mine) < len(theirs) / 50


NO_INDEXES = [
    (IndexSpec("i", (("a", "hashed"),), unique=True), "unique and hashed"),
    (IndexSpec("i", (("a", "hashed"), ("b", "hashed"))), "two hashed fields"),
    (IndexSpec("i", (("a", "hashed"), ("b", "2dsphere"))), "two kinds"),
    (IndexSpec("i", (("a", "text"), ("b", "2dsphere"))), "two kinds"),
    (IndexSpec("i", (("a", "text"), ("b", 1), ("c", "text"))), "text fields apart"),
    (IndexSpec("i", (("a", "text"),), collation="en"), "text with a collation"),
    (IndexSpec("i", (("a", 1), ("b", 1)), expire_after_seconds=60), "expiring over two fields"),
    (IndexSpec("i", (("_id", 1),), expire_after_seconds=60), "expiring over _id"),
    (IndexSpec("i", (("_id", 1),), unique=True), "options of _id"),
    (IndexSpec("i", (("_id", -1),)), "_id backwards"),
    (IndexSpec("i", (("a..b", 1),)), "an empty name"),
    (IndexSpec("i", (("$a", 1),)), "a name with a dollar"),
    (IndexSpec("i", (("a.$b", 1),)), "a name with a dollar below"),
    (IndexSpec("i", (("_fts", 1),)), "a name of the server's own"),
    (IndexSpec("*", (("a", 1),)), "the name for all"),
    (IndexSpec("i", tuple((f"f{number}", 1) for number in range(33))), "33 fields"),
    (IndexSpec("i", ((f"{'x' * 2100}", 1),)), "a long key pattern"),
    (IndexSpec("i", (("a", 1),), collation="en_GB"), "an unknown locale"),
]


@pytest.mark.parametrize(("spec", "what"), NO_INDEXES, ids=[what for _, what in NO_INDEXES])
def test_indexes_that_no_server_takes(database: Database[dict[str, Any]], spec: IndexSpec, what: str) -> None:
    with pytest.raises(OperationFailure):
        build(database, "c", spec)


@pytest.mark.parametrize(
    "spec",
    [
        IndexSpec("i", (("_id", "hashed"),)),
        IndexSpec("i", (("_id", 1), ("a", 1))),
        IndexSpec("i", (("a", "hashed"), ("b", 1))),
        IndexSpec("i", (("a", "hashed"),), collation="en"),
        IndexSpec("i", (("a", "2dsphere"), ("b", "2dsphere"), ("c", -1))),
        IndexSpec("i", (("a", 1), ("b", "text"), ("c", "text"), ("d", 1))),
        IndexSpec("i", (("a", "text"),), collation="simple"),
        IndexSpec("i", (("a.$id", 1),)),
        IndexSpec("i", tuple((f"f{number}", 1) for number in range(32))),
        IndexSpec("i", (("a", 1),), collation="de@collation=phonebook"),
        IndexSpec("i", (("a", 1),), unique=True, nullable=(("a", ("string", "int", "object")),)),
    ],
    ids=lambda spec: ", ".join(f"{path} {kind}" for path, kind in spec.keys[:4]),
)
def test_indexes_that_servers_take(database: Database[dict[str, Any]], spec: IndexSpec) -> None:
    build(database, "c", spec)


def test_one_text_index(database: Database[dict[str, Any]]) -> None:
    build(database, "c", IndexSpec("one", (("a", "text"),)))
    with pytest.raises(OperationFailure):
        build(database, "c", IndexSpec("two", (("b", "text"),)))


def test_sixty_four_indexes(database: Database[dict[str, Any]]) -> None:
    build(database, "c", *(IndexSpec(f"i{number}", ((f"f{number}", 1),)) for number in range(63)))
    with pytest.raises(OperationFailure):
        build(database, "c", IndexSpec("more", (("more", 1),)))


PAIRS = [
    IndexSpec("plain", (("a", 1),)),
    IndexSpec("again", (("a", 1),)),
    IndexSpec("unique", (("a", 1),), unique=True),
    IndexSpec("partial", (("a", 1),), unique=True, nullable=(("a", ("string",)),)),
    IndexSpec("expiring", (("a", 1),), expire_after_seconds=60),
    IndexSpec("simple", (("a", 1),), collation="simple"),
    IndexSpec("english", (("a", 1),), collation="en"),
    IndexSpec("english_3", (("a", 1),), collation='{"locale": "en", "strength": 3}'),
    IndexSpec("english_2", (("a", 1),), collation='{"locale": "en", "strength": 2}'),
    IndexSpec("other_keys", (("a", 1), ("b", 1))),
    IndexSpec("backwards", (("a", -1),)),
]


@pytest.mark.parametrize("one", PAIRS, ids=lambda spec: spec.name)
def test_two_indexes_with_the_same_keys(database: Database[dict[str, Any]], one: IndexSpec) -> None:
    version = database.client.server_info()["version"]
    wrong = []
    for number, other in enumerate(PAIRS):
        if other is one:
            continue
        build(database, f"c{number}", one)
        taken = True
        try:
            build(database, f"c{number}", other)
        except OperationFailure:
            taken = False
        expected = not is_same_index(one, other) and (not is_rival(one, other) or bool(takes_rivals(version)))
        if taken is not expected:
            wrong.append((one.name, other.name, taken))
    assert wrong == []


@pytest.mark.parametrize("name", ["af", "bs_Cyrl", "de_AT", "en", "en_US_POSIX", "fr_CA", "zh_Hant", "zu", "simple"])
def test_locales(database: Database[dict[str, Any]], name: str) -> None:
    assert is_locale(name)
    build(database, "c", IndexSpec("i", (("a", 1),), collation=name))


@pytest.mark.parametrize("name", ["en_GB", "de_DE", "en-US", "EN", "xx", "pt_BR", "es_MX", "no", "sr_Cyrl", "zh_CN"])
def test_no_locales(database: Database[dict[str, Any]], name: str) -> None:
    assert not is_locale(name)
    with pytest.raises(OperationFailure):
        build(database, "c", IndexSpec("i", (("a", 1),), collation=name))
    if near_locale(name):
        build(database, "c", IndexSpec("i", (("a", 1),), collation=near_locale(name)))
