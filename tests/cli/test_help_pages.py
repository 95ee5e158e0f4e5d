"""`migrator help`: the documentation's pages, wherever migrator was installed from."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from migrator.cli.help_pages import topics
from tests.cli.conftest import migrator

ROOT = Path(__file__).parent.parent.parent
CODE = sorted((ROOT / "migrator").rglob("*.py"))


def test_it_lists_the_topics() -> None:
    result = migrator("help")
    assert result.exit_code == 0
    assert re.search(r"^sync +sync: ", result.stdout, re.MULTILINE)
    assert "development" not in result.stdout


def test_a_topic_is_its_page() -> None:
    assert migrator("help", "plan").stdout == (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")


def test_a_mistyped_topic_gets_a_suggestion() -> None:
    result = migrator("help", "cutovr")
    assert result.exit_code == 2
    assert "did you mean `cutover`?" in result.stderr


def test_messages_name_topics_that_there_are_and_no_other_files() -> None:
    for file in CODE:
        text = file.read_text(encoding="utf-8")
        for topic in re.findall(r"`migrator help ([a-z-]+)`", text):
            assert topic in topics(), file
        # Comments and docstrings may; what is printed may not.
        printed = re.sub(r'"""(?s:.*?)"""|#.*', "", text)
        assert not re.search(r"docs/[a-z-]+\.md", printed), file


@pytest.mark.slow
def test_a_wheel_holds_them(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(ROOT)]
    if subprocess.run([sys.executable, "-c", "import hatchling"], check=False, capture_output=True).returncode:
        build.remove("--no-build-isolation")
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"migrator/help/{topic}.md" for topic in topics()} <= set(names)
