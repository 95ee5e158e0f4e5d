"""sync against the bare log reader: row changes a second, and how long a change takes to its document.

The same log is read twice: by mysql-replication alone, which decodes every row and drops it, and by sync, which also
finds the documents, rebuilds and writes them. Lag is measured from outside: a writer commits a mark into a row, and the
document is asked for until it shows.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pymongo
import pymysql
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from benchmarks.measure import beyond, run
from sample_schema.database import connect
from sample_schema.generate import drop, load

SCALE = 10
CHANGES = 60_000
LAG_SECONDS = 20.0
PATIENCE = 60.0
FEWEST_MARKS = 20
# How often sync is started with nothing to do, to know what its start takes.
STARTS = 3
MAPPINGS = Path(__file__).parent.parent / "mappings"
# All but the one without a key, which no sync follows, and warehouse_stock: the stand-in server looks through all
# documents for an `_id` of several fields, so that nothing else would be measured.
COLLECTIONS = ("categories", "customers", "orders", "products", "warehouses")
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Read:
    """What the bare reader found between two places of the log."""

    rows: int
    seconds: float


def measure(server: str, documents: str, changes: int, seconds: float) -> Table:
    """Rates and lag, for people. Makes a shop on `server` and its documents on `documents`, and drops both.

    Args:
        changes: about so many row changes are made for sync to catch up with.
        seconds: how long lag is watched.
    """
    name = "bench_sync"
    source = make_url(server).set(database=name).render_as_string(hide_password=False)
    head, _, options = documents.partition("?")
    target = f"{head.rstrip('/')}/{name}?{options}"
    # What remains of a run that was killed.
    drop(source)
    with pymongo.MongoClient[Any](target) as client:
        client.drop_database(name)
    load(source, SCALE, 1)
    try:
        with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
            return _measured(source, target, Path(folder), changes, seconds)
    finally:
        drop(source)
        with pymongo.MongoClient[Any](target) as client:
            client.drop_database(name)


def _measured(source: str, target: str, folder: Path, changes: int, seconds: float) -> Table:
    ends = ["--source", source, "--target", target, "--mappings", str(MAPPINGS)]
    migrator, log = [sys.executable, "-m", "migrator"], str(folder / "log")
    only = [option for name in COLLECTIONS for option in ("--collection", name)]
    run([*migrator, "apply", "--yes", *only, *ends], log)
    command = [*migrator, "sync", "--until-caught-up", *ends]
    run(command, log)
    idle = [run(command, log) for _ in range(STARTS)]
    start = _log_end(source)
    written = write(source, changes, random.Random(1))
    bare = read_bare(source, start, _log_end(source))
    synced = run(command, log)
    sync_seconds, bare_rate = beyond(synced, idle), bare.rows / bare.seconds
    # A sync that ends within what its start varies by says nothing of its rate.
    sync_rate = bare_rate if sync_seconds is None else bare.rows / sync_seconds
    with _following([*migrator, "sync", *ends], folder):
        half = sync_rate / 2
        lags = watch_lag(source, target, seconds, half)
    table = Table("sync", "measured", "note")
    table.add_row("row changes", f"{bare.rows:,}", f"in {written:,} transactions")
    table.add_row("bare reader", f"{bare_rate:,.0f} rows/s", f"{bare.seconds:.1f} s")
    starts = f"its start, which takes {statistics.median(each.seconds for each in idle):.1f} s"
    if sync_seconds is None:
        table.add_row("sync", "too short to measure", f"not longer than {starts}; give more --changes")
    else:
        table.add_row("sync", f"{sync_rate:,.0f} rows/s", f"{sync_seconds:.1f} s without {starts}")
        table.add_row("sync against bare reader", f"{sync_rate / bare_rate:.2f}", "ratio of rates")
    table.add_row("peak memory of sync", f"{synced.peak_mb:.0f} MB", "largest process")
    table.add_row("lag p50", f"{statistics.median(lags) * 1000:.0f} ms", f"{len(lags)} marks, under {half:,.0f} rows/s")
    table.add_row(
        "lag p99",
        f"{statistics.quantiles(lags, n=100, method='inclusive')[98] * 1000:.0f} ms",
        f"largest {max(lags):.2f} s",
    )
    return table


def write(source: str, changes: int, rng: random.Random, until: float | None = None, rate: float | None = None) -> int:
    """Transactions as a shop has them: an order changes with its items, a customer, some stock. How many there were.

    Args:
        until: ends at this time (time.monotonic) if that is earlier.
        rate: at most so many row changes a second.
    """
    done = transactions = 0
    began = time.monotonic()
    with connect(source) as connection, connection.cursor() as cursor:
        connection.autocommit(False)
        cursor.execute("SELECT MIN(id) + 10, MAX(id) FROM orders")
        first, last = cursor.fetchall()[0]
        cursor.execute("SELECT MIN(id), MAX(id) FROM customers")
        low, high = cursor.fetchall()[0]
        while done < changes and (until is None or time.monotonic() < until):
            order, customer = rng.randint(first, last), rng.randint(low, high)
            done += cursor.execute("UPDATE orders SET shipping_fee = %s WHERE id = %s", (rng.randint(1, 900), order))
            fresh = (rng.randint(1, 10**6), order)
            done += cursor.execute(
                "UPDATE order_items SET quantity = quantity + 1 + %s %% 3 WHERE order_id = %s", fresh
            )
            done += cursor.execute(
                "UPDATE warehouse_stock SET quantity = %s WHERE product_id = %s", (rng.randint(1, 900), order % 300)
            )
            if transactions % 10 == 0:
                done += cursor.execute(
                    "UPDATE customers SET legacy_name = %s WHERE id = %s", (f"n {rng.randint(1, 10**6)}", customer)
                )
            connection.commit()
            transactions += 1
            if rate is not None and (ahead := done / rate - (time.monotonic() - began)) > 0:
                time.sleep(ahead)
    return transactions


def read_bare(source: str, start: Place, end: Place) -> Read:
    """Reads the log with mysql-replication alone."""
    place = make_url(source)
    settings = {
        "host": place.host,
        "port": place.port or 3306,
        "user": place.username,
        "passwd": place.password or "",
    }
    rows = 0
    began = time.perf_counter()
    stream = BinLogStreamReader(
        connection_settings=settings,
        server_id=random.randrange(10**6, 10**7),
        log_file=start[0],
        log_pos=start[1],
        resume_stream=True,
        blocking=False,
        only_events=[WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent],
        only_schemas=[place.database],
    )
    try:
        for event in stream:
            rows += len(event.rows)
            if (stream.log_file, stream.log_pos) >= end:
                break
    finally:
        stream.close()
    return Read(rows, time.perf_counter() - began)


def watch_lag(source: str, target: str, seconds: float, rate: float) -> list[float]:
    """Seconds from the commit of each mark to its document, while others write `rate` row changes a second.

    The first mark is set before the others write, and not counted: it waits for sync's start.
    """
    lags = []
    with connect(source) as connection, connection.cursor() as cursor, pymongo.MongoClient[Any](target) as client:
        orders = client.get_default_database()["orders"]
        # The ordinary writers leave the first orders alone.
        cursor.execute("SELECT MIN(id) FROM orders WHERE status <> 'cart'")
        (marked,) = cursor.fetchall()[0]

        def lag(mark: str) -> float:
            cursor.execute("UPDATE orders SET note = %s WHERE id = %s", (mark, marked))
            committed = time.monotonic()
            while (orders.find_one({"_id": marked}, {"note": 1}) or {}).get("note") != mark:
                if time.monotonic() - committed > PATIENCE:
                    raise SystemExit(f"a change didn't arrive within {PATIENCE:.0f} s")
                time.sleep(0.002)
            return time.monotonic() - committed

        lag("mark 0")
        end = time.monotonic() + seconds
        load = threading.Thread(target=write, args=(source, 10**9, random.Random(2), end, rate), daemon=True)
        load.start()
        while time.monotonic() < end or len(lags) < FEWEST_MARKS:
            lags.append(lag(f"mark {len(lags) + 1}"))
            time.sleep(0.02)
        load.join()
    return lags


@contextmanager
def _following(command: list[str], folder: Path) -> Iterator[None]:
    with (folder / "following.log").open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def _log_end(source: str) -> Place:
    with connect(source) as connection, connection.cursor() as cursor:
        try:
            cursor.execute("SHOW MASTER STATUS")
        except pymysql.MySQLError:
            cursor.execute("SHOW BINARY LOG STATUS")
        file, offset = cursor.fetchall()[0][:2]
    return str(file), int(offset)


@click.command()
@click.option("--changes", default=CHANGES, show_default=True, help="Row changes for sync to catch up with.")
@click.option("--lag-seconds", default=LAG_SECONDS, show_default=True, help="How long the lag is watched.")
def main(changes: int, lag_seconds: float) -> None:
    """Measure sync alone: python -m dev.servers run -- .venv/bin/python -m benchmarks.sync."""
    server, documents = os.environ["MIGRATOR_TEST_MYSQL_URL"], os.environ["MIGRATOR_TEST_MONGODB_URL"]
    Console(width=110).print(measure(server, documents, changes, lag_seconds))


if __name__ == "__main__":
    main()
