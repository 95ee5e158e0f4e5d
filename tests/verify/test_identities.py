"""Documents by `_id`: roots without a key, ids that have many texts, composite ids, and one that is there twice."""

from __future__ import annotations

import bson
import pytest

from tests.verify.conftest import Shop
from tests.verify.test_planted import faults


def only(shop: Shop, *statements: str, **mappings: str) -> None:
    """The project with these mappings alone."""
    for name in ("orders", "customers"):
        (shop.folder / "mappings" / f"{name}.yaml").unlink()
    for name, text in mappings.items():
        shop.mapping(name, text)
    shop.sql(*statements)
    assert shop.apply_here().code == 0


def test_roots_without_a_key(either: Shop) -> None:
    only(
        either,
        "CREATE TABLE events (what VARCHAR(20), n INT)",
        "INSERT INTO events VALUES ('a', 1), ('a', 1), ('b', 2), ('c', NULL)",
        events="collection: events\nfrom: events\nkey: none\n",
    )
    assert either.report()["clean"]
    (one, *_) = either.listed("events")
    either.change("events", one["_id"], lambda _: None)
    either.add("events", {"_id": 7, "what": "strange"})
    found = sorted(each["kind"] for each in faults(either.report()))
    assert found == ["extra", "missing"]


def test_ids_that_have_many_texts(either: Shop) -> None:
    """A UUID in letters of both sizes, in a column that tells them apart, is no extra document."""
    mixed = "6ccd780C-baba-1026-9564-5b8c656024DB"
    only(
        either,
        "CREATE TABLE things (id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, n INT)",
        f"INSERT INTO things VALUES ('{mixed}', 1), ('00000000-0000-1000-8000-00000000000a', 2)",
        things="collection: things\nfrom: things\nfields: {id: {type: uuid}}\n",
    )
    assert either.report()["clean"]
    either.add("things", {"_id": bson.Binary(b"\x01" * 16, 4), "n": 3})
    (extra,) = faults(either.report("--restart"))
    assert (extra["kind"], extra["differences"]) == ("extra", [])


@pytest.mark.slow
def test_composite_ids(shop: Shop) -> None:
    only(
        shop,
        "CREATE TABLE sessions (number INT, device VARCHAR(10), n DECIMAL(4,1), PRIMARY KEY (number, device))",
        "INSERT INTO sessions VALUES (1, 'a', 1.0), (1, 'A2', 2.0), (2, 'a', 3.0)",
        sessions="collection: sessions\nfrom: sessions\n",
    )
    shop.add("sessions", {"_id": {"number": 1, "device": "A"}, "n": None})
    shop.change("sessions", {"number": 2, "device": "a"}, lambda _: None)
    found = {(each["kind"], each["document"]) for each in faults(shop.report())}
    # Under the column's collation 'A' finds 'a': bytes decide.
    assert found == {("extra", "1, A"), ("missing", "2, a")}
    assert shop.report("--collection", "sessions", "--keys", "1,a")["clean"]
    assert not shop.report("--collection", "sessions", "--keys", '["2", "a"]')["clean"]
    assert shop.report("--repair")["clean"]
    assert {each["_id"]["device"] for each in shop.listed("sessions")} == {"a", "A2"}  # type: ignore[index]


def test_a_document_that_is_there_twice(shop: Shop) -> None:
    files = Shop(shop.folder, shop.source, f"file:{shop.folder / 'dump'}")
    assert files.apply_here().code == 0
    files.add("customers", next(each for each in files.listed("customers") if each["_id"] == 4))
    (fault,) = faults(files.report())
    assert (fault["kind"], fault["document"], fault["reason"]) == ("different", "4", "it occurs 2 times")
