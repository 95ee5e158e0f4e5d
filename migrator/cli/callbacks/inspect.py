"""Commands that only read: check, plan, doctor, schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from migrator import api
from migrator.cli.callbacks.shared import (
    awaiting_servers,
    consent_of,
    files_of,
    make_plan,
    output_of,
    settings_of,
    write,
)
from migrator.cli.output import terminal
from migrator.cli.output.plan import detailed, overview
from migrator.errors import ExitCode
from migrator.mapping.file.jsonschema import json_schema
from migrator.model.report.check import Check
from migrator.model.serialize import to_json
from migrator.planning import planner
from migrator.workers.announcer import Ask
from migrator.workers.time_limit import answered


def check(*, source: str | None, target: str | None, mappings: Path | None, config: Path | None) -> None:
    """The command `check`."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    with awaiting_servers(settings, "check"):
        found = api.check(settings.source_url(), files_of(settings))
    terminal.show(terminal.checked(found))


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
    options = planner.PlanOptions(exact, samples, collections or None, consent, settings.chunk_rows)
    made = make_plan(settings, options)
    if out is not None:
        write(out, to_json(made, indent=2) + "\n")
    if as_json:
        click.echo(to_json(made, indent=2))
    else:
        terminal.show([(detailed if details else overview)(made)])
    if out is not None:
        click.echo(f"The plan is in {out}: `migrator apply {out}` carries it out.", err=True)
    if made.blocked:
        click.get_current_context().exit(ExitCode.BLOCKED)


def doctor(
    *, source: str | None, target: str | None, mappings: Path | None, config: Path | None, as_json: bool
) -> None:
    """The command `doctor`."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    # A URL that is missing is one of the answers.
    sides = {
        "source": _each_awaited(
            answered("source", lambda: api.source_checks(settings.source_url())),
            "source",
            lambda: api.blocked(settings.source_url()),
        ),
        "target": _each_awaited(answered("target", lambda: api.target_checks(settings.target_url())), "target", None),
    }
    found: list[Check] = []
    if as_json:
        found = [check for checks in sides.values() for check in checks]
        click.echo(json.dumps([json.loads(to_json(each)) for each in found], indent=2))
    else:
        for side, checks in sides.items():
            terminal.show(terminal.diagnosis(side, _noted(checks, found)))
    if any(check.status == "blocked" for check in found):
        click.get_current_context().exit(ExitCode.BLOCKED)


def _each_awaited(checks: Iterator[Check], side: str, ask: Ask | None) -> Iterator[Check]:
    """`checks`; lines on stderr say when one takes long to come."""
    while True:
        with terminal.awaiting(output_of(), "doctor", f"an answer of the {side}", ask):
            check = next(checks, None)
        if check is None:
            return
        yield check


def _noted(checks: Iterable[Check], found: list[Check]) -> Iterator[Check]:
    """`checks`, which also come into `found`."""
    for check in checks:
        found.append(check)
        yield check


def schema() -> None:
    """The command `schema`."""
    click.echo(json.dumps(json_schema(), indent=2))
