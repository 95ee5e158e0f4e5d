"""What makes a kept plan outdated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrator.model.mapping.tree import IndexSpec
from migrator.planning.outdated import CurrentState, outdated
from tests.planning import plans
from tests.planning.plans import SOURCE, TARGET, before, field, measure, orders, owned, small, survey, text

PLAN = plans.plan(
    survey(orders(), before("orders"), measure()),
    survey(small("c"), owned("c")),
)
NOW = CurrentState(SOURCE, TARGET, (orders(), small("c")), (before("orders"), owned("c")))


def test_nothing_changed() -> None:
    assert outdated(PLAN, NOW) == ()


def test_a_plan_alone_is_enough() -> None:
    assert outdated(PLAN, replace(NOW, collections=None)) == ()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"source": replace(SOURCE, uuid="other")}, "it was made for the source server"),
        ({"target": replace(TARGET, address="mongodb://else/x")}, "it was made for the target"),
        ({"collections": (orders(),)}, "c: there is no mapping for it any more"),
        (
            {"collections": (orders(), small("c", schema_fingerprint="s2"))},
            "c: the schema of shop.c changed",
        ),
        (
            {"collections": (orders(), small("c", indexes=(IndexSpec("n_1", (("n", 1),)),)))},
            "c: its indexes changed: n_1",
        ),
        ({"collections": (orders(), small("c", validator=True))}, "c: `validator:` changed"),
        (
            {"inspected": (before("orders"), owned("c", structure="other", mapping_hash="m9"))},
            "c: the target's collection is not as it was",
        ),
        ({"inspected": (before("orders", structure="x", exists=True), owned("c"))}, "orders: the target's collection"),
    ],
)
def test_what_changed_is_named(changed: dict[str, Any], reason: str) -> None:
    (found,) = outdated(PLAN, replace(NOW, **changed))
    assert found.startswith(reason)


def test_another_format_says_so_and_nothing_else() -> None:
    (found,) = outdated(replace(PLAN, version=99), replace(NOW, collections=()))
    assert "format 99" in found


def test_what_this_plan_has_published_already_is_no_reason() -> None:
    published = owned("orders", structure="other")
    assert outdated(PLAN, replace(NOW, inspected=(published, owned("c")))) == ()


def _changed(**root: Any) -> tuple[Any, ...]:
    return (replace(orders(), root=replace(orders().root, **root), mapping_hash="m2"), small("c"))


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        (
            {"fields": (*orders().root.fields, field("note", text("note")))},
            "columns changed: + note",
        ),
        ({"fields": orders().root.fields[:-1]}, "columns changed: - ship.city"),
        ({"where": None}, "condition changed"),
        ({"children": orders().root.children[1:]}, "customer is no longer embedded"),
        (
            {
                "children": (
                    replace(orders().root.children[0], fields=(field("id", plans.ID, "string"),)),
                    *orders().root.children[1:],
                )
            },
            "customer: columns changed: - name; id becomes string instead of int64",
        ),
        ({"children": tuple(reversed(orders().root.children))}, "the order of embedded tables changed"),
    ],
)
def test_a_changed_mapping_says_what_changed(root: dict[str, Any], reason: str) -> None:
    found = outdated(PLAN, replace(NOW, collections=_changed(**root)))
    prefix = "orders: the mapping changed: "
    parts = [each.removeprefix(prefix) for each in found]
    assert all(each.startswith(prefix) for each in found)
    shared = parts[0].split(": ")[0] + ": "
    assert "; ".join([parts[0], *(part.removeprefix(shared) for part in parts[1:])]) == reason
