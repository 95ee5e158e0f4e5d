"""The text of plans, compared with snapshots. `MIGRATOR_UPDATE_SNAPSHOTS=1 pytest tests/planning` writes them anew."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from migrator.model.plan import Finding, Plan
from migrator.planning.render import render
from tests.planning import plans

SNAPSHOTS = Path(__file__).parent / "snapshots"
PLANS = {
    "full": plans.full(),
    "unchanged": plans.plan(plans.survey(plans.small("visits"), plans.owned("visits")), syncable=False),
    "empty table": plans.plan(
        plans.survey(plans.small("visits"), plans.before("visits"), plans.measure(0, 0, 0, nodes=()))
    ),
}


def text(plan: Plan, width: int, *, terminal: bool = False) -> str:
    file = io.StringIO()
    colours = "standard" if terminal else None
    Console(file=file, width=width, force_terminal=terminal, color_system=colours, highlight=False).print(render(plan))
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", PLANS)
def test_plan_reads_as_in_its_snapshot(name: str, width: int) -> None:
    file = SNAPSHOTS / f"{name.replace(' ', '_')}.{width}.txt"
    found = "".join(f"{line.rstrip()}\n" for line in text(PLANS[name], width).splitlines())
    if os.environ.get("MIGRATOR_UPDATE_SNAPSHOTS"):
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(len(line) for line in text(plans.full(), width).splitlines()) <= width


def test_findings_stand_worst_first() -> None:
    lines = [line.split(" ")[0] for line in text(plans.full(), 120).splitlines()]
    severities = [line for line in lines if line in ("blocked", "warning", "note")]
    assert severities == sorted(severities, key=["blocked", "warning", "note"].index)
    assert set(severities) == {"blocked", "warning", "note"}


def test_what_comes_from_the_database_cannot_steer_the_terminal() -> None:
    evil = Finding(
        "warning", "x", "orders\x1b]0;title\x07", "value '\x1b[2J\u202e' and [red]markup[/red]", "fix\x1b[1A"
    )
    plan = replace(plans.full(), findings=(evil,))
    found = text(plan, 120)
    assert "\x1b" not in found
    assert "\u202e" not in found
    assert r"\x1b[2J" in found
    assert "[red]markup[/red]" in found
    assert "\x1b[" in text(plan, 120, terminal=True), "colours are there in a terminal"


def test_estimates_are_marked_and_counts_are_not() -> None:
    found = text(plans.full(), 200)
    assert "1,003,412 documents, ~1.8 GB" in found
    assert "~3,120,450 rows" in found
    assert "12 rows" in found
    assert "~12 rows" not in found
