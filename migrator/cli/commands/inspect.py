"""Commands that only read: check, plan, doctor, schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from migrator.cli.logging_options import debug_option, log_format_option
from migrator.cli.options import common, details_option, planning


@click.command()
@common
def check(**options: Any) -> None:
    """Checks the mapping files against the source's schema; every mistake at once."""
    from migrator.cli.callbacks.inspect import check as run

    run(**options)


@click.command()
@common
@planning
@click.option(
    "--samples", metavar="N", type=click.IntRange(0, 100), default=0, help="Show N documents of each collection."
)
@details_option
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Keep the plan in a file for apply.")
def plan(**options: Any) -> None:
    """Shows what apply would do; changes nothing."""
    from migrator.cli.callbacks.inspect import plan as run

    run(**options)


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor(**options: Any) -> None:
    """Looks whether source and target can do what migrator needs, and says how to fix what can't."""
    from migrator.cli.callbacks.inspect import doctor as run

    run(**options)


@click.command()
@debug_option
@log_format_option
def schema() -> None:
    """Prints the JSON Schema of mapping files, for editors."""
    from migrator.cli.callbacks.inspect import schema as run

    run()
