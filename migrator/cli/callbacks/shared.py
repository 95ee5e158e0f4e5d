"""What several commands do: settings from options, a plan, a file written whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click

from migrator import api
from migrator.cli.output import terminal
from migrator.cli.output.log_output import Output
from migrator.config import Settings, load_settings
from migrator.copy.options import ApplyOptions
from migrator.errors import SettingsError
from migrator.model.plan.plan import Plan
from migrator.model.report.activity import Command
from migrator.planning import planner
from migrator.planning.decide import Consent
from migrator.project_file import find_project_file
from migrator.source.connection.url import parse_source_url


def settings_of(config: Path | None, **flags: Any) -> Settings:
    """The settings of this call. A project file that was looked for is named on standard error.

    Args:
        config: the project file that the user named, None to look for one.
        flags: values of the command line by the name of the setting; None for a flag that was not given.

    Raises:
        SettingsError: with every mistake in the project file.
    """
    if config is not None:
        return load_settings(flags, file=config, environ=os.environ)
    search = find_project_file(Path())
    for file in search.foreign:
        terminal.note(f"note: {file} belongs to another user and is not used; --config {file} uses it")
    settings = load_settings(flags, file=search.file, environ=os.environ)
    if search.file is not None:
        terminal.note(f"settings: {search.file}")
    return settings


def output_of() -> Output:
    """Where this command's events go."""
    output: Output = click.get_current_context().obj
    return output


def files_of(settings: Settings) -> planner.MappingFiles:
    return planner.MappingFiles(settings.mappings, settings.policies)


@contextmanager
def awaiting_servers(settings: Settings, command: Command) -> Iterator[None]:
    """A block in which a command waits for answers of the source, perhaps of the target, too."""
    blocked = partial(api.blocked, settings.source_url())
    with terminal.awaiting(output_of(), command, "answers of the servers", blocked):
        yield


def make_plan(settings: Settings, options: planner.PlanOptions) -> Plan:
    blocked = partial(api.blocked, settings.source_url())
    with terminal.planning(terminal.stderr(), output_of(), blocked) as report:
        return api.make_plan(settings.source_url(), settings.target_url(), files_of(settings), options, report)


def consent_of(adopt: Sequence[str], replace: Sequence[str]) -> Consent:
    """
    Raises:
        SettingsError: for a collection that is named by both.
    """
    both = sorted(set(adopt) & set(replace))
    if both:
        raise SettingsError(
            f"--adopt and --replace both name {both[0]}", hint="--adopt keeps its documents, --replace drops them."
        )
    return Consent(frozenset(adopt), frozenset(replace))


def pace_of(settings: Settings, *, restart: bool) -> ApplyOptions:
    """
    Raises:
        SettingsError: when a replica's lag is limited, and no replica is named.
    """
    if settings.max_replica_lag is not None and parse_source_url(settings.source_url()).replica is None:
        raise SettingsError(
            "the lag of a replica has a limit, and the source URL names no replica",
            where="max_replica_lag",
            hint="Append replica=HOST:PORT to the source URL, or remove the limit.",
        )
    return ApplyOptions(
        settings.workers, settings.max_threads_running, settings.max_replica_lag, restart, settings.retry_seconds
    )


def write(file: Path, text: str, what: str = "plan") -> None:
    """Puts `text` into a file, whole: what is half written must not look whole. Into a pipe or device as it comes."""
    try:
        # What a link leads to is replaced, not the link.
        file = file.resolve()
        if file.exists() and not file.is_file():
            file.write_text(text, encoding="utf-8")
            return
        part = file.with_name(f".{file.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its symbolic links form a loop"
        raise SettingsError(f"the {what} can't be written: {reason}", where=str(file.absolute())) from None
