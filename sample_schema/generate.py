"""Fills a database with the sample shop: `python -m sample_schema.generate --url mysql://user@host/shop --scale 10`."""

from __future__ import annotations

import time
from collections.abc import Callable

import click
import pymysql
from tqdm import tqdm

from sample_schema import database
from sample_schema.rows import Shop, all_rows


def load(url: str, scale: int = 1, seed: int = 1, progress: Callable[[int], None] = lambda _: None) -> dict[str, int]:
    """Makes the tables in an empty database and fills them: the same rows for the same scale and seed.

    Args:
        url: `mysql://user:password@host:port/name`; the database is made if it's missing.
        scale: 1 for about 10,000 rows over all tables, 100 for about a million.
        seed: another seed gives other rows of the same kind.
        progress: is told the number of rows written so far.

    Returns:
        How many rows were inserted into each table; odd.sql adds one to order_items, product_tags and comments.

    Raises:
        database.SampleError: the database is not empty, or the URL is none.
    """
    with database.connect(url) as connection:
        database.create(connection)
        inserter = database.Inserter(connection)
        inserter.insert(all_rows(Shop(scale, seed)), progress)
        database.make_odd(connection)
    return inserter.counts


def drop(url: str) -> None:
    """Drops the sample's tables, and no others."""
    with database.connect(url) as connection:
        database.drop(connection)


@click.command()
@click.option("--url", required=True, help="mysql://user:password@host:port/database")
@click.option("--scale", default=1, show_default=True, type=click.IntRange(1), help="1 is about 10,000 rows.")
@click.option("--seed", default=1, show_default=True, help="Another seed gives other rows.")
@click.option("--recreate", is_flag=True, help="Drop the sample's tables first.")
def main(url: str, scale: int, seed: int, recreate: bool) -> None:
    """Fill an empty MySQL or MariaDB database with the sample shop."""
    start = time.monotonic()
    try:
        if recreate:
            drop(url)
        with tqdm(unit=" rows", unit_scale=True, disable=None, leave=False) as bar:
            counts = load(url, scale, seed, lambda rows: bar.update(rows - bar.n))
    except (database.SampleError, pymysql.err.MySQLError) as error:
        raise click.ClickException(str(error)) from None
    took = time.monotonic() - start
    click.echo(f"{sum(counts.values()):,} rows in {len(counts)} tables, {took:.1f} s", err=True)


if __name__ == "__main__":
    main()
