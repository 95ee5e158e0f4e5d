"""sync and status: documents in step with the change log."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from migrator import api
from migrator.cli.callbacks.shared import files_of, output_of, settings_of
from migrator.cli.output import status as status_output
from migrator.cli.output import sync as sync_output
from migrator.cli.output import terminal
from migrator.cli.output import watch as watch_output
from migrator.cli.output.activity import WaitLines, lines_to
from migrator.cli.output.metrics import Metrics
from migrator.config import Settings
from migrator.errors import SettingsError
from migrator.model.change.coordinates import shown
from migrator.sync.dry_run import WouldChange
from migrator.sync.sync import SyncOptions
from migrator.workers.interrupt import StopRequest

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
    observers: list[sync_output.ClosableObserver] = []
    output = output_of()
    observers.append(sync_output.SyncJsonLines(output) if output.is_json else sync_output.SyncLines(terminal.stderr()))
    observers += [Metrics(metrics)] if metrics is not None else []
    stop = StopRequest()
    options = SyncOptions(until_caught_up, seconds, settings.retry_seconds)
    with sync_output.watching(observers) as observer, stop.listening():
        result = api.sync(
            settings.source_url(), settings.target_url(), files_of(settings), options, observer, stop, invalidate
        )
    if result.report is not None:
        click.echo(sync_output.last_words(result), err=True)


def _dry_run(settings: Settings) -> None:
    def tell(found: WouldChange) -> None:
        for text in sync_output.would_change(found):
            click.echo(text)

    listener = WaitLines(lines_to(output_of(), terminal.note))
    position = api.sync_dry_run(
        settings.source_url(), settings.target_url(), tell, _note, listener, settings.retry_seconds
    )
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
        raise SettingsError("--interval is only for --watch", hint="Add --watch.")
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    if watch:
        _watch(settings, _INTERVAL if interval is None else interval, as_json=as_json)
        return
    lines = lines_to(output_of(), terminal.note)
    found = watch_output.poll_status(partial(api.status, settings.target_url()), lines)
    if as_json:
        click.echo(status_output.as_json(found))
    else:
        terminal.show(status_output.as_text(found))


def _watch(settings: Settings, interval: float, *, as_json: bool) -> None:
    with (
        api.status_reader(settings.target_url()) as read,
        watch_output.screen(terminal.stdout(), interval, json_lines=as_json) as screen,
    ):
        watch_output.watch(read, screen, interval)
