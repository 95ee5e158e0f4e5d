"""Documents that the target refused, or that their rows can't make: rejected with the reason, never just missing."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest
from pymongo import MongoClient

from migrator.target import open_target
from tests.project import Running
from tests.verify.conftest import Shop
from tests.verify.test_planted import faults
from tests.waiting import until

REJECTED = 5
KEYS = "collection: keys\nfrom: pairs\n"
# Both keys read `a, b, c` when their parts are written with commas.
PAIRS = (
    "CREATE TABLE pairs (one VARCHAR(250), two VARBINARY(20), code INT NOT NULL, PRIMARY KEY (one, two))",
    "INSERT INTO pairs VALUES ('a, b', 'c', 1), ('a', 'b, c', 2), (REPEAT('x', 240), X'ff00', 3), ('d', 'e', 4)",
)


def rejected_report(shop: Shop, *arguments: str) -> dict[str, Any]:
    """The report of a verify that finds nothing but rejected documents."""
    file = shop.folder / "report.json"
    ended = shop.verify("--restart", "--report", str(file), *arguments)
    assert ended.code == REJECTED, ended
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert found["clean"], faults(found)
    for each in found["reasons"]:
        assert "".join(each["reason"].split()) in "".join(ended.out.split()), ended
    return found


def tally(report: dict[str, Any], name: str) -> dict[str, int]:
    (found,) = [each["tally"] for each in report["collections"] if each["scope"]["collection"] == name]
    return {key: found[key] for key in ("checked", "found", "rejected", "missing", "different", "repaired")}


def following_sync(shop: Shop) -> Running:
    """One that has caught up and has nothing to do."""
    sync = shop.start("sync")
    sync.says("following")
    return sync


def refuse(shop: Shop, name: str, validator: dict[str, Any]) -> None:
    with MongoClient[dict[str, Any]](shop.target) as client:
        client.get_default_database().command("collMod", name, validator=validator)


def test_too_large_for_the_copy(either: Shop) -> None:
    either.sql(
        "CREATE TABLE notes (id INT PRIMARY KEY, order_id INT NOT NULL, text LONGTEXT NOT NULL,"
        " FOREIGN KEY (order_id) REFERENCES orders (id))",
        "INSERT INTO notes VALUES (1, 7, REPEAT('x', 9000000)), (2, 7, REPEAT('y', 9000000)), (3, 8, 'short')",
    )
    either.mapping("orders", "collection: orders\nfrom: orders\nembed:\n  notes: {from: notes, many: true}\n")
    assert either.apply_here("--collection", "orders").code == REJECTED
    report = rejected_report(either, "--collection", "orders")
    assert tally(report, "orders") == {
        "checked": 199, "found": 199, "rejected": 1, "missing": 0, "different": 0, "repaired": 0,
    }  # fmt: skip
    assert [each["document"] for each in report["reasons"]] == ["7"]
    assert report["rejected"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("at_work", [False, True], ids=["alone", "next_to_sync"])
def test_refused_by_an_index_or_a_validator_in_sync(shop: Shop, at_work: bool) -> None:
    assert shop.apply_here().code == 0
    refuse(shop, "customers", {"name": {"$ne": "refused"}})
    shop.sql(
        "INSERT INTO orders VALUES (301, 1001, 1, 1.00, NULL, NULL)",
        "UPDATE orders SET number = 1002 WHERE id = 9",
        "INSERT INTO customers VALUES (31, 'refused', NULL)",
        "UPDATE customers SET name = 'refused' WHERE id = 30",
    )
    assert shop.here("sync", "--until-caught-up").code == 0
    sync = following_sync(shop) if at_work else None
    report = rejected_report(shop)
    assert report["following"] == at_work
    assert {each["document"] for each in report["reasons"]} == {"301", "9", "31", "30"}
    assert (tally(report, "orders")["rejected"], tally(report, "customers")["rejected"]) == (2, 2)
    if sync:
        sync.signal(signal.SIGTERM)
        sync.end()


@pytest.mark.slow
@pytest.mark.parametrize("by", ["index", "validator", "value"])
def test_refused_between_two_looks(shop: Shop, by: str) -> None:
    """First seen as missing or different, since sync is late; then sync gets there, and the server refuses it."""
    shop.settings("chunk_rows: 10\nretry_seconds: 4\n")
    assert shop.apply_here().code == 0
    sync = following_sync(shop)
    sync.signal(signal.SIGSTOP)
    refuse(shop, "customers", {"name": {"$ne": "refused"}})
    with shop.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        for statement in {
            "index": (
                "INSERT INTO orders VALUES (301, 1001, 1, 1.00, NULL, NULL)",
                "UPDATE orders SET number = 1002 WHERE id = 199",
            ),
            "validator": (
                "INSERT INTO customers VALUES (31, 'refused', NULL)",
                "UPDATE customers SET name = 'refused' WHERE id = 30",
            ),
            "value": (
                "INSERT INTO customers VALUES (31, 'new', '0000-00-00')",
                "UPDATE customers SET since = '0000-00-00' WHERE id = 30",
            ),
        }[by]:
            cursor.execute(statement)
        connection.commit()
    name = "orders" if by == "index" else "customers"
    file = shop.folder / "late.json"
    verify = shop.start("verify", "--workers", "1", "--collection", name, "--report", str(file))
    until(lambda: _looked_once(shop) or verify.process.poll() is not None, "the first look")
    assert verify.process.poll() is None, verify.end()
    sync.signal(signal.SIGCONT)
    ended = verify.end()
    assert ended.code == REJECTED, ended
    report = json.loads(file.read_text())
    rows = 201 if by == "index" else 31
    found = tally(report, name)
    assert (found["checked"], found["rejected"], found["missing"]) == (rows - 2, 2, 0)
    assert len(report["reasons"]) == 2


def _looked_once(shop: Shop) -> bool:
    """The first ranges are settled. The last one holds the suspects, which wait for the stopped sync."""
    found = open_target(shop.target, 1.0).verify_state().last_pass()
    return found is not None and any(each.upto for each in found.collections)


def test_refused_by_repair(shop: Shop) -> None:
    """The document is different; putting it right is refused, so it goes, with a reason."""
    assert shop.apply_here().code == 0
    refuse(shop, "customers", {"name": {"$ne": "refused"}})
    shop.sql(
        "UPDATE orders SET number = 1002 WHERE id = 9",
        "INSERT INTO orders VALUES (301, 1001, 1, 1.00, NULL, NULL)",
        "UPDATE customers SET name = 'refused' WHERE id = 1",
        "UPDATE customers SET name = 'new' WHERE id = 2",
    )
    report = rejected_report(shop, "--repair")
    assert tally(report, "customers") == {
        "checked": 29, "found": 29, "rejected": 1, "missing": 0, "different": 0, "repaired": 1,
    }  # fmt: skip
    assert tally(report, "orders")["rejected"] == 2
    assert {each["document"] for each in report["reasons"]} == {"1", "9", "301"}
    assert {each["document"] for each in rejected_report(shop)["reasons"]} == {"1", "9", "301"}


def test_keys_of_several_columns_bytes_and_long_text(shop: Shop) -> None:
    shop.mapping("keys", KEYS)
    shop.sql(*PAIRS)
    assert shop.apply_here().code == 0
    refuse(shop, "keys", {"code": {"$lt": 100}})
    shop.sql("UPDATE pairs SET code = code + 100 WHERE code IN (1, 3)")
    assert shop.here("sync", "--until-caught-up").code == 0
    report = rejected_report(shop, "--collection", "keys")
    assert tally(report, "keys")["rejected"] == 2
    # One that reads the same, but that nobody refused, is missing.
    shop.mongo("keys").delete_one({"code": 2})
    (fault,) = faults(shop.report("--restart", "--collection", "keys"))
    assert (fault["kind"], fault["document"]) == ("missing", "a, b, c")
