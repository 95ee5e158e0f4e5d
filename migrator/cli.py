"""The commands: parse, call the library, print. The only place that turns errors into exit codes."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click
from sqlalchemy.engine import make_url

from migrator import __version__, api, console
from migrator.config import Settings, load_settings, mask_url
from migrator.errors import ExitCode, Interrupted, MappingError, MigratorError, PlanRefused, SettingsError
from migrator.generate.explain import explain
from migrator.generate.load import opened
from migrator.generate.model import Options as GenerateOptions
from migrator.generate.names import attribute
from migrator.generate.render import render as render_package
from migrator.generate.write import Difference
from migrator.generate.write import compare as compare_package
from migrator.generate.write import write as write_package
from migrator.mapping.jsonschema import json_schema
from migrator.model.check import Check
from migrator.model.plan import Plan
from migrator.model.serialize import from_json, to_json
from migrator.planning.decide import Consent
from migrator.planning.render import render
from migrator.run import preview
from migrator.run.outcome import ApplyOptions

_DEBUG = "migrator.debug"
_REJECTED_SHOWN = 10

Command = Callable[..., None]


# --- from errors to exit codes ------------------------------------------------------------------------------------


class _Commands(click.Group):
    """Ends every command with its exit code: see docs/exit-codes.md."""

    def invoke(self, ctx: click.Context) -> Any:
        with _sigterm_as_ctrl_c():
            try:
                return super().invoke(ctx)
            except MigratorError as error:
                _say(error, debug=ctx.meta.get(_DEBUG, False))
                ctx.exit(error.exit_code)
            except (KeyboardInterrupt, click.Abort):
                click.echo("error: stopped by the user", err=True)
                ctx.exit(ExitCode.INTERRUPTED)
            except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
                raise
            except Exception as error:
                _say_unexpected(error, debug=ctx.meta.get(_DEBUG, False))
                ctx.exit(ExitCode.INTERNAL)


def _say(error: MigratorError, *, debug: bool) -> None:
    if isinstance(error, MappingError):
        lines = [*(str(problem) for problem in error.problems), f"error: {error.what}"]
    else:
        lines = [f"error: {error.what}"]
        lines += [f"  where: {error.where}"] if error.where else []
        # An unexpected fault in a worker process brings its traceback as the hint.
        unexpected = type(error) is MigratorError
        lines += [_indented("  next:  ", error.hint)] if error.hint and not unexpected else []
        lines += [_BUG] if unexpected and not debug else []
    if debug:
        lines += ["", *traceback.format_exception(error), *([error.hint] if type(error) is MigratorError else [])]
    click.echo(mask_url("\n".join(lines)), err=True)


_BUG = "  This is a fault in migrator itself. Run the same command with --debug for the traceback."


def _say_unexpected(error: Exception, *, debug: bool) -> None:
    text = f"error: unexpected {type(error).__name__}: {error}\n{_BUG}"
    if debug:
        text = "".join(traceback.format_exception(error)) + text
    click.echo(mask_url(text), err=True)


def _indented(head: str, text: str) -> str:
    return head + f"\n{' ' * len(head)}".join(text.splitlines())


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """A scheduler's SIGTERM stops as gently as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# --- options that several commands have ---------------------------------------------------------------------------


def _note_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[_DEBUG] = True


_debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_note_debug, help="Show tracebacks of errors."
)


def _common(command: Command) -> Command:
    """--source, --target, --mappings, --config and --debug."""
    options = (
        click.option("--source", metavar="URL", help="mysql://user:password@host:3306/database"),
        click.option("--target", metavar="URL", help="mongodb://host:27017/database or file:FOLDER"),
        click.option("--mappings", metavar="DIR", type=click.Path(path_type=Path), help="Folder of mapping files."),
        click.option(
            "--config",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Project file instead of ./migrator.yaml.",
        ),
        _debug_option,
    )
    return _with(options, command)


def _planning(command: Command) -> Command:
    """What decides how a plan is made."""
    options = (
        click.option(
            "--collection",
            "collections",
            metavar="NAME",
            multiple=True,
            help="Only this collection; may be given several times.",
        ),
        click.option(
            "--adopt",
            metavar="NAME",
            multiple=True,
            help="Take over this collection, which migrator did not create, with the documents it has.",
        ),
        click.option(
            "--replace",
            metavar="NAME",
            multiple=True,
            help="Put a fresh copy in place of this collection, whoever created it.",
        ),
        click.option("--exact", is_flag=True, help="Count instead of estimating; reads big tables to the end."),
    )
    return _with(options, command)


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def _settings(config: Path | None, **flags: Any) -> Settings:
    return load_settings(flags, config=config, environ=os.environ, directory=Path())


def _files(settings: Settings) -> preview.MappingFiles:
    return preview.MappingFiles(settings.mappings, settings.policies)


def _made(settings: Settings, options: preview.PlanOptions) -> Plan:
    with console.reporting(console.stderr()) as report:
        return api.make_plan(settings.source_url(), settings.target_url(), _files(settings), options, report)


# --- the commands -------------------------------------------------------------------------------------------------


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="migrator %(version)s")
@_debug_option
def main() -> None:
    """Moves an application from MySQL to denormalized MongoDB documents.

    Start with `check`, look at `plan`, then `apply`. Settings come from migrator.yaml, then the environment
    (MIGRATOR_SOURCE, MIGRATOR_TARGET, MIGRATOR_MAPPINGS), then flags.
    """


@main.command()
@_common
def check(source: str | None, target: str | None, mappings: Path | None, config: Path | None) -> None:
    """Checks the mapping files against the source's schema; every mistake at once."""
    settings = _settings(config, source=source, target=target, mappings=mappings)
    found = api.check(settings.source_url(), _files(settings))
    console.show(console.checked(found))


@main.command()
@_common
@_planning
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
    settings = _settings(config, source=source, target=target, mappings=mappings)
    consent = Consent(frozenset(adopt), frozenset(replace))
    options = preview.PlanOptions(exact, samples, collections or None, consent, settings.chunk_rows)
    made = _made(settings, options)
    if out is not None:
        _write(out, to_json(made, indent=2) + "\n")
    if as_json:
        click.echo(to_json(made, indent=2))
    else:
        console.show([render(made)])
    if out is not None:
        click.echo(f"The plan is in {out}: `migrator apply {out}` does it.", err=True)
    if made.blocked:
        click.get_current_context().exit(ExitCode.BLOCKED)


@main.command()
@_common
@_planning
@click.argument("plan_file", metavar="[PLAN.json]", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--sample", metavar="N", type=click.IntRange(1, 100_000), help="Only N documents of each, into trial collections."
)
@click.option(
    "--workers", metavar="N", type=click.IntRange(0, 256), help="Reader processes. Default: by cores, 2 to 8."
)
@click.option("--max-threads-running", metavar="N", type=click.IntRange(1), help="Pause while the source is busier.")
@click.option(
    "--max-replica-lag",
    metavar="SECONDS",
    type=click.FloatRange(0),
    help="Pause while the watched replica is more behind.",
)
@click.option("--restart", is_flag=True, help="Forget an unfinished apply instead of going on with it.")
def apply(
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    plan_file: Path | None,
    collections: tuple[str, ...],
    adopt: tuple[str, ...],
    replace: tuple[str, ...],
    exact: bool,
    yes: bool,
    sample: int | None,
    workers: int | None,
    max_threads_running: int | None,
    max_replica_lag: float | None,
    restart: bool,
) -> None:
    """Copies: does what plan shows, or what a plan kept in PLAN.json says.

    Interrupted, it goes on where it stopped when it is run again.
    """
    settings = _settings(
        config,
        source=source,
        target=target,
        mappings=mappings,
        workers=workers,
        max_threads_running=max_threads_running,
        max_replica_lag=max_replica_lag,
    )
    if plan_file is not None:
        if adopt or replace or exact:
            raise SettingsError(
                "--adopt, --replace and --exact decide how a plan is made, and this one is made already",
                where=str(plan_file),
                hint="Give them to `migrator plan --out`.",
            )
        wanted = _kept(plan_file, settings, collections)
    else:
        consent = Consent(frozenset(adopt), frozenset(replace))
        wanted = _made(settings, preview.PlanOptions(exact, 0, collections or None, consent, settings.chunk_rows))
    if sample is not None:
        results = api.sample(wanted, settings.source_url(), settings.target_url(), sample)
        console.show(console.sampled(results))
        return
    console.show([render(wanted)])
    if wanted.blocked:
        raise PlanRefused("the plan is blocked, nothing was done", hint="Its findings above say what to do.")
    if all(each.action == "unchanged" for each in wanted.collections):
        console.show(["Nothing to do."])
        return
    if not yes:
        _ask()
    options = ApplyOptions(
        settings.workers, settings.max_threads_running, settings.max_replica_lag, restart, settings.retry_seconds
    )
    _apply(wanted, settings, options)


def _kept(file: Path, settings: Settings, collections: tuple[str, ...]) -> Plan:
    """The plan in a file, if it still holds."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise SettingsError(f"the plan can't be read: {error.strerror}", where=str(file)) from None
    found = preview.only(from_json(Plan, text, where=str(file)), collections or None)
    files = _files(settings)
    if not files.folder.exists():
        click.echo(f"note: there are no mappings in {files.folder} to compare the plan with", err=True)
    api.refuse_outdated(found, settings.source_url(), settings.target_url(), files)
    return found


def _ask() -> None:
    if not (sys.stdin and sys.stdin.isatty()):
        raise SettingsError("apply asks before it writes, and there is no terminal to ask at", hint="Add --yes.")
    if not click.confirm("Apply this plan?", default=False, err=True):
        raise Interrupted("not applied, nothing was done")


def _apply(wanted: Plan, settings: Settings, options: ApplyOptions) -> None:
    began = time.monotonic()
    with console.watching(console.stderr(), wanted) as observer:
        result = api.apply(wanted, settings.source_url(), settings.target_url(), options, observer)
    seconds = time.monotonic() - began
    examples = api.rejected(settings.target_url(), result.run, _REJECTED_SHOWN) if result.rejected else []
    console.show(["", *console.applied(result, examples, seconds)])
    if result.rejected or result.problems:
        click.get_current_context().exit(ExitCode.REJECTED)


@main.command()
@_common
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor(source: str | None, target: str | None, mappings: Path | None, config: Path | None, as_json: bool) -> None:
    """Looks whether source and target can do what migrator needs, and says how to mend what can't."""
    settings = _settings(config, source=source, target=target, mappings=mappings)
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


@main.command()
@_common
@click.option(
    "--out",
    metavar="PATH",
    default=Path(),
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which the package's own folder lies. Default: the working directory.",
)
@click.option("--package", metavar="NAME", help="Name of the package. Default: the source's database and `_data`.")
@click.option(
    "--version-column",
    "version_columns",
    metavar="NAME",
    multiple=True,
    default=("lock_version", "row_version"),
    show_default=True,
    help="A column that counts the writes of its row; may be given several times.",
)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail when the package is out of date.")
@click.option(
    "--explain", "only_explain", is_flag=True, help="Write nothing; say which write touches which collections."
)
def generate(
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
    """Writes the typed data-access package: models and repositories for the mapped collections."""
    settings = _settings(config, source=source, target=target, mappings=mappings)
    name = package or f"{attribute(make_url(settings.source_url()).database or 'shop')}_data"
    if name != attribute(name):
        raise SettingsError(f"{name} can't be the name of a Python package", hint=f"Try {attribute(name)}.")
    described = api.package(settings.source_url(), _files(settings), GenerateOptions(name, version_columns))
    if only_explain:
        console.show(explain(described))
        return
    files = render_package(described)
    folder = out / name
    if only_check:
        _refuse_outdated_package(compare_package(files, folder), folder)
        console.show([f"{folder} is up to date."])
        return
    written = write_package(files, folder)
    console.show([*written.lines(), f"{folder}: {len(files)} files, {'written' if written else 'unchanged'}."])


def _refuse_outdated_package(difference: Difference, folder: Path) -> None:
    if difference:
        raise PlanRefused(
            "\n".join(["the package is out of date:", *(f"  - {line}" for line in difference.lines())]),
            where=str(folder),
            hint="Run `migrator generate` and commit what it writes.",
        )


@main.command()
@_common
@click.option("--package", metavar="NAME", required=True, help="The generated package, as Python imports it.")
@click.option(
    "--path", metavar="DIR", default=Path(), type=click.Path(path_type=Path), help="Folder to import it from."
)
@click.option("--watch", metavar="SECONDS", type=click.FloatRange(0.1), help="Look again after so long, until Ctrl-C.")
def fanout(
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    package: str,
    path: Path,
    watch: float | None,
) -> None:
    """Finishes bringing copies up to date that writes through generated repositories left behind."""
    settings = _settings(config, source=source, target=target, mappings=mappings)
    with opened(package, path, settings.target_url()) as data:
        done = data.fanout()
        while watch is not None:
            time.sleep(watch)
            done += data.fanout()
    console.show([f"{done} {'entry' if done == 1 else 'entries'} of the outbox done."])


@main.command()
@_debug_option
def schema() -> None:
    """Prints the JSON Schema of mapping files, for editors."""
    click.echo(json.dumps(json_schema(), indent=2))


def _write(file: Path, text: str) -> None:
    """A plan half written must not look like a plan."""
    beside = file.with_name(f".{file.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        raise SettingsError(f"the plan can't be written: {error.strerror}", where=str(file)) from None
