"""The command: what it looks at, how it goes on after an interruption, and what it says."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from migrator.errors import TargetError
from migrator.target import open_target
from migrator.target.mongo.verified import MongoVerifyState
from tests.verify.conftest import ORDERS, Shop
from tests.verify.test_planted import faults
from tests.waiting import until


@pytest.mark.slow
def test_samples_keys_and_collections(either: Shop) -> None:
    assert either.apply_here().code == 0
    either.change("orders", 7, lambda document: {**document, "number": 1})
    whole = either.report("--collection", "customers")
    assert (whole["clean"], whole["complete"]) == (True, True)
    assert [each["scope"]["collection"] for each in whole["collections"]] == ["customers"]
    sample = either.report("--collection", "orders", "--sample", "200")
    assert not sample["complete"]
    assert sample["collections"][0]["tally"]["checked"] == 200
    assert [each["document"] for each in faults(sample)] == ["7"]
    some = either.report("--collection", "customers", "--sample", "10")
    assert some["collections"][0]["tally"]["checked"] == 10
    keys = either.report("--collection", "orders", "--keys", "8", "--keys", "12345")
    assert keys["clean"]
    assert keys["collections"][0]["tally"]["checked"] == 1
    keys = either.report("--collection", "orders", "--keys", "7")
    assert [each["document"] for each in faults(keys)] == ["7"]


def test_what_is_not_there_is_told(shop: Shop) -> None:
    assert shop.verify().code == 2
    assert shop.apply_here().code == 0
    assert "no collection nothing" in shop.verify("--collection", "nothing").err
    assert "--keys are keys of one collection" in shop.verify("--keys", "1").err
    shop.sql("DROP TABLE order_tags")
    assert shop.verify().code == 6


def test_missing_indexes_and_other_mappings_are_told(shop: Shop) -> None:
    assert shop.apply_here().code == 0
    shop.mongo("orders").drop_index("customer.id_1")
    shop.mapping("orders", ORDERS.replace("name}", "name, order_by: [name]}"))
    report = shop.report()
    assert [each["index"] for each in report["indexes"]] == ["customer.id_1"]
    assert "the mapping in" in shop.verify().err
    assert shop.verify().code == 11


def test_rejected_is_not_missing(either: Shop) -> None:
    either.sql("SET sql_mode = ''", "ALTER TABLE customers MODIFY since DATETIME(3) NULL")
    with either.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        cursor.execute("UPDATE customers SET since = '0000-00-00' WHERE id = 4")
        connection.commit()
    assert either.apply_here().code == 5
    ended = either.verify("--collection", "customers")
    assert ended.code == 5, ended
    assert "Rejected rows still open: 1" in ended.out
    report = json.loads(_written(either, "--collection", "customers").read_text())
    (tally,) = [each["tally"] for each in report["collections"]]
    assert (tally["rejected"], tally["missing"], tally["checked"]) == (1, 0, 29)
    # A document that is there though its row can't be made into one.
    either.add("customers", {"_id": 4, "name": "stale", "since": None})
    (fault,) = faults(json.loads(_written(either, "--collection", "customers").read_text()))
    assert (fault["kind"], fault["document"]) == ("extra", "4")
    assert "can't be converted" in fault["reason"]


def test_where_no_progress_can_be_kept_it_verifies_all_the_same(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an account that may only read."""

    def refuse(*_: object) -> None:
        raise TargetError("not authorized to execute command insert")

    assert shop.apply_here().code == 0
    monkeypatch.setattr(MongoVerifyState, "save_pass", refuse)
    shop.change("orders", 3, lambda document: {**document, "number": 1})
    report = shop.report()
    assert [each["document"] for each in faults(report)] == ["3"]
    assert [note for note in report["notes"] if "not authorized to execute command insert" in note]
    monkeypatch.undo()
    assert open_target(shop.target, 1.0).verify_state().last_pass() is None


def _written(shop: Shop, *arguments: str) -> Path:
    file = shop.folder / "report.json"
    shop.verify("--report", str(file), *arguments)
    return file


@pytest.mark.slow
def test_it_goes_on_where_it_stopped(either: Shop) -> None:
    either.settings("chunk_rows: 2\nretry_seconds: 4\n")
    assert either.apply_here().code == 0
    either.change("orders", 3, lambda document: {**document, "number": 1})
    running = either.start("verify", "--workers", "1")
    until(lambda: _done(either) > 0 or running.process.poll() is not None, "some progress", 40)
    if running.process.poll() is None:
        running.signal(signal.SIGINT)
        assert running.end().code == 130
        # On a slow machine the last documents may be compared just before the signal is heard.
        unfinished = _done(either) > 0
        again = either.start("verify", "--workers", "1")
        ended = again.end()
        assert ("resuming the verify begun at" in ended.err) == unfinished
    else:
        ended = running.end()
    assert ended.code == 11, ended
    assert "1 different" in ended.out
    assert "checked" in ended.out


def _done(shop: Shop) -> int:
    """Documents that an unfinished pass has settled."""
    found = open_target(shop.target, 1.0).verify_state().last_pass()
    if found is None or found.ended:
        return 0
    return sum(each.tally.checked for each in found.collections)
