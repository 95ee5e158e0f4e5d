"""A database of thousands of tables of which a mapping names few: what the others cost."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pymongo
from rich.table import Table
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from benchmarks.measure import run

TABLES = 5000
MAPPINGS = 100
_ROWS = 20
# Command, number of mappings, seconds that it may take.
GOALS = (("check", 1, 2.0), ("plan", 1, 5.0), ("apply", MAPPINGS, 60.0))


def crowd(server: str, tables: int) -> str:
    """URL of a database of so many tables: half with a text column, half with a key to one of those that cascades."""
    url = make_url(server).set(database=f"bench_tables_{tables}")
    with _engine(server).connect() as connection:
        wanted = {"db": url.database}
        count = text("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = :db AND TABLE_NAME LIKE 't%'")
        if connection.execute(count, wanted).scalar() != tables // 2:
            click.echo(f"making {tables} tables", err=True)
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {url.database}")
            connection.exec_driver_sql(f"CREATE DATABASE {url.database}")
            connection.exec_driver_sql(f"USE {url.database}")
            for statement in _statements(tables):
                connection.exec_driver_sql(statement)
            connection.commit()
    return url.render_as_string(hide_password=False)


def _statements(tables: int) -> Iterator[str]:
    rows = ", ".join(f"({number}, {number}, 'word {number}')" for number in range(1, _ROWS + 1))
    links = ", ".join(f"({number}, {number}, {number})" for number in range(1, _ROWS + 1))
    for number in range(tables // 2):
        yield f"CREATE TABLE t{number} (id INT PRIMARY KEY, v INT, w VARCHAR(20), KEY (v))"
        yield (
            f"CREATE TABLE k{number} (id INT PRIMARY KEY, t_id INT, z INT,"
            f" FOREIGN KEY (t_id) REFERENCES t{number} (id) ON DELETE CASCADE)"
        )
    for number in range(MAPPINGS):
        yield f"INSERT INTO t{number} VALUES {rows}"
        yield f"INSERT INTO k{number} VALUES {links}"


def mappings(folder: Path, count: int) -> Path:
    """`count` mapping files, each of one table."""
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"t{number}.yaml").write_text(f"collection: t{number}\nfrom: t{number}\n", encoding="utf-8")
    return folder


def crowded(server: str, target: str, folder: Path, tables: int = TABLES) -> Table:
    """How long `check`, `plan` and `apply` take there, against their goals."""
    source = crowd(server, tables)
    head, _, options = target.partition("?")
    database = f"{head.rstrip('/')}/bench_tables?{options}"
    shown = Table("tables", "command", "mappings", "seconds", "goal", "peak MB of a process")
    for command, count, goal in GOALS:
        with pymongo.MongoClient[dict[str, object]](database) as client:
            client.drop_database(client.get_default_database().name)
        files = mappings(folder / command, count)
        ends = ["--source", source, "--target", database, "--mappings", str(files)]
        more = ["--yes"] if command == "apply" else []
        ran = run([sys.executable, "-m", "migrator", command, *ends, *more], f"{folder}/{command}.log")
        goal_shown = f"<= {goal:g}" + ("" if ran.seconds <= goal else ": missed")
        shown.add_row(f"{tables:,}", command, str(count), f"{ran.seconds:.1f}", goal_shown, f"{ran.peak_mb:.0f}")
    return shown


def drop_crowd(server: str, tables: int = TABLES) -> None:
    """Takes the tables away."""
    with _engine(server).connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS bench_tables_{tables}")


def _engine(server: str) -> Engine:
    return create_engine(make_url(server).set(drivername="mysql+pymysql"))
