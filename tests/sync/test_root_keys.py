"""From reaches to root keys: as many together as may be, and what leads to too many by itself (edge case 29)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from migrator.model.change.events import DocumentRef, RefKind
from migrator.model.mapping.tree import Node
from migrator.model.plan.chunk import Key
from migrator.ports.sync import RootKeyReader
from migrator.sync.root_keys import KEYS_AT_ONCE, RootKeys, find_root_keys
from tests.changes.build import collection, join, node, table

PARENTS = table("parents", "plan_id")
PLANS = table("plans")
TREE = collection(
    node(PARENTS, children=(node(PLANS, "plan", shape="one", join=join(PARENTS, "plan_id", PLANS, "id")),))
)


@dataclass
class Fanout:
    """A snapshot in which a plan leads to so many parents as `parents` says; counts what it is asked."""

    parents: dict[bytes, int]
    asked: list[int] = field(default_factory=list)

    async def root_keys(
        self, path: Sequence[Node], kind: RefKind, values: Sequence[Key], after: Key | None, limit: int
    ) -> list[Key]:
        self.asked.append(len(values))
        keys = [(b"%s-%d" % (value, number),) for (value,) in values for number in range(self.parents[value or b""])]
        return cast("list[Key]", sorted(keys)[:limit])


def found_for(parents: dict[bytes, int]) -> tuple[RootKeys, Fanout]:
    snapshot = Fanout(parents)
    refs = [DocumentRef("plan", "parent", (value,)) for value in parents]
    return asyncio.run(find_root_keys(cast(RootKeyReader, snapshot), TREE, refs)), snapshot


def test_few_are_searched_for_together() -> None:
    found, snapshot = found_for({b"%d" % number: 2 for number in range(100)})
    assert len(found.keys) == 200
    assert found.waiting == ()
    assert snapshot.asked == [100]


def test_many_that_lead_to_few_each_do_not_wait() -> None:
    found, _ = found_for({b"%d" % number: 40 for number in range(100)})
    assert len(set(found.keys)) == 4000
    assert found.waiting == ()


def test_one_that_leads_to_too_many_waits_alone() -> None:
    found, _ = found_for({b"few": 3, b"many": KEYS_AT_ONCE + 1, b"none": 0, b"some": 7})
    assert len(found.keys) == 10
    assert [ref.values for ref in found.waiting] == [(b"many",)]


def test_what_is_beyond_one_batch_waits() -> None:
    parents = {b"%d" % number: KEYS_AT_ONCE for number in range(20)}
    found, _ = found_for(parents)
    assert KEYS_AT_ONCE < len(found.keys) < 5 * KEYS_AT_ONCE
    done = {key[0].partition(b"-")[0] for key in found.keys if key[0]}
    assert done | {ref.values[0] for ref in found.waiting} == set(parents)
    assert len(found.waiting) == len(parents) - len(done)
