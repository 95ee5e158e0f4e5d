"""sync and status: documents in step with the change log."""

from __future__ import annotations

from pathlib import Path

import click

from migrator import api, console, console_status, console_sync
from migrator.commands.callbacks.shared import files_of, output_of, settings_of
from migrator.config import Settings
from migrator.metrics import Metrics
from migrator.run.follow import shown
from migrator.run.interrupt import StopRequest
from migrator.run.rehearse import WouldChange
from migrator.run.sync import SyncOptions


def sync(
    *,
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    until_caught_up: bool,
    seconds: float | None,
    dry_run: bool,
    metrics: int | None,
    invalidate: str | None,
) -> None:
    """The command `sync`."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    if dry_run:
        _dry_run(settings)
        return
    observers: list[console_sync.Closing] = []
    output = output_of()
    observers.append(console_sync.JsonLines(output) if output.is_json else console_sync.Lines(console.stderr()))
    observers += [Metrics(metrics)] if metrics is not None else []
    stop = StopRequest()
    options = SyncOptions(until_caught_up, seconds, settings.retry_seconds)
    with console_sync.watching(observers) as observer, stop.listening():
        result = api.sync(
            settings.source_url(), settings.target_url(), files_of(settings), options, observer, stop, invalidate
        )
    if result.report is not None:
        click.echo(console_sync.last_words(result), err=True)


def _dry_run(settings: Settings) -> None:
    def tell(found: WouldChange) -> None:
        for text in console_sync.would_change(found):
            click.echo(text)

    position = api.sync_dry_run(settings.source_url(), settings.target_url(), tell, _note, settings.retry_seconds)
    if position is not None:
        click.echo(f"Read up to {shown(position)}; nothing was written.", err=True)


def _note(text: str) -> None:
    click.echo(text, err=True)


def status(
    *, source: str | None, target: str | None, mappings: Path | None, config: Path | None, as_json: bool
) -> None:
    """The command `status`."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    found = api.status(settings.target_url())
    if as_json:
        click.echo(console_status.as_json(found))
    else:
        console.show(console_status.as_text(found))
