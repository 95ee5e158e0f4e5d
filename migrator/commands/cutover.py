"""cutover: the switch from MySQL to the documents."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from migrator import api, console, console_cutover
from migrator.commands.shared import common, pace_of, settings_of, workers_option, write
from migrator.cutover.cutover import CutoverOptions
from migrator.errors import Interrupted, SettingsError
from migrator.masking import mask_url


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
def cutover(
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    collections: tuple[str, ...],
    rehearse: bool,
    fenced: bool,
    wait: float,
    yes: bool,
    report_file: Path | None,
    workers: int | None,
) -> None:
    """Hands collections over to the application, if every gate of the checklist holds.

    Sync must be at work. A gate that does not hold ends it with the reason, and nothing has changed.
    """
    settings = settings_of(config, source=source, target=target, mappings=mappings, workers=workers)
    if not rehearse and not yes:
        _ask()
    options = CutoverOptions(collections, pace_of(settings, restart=True), rehearse, fenced, wait)
    with console_cutover.watching(console.stderr()) as observer:
        result = api.cutover(settings.source_url(), settings.target_url(), options, observer)
    if report_file is not None:
        write(report_file, console_cutover.as_json(result) + "\n", "report")
    console.show(console_cutover.summary(result, mask_url(settings.target_url())))


def _ask() -> None:
    if not (sys.stdin and sys.stdin.isatty()):
        raise SettingsError("cutover asks before it records, and there is no terminal to ask at", hint="Add --yes.")
    if not click.confirm("Hand over when every gate holds?", default=False, err=True):
        raise Interrupted("not handed over, nothing was done")
