"""`python -m benchmarks`, with the test servers' URLs in the environment; `make bench` sees to that.

Everything is a ratio of medians of one run: absolute times say more about the machine than about migrator.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import click
import pymongo
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from benchmarks import round_trips, startup
from benchmarks.client import select_statements
from benchmarks.measure import Ran, medians, run
from benchmarks.repositories import pages
from benchmarks.sync import CHANGES, LAG_SECONDS, measure
from benchmarks.tables import TABLES, crowded, drop_crowd
from sample_schema.generate import drop, load

MAPPINGS = Path(__file__).parent.parent / "mappings"
# Scales at which time a row and memory are compared.
GROWTH = (1, 10, 100)


def shop(server: str, scale: int) -> str:
    """URL of a shop of this size, filled if it isn't there yet."""
    url = make_url(server).set(database=f"bench_shop_{scale}").render_as_string(hide_password=False)
    marker = subprocess.run(_client(url, "SELECT count(*) FROM orders"), capture_output=True, check=False)
    if marker.returncode == 0 and int(marker.stdout or b"0") > 0:
        return url
    click.echo(f"filling the shop at scale {scale}", err=True)
    load(url, scale, 1)
    return url


def _client(url: str, sql: str) -> list[str]:
    """The command-line client, printing rows without buffering them."""
    place: URL = make_url(url)
    binary = shutil.which("mysql") or shutil.which("mariadb")
    if binary is None:
        raise SystemExit("the command-line client (mysql or mariadb) is not installed")
    access = ["-h", place.host or "127.0.0.1", "-P", str(place.port or 3306), "-u", place.username or "root"]
    password = [f"-p{place.password}"] if place.password else []
    return [binary, "--no-defaults", *access, *password, "-N", "-B", "--quick", place.database or "", "-e", sql]


def without_indexes(folder: Path) -> Path:
    """The mappings in a folder of their own, orders as the script and the prepared batches make it: no index."""
    shutil.copytree(MAPPINGS, folder)
    orders = folder / "orders.yaml"
    yaml = YAML()
    mapping = yaml.load(orders)
    del mapping["indexes"]
    yaml.dump(mapping, orders)
    return folder


def _apply(source: str, target: str, mappings: Path, *more: str) -> list[str]:
    ends = ["--source", source, "--target", target, "--mappings", str(mappings)]
    return [sys.executable, "-m", "migrator", "apply", "--yes", *ends, *more]


def apply_to_files(source: str, folder: Path, log: str) -> Ran:
    shutil.rmtree(folder, ignore_errors=True)
    return run(_apply(source, f"file:{folder}", MAPPINGS), log)


def verify_files(source: str, folder: Path, log: str) -> Ran:
    ends = ["--source", source, "--target", f"file:{folder}", "--mappings", str(MAPPINGS)]
    return run([sys.executable, "-m", "migrator", "verify", "--restart", *ends], log)


def apply_to_mongodb(source: str, target: str, mappings: Path, log: str) -> Ran:
    with pymongo.MongoClient(target) as client:
        client.drop_database(client.get_default_database().name)
    return run(_apply(source, target, mappings, "--collection", "orders"), log)


@click.command()
@click.option(
    "--scale", default=150, show_default=True, help="150 is about 1.5 million rows; no larger shop is filled."
)
@click.option("--rounds", default=3, show_default=True, help="How often everything is run.")
@click.option("--changes", default=CHANGES, show_default=True, help="Row changes for sync to catch up with.")
@click.option("--lag-seconds", default=LAG_SECONDS, show_default=True, help="How long the lag of sync is watched.")
@click.option("--tables", default=TABLES, show_default=True, help="Tables of the database of which few are mapped.")
@click.option("--keep", is_flag=True, help="Leave the filled shops on the server.")
def main(scale: int, rounds: int, changes: int, lag_seconds: float, tables: int, keep: bool) -> None:
    """Measure apply, verify and sync against a client, a script and a log reader, and sync over distances."""
    server, documents = os.environ["MIGRATOR_TEST_MYSQL_URL"], os.environ["MIGRATOR_TEST_MONGODB_URL"]
    head, _, options = documents.partition("?")
    target = f"{head.rstrip('/')}/bench?{options}"
    table = Table("measured", "median", "against", "median", "ratio", "goal")
    with tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder:
        log = f"{folder}/log"
        source = shop(server, scale)
        statements = "; ".join(select_statements(source, MAPPINGS))
        files = medians(
            rounds,
            apply=partial(apply_to_files, source, Path(folder, "files"), log),
            verify=partial(verify_files, source, Path(folder, "files"), log),
            client=partial(run, _client(source, statements), f"{folder}/rows"),
        )
        _compare(table, "apply to BSON files", files["apply"], "client printing the rows", files["client"], "<= 5")
        _compare(table, "verify of BSON files", files["verify"], "apply to BSON files", files["apply"], "<= 1.5")
        bson = f"{folder}/files/orders.bson"
        module = [sys.executable, "-m"]
        loads = medians(
            rounds,
            apply=partial(apply_to_mongodb, source, target, without_indexes(Path(folder, "mappings")), log),
            indexed=partial(apply_to_mongodb, source, target, MAPPINGS, log),
            script=partial(run, [*module, "benchmarks.handwritten", source, target], log),
            one=partial(run, [*module, "benchmarks.prepared", bson, target, "1"], log),
            two=partial(run, [*module, "benchmarks.prepared", bson, target, "2"], log),
        )
        best = min(loads["one"], loads["two"], key=lambda ran: ran.seconds)
        _compare(table, "hand-written script, orders", loads["script"], "apply, orders", loads["apply"], ">= 3")
        _compare(table, "prepared batches, orders", best, "apply, orders", loads["apply"], ">= 0.8")
        _compare(table, "apply, orders, with its indexes", loads["indexed"], "without", loads["apply"], "")
        for name, mine, other, theirs, goal in pages(
            shop(server, 10), f"{head.rstrip('/')}/bench_pages?{options}", rounds
        ):
            _compare(table, name, mine, other, theirs, goal)
        growth = Table("scale", "rows", "seconds", "microseconds a row", "peak MB of a process")
        sizes = [size for size in GROWTH if size <= scale]
        for size in sizes:
            smaller = shop(server, size)
            rows = count_rows(smaller)
            ran = medians(rounds, apply=partial(apply_to_files, smaller, Path(folder, "files"), log))["apply"]
            growth.add_row(
                str(size), f"{rows:,}", f"{ran.seconds:.2f}", f"{ran.seconds / rows * 1e6:.2f}", f"{ran.peak_mb:.0f}"
            )
        among_many = crowded(server, documents, Path(folder), tables)
        if not keep:
            for size in {*sizes, scale}:
                drop(shop(server, size))
            drop_crowd(server, tables)
    console = Console(width=110)
    console.print(table)
    console.print(growth)
    console.print(among_many)
    console.print(measure(server, documents, changes, lag_seconds))
    console.print(round_trips.measure(server, documents))
    console.print(startup.measure(rounds))


def count_rows(url: str) -> int:
    """Rows of all tables of a shop."""
    place = make_url(url).set(drivername="mysql+pymysql")
    with create_engine(place).connect() as connection:
        tables = connection.execute(text("SHOW TABLES")).scalars().all()
        return sum(connection.execute(text(f"SELECT count(*) FROM `{table}`")).scalar_one() for table in tables)


def _compare(table: Table, name: str, mine: Ran, other: str, theirs: Ran, goal: str) -> None:
    ratio = mine.seconds / theirs.seconds
    table.add_row(name, _time(mine), other, _time(theirs), f"{ratio:.2f}", goal)


def _time(ran: Ran) -> str:
    return f"{ran.seconds:.2f} s" if ran.seconds >= 0.1 else f"{ran.seconds * 1000:.1f} ms"


if __name__ == "__main__":
    main()
