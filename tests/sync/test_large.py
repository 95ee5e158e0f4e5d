"""What must not grow with the size of a transaction or of a fan-out, and what must move though nothing happens."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymongo
import pytest

from dev.servers.model import Server
from tests.histories.replay import fresh
from tests.oracle.load import connect, run_script
from tests.sync import running
from tests.waiting import purge_log, until

# How much of what it is about the everyday run can wait for; MIGRATOR_TEST_LARGE=1 is all of it.
SHARE = float(os.environ.get("MIGRATOR_TEST_LARGE", "0.1"))
MILLION = int(1_000_000 * SHARE)
FAN = int(200_000 * SHARE)
MEGABYTES = 300
# Numbers from 0 to 999,999 on every server, without its limit of recursion.
_DIGITS = "(SELECT 0 AS d" + "".join(f" UNION ALL SELECT {digit}" for digit in range(1, 10)) + ")"
NUMBERS = (
    "(SELECT " + " + ".join(f"t{place}.d * {10**place}" for place in range(6)) + " AS n FROM "
    f"{', '.join(f'{_DIGITS} t{place}' for place in range(6))}) numbers"
)


def mapping(folder: Path, name: str, text: str) -> Path:
    place = folder / "mappings"
    place.mkdir(exist_ok=True)
    (place / f"{name}.yaml").write_text(text, encoding="utf-8")
    return place


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_transaction_of_a_million_rows(mysql_url: str, mongodb_url: str, tmp_path: Path) -> None:
    """Edge case 39: every row is a document of its own, so nothing collapses."""
    mappings = mapping(tmp_path, "hits", "collection: hits\nfrom: hits\n")
    run_script(mysql_url, "CREATE TABLE hits (id INT PRIMARY KEY, page INT NOT NULL, what VARCHAR(20) NOT NULL)")
    running.apply(mysql_url, mongodb_url, mappings, ["hits"])
    run_script(mysql_url, f"INSERT INTO hits SELECT n, n % 7, CONCAT('hit ', n) FROM {NUMBERS} WHERE n < {MILLION}")
    process = running.sync(tmp_path, mysql_url, mongodb_url, mappings, "--until-caught-up")
    began = time.monotonic()
    assert process.wait(1500) == 0, process.said
    print(f"{MILLION / (time.monotonic() - began):,.0f} rows/s, peak {process.peak_mb:.0f} MB")
    assert process.peak_mb < MEGABYTES
    with pymongo.MongoClient[Any](mongodb_url) as client:
        hits = client.get_default_database()["hits"]
        assert hits.count_documents({}) == MILLION
        last = MILLION - 1
        assert hits.find_one({"_id": last}) == {"_id": last, "page": last % 7, "what": f"hit {last}"}
        (sums,) = hits.aggregate([{"$group": {"_id": None, "pages": {"$sum": "$page"}, "ids": {"$sum": "$_id"}}}])
    assert (sums["ids"], sums["pages"]) == (sum(range(MILLION)), sum(n % 7 for n in range(MILLION)))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_fan_out_is_killed_half_way_and_resumed(mysql_url: str, mongodb_url: str, tmp_path: Path) -> None:
    """Edge case 29: one row that all documents embed changes."""
    mappings = mapping(tmp_path, "accounts", "collection: accounts\nfrom: accounts\nembed:\n  plan: {from: plans}\n")
    run_script(
        mysql_url,
        "CREATE TABLE plans (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL);"
        "CREATE TABLE accounts (id INT PRIMARY KEY, plan_id INT NOT NULL, FOREIGN KEY (plan_id) REFERENCES plans (id));"
        "INSERT INTO plans VALUES (1, 'old');"
        f"INSERT INTO accounts SELECT n, 1 FROM {NUMBERS} WHERE n < {FAN}",
    )
    running.apply(mysql_url, mongodb_url, mappings, ["accounts"])
    run_script(mysql_url, "UPDATE plans SET name = 'new'")
    with pymongo.MongoClient[Any](mongodb_url) as client:
        accounts = client.get_default_database()["accounts"]

        def renewed() -> int:
            return accounts.count_documents({"plan.name": "new"})

        first = running.sync(tmp_path, mysql_url, mongodb_url, mappings, "--until-caught-up")
        until(lambda: renewed() > FAN // 3 or first.code is not None, "a third of the documents", 900)
        first.kill()
        half = renewed()
        assert 0 < half < FAN, first.said
        # What the second one writes again was written after the last note of how far the first had come.
        done = [each["_id"] for each in accounts.find({"plan.name": "new"}, {"_id": 1}).sort("_id", 1).limit(FAN // 6)]
        accounts.update_many({"_id": {"$in": done}}, {"$set": {"plan.name": "seen"}})
        second = running.sync(tmp_path, mysql_url, mongodb_url, mappings, "--until-caught-up")
        assert second.wait(900) == 0, second.said
        print(f"killed at {half}, peaks {first.peak_mb:.0f} and {second.peak_mb:.0f} MB")
        assert accounts.count_documents({"plan.name": "old"}) == 0
        seen = accounts.count_documents({"plan.name": "seen"})
        assert renewed() + seen == FAN
        assert seen > len(done) // 2, f"of {len(done)} finished documents only {seen} were left alone"
    assert second.peak_mb < MEGABYTES


@pytest.mark.slow
def test_the_position_moves_on_a_quiet_source(
    mysql_server_factory: Callable[[], Server], mongodb_server: str, tmp_path: Path
) -> None:
    """Edge case 42: else the log that it names expires, though nothing was missed."""
    mappings = mapping(tmp_path, "accounts", "collection: accounts\nfrom: accounts\n")
    server = mysql_server_factory()
    with fresh(server.url, mongodb_server) as (source, target):
        run_script(source, "CREATE TABLE accounts (id INT PRIMARY KEY); INSERT INTO accounts VALUES (1)")
        run = running.apply(source, target, mappings, ["accounts"])
        before = running.position(target, run, "accounts")
        process = running.sync(tmp_path, source, target, mappings)
        try:
            with connect(source) as connection, connection.cursor() as cursor:
                for _ in range(3):
                    cursor.execute("FLUSH BINARY LOGS")
                cursor.execute("SHOW BINARY LOGS")
                last = str(cursor.fetchall()[-1][0])
                until(
                    lambda: running.position(target, run, "accounts").file == last or process.code is not None,
                    f"the position to reach {last}",
                    60,
                )
                assert process.code is None, process.said
                purge_log(source)
                cursor.execute("INSERT INTO accounts VALUES (2)")
        finally:
            process.kill()
        after = running.position(target, run, "accounts")
        assert (before.file, after.file) != (last, before.file)
        again = running.sync(tmp_path, source, target, mappings, "--until-caught-up")
        assert again.wait(120) == 0, again.said
        with pymongo.MongoClient[Any](target) as client:
            assert client.get_default_database()["accounts"].count_documents({}) == 2
