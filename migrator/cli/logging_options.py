"""--debug and --log-format, which the program and every command accept."""

from __future__ import annotations

import click

from migrator.cli.output.log_output import FORMATS

DEBUG = "migrator.debug"


def _note_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[DEBUG] = True


debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_note_debug, help="Show tracebacks of errors."
)

# Its value is taken before the arguments are parsed: see `log_output.wants_json`.
log_format_option = click.option(
    "--log-format",
    type=click.Choice(FORMATS),
    expose_value=False,
    help="Standard error as text, or as one JSON object per line.",
)
