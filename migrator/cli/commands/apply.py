"""apply: the copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from migrator.cli.options import common, details_option, planning, sparing


@click.command()
@common
@planning
@click.argument("plan_file", metavar="[PLAN.json]", required=False, type=click.Path(path_type=Path))
@details_option
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--sample", metavar="N", type=click.IntRange(1, 100_000), help="Only N documents of each, into trial collections."
)
@sparing
@click.option("--restart", is_flag=True, help="Forget an unfinished apply instead of resuming it.")
def apply(**options: Any) -> None:
    """Copies: does what plan shows, or what a plan kept in PLAN.json says.

    Interrupted, it goes on where it stopped when it is run again.
    """
    from migrator.cli.callbacks.apply import apply as run

    run(**options)
