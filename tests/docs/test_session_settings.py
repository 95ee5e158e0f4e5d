"""The page about `doctor` lists every session variable that migrator sets or looks at."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.source.connection.session_settings import SETTINGS, SessionSetting

PAGE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_listed(setting: SessionSetting) -> None:
    value = f"`{setting.value}`" if setting.value is not None else f"not set; `{setting.shown}` is wanted"
    beginning, end = f"| `{setting.name}` | {value} |", f"| {setting.purpose.replace('|', '&#124;')} |"
    assert [row for row in ROWS if row.startswith(beginning) and row.endswith(end)]


def test_no_other_is_listed() -> None:
    first = PAGE.index("## Session settings")
    listed = [line for line in PAGE[first:].splitlines() if line.startswith("| `")]
    assert len(listed) == len(SETTINGS)
