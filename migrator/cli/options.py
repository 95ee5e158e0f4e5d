"""The options that several commands have. Importing it costs next to nothing: `--help` needs no database driver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from migrator.cli.logging_options import debug_option, log_format_option
from migrator.cli.show_values import show_values_option

Command = Callable[..., None]


def common(command: Command) -> Command:
    """--source, --target, --mappings, --config, --show-values, --debug and --log-format."""
    options = (
        click.option("--source", metavar="URL", help="mysql://user:password@host:3306/database"),
        click.option("--target", metavar="URL", help="mongodb://host:27017/database or file:FOLDER"),
        click.option("--mappings", metavar="DIR", type=click.Path(path_type=Path), help="Folder of mapping files."),
        click.option(
            "--config",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Project file, instead of the nearest migrator.yaml here or above.",
        ),
        show_values_option,
        debug_option,
        log_format_option,
    )
    return with_options(options, command)


def planning(command: Command) -> Command:
    """What decides how a plan is made."""
    options = (
        click.option(
            "--collection",
            "collections",
            metavar="NAME",
            multiple=True,
            help="Only this collection; may be given several times.",
        ),
        click.option(
            "--adopt",
            metavar="NAME",
            multiple=True,
            help="Take over this collection, which migrator did not create, with its documents.",
        ),
        click.option(
            "--replace",
            metavar="NAME",
            multiple=True,
            help="Replace this collection with a new copy, whoever created it.",
        ),
        click.option("--exact", is_flag=True, help="Count instead of estimating; reads large tables completely."),
    )
    return with_options(options, command)


details_option = click.option("--details", is_flag=True, help="Show tables, indexes and every finding of the plan.")
workers_option = click.option(
    "--workers", metavar="N", type=click.IntRange(0, 256), help="Reader processes. Default: by cores, 2 to 8."
)


def sparing(command: Command) -> Command:
    """How much of the source's time may be taken."""
    options = (
        workers_option,
        click.option(
            "--max-threads-running", metavar="N", type=click.IntRange(1), help="Pause while the source is busier."
        ),
        click.option(
            "--max-replica-lag",
            metavar="SECONDS",
            type=click.FloatRange(0),
            help="Pause while the watched replica lags by more.",
        ),
    )
    return with_options(options, command)


def with_options(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
