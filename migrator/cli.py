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

from migrator import __version__, api, console, console_sums, console_sync, console_verify
from migrator.config import Settings, load_settings, mask_url
from migrator.errors import ExitCode, Interrupted, MappingError, MigratorError, PlanRefused, SettingsError
from migrator.mapping.jsonschema import json_schema
from migrator.metrics import Metrics
from migrator.model.check import Check
from migrator.model.plan import Plan
from migrator.model.serialize import from_json, to_json
from migrator.model.verify import Wanted
from migrator.planning.decide import Consent
from migrator.planning.render import render
from migrator.run import preview
from migrator.run.follow import shown
from migrator.run.interrupt import StopRequest
from migrator.run.outcome import ApplyOptions
from migrator.run.rehearse import WouldChange
from migrator.run.sync import SyncOptions
from migrator.verify.outcome import VerifyOptions

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
    _apply(wanted, settings, _pace(settings, restart=restart))


def _pace(settings: Settings, *, restart: bool) -> ApplyOptions:
    return ApplyOptions(
        settings.workers, settings.max_threads_running, settings.max_replica_lag, restart, settings.retry_seconds
    )


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
    if not console.agreed("Apply this plan?"):
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
@click.option("--until-caught-up", is_flag=True, help="End when everything is done that was logged before the start.")
@click.option("--for", "seconds", metavar="SECONDS", type=click.FloatRange(0), help="End after so long.")
@click.option("--dry-run", is_flag=True, help="Print which documents would change, and change nothing.")
@click.option("--metrics", metavar="PORT", type=click.IntRange(1, 65535), help="Serve Prometheus metrics on 127.0.0.1.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", help="json: one object a line, on stderr."
)
def sync(
    source: str | None,
    target: str | None,
    mappings: Path | None,
    config: Path | None,
    until_caught_up: bool,
    seconds: float | None,
    dry_run: bool,
    metrics: int | None,
    log_format: str,
) -> None:
    """Keeps what apply published in step with the source's change log, until stopped.

    A second one waits as a standby and takes over when the first dies.
    """
    settings = _settings(config, source=source, target=target, mappings=mappings)
    if dry_run:
        _dry_run(settings)
        return
    observers: list[console_sync.Closing] = []
    observers.append(console_sync.JsonLines() if log_format == "json" else console_sync.Lines(console.stderr()))
    observers += [Metrics(metrics)] if metrics is not None else []
    stop = StopRequest()
    options = SyncOptions(until_caught_up, seconds, settings.retry_seconds)
    with console_sync.watching(observers) as observer, stop.listening():
        result = api.sync(settings.source_url(), settings.target_url(), _files(settings), options, observer, stop)
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


@main.command()
@_common
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(source: str | None, target: str | None, mappings: Path | None, config: Path | None, as_json: bool) -> None:
    """Shows how far copy and sync are; works while they run elsewhere."""
    settings = _settings(config, source=source, target=target, mappings=mappings)
    found = api.status(settings.target_url())
    if as_json:
        click.echo(console_sync.status_as_json(found))
    else:
        console.show(console_sync.show_status(found))


@main.command()
@_common
@click.option(
    "--collection", "collections", metavar="NAME", multiple=True, help="Only this one; may be given several times."
)
@click.option("--sample", metavar="N", type=click.IntRange(1), help="Only about N documents of each, at random.")
@click.option("--keys", metavar="KEY", multiple=True, help="Only the document of this root key; may be repeated.")
@click.option("--repair", is_flag=True, help="Put right what is not, and look again.")
@click.option(
    "--independent", is_flag=True, help="Compare sums that both servers make, instead of documents made again."
)
@click.option("--report", "report_file", metavar="FILE", type=click.Path(path_type=Path), help="Keep it as JSON.")
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
@click.option("--restart", is_flag=True, help="Forget an unfinished verify instead of going on with it.")
def verify(
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
    """Compares every document with what its rows say, byte for byte.

    Interrupted, it goes on where it stopped when it is run again. Beside a sync, what differs is looked at again
    before it counts.
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
    options = VerifyOptions(Wanted(collections, sample, keys), _pace(settings, restart=restart), repair)
    if independent:
        _independent(settings, options, report_file)
        return
    with console_verify.watching(console.stderr()) as observer:
        report = api.verify(settings.source_url(), settings.target_url(), _files(settings), options, observer)
    if report_file is not None:
        _write(report_file, console_verify.as_json(report) + "\n", "report")
    console.show(console_verify.summary(report))
    if not report.clean:
        click.get_current_context().exit(ExitCode.DIFFERENT)
    if report.rejected:
        click.get_current_context().exit(ExitCode.REJECTED)


def _independent(settings: Settings, options: VerifyOptions, report_file: Path | None) -> None:
    if options.repair or options.wanted.keys or options.wanted.sample is not None:
        raise SettingsError("--independent adds up whole collections: --repair, --keys and --sample don't go with it")
    with console_verify.watching(console.stderr()) as observer:
        report = api.independent_look(settings.source_url(), settings.target_url(), options, observer)
    if report_file is not None:
        _write(report_file, console_sums.as_json(report) + "\n", "report")
    console.show(console_sums.summary(report))
    if report.different:
        click.get_current_context().exit(ExitCode.DIFFERENT)


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
@_debug_option
def schema() -> None:
    """Prints the JSON Schema of mapping files, for editors."""
    click.echo(json.dumps(json_schema(), indent=2))


def _write(file: Path, text: str, what: str = "plan") -> None:
    """A plan half written must not look like a plan."""
    beside = file.with_name(f".{file.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        raise SettingsError(f"the {what} can't be written: {error.strerror}", where=str(file)) from None
