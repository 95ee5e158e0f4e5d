"""cutover: the switch from MySQL to the documents."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from migrator import api
from migrator.cli.callbacks.shared import output_of, pace_of, settings_of, write
from migrator.cli.output import cutover as cutover_output
from migrator.cli.output import terminal
from migrator.cutover.cutover import CutoverOptions
from migrator.errors import Interrupted, SettingsError
from migrator.masking import mask_url


def cutover(
    *,
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
    """The command `cutover`."""
    settings = settings_of(config, source=source, target=target, mappings=mappings, workers=workers)
    if not rehearse and not yes:
        _ask()
    options = CutoverOptions(collections, pace_of(settings, restart=True), rehearse, fenced, wait)
    with cutover_output.watching(terminal.stderr(), output_of()) as observer:
        result = api.cutover(settings.source_url(), settings.target_url(), options, observer)
    if report_file is not None:
        write(report_file, cutover_output.as_json(result) + "\n", "report")
    terminal.show(cutover_output.summary(result, mask_url(settings.target_url())))


def _ask() -> None:
    if not (sys.stdin and sys.stdin.isatty()):
        raise SettingsError("cutover asks before it records, and there is no terminal", hint="Add --yes.")
    if not click.confirm("Hand over when every gate holds?", default=False, err=True):
        raise Interrupted("not handed over, nothing was done")
