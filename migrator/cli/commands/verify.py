"""verify: whether the target agrees with the source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from migrator.cli.options import common, sparing


@click.command()
@common
@click.option(
    "--collection", "collections", metavar="NAME", multiple=True, help="Only this one; may be given several times."
)
@click.option("--sample", metavar="N", type=click.IntRange(1), help="Only about N documents of each, at random.")
@click.option("--keys", metavar="KEY", multiple=True, help="Only the document of this root key; may be repeated.")
@click.option("--repair", is_flag=True, help="Correct documents that differ, compare them again.")
@click.option("--independent", is_flag=True, help="Compare sums computed by both servers, not documents.")
@click.option("--report", "report_file", metavar="FILE", type=click.Path(path_type=Path), help="Keep it as JSON.")
@sparing
@click.option("--restart", is_flag=True, help="Forget an unfinished verify instead of resuming it.")
def verify(**options: Any) -> None:
    """Compares every document with what its rows say, byte for byte.

    Interrupted, it resumes where it stopped when it is run again. While a sync runs, what differs is compared again
    before it counts.
    """
    from migrator.cli.callbacks.verify import verify as run

    run(**options)
