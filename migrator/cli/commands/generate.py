"""generate and fanout: the application's side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from migrator.cli.options import common


@click.command()
@common
@click.option(
    "--out",
    metavar="PATH",
    default=Path(),
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which the package's own folder lies. Default: the working directory.",
)
@click.option("--package", metavar="NAME", help="Name of the package. Default: the source's database and `_data`.")
@click.option(
    "--version-column",
    "version_columns",
    metavar="NAME",
    multiple=True,
    default=("lock_version", "row_version"),
    show_default=True,
    help="A column that counts the writes of its row; may be given several times.",
)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail when the package is out of date.")
@click.option(
    "--explain", "only_explain", is_flag=True, help="Write nothing; list which write affects which collections."
)
def generate(**options: Any) -> None:
    """Writes the typed data-access package: models and repositories for the mapped collections."""
    from migrator.cli.callbacks.generate import generate as run

    run(**options)


@click.command()
@common
@click.option("--package", metavar="NAME", required=True, help="The generated package, as Python imports it.")
@click.option(
    "--path", metavar="DIR", default=Path(), type=click.Path(path_type=Path), help="Folder to import it from."
)
@click.option(
    "--watch", metavar="SECONDS", type=click.FloatRange(0.1), help="Check again after this time, until Ctrl-C."
)
def fanout(**options: Any) -> None:
    """Updates the copies that writes through generated repositories have not updated yet."""
    from migrator.cli.callbacks.generate import fanout as run

    run(**options)
