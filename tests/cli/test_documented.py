"""What the program can do stands in the docs, and what stands in the docs the program can do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from migrator.cli.main import main
from migrator.config import ENVIRONMENT, ProjectFile
from migrator.errors import ExitCode
from tests.cli.conftest import migrator

DOCS = Path(__file__).parents[2] / "docs"
COMMON = {"--source", "--target", "--mappings", "--config", "--show-values", "--debug", "--log-format"}


def sections() -> dict[str, str]:
    """The text of docs/cli.md by heading."""
    parts = re.split(r"^##? (.+)$", (DOCS / "cli.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options(command: click.Command) -> set[str]:
    return {name for param in command.params if isinstance(param, click.Option) for name in param.opts}


def documented(text: str) -> set[str]:
    """Options that head a row of a table."""
    return set(re.findall(r"^\| `(--[a-z-]+)", text, flags=re.MULTILINE))


def test_every_command_has_a_section() -> None:
    assert {name for name in sections() if name.startswith("migrator ")} == {
        f"migrator {name}" for name in main.commands
    }


@pytest.mark.parametrize("name", [name for name in main.commands if name not in ("schema", "help")])
def test_every_option_has_a_row_and_every_row_an_option(name: str) -> None:
    found = options(main.commands[name])
    assert found >= COMMON
    assert documented(sections()[f"migrator {name}"]) == found - COMMON


def test_the_common_options_are_documented_once() -> None:
    assert documented(sections()["The command line"]) == COMMON
    assert options(main.commands["schema"]) == {"--debug", "--log-format"}
    for option in ("--version", "`-h`", "--help", "--debug", "--log-format"):
        assert option in sections()["The command line"]


def test_exit_codes_are_documented() -> None:
    text = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    found = {(int(code), name) for code, name in re.findall(r"^\| (\d+) \| ([A-Z]+) \|", text, flags=re.MULTILINE)}
    assert found == {(code.value, code.name) for code in ExitCode}


def test_settings_are_documented() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| (?:`([A-Z_]+)`)? ?\|", text, flags=re.MULTILINE)
    assert {name for name, _ in rows} == set(ProjectFile.model_fields)
    assert {name: variable for name, variable in rows if variable} == ENVIRONMENT


def test_actions_are_documented() -> None:
    text = (DOCS / "plan.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z]+)` \| ", text, flags=re.MULTILINE))
    assert {"create", "rebuild", "replace", "adopt", "indexes", "unchanged"} <= rows


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], *([name, "-h"] for name in main.commands)])
def test_help(arguments: list[str]) -> None:
    result = migrator(*arguments)
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")
    assert max(map(len, result.output.splitlines())) <= 100


def test_every_option_says_what_it_is_for() -> None:
    for command in main.commands.values():
        silent = [param.name for param in command.params if isinstance(param, click.Option) and not param.help]
        assert silent == []


def test_version() -> None:
    assert migrator("--version").output == "migrator 0.1.0\n"


@pytest.mark.parametrize(
    "arguments", [["--version"], ["-h"], ["chek"], *([name, "-h"] for name in main.commands), ["plan", "--no-such"]]
)
def test_what_only_prints_loads_no_large_library(arguments: list[str]) -> None:
    large = {"asyncmy", "jinja2", "pydantic", "pymongo", "pymysql", "rich", "ruamel", "sqlalchemy", "sqlglot"}
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('loaded:', sorted({large} & set(sys.modules))))\n"
        "from migrator.__main__ import run\n"
        "run()"
    )
    found = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert found.returncode in (0, 2)
    assert found.stdout.splitlines()[-1] == "loaded: []"


def test_a_mistyped_command_gets_a_suggestion() -> None:
    result = migrator("chek")
    assert result.exit_code == 2
    assert "No such command 'chek'" in result.output
    assert "Did you mean one of: 'check'" in result.output
