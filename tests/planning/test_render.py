"""The text of plans, compared with snapshots. `MIGRATOR_UPDATE_SNAPSHOTS=1 pytest tests/planning` rewrites them."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from migrator.cli.output.plan import detailed, overview
from migrator.model.plan.plan import Finding, Plan
from tests.planning import plans

SNAPSHOTS = Path(__file__).parent / "snapshots"
PLANS = {
    "full": plans.full(),
    "unchanged": plans.plan(plans.survey(plans.small("visits"), plans.owned("visits")), syncable=False),
    "empty table": plans.plan(
        plans.survey(plans.small("visits"), plans.before("visits"), plans.measure(0, 0, 0, nodes=()))
    ),
}


VIEWS = {"overview": overview, "detailed": detailed}


def text(plan: Plan, width: int, *, terminal: bool = False, view: str = "overview") -> str:
    file = io.StringIO()
    colours = "standard" if terminal else None
    console = Console(file=file, width=width, force_terminal=terminal, color_system=colours, highlight=False)
    console.print(VIEWS[view](plan))
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", PLANS)
def test_plan_reads_as_in_its_snapshot(name: str, view: str, width: int) -> None:
    file = SNAPSHOTS / f"{name.replace(' ', '_')}.{view}.{width}.txt"
    found = "".join(f"{line.rstrip()}\n" for line in text(PLANS[name], width, view=view).splitlines())
    if os.environ.get("MIGRATOR_UPDATE_SNAPSHOTS"):
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("view", VIEWS)
def test_no_line_is_wider_than_the_terminal(view: str, width: int) -> None:
    assert max(len(line) for line in text(plans.full(), width, view=view).splitlines()) <= width


def test_many_findings_of_a_kind_are_a_count_and_a_few_of_them_unless_details_are_asked_for() -> None:
    many = tuple(Finding("warning", "orphans", f"orders.n{each}", f"{each} rows", "Fix them.") for each in range(20))
    plan = replace(plans.full(), findings=many)
    found = "".join(f"{line.rstrip()}\n" for line in text(plan, 120).splitlines())
    assert "warning  20 findings  [orphans]" in found
    assert [line.strip() for line in found.splitlines() if line.endswith(" rows")] == [
        "orders.n0: 0 rows",
        "orders.n1: 1 rows",
        "orders.n2: 2 rows",
    ]
    assert "and 17 more: orders.n3, orders.n4, orders.n5, orders.n6, orders.n7 and 12 more" in found
    assert found.count("-> Fix them.") == 1
    every = text(plan, 120, view="detailed")
    assert all(f"orders.n{each}: {each} rows" in every for each in range(20))


def test_unchanged_collections_are_one_line_together() -> None:
    names = [f"c{number}" for number in range(30)]
    plan = plans.plan(*(plans.survey(plans.small(name), plans.owned(name)) for name in names))
    found = [line.rstrip() for line in text(plan, 80).splitlines()]
    assert "Collections: 30 unchanged." in found
    assert [line for line in found if "c0" in line] == ["unchanged: c0, c1, c2, c3, c4 and 25 more"]


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
    found = text(plans.full(), 200, view="detailed")
    assert "1,003,412 documents, ~1.8 GB" in found
    assert "~3,120,450 rows" in found
    assert "12 rows" in found
    assert "~12 rows" not in found
