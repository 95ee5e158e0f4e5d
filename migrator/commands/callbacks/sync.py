"""sync and status: documents in step with the change log."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from migrator import api, console, console_status, console_sync, console_watch
from migrator.commands.callbacks.shared import files_of, output_of, settings_of
from migrator.config import Settings
from migrator.console_activity import lines_to
from migrator.errors import SettingsError
from migrator.metrics import Metrics
from migrator.run.follow import shown
from migrator.run.interrupt import StopRequest
from migrator.run.rehearse import WouldChange
from migrator.run.sync import SyncOptions

_INTERVAL = 2.0


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
    *,
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    as_json: bool,
    watch: bool,
    interval: float | None,
) -> None:
    """The command `status`."""
    if interval is not None and not watch:
        raise SettingsError("--interval says how often --watch looks, and there is no --watch", hint="Add --watch.")
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    if watch:
        _watch(settings, _INTERVAL if interval is None else interval, as_json=as_json)
        return
    lines = lines_to(output_of(), console.note)
    found = console_watch.look(partial(api.status, settings.target_url()), lines)
    if as_json:
        click.echo(console_status.as_json(found))
    else:
        console.show(console_status.as_text(found))


def _watch(settings: Settings, interval: float, *, as_json: bool) -> None:
    with (
        api.status_reader(settings.target_url()) as read,
        console_watch.screen(console.stdout(), interval, json_lines=as_json) as screen,
    ):
        console_watch.watch(read, screen, interval)
