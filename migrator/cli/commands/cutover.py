"""cutover: the switch from MySQL to the documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from migrator.cli.options import common, workers_option


@click.command()
@common
@click.option(
    "--collection", "collections", metavar="NAME", multiple=True, help="Only this one; may be given several times."
)
@click.option("--rehearse", is_flag=True, help="Run the checklist without fence, counters and record.")
@click.option("--fenced", is_flag=True, help="Writes are kept out in another way than by read_only.")
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=300.0,
    help="How long to wait for sync, and for the fence. Default: 300.",
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--report", "report_file", metavar="FILE", type=click.Path(path_type=Path), help="Keep it as JSON.")
@workers_option
def cutover(**options: Any) -> None:
    """Hands collections over to the application, if every gate of the checklist holds.

    Sync must be at work. A gate that does not hold ends it with the reason, and nothing has changed.
    """
    from migrator.cli.callbacks.cutover import cutover as run

    run(**options)
