"""Chunks, estimates, limits and names of plans; and that a plan survives its file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrator.errors import PlanRefused
from migrator.model.mapping.tree import IndexSpec
from migrator.model.plan.plan import DOLLAR_NAMES, Extreme, Finding, Measure, Plan
from migrator.model.plan.run import CollectionProgress
from migrator.model.serialize import from_json, to_json
from migrator.planning.build import gone_on_with, narrowed, rows_per_chunk
from migrator.planning.plan_identity import plan_identity
from tests.planning import plans
from tests.planning.plans import CAN, TARGET, before, measure, nodes, orders, owned, small, survey


@pytest.mark.parametrize(
    ("average", "rows"),
    [(10, 20_000), (1_000, 12_000), (12_000, 1_000), (100_000, 200), (16_000_000, 200)],
)
def test_a_chunk_is_about_twelve_megabytes_within_bounds(average: int, rows: int) -> None:
    assert rows_per_chunk(measure(1000, average)) == rows


def test_an_empty_or_unmeasured_table_has_large_chunks() -> None:
    assert rows_per_chunk(measure(0, 0)) == rows_per_chunk(None) == 20_000


def test_the_estimate_counts_only_what_is_copied() -> None:
    copied = survey(orders(), before("orders"), measure(nodes=nodes(orders=600_000, items=6_000_000)))
    kept = survey(small("c"), owned("c"), measure(nodes=nodes(orders=10**9)))
    made = plans.plan(copied, kept)
    assert made.seconds == Measure(165, exact=False)
    assert narrowed(made, ["c"]).seconds.value == 0
    assert [each.collection.name for each in narrowed(made, ["c"]).collections] == ["c"]


@pytest.mark.parametrize(
    ("progress", "seconds", "left"),
    [
        (
            CollectionProgress("orders", chunks=9, chunks_done=5, documents=500, rows=2_000_000, bytes=400_000),
            115,
            600_000,
        ),
        # Estimates may be wrong: what is copied is known.
        (CollectionProgress("orders", chunks=9, chunks_done=8, documents=9, rows=7_000_000, bytes=2_000_000), 0, 0),
        (CollectionProgress("orders", planned=True, chunks=2, chunks_done=2, documents=9, rows=20, bytes=300), 0, 0),
        (CollectionProgress("orders", planned=True, chunks=2), 165, 1_000_000),
    ],
)
def test_what_an_unfinished_run_has_copied_is_counted(progress: CollectionProgress, seconds: int, left: int) -> None:
    measured = measure(1000, 1000, nodes=nodes(orders=600_000, items=6_000_000))
    whole = plans.plan(survey(orders(), before("orders"), measured))
    made = gone_on_with(whole, {"orders": progress})
    assert made.seconds == Measure(seconds, exact=False)
    assert made.collections[0].bytes_left.value == left
    assert from_json(Plan, to_json(made)) == made
    assert plan_identity(made) == plan_identity(whole)


def test_a_document_above_the_limit_is_a_warning_once() -> None:
    big = measure(biggest=17 * 1024 * 1024)
    (finding,) = plans.plan(survey(small("c"), before("c"), big)).collections[0].findings
    assert (finding.severity, finding.code) == ("warning", "size-limit")
    assert "(7)" in finding.text
    told = replace(big, findings=(finding,))
    assert plans.plan(survey(small("c"), before("c"), told)).collections[0].findings == ()
    assert not plans.plan(survey(small("c"), before("c"), measure())).collections[0].findings


def test_what_the_target_does_not_enforce_is_said() -> None:
    files = replace(CAN, kind="files", unique_indexes=False, validators=False)
    collection = small("c", indexes=(IndexSpec("n_1", (("n", 1),), unique=True),), validator=True)
    made = plans.plan(survey(collection, before("c"), measure()), target=replace(TARGET, capabilities=files))
    assert [finding.code for finding in made.collections[0].findings] == ["no-unique", "no-validator"]


@pytest.mark.parametrize(
    ("becomes", "severity", "says"),
    [("replaced", None, ""), ("reinserted", "info", "deletes and inserts"), ("rejected", "warning", "rejected")],
)
def test_what_becomes_of_dollar_names_is_the_targets_affair(becomes: Any, severity: str | None, says: str) -> None:
    other = Finding("info", "json-keys", "c: v", "keys with a dot")
    names = Finding("info", DOLLAR_NAMES, "c: v", "names with '$' in front in 3 rows")
    target = replace(TARGET, capabilities=replace(CAN, dollar_names=becomes))
    found = replace(measure(), findings=(names, other))
    measured = plans.plan(survey(small("c"), before("c"), found), target=target).collections[0].measure
    assert measured is not None
    assert measured.findings[-1] == other
    shown = [(each.severity, each.text) for each in measured.findings[:-1]]
    assert [kind for kind, _ in shown] == ([severity] if severity else [])
    assert all("3 rows" in text and says in text for _, text in shown)


PLAIN = IndexSpec("n_1", (("n", 1),))
UNIQUE = IndexSpec("one_n", (("n", 1),), unique=True)


@pytest.mark.parametrize(
    ("version", "kind", "severity"),
    [
        ("4.4.29", "mongodb", "blocked"),
        ("4.9.0", "mongodb", "blocked"),
        ("5.0.0", "mongodb", None),
        ("10.0.1", "mongodb", None),
        ("", "mongodb", "warning"),
        ("8.0.0", "files", "warning"),
    ],
)
def test_indexes_that_differ_in_options_only(version: str, kind: Any, severity: str | None) -> None:
    target = replace(TARGET, version=version, capabilities=replace(CAN, kind=kind))
    made = plans.plan(survey(small("c", indexes=(PLAIN, UNIQUE)), before("c"), measure()), target=target)
    found = made.collections[0].findings
    assert [(finding.severity, finding.code) for finding in found] == (
        [(severity, "index-options")] if severity else []
    )
    assert all(name in finding.text for finding in found for name in ("n_1", "one_n"))


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAIN, name="x", keys=(("n", -1),)),
        replace(PLAIN, name="x", keys=(("n", 1), ("m", 1))),
        replace(PLAIN, name="x", collation="en"),
        replace(PLAIN, name="x", collation='{"locale": "en", "strength": 2}'),
    ],
)
def test_other_keys_or_another_collation_are_fine_on_every_server(other: IndexSpec) -> None:
    old = replace(TARGET, version="4.4.0")
    made = plans.plan(survey(small("c", indexes=(PLAIN, other)), before("c"), measure()), target=old)
    assert made.collections[0].findings == ()


def test_a_plan_survives_its_file() -> None:
    made = plans.full()
    assert from_json(Plan, to_json(made)) == made
    assert plan_identity(from_json(Plan, to_json(made))) == plan_identity(made)


def test_a_file_that_is_no_plan_is_refused() -> None:
    with pytest.raises(PlanRefused, match=r"plan\.json: not a plan"):
        from_json(Plan, '{"version": 1}', where="plan.json")


def test_the_name_of_a_plan_is_about_what_it_does() -> None:
    base = plans.plan(survey(small("c"), before("c"), measure()))
    later = replace(base, created="2027-01-01T00:00:00+00:00", seconds=Measure(99, exact=False))
    assert plan_identity(later) == plan_identity(base)
    others = [
        plans.plan(survey(small("c", mapping_hash="m2"), before("c"), measure())),
        plans.plan(survey(small("c"), before("c", structure="other"), measure())),
        plans.plan(survey(small("c", schema_fingerprint="s2"), before("c"), measure())),
        plans.plan(survey(small("c"), owned("c"), measure())),
        plans.plan(survey(small("c"), before("c"), measure()), target=replace(TARGET, address="mongodb://else/x")),
    ]
    assert len({plan_identity(each) for each in (base, *others)}) == 6


def test_blocked_findings_of_all_places_block() -> None:
    made = plans.full()
    assert {finding.code for finding in made.blocked} == {"duplicate-unique", "not-owned"}


def test_the_databases_that_are_read_are_named() -> None:
    assert plans.full().databases == ("shop",)


def test_extremes_without_a_key_are_readable() -> None:
    found = replace(measure(biggest=17 * 1024 * 1024), biggest=Extreme(Measure(17 * 1024 * 1024, exact=True), ""))
    (finding,) = plans.plan(survey(small("c"), before("c"), found)).collections[0].findings
    assert finding.text.startswith("the biggest document has 18 MB")
