"""The tests that docs/edge-cases.md names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_is_named_exists() -> None:
    text = (ROOT / "docs" / "edge-cases.md").read_text(encoding="utf-8")
    file = ""
    for found, name in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", text):
        if not found and not name:
            continue
        file = found or file
        assert (ROOT / file).is_file(), file
        if name:
            assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{name}"
