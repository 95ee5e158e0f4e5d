"""sync and status: documents in step with the change log."""

from __future__ import annotations

from typing import Any

import click

from migrator.cli.options import common


@click.command()
@common
@click.option("--until-caught-up", is_flag=True, help="End when everything logged before the start is applied.")
@click.option("--for", "seconds", metavar="SECONDS", type=click.FloatRange(0), help="End after this time.")
@click.option("--dry-run", is_flag=True, help="Print which documents would change, and change nothing.")
@click.option("--metrics", metavar="PORT", type=click.IntRange(1, 65535), help="Serve Prometheus metrics on 127.0.0.1.")
@click.option("--invalidate", metavar="URL", help="redis://… or memcached://…: the repositories' cache to update.")
def sync(**options: Any) -> None:
    """Keeps what apply published in step with the source's change log, until stopped.

    A second one waits as a standby and takes over when the first dies.
    """
    from migrator.cli.callbacks.sync import sync as run

    run(**options)


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON; with --watch one object per line.")
@click.option("--watch", is_flag=True, help="Refresh until Ctrl-C.")
@click.option(
    "--interval",
    metavar="SECONDS",
    type=click.FloatRange(0.2),
    help="With --watch: time between refreshes. Default: 2.",
)
def status(**options: Any) -> None:
    """Shows how far copy and sync are; works while they run elsewhere."""
    from migrator.cli.callbacks.sync import status as run

    run(**options)
