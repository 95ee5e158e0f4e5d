"""Rules, premises and edge cases that code cites exist, and so do the tests that the pages about them name."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("migrator", "tests", "dev", "benchmarks", "examples")
INVARIANTS = ROOT / "docs" / "invariants.md"
EDGE_CASES = ROOT / "docs" / "edge-cases.md"

_CITATION = re.compile(
    r"\b[Rr]ule (?P<rule>\d+)\b"
    r"|\b[Pp]remise (?P<premise>[A-Z])\b"
    r"|\b[Ee]dge cases? (?P<cases>\d+(?:(?:, | and )\d+)*)"
    r"|\b(?P<identity>Identity) in docs/invariants\.md"
)


def files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *FOLDERS],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [ROOT / line for line in listed.stdout.splitlines() if line.endswith(".py")]
    return [path for path in found if path.is_file() and path != Path(__file__)]


def citations(text: str) -> Iterator[str]:
    """What a text cites, as `rule 5`, `premise B`, `edge case 25`, `identity`; line breaks don't matter."""
    for found in _CITATION.finditer(re.sub(r"\s*\n\s*(?:# )?", " ", text)):
        if found["rule"]:
            yield f"rule {found['rule']}"
        elif found["premise"]:
            yield f"premise {found['premise']}"
        elif found["cases"]:
            yield from (f"edge case {number}" for number in re.findall(r"\d+", found["cases"]))
        else:
            yield "identity"


def defined() -> set[str]:
    invariants = INVARIANTS.read_text(encoding="utf-8")
    edge_cases = EDGE_CASES.read_text(encoding="utf-8")
    return {
        *(f"rule {number}" for number in re.findall(r"^\| (\d+) \|", invariants, re.MULTILINE)),
        *(f"premise {letter}" for letter in re.findall(r"^### Premise ([A-Z]):", invariants, re.MULTILINE)),
        *(f"edge case {number}" for number in re.findall(r"^\| (\d+) \|", edge_cases, re.MULTILINE)),
        *(word.lower() for word in re.findall(r"^## (Identity)$", invariants, re.MULTILINE)),
    }


def named_on(page: str) -> Iterator[tuple[str, str]]:
    """Paths with names of tests; `::name` alone belongs to the path before it, and a path may have no name."""
    path = ""
    for found, name in re.findall(r"`(tests/[\w/]+(?:\.py)?/?)?(?:::(\w+))?`", page):
        path = found or path
        if found or name:
            yield path, name


def test_what_is_cited_exists() -> None:
    known = defined()
    wrong = [
        f"{path.relative_to(ROOT)}: {cited}"
        for path in files()
        for cited in citations(path.read_text(encoding="utf-8"))
        if cited not in known
    ]
    assert not wrong


def test_entries_are_numbered_without_gaps() -> None:
    for page in (INVARIANTS, EDGE_CASES):
        numbers = re.findall(r"^\| (\d+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)], page.name


def test_every_edge_case_names_a_test() -> None:
    rows = re.findall(r"^\| \d+ \|.*$", EDGE_CASES.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row for row in rows if "`tests/" not in row] == []


@pytest.mark.parametrize("page", [EDGE_CASES, INVARIANTS], ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = list(named_on(page.read_text(encoding="utf-8")))
    assert named
    for path, name in named:
        assert (ROOT / path).exists(), path
        if name:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            assert name in functions, f"{path}::{name}"


def test_citations_are_recognised() -> None:
    text = (
        '"""Rule 5, edge cases 36, 53; (premise\n    B), Identity in docs/invariants.md."""\n# as edge\n# case 7 says'
    )
    expected = ["rule 5", "edge case 36", "edge case 53", "premise B", "identity", "edge case 7"]
    assert list(citations(text)) == expected


def test_files_that_the_architecture_page_names_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", text))
    assert len(named) > 20
    missing = {name for name in named if not ((ROOT / name).exists() or (ROOT / "migrator" / name).exists())}
    assert missing == set()
