"""verify: whether the target agrees with the source."""

from __future__ import annotations

from pathlib import Path

import click

from migrator import api
from migrator.cli.callbacks.shared import files_of, output_of, pace_of, settings_of, write
from migrator.cli.output import sums as sums_output
from migrator.cli.output import terminal
from migrator.cli.output import verify as verify_output
from migrator.config import Settings
from migrator.errors import ExitCode, SettingsError
from migrator.model.report.verify import Selection
from migrator.verify.outcome import VerifyOptions


def verify(
    *,
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    collections: tuple[str, ...],
    sample: int | None,
    keys: tuple[str, ...],
    repair: bool,
    independent: bool,
    report_file: Path | None,
    workers: int | None,
    max_threads_running: int | None,
    max_replica_lag: float | None,
    restart: bool,
) -> None:
    """The command `verify`."""
    settings = settings_of(
        config,
        source=source,
        target=target,
        mappings=mappings,
        workers=workers,
        max_threads_running=max_threads_running,
        max_replica_lag=max_replica_lag,
    )
    options = VerifyOptions(Selection(collections, sample, keys), pace_of(settings, restart=restart), repair)
    if independent:
        _independent(settings, options, report_file)
        return
    with verify_output.watching(terminal.stderr(), output_of()) as observer:
        report = api.verify(settings.source_url(), settings.target_url(), files_of(settings), options, observer)
    if report_file is not None:
        write(report_file, verify_output.as_json(report) + "\n", "report")
    terminal.show(verify_output.summary(report))
    if not report.clean:
        click.get_current_context().exit(ExitCode.DIFFERENT)
    if report.rejected:
        click.get_current_context().exit(ExitCode.REJECTED)


def _independent(settings: Settings, options: VerifyOptions, report_file: Path | None) -> None:
    if options.repair or options.wanted.keys or options.wanted.sample is not None:
        raise SettingsError(
            "--independent sums whole collections; it can't be combined with --repair, --keys and --sample"
        )
    with verify_output.watching(terminal.stderr(), output_of()) as observer:
        report = api.independent_look(settings.source_url(), settings.target_url(), options, observer)
    if report_file is not None:
        write(report_file, sums_output.as_json(report) + "\n", "report")
    terminal.show(sums_output.summary(report))
    if report.different:
        click.get_current_context().exit(ExitCode.DIFFERENT)
