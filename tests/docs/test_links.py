"""Links in the docs lead somewhere, and commands in them exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from migrator.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)$", re.MULTILINE | re.DOTALL)
# A line of a code block, with or without a prompt; or code in a line.
_COMMAND = re.compile(r"^(?: {4}|\$ | {4}\$ )?(?:python -m )?migrator (.+)$", re.MULTILINE)
_INLINE = re.compile(r"`(?:python -m )?migrator ([^`]+)`")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text(page)), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> Iterator[str]:
    whole = text(page)
    blocks = "\n".join(_FENCE.findall(whole))
    indented = "\n".join(line for line in whole.splitlines() if line.startswith("    "))
    for found in (*_COMMAND.findall(blocks), *_COMMAND.findall(indented), *_INLINE.findall(whole)):
        yield found.strip()


def mistake(command: str) -> str | None:
    """What the command line would not understand."""
    words = shlex.split(command.replace("…", "").replace("...", ""), comments=True)
    group = {name for param in main.params for name in param.opts} | {"--help", "-h", "--version"}
    while words and words[0].startswith("-"):
        if words.pop(0) not in group:
            return "no such flag before the command"
    if not words:
        return None
    known = main.commands.get(words[0])
    if known is None:
        return f"no command {words[0]}"
    flags = {name for param in known.params if isinstance(param, click.Option) for name in param.opts}
    used = {word.split("=")[0] for word in words[1:] if re.match(r"--?[a-z]", word)}
    unknown = sorted(used - flags - {"--help", "-h"})
    return f"{words[0]} has no {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", text(page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    assert [(command, wrong) for command in commands(page) if (wrong := mistake(command))] == []


def test_commands_in_messages_exist() -> None:
    """What errors and findings tell people to run."""
    wrong = []
    for file in sorted((ROOT / "migrator").rglob("*.py")):
        # Texts of several lines are put together first.
        whole = re.sub(r'"\s*\n\s*f?"', "", text(file))
        wrong += [(file.name, one) for one in _INLINE.findall(whole) if "{" not in one and mistake(one)]
    assert wrong == []


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = set(_LINK.findall(text(ROOT / "docs" / "README.md")))
    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}


def test_the_pages_have_commands_and_mistakes_are_seen() -> None:
    assert sum(1 for page in PAGES for _ in commands(page)) > 10
    assert mistake("plan --out plan.json --exact") is None
    assert mistake("plan --otu plan.json") == "plan has no --otu"
    assert mistake("aply") == "no command aply"
