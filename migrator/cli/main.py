"""The command line: puts the commands together, and is the only place that turns errors into exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import click

from migrator import __version__
from migrator.cli.logging_options import DEBUG, debug_option, log_format_option
from migrator.cli.output.log_output import Output, standard_error, wants_json
from migrator.cli.show_values import SHOW_VALUES
from migrator.errors import ExitCode, MappingError, MigratorError
from migrator.masking import mask_url
from migrator.workers.signals import interruptible

# Of a disk to which standard output is redirected.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# --- from errors to exit codes ------------------------------------------------------------------------------------


class _Commands(click.Group):
    """Ends every command with its exit code: see docs/exit-codes.md. The context's object is where events go."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        arguments = sys.argv[1:] if args is None else list(args)
        with standard_error(as_json=wants_json(arguments)) as output:
            return super().main(arguments, *more, obj=output, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with interruptible(partial(_note, ctx.obj)):
            try:
                return super().invoke(ctx)
            except MigratorError as error:
                _say(ctx.obj, error, debug=ctx.meta.get(DEBUG, False), values=ctx.meta.get(SHOW_VALUES, False))
                ctx.exit(error.exit_code)
            except (KeyboardInterrupt, click.Abort):
                _event(ctx.obj, "stopped by the user", ExitCode.INTERRUPTED)
                ctx.exit(ExitCode.INTERRUPTED)
            except click.ClickException as error:
                if not ctx.obj.is_json:
                    raise
                _event(ctx.obj, error.format_message(), ExitCode.USAGE)
                ctx.exit(error.exit_code)
            except (click.exceptions.Exit, BrokenPipeError):
                raise
            except OSError as error:
                if error.errno not in _NO_ROOM or error.filename is not None:
                    raise
                # Python would try again at its end, and end by that with another code.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                _event(ctx.obj, f"the output can't be written: {error.strerror}", ExitCode.USAGE)
                ctx.exit(ExitCode.USAGE)
            except Exception as error:
                _say_unexpected(
                    ctx.obj, error, debug=ctx.meta.get(DEBUG, False), values=ctx.meta.get(SHOW_VALUES, False)
                )
                ctx.exit(ExitCode.INTERNAL)


def _note(output: Output, text: str) -> None:
    output.event("info", "note", text=text)


def _say(output: Output, error: MigratorError, *, debug: bool, values: bool) -> None:
    """What happened, where, and what to do next; `facts` say the same to programs."""
    if isinstance(error, MappingError):
        lines = [*(str(problem) for problem in error.problems), f"error: {error.what}"]
    else:
        lines = [f"error: {error.what}"]
        lines += [f"  where: {error.where}"] if error.where else []
        # An unexpected fault in a worker process brings its traceback as the hint.
        unexpected = type(error) is MigratorError
        lines += [_indented("  next:  ", error.hint)] if error.hint and not unexpected else []
        lines += [_indented("  said:  ", error.said)] if error.said and values else []
        lines += [_BUG] if unexpected and not debug else []
    if debug:
        lines += ["", *_traceback(error, values), *([error.hint] if type(error) is MigratorError else [])]
    facts: dict[str, str | list[str]] = {"where": error.where, "hint": error.hint}
    if error.said and values:
        facts["said"] = error.said
    if isinstance(error, MappingError):
        facts["problems"] = [str(problem) for problem in error.problems]
    if debug:
        facts["traceback"] = "".join(_traceback(error, values))
    _event(output, error.what, error.exit_code, "\n".join(lines), **facts)


def _event(output: Output, what: str, code: int, text: str = "", **facts: str | list[str]) -> None:
    """An error as text, or as an event that has the parts of it."""
    if not output.is_json:
        output.event("error", "error", text=mask_url(text or f"error: {what}"))
        return
    hidden = {
        name: [mask_url(each) for each in found] if isinstance(found, list) else mask_url(found)
        for name, found in facts.items()
        if found
    }
    output.event("error", "error", text=mask_url(what), exit_code=int(code), **hidden)


_BUG = "  This is a bug in migrator. Run the same command with --debug for the traceback."


def _say_unexpected(output: Output, error: Exception, *, debug: bool, values: bool) -> None:
    said = _HIDDEN if _is_the_drivers(error) and not values else error
    what = f"unexpected {type(error).__name__}: {said}"
    trace = "".join(_traceback(error, values)) if debug else ""
    _event(output, what, ExitCode.INTERNAL, f"{trace}error: {what}\n{_BUG}", hint=_BUG.strip(), traceback=trace)


def _traceback(error: BaseException, values: bool) -> list[str]:
    """Of an error and those that led to it. What a driver says of its own may hold documents and statements."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = [*_traceback(before, values), "\nwhich led to:\n\n"] if before is not None else []
    if values or not _is_the_drivers(error):
        return lines + traceback.format_exception(error, chain=False)
    frames = traceback.format_tb(error.__traceback__)
    return [*lines, "Traceback (most recent call last):\n", *frames, f"{type(error).__qualname__}: {_HIDDEN}\n"]


def _is_the_drivers(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("bson", "gridfs", "pymongo")


_HIDDEN = "(its text may contain values: add --show-values)"


def _indented(head: str, text: str) -> str:
    return head + f"\n{' ' * len(head)}".join(text.splitlines())


# --- the commands -------------------------------------------------------------------------------------------------


class _LazyCommands(Mapping[str, click.Command]):
    """Commands by name, each imported when it is asked for. The modules declare options only; what loads drivers is in
    `migrator.cli.callbacks`, and imported when a command runs."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        """
        Args:
            modules: for each command the module of `migrator.cli.commands` that it is in. One whose name Python has
                taken is called there with an underscore at its end.
        """
        self._modules = modules

    def __getitem__(self, name: str) -> click.Command:
        module = importlib.import_module(f"migrator.cli.commands.{self._modules[name]}")
        command = getattr(module, name, None) or getattr(module, f"{name}_")
        assert isinstance(command, click.Command)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


_COMMANDS = _LazyCommands(
    {
        **dict.fromkeys(("check", "plan", "doctor", "schema"), "inspect"),
        "apply": "apply",
        **dict.fromkeys(("sync", "status"), "sync"),
        "verify": "verify",
        "cutover": "cutover",
        **dict.fromkeys(("generate", "fanout"), "generate"),
        "help": "help",
    }
)


@click.group(
    cls=_Commands,
    commands=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="migrator %(version)s")
@debug_option
@log_format_option
def main() -> None:
    """Moves an application from MySQL to denormalized MongoDB documents.

    Start with `check`, look at `plan`, then `apply`; `sync` keeps the documents in step. Settings come from
    migrator.yaml, then the environment (MIGRATOR_SOURCE, MIGRATOR_TARGET, MIGRATOR_MAPPINGS), then flags. `migrator
    help` lists the pages of the documentation.
    """
