"""Commands that look and change nothing: check, plan, doctor, schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from migrator import api, console
from migrator.commands.callbacks.shared import consent_of, files_of, make_plan, settings_of, write
from migrator.config import Settings
from migrator.errors import ExitCode, MigratorError
from migrator.mapping.jsonschema import json_schema
from migrator.masking import mask_url
from migrator.model.check import Check
from migrator.model.serialize import to_json
from migrator.planning.render import detailed, overview
from migrator.run import preview


def check(*, source: str | None, target: str | None, mappings: Path | None, config: Path | None) -> None:
    """The command `check`."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    found = api.check(settings.source_url(), files_of(settings))
    console.show(console.checked(found))


def plan(
    *,
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    collections: tuple[str, ...],
    adopt: tuple[str, ...],
    replace: tuple[str, ...],
    exact: bool,
    samples: int,
    details: bool,
    as_json: bool,
    out: Path | None,
) -> None:
    """The command `plan`."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    consent = consent_of(adopt, replace)
    options = preview.PlanOptions(exact, samples, collections or None, consent, settings.chunk_rows)
    made = make_plan(settings, options)
    if out is not None:
        write(out, to_json(made, indent=2) + "\n")
    if as_json:
        click.echo(to_json(made, indent=2))
    else:
        console.show([(detailed if details else overview)(made)])
    if out is not None:
        click.echo(f"The plan is in {out}: `migrator apply {out}` does it.", err=True)
    if made.blocked:
        click.get_current_context().exit(ExitCode.BLOCKED)


def doctor(
    *, source: str | None, target: str | None, mappings: Path | None, config: Path | None, as_json: bool
) -> None:
    """The command `doctor`."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    found = console.Diagnosis(tuple(_checks(settings)))
    if as_json:
        click.echo(json.dumps([json.loads(to_json(each)) for each in found.checks], indent=2))
    else:
        console.show(found.render())
    if found.blocked:
        click.get_current_context().exit(ExitCode.BLOCKED)


def _checks(settings: Settings) -> Iterator[Check]:
    """What can't even be asked is a line, too: a doctor does not faint."""
    try:
        yield from api.source_checks(settings.source_url())
    except MigratorError as error:
        yield Check("source", "blocked", "reachable", mask_url(error.what), mask_url(error.hint))
    try:
        yield from api.target_checks(settings.target_url())
    except MigratorError as error:
        yield Check("target", "blocked", "reachable", mask_url(error.what), mask_url(error.hint))


def schema() -> None:
    """The command `schema`."""
    click.echo(json.dumps(json_schema(), indent=2))
