"""help: the pages of the documentation."""

from __future__ import annotations

import click

from migrator.cli.logging_options import debug_option, log_format_option


@click.command("help")
@debug_option
@log_format_option
@click.argument("topic", metavar="[TOPIC]", required=False)
def help_(topic: str | None) -> None:
    """Shows a page of the documentation; without TOPIC, lists the topics."""
    from migrator.cli.callbacks.help import help_ as run

    run(topic)
