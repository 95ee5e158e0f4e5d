"""Premise D: tables that are altered under a sync, and what it does with their documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pymongo
import pytest

from migrator import api
from migrator.errors import SyncBlocked
from migrator.planning.planner import PlanOptions
from tests.sync.premises.altered import KEPT, REBUILT, STOPS, Case, Placed
from tests.sync.premises.world import World

pytestmark = pytest.mark.slow


def placed(cases: dict[str, Case]) -> list[Placed]:
    return [Placed(f"c{number}", case) for number, case in enumerate(cases.values())]


def applied(world: World, cases: Iterable[Placed]) -> None:
    for each in cases:
        world.sql(*each.tables())
        world.mapping(each.mapping())
    world.apply()
    world.sync()


def mark(world: World, cases: Iterable[Placed]) -> None:
    """Every document gets a field that is gone when it is replaced."""
    with pymongo.MongoClient[dict[str, Any]](world.target) as client:
        for each in cases:
            client.get_default_database()[each.name].update_many({}, {"$set": {"_marked": 1}})


def marked(world: World, name: str) -> list[bool]:
    with pymongo.MongoClient[dict[str, Any]](world.target) as client:
        return ["_marked" in each for each in client.get_default_database()[name].find()]


def unmark(world: World, cases: Iterable[Placed]) -> None:
    with pymongo.MongoClient[dict[str, Any]](world.target) as client:
        for each in cases:
            client.get_default_database()[each.name].update_many({}, {"$unset": {"_marked": ""}})


def alter(world: World, cases: Iterable[Placed]) -> None:
    for each in cases:
        # Values that don't fit are cut, without a word of it in the log.
        world.sql("SET SESSION sql_mode = ''", *each.alter())


def planned(world: World) -> dict[str, tuple[str, ...]]:
    """What apply would do now, by collection, where it is something."""
    plan = api.make_plan(world.source, world.target, world.files, PlanOptions())
    return {
        each.collection.name: (each.action, *each.reasons) for each in plan.collections if each.action != "unchanged"
    }


def test_documents_that_stay_the_same_are_left_alone(world: World) -> None:
    cases = placed(KEPT)
    applied(world, cases)
    mark(world, cases)
    alter(world, cases)
    world.sync()
    rebuilt = [name for name, each in zip(KEPT, cases, strict=True) if not all(marked(world, each.name))]
    assert rebuilt == []
    unmark(world, cases)
    assert world.disagreements() == []
    assert planned(world) == {}
    world.sync()


def test_documents_that_change_are_rebuilt(world: World) -> None:
    cases = placed(REBUILT)
    applied(world, cases)
    mark(world, cases)
    alter(world, cases)
    world.sync()
    left = [name for name, each in zip(REBUILT, cases, strict=True) if any(marked(world, each.name))]
    assert left == []
    found = world.disagreements()
    assert [line for line in found if "fields in the order" not in line] == []
    reordered = {each.name for each in cases if each.case.reorders}
    assert {line.partition(":")[0] for line in found} == reordered
    plan = planned(world)
    assert plan.keys() == reordered
    for reasons in plan.values():
        assert (
            reasons[1] == "its tables have changed since it was applied, and by the mapping that changes its documents"
        )
    world.sync()


@pytest.mark.parametrize("name", STOPS)
def test_what_breaks_the_mapping_stops(world: World, name: str) -> None:
    case = Placed("c", STOPS[name])
    applied(world, [case])
    alter(world, [case])
    with pytest.raises(SyncBlocked, match="no longer fits") as stopped:
        world.sync()
    assert stopped.value.where
    assert "apply" in stopped.value.hint
