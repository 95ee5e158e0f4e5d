"""`--log-format json`: whatever comes on standard error, of a command or a library, is one JSON object a line."""

from __future__ import annotations

import json
import logging
import threading
import warnings
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import Result

from migrator import api
from migrator.cli.main import main
from migrator.cli.output.log_output import wants_json
from migrator.errors import ExitCode
from tests.cli.conftest import Shop, migrator

COMMANDS = sorted(main.commands)


def events(result: Result) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in result.stderr.splitlines()]
    assert all(each["time"] and each["level"] and each["event"] for each in found)
    return found


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("schema", "generate", "help")])
def test_an_error_of_every_command(name: str, tmp_path: Path) -> None:
    more = ["--package", "nothing"] if name == "fanout" else []
    arguments = [name, "--log-format", "json", "--config", str(tmp_path / "nowhere.yaml"), *more]
    result = migrator(*arguments)
    (error,) = events(result)
    assert (error["level"], error["event"], error["exit_code"]) == ("error", "error", result.exit_code)
    assert result.exit_code == ExitCode.USAGE
    assert error["hint"] or error["where"]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_mistake_in_the_arguments_of_every_command(name: str, before: bool) -> None:
    option = ["--log-format", "json"]
    result = migrator(*option, name, "--nonsense") if before else migrator(name, "--nonsense", *option)
    (error,) = events(result)
    assert (error["level"], error["event"], error["exit_code"]) == ("error", "error", 2)
    assert "--nonsense" in error["text"]


@pytest.mark.parametrize("arguments", [["--nonsense"], ["chek"], ["--log-format", "xml", "check"]])
def test_a_mistake_before_the_command(arguments: list[str]) -> None:
    result = migrator("--log-format=json", *arguments, "--log-format=json")
    assert result.exit_code == 2
    assert any("nonsense" in each["text"] or "chek" in each["text"] or "xml" in each["text"] for each in events(result))


def test_where_the_option_may_stand() -> None:
    assert wants_json(["--log-format", "json", "check"])
    assert wants_json(["check", "--log-format=json"])
    assert not wants_json(["check"])
    assert not wants_json(["check", "--log-format"])
    assert not wants_json(["--log-format", "json", "check", "--log-format", "text"])


def test_mistakes_in_mappings(shop: Shop) -> None:
    files = [shop.write(name, f"collection: {name}\nfrom: order\n") for name in ("orders", "customers")]
    (error,) = events(shop.run("check", "--log-format", "json"))
    assert error["exit_code"] == ExitCode.MAPPING
    assert len(error["problems"]) == 2
    assert all(any(str(file) in each for each in error["problems"]) for file in files)


@pytest.mark.slow
def test_every_command_that_works(shop: Shop, tmp_path: Path) -> None:
    """One after the other; results are on standard output as ever."""
    said = []
    for arguments in (
        ["check"],
        ["plan", "--out", str(tmp_path / "plan.json")],
        ["doctor"],
        ["apply", "--yes", "--workers", "1"],
        ["sync", "--until-caught-up"],
        ["sync", "--dry-run"],
        ["status"],
        ["verify", "--workers", "1"],
        ["generate", "--out", str(tmp_path)],
        ["cutover", "--rehearse", "--yes", "--wait", "1"],
    ):
        result = shop.run("--log-format", "json", *arguments)
        found = events(result)
        assert result.exit_code == 0 or arguments[0] in ("doctor", "cutover"), result.stderr
        said += found
        assert "{" not in result.stdout.partition("\n")[0]
    assert {"note", "progress", "error"} <= {each["event"] for each in said}
    assert any("is live" in each.get("text", "") for each in said)


@pytest.mark.slow
@pytest.mark.needs_mariadb("TRUNCATE PARTITION that reaches sync as a statement")
def test_sql_that_its_parser_does_not_know(shop: Shop) -> None:
    shop.sql(
        "CREATE TABLE ev (id INT PRIMARY KEY) PARTITION BY RANGE (id)"
        " (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
        "INSERT INTO ev VALUES (1), (20)",
    )
    shop.write("ev", "collection: ev\nfrom: ev\n")
    assert shop.run("apply", "--yes", "--workers", "1").exit_code == 0
    shop.sql("ALTER TABLE ev TRUNCATE PARTITION p0")
    result = shop.run("sync", "--until-caught-up", "--log-format", "json")
    assert result.exit_code == 0, result.stderr
    assert [each for each in events(result) if each["event"] == "log"] == []
    assert [each["_id"] for each in shop.database["ev"].find()] == [20]
    # Nor does it say anything to people.
    shop.sql("ALTER TABLE ev TRUNCATE PARTITION p1")
    assert "unsupported syntax" not in shop.run("sync", "--until-caught-up").stderr


class _Broken:
    def __del__(self) -> NoReturn:
        raise ValueError("not put away")


def _noisy(*_: object) -> NoReturn:
    """What libraries do to standard error."""
    logging.getLogger("library.part").warning("mysql://me:secret@host is %s", "slow")
    logging.getLogger("library").info("nobody wants to know")
    logging.getLogger("sqlglot").warning("unsupported syntax")
    warnings.warn("this is old", UserWarning, stacklevel=1)
    thread = threading.Thread(target=lambda: 1 / 0, name="worker")  # type: ignore[arg-type,return-value]
    thread.start()
    thread.join()
    _Broken()
    print("printed\nby somebody", file=__import__("sys").stderr)
    raise ZeroDivisionError("at last")


def test_what_libraries_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "status", _noisy)
    result = migrator("status", "--target", "mongodb://127.0.0.1:1/x", "--log-format", "json")
    found = events(result)
    logged = [(each["level"], each["logger"]) for each in found if each["event"] == "log"]
    assert logged == [
        ("warning", "library.part"),
        ("warning", "py.warnings"),
        ("error", "threading"),
        ("error", "python"),
    ]
    assert "secret" not in result.stderr
    assert "ZeroDivisionError" in found[2]["traceback"]
    assert [each["text"] for each in found if each["event"] == "note"] == ["printed", "by somebody"]
    assert (found[-1]["event"], found[-1]["exit_code"]) == ("error", ExitCode.INTERNAL)


def test_what_libraries_say_to_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "status", _noisy)
    result = migrator("status", "--target", "mongodb://127.0.0.1:1/x")
    lines = result.stderr.splitlines()
    assert lines[0] == "warning: library.part: mysql://me:***@host is slow"
    assert "unsupported" not in result.stderr
    assert "secret" not in result.stderr
    assert lines[-2].startswith("error: unexpected ZeroDivisionError: at last")


def test_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    before = (logging.getLogger().handlers[:], threading.excepthook, warnings.showwarning)
    migrator("status", "--log-format", "json")
    assert (logging.getLogger().handlers, threading.excepthook, warnings.showwarning) == before
