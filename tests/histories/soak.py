"""A long run: `python -m tests.histories.soak --minutes 60`, with the servers' URLs in the environment (make soak).

Histories one after the other in both worlds, a quarter of them with a real sync that is killed, until time is up. What
was done is printed at the end, and the seed that failed.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from pathlib import Path

import click

from tests.histories import campaign
from tests.histories.history import Spec
from tests.histories.replay import fresh


@click.command()
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--seed", default=None, type=int, help="Of the first history; by chance when not given.")
@click.option("--writers", default=3, show_default=True)
@click.option("--transactions", default=60, show_default=True, help="Of each writer in each round.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--keep-going", is_flag=True, help="Don't stop at the first failure.")
def main(minutes: float, seed: int | None, writers: int, transactions: int, rounds: int, keep_going: bool) -> None:
    """Plays histories until time is up."""
    server, documents = os.environ["MIGRATOR_TEST_MYSQL_URL"], os.environ["MIGRATOR_TEST_MONGODB_URL"]
    first = secrets.randbelow(10**6) if seed is None else seed
    click.echo(f"first seed {first}")
    end = time.monotonic() + minutes * 60
    tally = campaign.Tally()
    failures: list[str] = []
    number = first
    while time.monotonic() < end and (keep_going or not failures):
        world = ("nasty", "shop")[number % 2]
        spec = Spec(number, world, 1 + number % writers, rounds, transactions)
        try:
            with fresh(server, documents) as (source, target), tempfile.TemporaryDirectory() as folder:
                _play(spec, source, target, Path(folder), tally)
        except Exception as failure:
            failures.append(f"{spec} ({_way(spec)})")
            click.echo(f"FAILED {spec} ({_way(spec)}): {type(failure).__name__}: {failure}", err=True)
        number += 1
        click.echo(f"{spec}: {tally}")
    click.echo(f"{tally}, {len(failures)} failures")
    for each in failures:
        click.echo(f"failed: {each}")
    sys.exit(bool(failures))


def _way(spec: Spec) -> str:
    return ("in process", "killed", "during copy", "added")[spec.seed // 2 % 4]


def _play(spec: Spec, source: str, target: str, folder: Path, tally: campaign.Tally) -> None:
    way = _way(spec)
    if way == "killed":
        campaign.play_killed(spec, source, target, folder, tally)
    elif way == "added":
        campaign.play_added(spec, source, target, tally)
    elif way == "during copy":
        campaign.play_next_to_copy(spec, source, target, tally)
    else:
        campaign.play(spec, source, target, tally)


if __name__ == "__main__":
    main()
