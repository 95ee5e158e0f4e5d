"""Every code of a finding has its row in docs/plan.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where the code stands among the arguments.
_PLACES = {"Finding": 1, "ValueCheck": 0}


def codes() -> Iterator[str]:
    """Those that are written out where a finding is made."""
    for path in (ROOT / "migrator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            place = _PLACES.get(node.func.id)
            if place is not None and len(node.args) > place:
                for part in ast.walk(node.args[place]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.strip("-_"):
                        yield part.value


def test_every_code_is_documented() -> None:
    page = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
    found = set(codes())
    assert {"size-limit", "view-root", "lossy-zero-date"} <= found
    assert {code for code in found if f"`{code}`" not in page} == set()
