"""Commands that look and change nothing: check, plan, doctor, schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from migrator import api, console
from migrator.commands.debug import debug_option, log_format_option
from migrator.commands.shared import common, consent_of, files_of, make_plan, planning, settings_of, write
from migrator.config import Settings
from migrator.errors import ExitCode, MigratorError
from migrator.mapping.jsonschema import json_schema
from migrator.masking import mask_url
from migrator.model.check import Check
from migrator.model.serialize import to_json
from migrator.planning.render import render
from migrator.run import preview


@click.command()
@common
def check(source: str | None, target: str | None, mappings: Path | None, config: Path | None) -> None:
    """Checks the mapping files against the source's schema; every mistake at once."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    found = api.check(settings.source_url(), files_of(settings))
    console.show(console.checked(found))


@click.command()
@common
@planning
@click.option(
    "--samples", metavar="N", type=click.IntRange(0, 100), default=0, help="Show N documents of each collection."
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Keep the plan in a file for apply.")
def plan(
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    collections: tuple[str, ...],
    adopt: tuple[str, ...],
    replace: tuple[str, ...],
    exact: bool,
    samples: int,
    as_json: bool,
    out: Path | None,
) -> None:
    """Shows what apply would do; changes nothing."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    consent = consent_of(adopt, replace)
    options = preview.PlanOptions(exact, samples, collections or None, consent, settings.chunk_rows)
    made = make_plan(settings, options)
    if out is not None:
        write(out, to_json(made, indent=2) + "\n")
    if as_json:
        click.echo(to_json(made, indent=2))
    else:
        console.show([render(made)])
    if out is not None:
        click.echo(f"The plan is in {out}: `migrator apply {out}` does it.", err=True)
    if made.blocked:
        click.get_current_context().exit(ExitCode.BLOCKED)


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor(source: str | None, target: str | None, mappings: Path | None, config: Path | None, as_json: bool) -> None:
    """Looks whether source and target can do what migrator needs, and says how to mend what can't."""
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


@click.command()
@debug_option
@log_format_option
def schema() -> None:
    """Prints the JSON Schema of mapping files, for editors."""
    click.echo(json.dumps(json_schema(), indent=2))
