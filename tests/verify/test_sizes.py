"""Documents and `_id`s of every size: pymongo gives those of 4 kB and more in another form than smaller ones."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from migrator.target import open_target
from tests.verify.conftest import Shop
from tests.verify.test_planted import faults

# Of the text; a document is a little longer. Around 4,096 bytes, around 16 kB, and far more than a reply's first part.
SIZES = (10, 4000, 4060, 4096, 4200, 16_000, 70_000, 3_000_000)
PAGES = (
    "CREATE TABLE pages (id INT PRIMARY KEY, body MEDIUMTEXT)",
    *(f"INSERT INTO pages VALUES ({size}, REPEAT('a', {size}))" for size in SIZES),
)
# 2,500 characters of latin1 in the key are 5,000 bytes of UTF-8.
WORDS = (
    "CREATE TABLE words (word VARCHAR(2600) CHARACTER SET latin1, n INT, PRIMARY KEY (word, n))",
    "INSERT INTO words VALUES ('short', 1), (REPEAT(_utf8mb4'é', 2500), 1), (REPEAT(_utf8mb4'ü', 2500), 2)",
)


@pytest.fixture
def pages(either: Shop) -> Shop:
    either.sql(*PAGES)
    either.mapping("pages", "collection: pages\nfrom: pages\n")
    assert either.apply_here("--collection", "pages").code == 0
    return either


@pytest.mark.parametrize("by_key", [False, True], ids=["all", "by key"])
def test_different_documents(pages: Shop, by_key: bool) -> None:
    pages.sql("UPDATE pages SET body = CONCAT(body, '!')")
    keys = [argument for size in SIZES for argument in ("--keys", str(size))] if by_key else []
    found = faults(pages.report("--collection", "pages", *keys))
    assert sorted((int(each["document"]), each["kind"]) for each in found) == [(size, "different") for size in SIZES]
    assert {difference["path"] for each in found for difference in each["differences"]} == {"body"}


def test_they_are_put_right(shop: Shop) -> None:
    shop.sql(*PAGES)
    shop.mapping("pages", "collection: pages\nfrom: pages\n")
    assert shop.apply_here("--collection", "pages").code == 0
    shop.sql("UPDATE pages SET body = CONCAT(body, '!')")
    shop.sql("DELETE FROM pages WHERE id = 70000")
    report = shop.report("--collection", "pages", "--repair")
    assert report["clean"], report
    assert {each["_id"]: len(str(each["body"])) for each in shop.listed("pages")} == {
        size: size + 1 for size in SIZES if size != 70_000
    }


def test_long_ids(either: Shop) -> None:
    either.sql(*WORDS)
    either.mapping("words", "collection: words\nfrom: words\n")
    assert either.apply_here("--collection", "words").code == 0
    assert either.report("--collection", "words")["clean"]
    either.sql("DELETE FROM words WHERE n = 2")
    extra: dict[str, Any] = {"_id": {"word": "x" * 6000, "n": 3}}
    either.add("words", extra)
    found = faults(either.report("--collection", "words"))
    assert [each["kind"] for each in found] == ["extra", "extra"]


def test_a_target_gives_bytes(pages: Shop) -> None:
    with closing(open_target(pages.target)) as target, closing(target.verify_state().stored("pages")) as stored:
        stored.prepare()
        ids = [one for some in stored.ids() for one in some]
        found = stored.find(ids)
    assert len(found) == len(SIZES)
    assert {type(each) for each in (*ids, *found)} == {bytes}
