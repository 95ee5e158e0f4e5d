"""apply: the copy."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from migrator import api
from migrator.cli.callbacks.shared import (
    awaiting_servers,
    consent_of,
    files_of,
    make_plan,
    output_of,
    pace_of,
    settings_of,
)
from migrator.cli.output import terminal
from migrator.cli.output.plan import detailed, overview
from migrator.cli.show_values import shows_values
from migrator.config import Settings
from migrator.copy.options import ApplyOptions
from migrator.errors import ExitCode, Interrupted, PlanRefused, SettingsError
from migrator.model.plan.plan import Plan
from migrator.model.serialize import from_json
from migrator.planning import planner

_REJECTED_SHOWN = 10


def apply(
    *,
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    plan_file: Path | None,
    collections: tuple[str, ...],
    adopt: tuple[str, ...],
    replace: tuple[str, ...],
    exact: bool,
    details: bool,
    yes: bool,
    sample: int | None,
    workers: int | None,
    max_threads_running: int | None,
    max_replica_lag: float | None,
    restart: bool,
) -> None:
    """The command `apply`."""
    settings = settings_of(
        config,
        source=source,
        target=target,
        mappings=mappings,
        workers=workers,
        max_threads_running=max_threads_running,
        max_replica_lag=max_replica_lag,
    )
    if sample is None:
        api.prepare_workers()
    if plan_file is not None:
        if adopt or replace or exact:
            raise SettingsError(
                "--adopt, --replace and --exact decide how a plan is made, and this one is made already",
                where=str(plan_file),
                hint="Give them to `migrator plan --out`.",
            )
        wanted = _kept(plan_file, settings, collections)
    else:
        consent = consent_of(adopt, replace)
        wanted = make_plan(settings, planner.PlanOptions(exact, 0, collections or None, consent, settings.chunk_rows))
    if sample is not None:
        with awaiting_servers(settings, "apply"):
            results = api.sample(wanted, settings.source_url(), settings.target_url(), sample)
        terminal.show(terminal.sampled(results))
        return
    terminal.show([(detailed if details else overview)(wanted)])
    if wanted.blocked:
        raise PlanRefused("the plan is blocked, nothing was done", hint="Its findings above say what to do.")
    if all(each.action == "unchanged" for each in wanted.collections):
        terminal.show(["Nothing to do."])
        return
    if not yes:
        _ask()
    _apply(wanted, settings, pace_of(settings, restart=restart))


def _kept(file: Path, settings: Settings, collections: tuple[str, ...]) -> Plan:
    """The plan in a file, if it still holds."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise SettingsError(f"the plan can't be read: {error.strerror}", where=str(file.absolute())) from None
    found = planner.only(from_json(Plan, text, where=str(file)), collections or None)
    files = files_of(settings)
    if not files.folder.exists():
        click.echo(f"note: there are no mappings in {files.folder} to compare the plan with", err=True)
    with awaiting_servers(settings, "apply"):
        api.refuse_outdated(found, settings.source_url(), settings.target_url(), files)
    return found


def _ask() -> None:
    if not (sys.stdin and sys.stdin.isatty()):
        raise SettingsError("apply asks before it writes, and there is no terminal", hint="Add --yes.")
    if not terminal.agreed("Apply this plan?"):
        raise Interrupted("not applied, nothing was done")


def _apply(wanted: Plan, settings: Settings, options: ApplyOptions) -> None:
    began = time.monotonic()
    with terminal.watching(terminal.stderr(), wanted, output_of()) as observer:
        result = api.apply(wanted, settings.source_url(), settings.target_url(), options, observer)
    seconds = time.monotonic() - began
    examples = api.rejected(settings.target_url(), result.run, _REJECTED_SHOWN) if result.rejected else []
    if not shows_values():
        examples = [each.without_values() for each in examples]
    terminal.show(["", *terminal.applied(result, examples, seconds)])
    if result.rejected or result.problems:
        click.get_current_context().exit(ExitCode.REJECTED)
