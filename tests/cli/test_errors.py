"""Errors end a command with their exit code, say what to do, and never show a traceback or a password unasked."""

from __future__ import annotations

from typing import NoReturn

import click
import pytest
from click.testing import CliRunner, Result
from pymongo.errors import OperationFailure

from migrator import errors
from migrator.cli.logging_options import debug_option
from migrator.cli.main import main
from migrator.cli.show_values import show_values_option
from migrator.errors import ExitCode, MigratorError
from tests.cli.conftest import Shop, migrator

URL = "mysql://app:s3cret@db/shop"
SAID = "dup key: { mail: 'ada@x' }"


def _raising(error: BaseException, *arguments: str) -> Result:
    """What the program makes of an error in a command."""

    @click.command()
    @debug_option
    @show_values_option
    def failing() -> NoReturn:
        raise error

    group = type(main)("migrator", commands={"failing": failing}, params=main.params, callback=main.callback)
    return CliRunner().invoke(group, ["failing", *arguments])


def _kinds(kind: type[MigratorError] = MigratorError) -> list[type[MigratorError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _kinds(child))]


@pytest.mark.parametrize("kind", [kind for kind in _kinds() if kind is not errors.MappingError])
def test_every_error_ends_with_its_exit_code(kind: type[MigratorError]) -> None:
    result = _raising(kind(f"can't use {URL}", where=f"at {URL}", hint=f"write {URL}\nor not"))
    assert result.exit_code == kind.exit_code
    assert result.stdout == ""
    assert "error: can't use mysql://app:***@db/shop\n" in result.stderr
    assert "where: at mysql://app:***@db/shop" in result.stderr
    assert "Traceback" not in result.stderr
    assert "s3cret" not in result.stderr


def test_a_hint_of_several_lines_stands_in_line() -> None:
    result = _raising(errors.SourceError("no", hint="first\nsecond"))
    assert result.stderr == "error: no\n  next:  first\n         second\n"


def test_mapping_mistakes_are_listed() -> None:
    problem = errors.Problem("orders.yaml", 3, 1, "unknown key `x`", "x: 1", "leave it out")
    result = _raising(errors.MappingError([problem]))
    assert result.exit_code == ExitCode.MAPPING
    assert result.stderr.splitlines() == [*str(problem).splitlines(), "error: 1 mistake in the mapping files"]


def test_the_unexpected_is_short_and_long_with_debug() -> None:
    short = _raising(ZeroDivisionError(f"by {URL}"))
    assert short.exit_code == ExitCode.INTERNAL
    assert "error: unexpected ZeroDivisionError: by mysql://app:***@db/shop" in short.stderr
    assert "--debug" in short.stderr
    assert "Traceback" not in short.stderr
    long = _raising(ZeroDivisionError(f"by {URL}"), "--debug")
    assert "Traceback" in long.stderr
    assert "s3cret" not in short.stderr + long.stderr


def test_a_workers_traceback_is_shown_with_debug_only() -> None:
    error = MigratorError("unexpected KeyError: 'x'", hint="Traceback (most recent call last): ...")
    assert "Traceback" not in _raising(error).stderr
    assert "Traceback" in _raising(error, "--debug").stderr


def _refused() -> errors.TargetError:
    """As the target raises it: migrator's sentence, made of the driver's error."""
    try:
        try:
            raise OperationFailure(SAID, 11000)
        except OperationFailure as error:
            raise errors.TargetError("taken", said=SAID) from error
    except errors.TargetError as made:
        return made


def test_the_servers_own_words_are_shown_to_who_asks() -> None:
    for arguments in ((), ("--debug",)):
        hidden = _raising(_refused(), *arguments)
        assert "ada@x" not in hidden.output, hidden.output
    assert "OperationFailure" in hidden.output
    assert "--show-values" in hidden.output
    shown = _raising(_refused(), "--show-values")
    assert shown.stderr == "error: taken\n  said:  dup key: { mail: 'ada@x' }\n"
    assert shown.stderr != _raising(_refused()).stderr
    assert "OperationFailure: dup key" in _raising(_refused(), "--debug", "--show-values").stderr


def test_a_drivers_error_that_nobody_expected() -> None:
    error = OperationFailure(SAID, 11000)
    assert "ada@x" not in _raising(error).output
    assert "ada@x" not in _raising(error, "--debug").output
    assert "ada@x" in _raising(error, "--show-values").output


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_ctrl_c(error: BaseException) -> None:
    result = _raising(error)
    assert result.exit_code == ExitCode.INTERRUPTED
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [["frobnicate"], ["plan", "--frobnicate"], ["apply", "--workers", "-1"]])
def test_wrong_usage(arguments: list[str]) -> None:
    assert migrator(*arguments).exit_code == ExitCode.USAGE


@pytest.mark.parametrize("command", ["check", "plan", "apply"])
def test_a_missing_source(command: str) -> None:
    result = migrator(command)
    assert result.exit_code == ExitCode.USAGE
    assert "no source was given" in result.stderr
    assert "MIGRATOR_SOURCE" in result.stderr


def test_a_source_that_does_not_answer(shop: Shop) -> None:
    result = shop.run("plan", "--source", "mysql://root:s3cret@127.0.0.1:9/shop")
    assert result.exit_code == ExitCode.SOURCE
    assert "where: 127.0.0.1:9" in result.stderr
    assert "s3cret" not in result.output


@pytest.mark.slow
def test_a_target_that_does_not_answer(shop: Shop) -> None:
    url = "mongodb://app:s3cret@127.0.0.1:9/shop?serverSelectionTimeoutMS=300"
    result = shop.run("plan", "--target", url)
    assert result.exit_code == ExitCode.TARGET
    assert "s3cret" not in result.output


PASSWORDS = {
    "source": [
        "mysql://root:s3cret@127.0.0.1:9/shop",
        "mysql://root:s3cret@127.0.0.1:9",
        "mysql://root:s3cret/x@127.0.0.1:9/shop",
        "mysql://root:s3cret#x@127.0.0.1:9/shop",
        "mysqll://root:s3cret@127.0.0.1:9/shop",
        "mysql://root:s3cret@127.0.0.1:port/shop",
        "mysql://root@127.0.0.1:9/shop?replica=root:s3cret@127.0.0.1:9&wrong=1",
    ],
    "target": [
        "mongodb://app:s3cret@127.0.0.1:9/shop?serverSelectionTimeoutMS=200",
        "mongodb://app:s3cret@127.0.0.1:9/?x=1",
        "mongodb://app:s3cret/x@127.0.0.1:9/shop",
        "mongodb://app:s3cret@x@127.0.0.1:9/shop",
        "mongodbb://app:s3cret@127.0.0.1:9/shop",
        "http://app:s3cret@127.0.0.1:9/shop",
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("debug", [[], ["--debug"]])
@pytest.mark.parametrize("command", [["check"], ["plan"], ["apply", "--yes"], ["doctor"], ["doctor", "--json"]])
@pytest.mark.parametrize(("side", "url"), [(side, url) for side, urls in PASSWORDS.items() for url in urls])
def test_no_password_in_any_output(shop: Shop, command: list[str], debug: list[str], side: str, url: str) -> None:
    result = shop.run(*command, *debug, f"--{side}", url)
    assert "s3cret" not in result.output
    if command != ["check"] or side == "source":
        assert result.exit_code not in (0, 1), result.output


def test_no_password_of_a_project_file_in_any_output(shop: Shop) -> None:
    project = shop.folder / "secret.yaml"
    project.write_text(f"source: {URL}\ntarget: mongodb://app:s3cret@127.0.0.1:9/x\nworkers: x\n", encoding="utf-8")
    result = migrator("plan", "--config", str(project), "--debug")
    assert result.exit_code == ExitCode.USAGE
    assert "s3cret" not in result.output
