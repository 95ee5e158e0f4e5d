"""What a distant server costs sync: the same changes with either side some milliseconds away.

Seconds are those since sync read the first change: what its start takes is not in them.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import pymongo
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from benchmarks.latency import delayed
from benchmarks.measure import run
from benchmarks.sync import COLLECTIONS, MAPPINGS
from benchmarks.timed_sync import PREFIX
from sample_schema.database import connect
from sample_schema.generate import drop, load

SCALE = 20
DISTANCES = (0.0, 1.0, 5.0, 20.0)
SIDES = ("MongoDB", "MySQL")
DELETES = 500
UPDATES = 20_000
# The first orders belong to customers who are looked at elsewhere.
_SPARED = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where both servers are reached, for one distance."""

    source: str
    target: str
    note: str


def measure(
    server: str,
    documents: str,
    distances: tuple[float, ...] = DISTANCES,
    sides: tuple[str, ...] = SIDES,
    updates: int = UPDATES,
    scale: int = SCALE,
) -> Table:
    """Deletes of single orders and simple updates, by distance, for people.

    Makes a shop on `server` and its documents on `documents`, and drops both.

    Args:
        distances: milliseconds that a round trip takes longer, to one of the `sides` at a time.
        updates: how many simple updates.
        scale: of the shop; it has about 300 orders for each.
    """
    name = "bench_round_trips"
    source = make_url(server).set(database=name).render_as_string(hide_password=False)
    head, _, options = documents.partition("?")
    target = f"{head.rstrip('/')}/{name}?{options}"
    drop(source)
    with pymongo.MongoClient[object](target) as client:
        client.drop_database(name)
    load(source, scale, 1)
    try:
        with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
            return _measured(source, target, f"{folder}/log", distances, sides, updates)
    finally:
        drop(source)
        with pymongo.MongoClient[object](target) as client:
            client.drop_database(name)


def _measured(
    source: str, target: str, log: str, distances: tuple[float, ...], sides: tuple[str, ...], updates: int
) -> Table:
    only = [option for name in COLLECTIONS for option in ("--collection", name)]
    ends = ["--source", source, "--target", target, "--mappings", str(MAPPINGS)]
    run([sys.executable, "-m", "migrator", "apply", "--yes", *only, *ends], log)
    table = Table("round trip takes longer", f"{DELETES} deletes of single orders", f"{updates:,} simple updates")
    orders = _orders(source)
    for distance in distances:
        for side in sides if distance else ("",):
            with _away(source, target, side, distance) as place:
                _synced(place, log)
                gone = [next(orders) for _ in range(DELETES)]
                _each(source, "DELETE FROM orders WHERE id = %s", [(order,) for order in gone])
                deleted = _synced(place, log)
                _each(source, "UPDATE orders SET shipping_fee = %s WHERE id = %s", _updates(source, updates))
                updated = _synced(place, log)
            table.add_row(place.note, f"{deleted:.2f} s", f"{updated:.2f} s, {updates / updated:,.0f} a second")
    return table


@contextmanager
def _away(source: str, target: str, side: str, distance: float) -> Iterator[Place]:
    with ExitStack() as stack:
        far = f"{distance:.0f} ms to {side}" if side else "nothing"
        if side == "MySQL":
            place = make_url(source)
            port = stack.enter_context(delayed(place.host or "127.0.0.1", place.port or 3306, distance))
            source = place.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        elif side == "MongoDB":
            host, number = pymongo.uri_parser.parse_uri(target)["nodelist"][0]
            port = stack.enter_context(delayed(host, number, distance))
            target = target.replace(f"{host}:{number}", f"127.0.0.1:{port}")
        yield Place(source, target, far)


def _synced(place: Place, log: str) -> float:
    """Catches up; the seconds since the first change was read."""
    run([sys.executable, "-m", "benchmarks.timed_sync", place.source, place.target, str(MAPPINGS)], log)
    return float(Path(log).read_text().rpartition(PREFIX)[2])


def _orders(source: str) -> Iterator[int]:
    """Ids, each once."""
    with connect(source) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orders ORDER BY id")
        ids = [order for (order,) in cursor.fetchall()]
    return iter(ids[_SPARED:])


def _updates(source: str, count: int) -> list[tuple[int, int]]:
    rng = random.Random(1)
    with connect(source) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orders")
        ids = [order for (order,) in cursor.fetchall()]
    return [(rng.randint(1, 90_000), rng.choice(ids)) for _ in range(count)]


def _each(source: str, statement: str, values: Sequence[tuple[int, ...]]) -> None:
    """Each in a transaction of its own."""
    with connect(source) as connection, connection.cursor() as cursor:
        connection.autocommit(True)
        for each in values:
            cursor.execute(statement, each)


@click.command()
@click.option("--distance", "distances", type=float, multiple=True, help="Milliseconds; may be given several times.")
@click.option("--side", "sides", type=click.Choice(SIDES), multiple=True, help="Which side is away; both by turns.")
@click.option("--updates", default=UPDATES, show_default=True, help="How many simple updates.")
@click.option("--scale", default=SCALE, show_default=True, help="Of the shop.")
def main(distances: tuple[float, ...], sides: tuple[str, ...], updates: int, scale: int) -> None:
    """Measure by distance alone: python -m dev.servers run -- .venv/bin/python -m benchmarks.round_trips."""
    server, documents = os.environ["MIGRATOR_TEST_MYSQL_URL"], os.environ["MIGRATOR_TEST_MONGODB_URL"]
    Console(width=120).print(measure(server, documents, distances or DISTANCES, sides or SIDES, updates, scale))


if __name__ == "__main__":
    main()
