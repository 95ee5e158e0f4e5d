"""--show-values, an option of every command that opens a database.

A server's error message often contains a whole document. It is printed only on request.
"""

from __future__ import annotations

import click

SHOW_VALUES = "migrator.show_values"


def _note(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[SHOW_VALUES] = True


show_values_option = click.option(
    "--show-values",
    is_flag=True,
    expose_value=False,
    callback=_note,
    help="Show values of rows and documents in errors and rejected rows.",
)


def shows_values() -> bool:
    """Whether the user asked for them."""
    return bool(click.get_current_context().meta.get(SHOW_VALUES, False))
