"""verify during a live sync: no false alarm while everything changes, and no fault overlooked."""

from __future__ import annotations

import time

import pytest

from tests.project import Running
from tests.verify.conftest import Shop
from tests.verify.test_planted import faults
from tests.verify.writer import writing


def started_sync(shop: Shop) -> Running:
    sync = shop.start("sync")
    end = time.monotonic() + 60
    while not (report := shop.mongo("_migrator_sync").find_one({"_id": "report"})):
        assert sync.process.poll() is None, sync.end()
        assert time.monotonic() < end, sync.err
        time.sleep(0.1)
    assert report
    return sync


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_clean_while_everything_changes(shop: Shop, seed: int) -> None:
    shop.settings("chunk_rows: 20\nretry_seconds: 10\n")
    assert shop.apply_here().code == 0
    started_sync(shop)
    with writing(shop, seed):
        for _ in range(3):
            report = shop.report("--restart")
            assert report["following"], report
            assert report["clean"], (seed, faults(report))
    assert shop.report("--restart")["clean"]


@pytest.mark.slow
def test_a_fault_planted_while_everything_changes_is_found_and_put_right(shop: Shop) -> None:
    assert shop.apply_here().code == 0
    started_sync(shop)
    # These are not written to by the application.
    shop.sql(
        "INSERT INTO customers VALUES (100, 'quiet', NULL)",
        "INSERT INTO orders VALUES (300, 9300, 100, 1.00, NULL, NULL), (301, 9301, 100, 1.00, NULL, NULL)",
        "INSERT INTO items VALUES (9000, 300, 'quiet', 1, 1.00), (9001, 300, 'quiet too', 1, 1.00)",
    )
    with writing(shop, 7):
        assert shop.report("--restart")["clean"]
        shop.change("orders", 300, lambda document: {**document, "items": document["items"][::-1]})
        shop.change("orders", 301, lambda _: None)
        shop.add("orders", {"_id": 5000, "number": 5000})
        shop.add("orders", {"_id": "strange", "number": 5001})
        report = shop.report("--restart")
        assert report["following"]
        found = {(each["kind"], each["document"]) for each in faults(report)}
        assert found == {("different", "300"), ("missing", "301"), ("extra", "5000"), ("extra", '"strange"')}
        # The sync at work puts right what a row can have made; the rest has to wait until it is stopped.
        report = shop.report("--restart", "--repair")
        (left,) = faults(report)
        assert (left["kind"], left["document"]) == ("extra", '"strange"')
        assert "stop it" in left["reason"]
        assert sum(each["tally"]["repaired"] for each in report["collections"]) == 3
    assert {("extra", '"strange"')} == {(each["kind"], each["document"]) for each in faults(shop.report("--restart"))}


@pytest.mark.slow
def test_the_independent_look_waits_for_the_sync(shop: Shop) -> None:
    assert shop.apply_here().code == 0
    started_sync(shop)
    with writing(shop, 3):
        time.sleep(2)
    ended = shop.verify("--independent")
    assert ended.code == 0, ended


@pytest.mark.slow
def test_without_a_sync_what_changed_is_different(shop: Shop) -> None:
    assert shop.apply_here().code == 0
    shop.sql("UPDATE orders SET total = 99 WHERE id = 7")
    report = shop.report()
    assert not report["following"]
    assert [each["document"] for each in faults(report)] == ["7"]
    assert any("no sync is running" in note for note in report["notes"])
