"""help: the pages of the documentation."""

from __future__ import annotations

import sys

import click
from rich.markdown import Markdown
from rich.table import Table

from migrator.cli.help_pages import page, topics
from migrator.cli.output import terminal


def help_(topic: str | None) -> None:
    """The command `help`."""
    if topic is None:
        rows = Table.grid(padding=(0, 2))
        for name, heading in topics().items():
            rows.add_row(name, heading)
        terminal.show([rows])
    elif sys.stdout.isatty():
        terminal.show([Markdown(page(topic))])
    else:
        click.echo(page(topic), nl=False)
