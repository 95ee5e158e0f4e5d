"""generate and fanout: the application's side."""

from __future__ import annotations

import time
from pathlib import Path

import click
from pymongo.errors import ConnectionFailure
from sqlalchemy.engine import make_url

from migrator import api
from migrator.cli.callbacks.shared import awaiting_servers, files_of, settings_of
from migrator.cli.output import terminal
from migrator.errors import ExitCode, PlanRefused, SettingsError
from migrator.generate.describe import PackageOptions as GenerateOptions
from migrator.generate.explain import explain
from migrator.generate.open_package import Facade, opened
from migrator.generate.python_names import attribute
from migrator.generate.render import render as render_package
from migrator.generate.write import PackageDifference
from migrator.generate.write import compare as compare_package
from migrator.generate.write import write as write_package
from migrator.model.text.formatting import plural


def generate(
    *,
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    out: Path,
    package: str | None,
    version_columns: tuple[str, ...],
    only_check: bool,
    only_explain: bool,
) -> None:
    """The command `generate`."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    name = package or f"{attribute(make_url(settings.source_url()).database or 'shop')}_data"
    if name != attribute(name):
        raise SettingsError(f"{name} can't be the name of a Python package", hint=f"Try {attribute(name)}.")
    with awaiting_servers(settings, "generate"):
        described = api.package(settings.source_url(), files_of(settings), GenerateOptions(name, version_columns))
    if only_explain:
        terminal.show(explain(described))
        return
    files = render_package(described)
    folder = out / name
    if only_check:
        _refuse_outdated_package(compare_package(files, folder), folder)
        terminal.show([f"{folder} is up to date."])
        return
    written = write_package(files, folder)
    done = "written" if written else "unchanged"
    terminal.show([*written.lines(), f"{folder}: {plural(len(files), 'file')}, {done}."])


def _refuse_outdated_package(difference: PackageDifference, folder: Path) -> None:
    if difference.is_new:
        raise PlanRefused("the package does not exist", where=str(folder.absolute()), hint="Run `migrator generate`.")
    if difference:
        raise PlanRefused(
            "\n".join(["the package is out of date:", *(f"  - {line}" for line in difference.lines())]),
            where=str(folder.absolute()),
            hint="Run `migrator generate` and commit what it writes.",
        )


def fanout(
    *,
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    package: str,
    path: Path,
    watch: float | None,
) -> None:
    """The command `fanout`."""
    settings = settings_of(config, source=source, target=target, mappings=mappings)
    with opened(package, path, settings.target_url()) as data:
        done = data.fanout()
        failing = _say_failing(data, [])
        while watch is not None:
            time.sleep(watch)
            try:
                data.fanout()
                failing = _say_failing(data, failing)
            except ConnectionFailure as error:
                terminal.note(f"the target does not answer, the next round tries again: {error}")
    terminal.show([f"{done} {'entry' if done == 1 else 'entries'} of the outbox done."])
    if failing:
        click.get_current_context().exit(ExitCode.REJECTED)


def _say_failing(data: Facade, said: list[str]) -> list[str]:
    """What can't be followed up, a line each; those that were not said before are said."""
    lines = [
        f"{each.collection} {each.key!r} can't be processed, try {each.tries}: {each.error}" for each in data.failing()
    ]
    for line in lines:
        if line not in said:
            terminal.note(line)
    return lines
