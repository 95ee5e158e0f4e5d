"""From reaches to root keys, within one snapshot and up to a limit; what is too much waits in the state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from migrator.changes.joins import path_to
from migrator.model.change import Hop, Reach
from migrator.model.chunk import Key
from migrator.model.tree import Collection
from migrator.run.sync_ports import Climber

# Root keys that one batch rebuilds of what had to be searched for (EDGE_CASES 29).
KEYS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Climbed:
    """Root keys, and reaches that lead to too many."""

    keys: tuple[Key, ...]
    waiting: tuple[Reach, ...]


def grouped(reaches: Iterable[Reach]) -> dict[tuple[str, Hop], list[Reach]]:
    """By node and hop: those that one statement can follow together."""
    found: dict[tuple[str, Hop], list[Reach]] = {}
    for reach in reaches:
        found.setdefault((reach.node, reach.hop), []).append(reach)
    return found


async def climb(snapshot: Climber, collection: Collection, reaches: Iterable[Reach]) -> Climbed:
    """The root keys that `reaches` lead to in the snapshot.

    Any snapshot does that contains the changes: whatever breaks the way from a changed row up to its root has an event
    of its own, which leads there by its before image.
    """
    keys: dict[Key, None] = {}
    waiting: list[Reach] = []
    for (node, hop), some in grouped(reaches).items():
        if hop == "key":
            keys.update((reach.values, None) for reach in some)
        elif hop in ("parent", "child"):
            values = [reach.values for reach in some]
            found = await snapshot.root_keys(path_to(collection, node), hop, values, None, KEYS_AT_ONCE + 1)
            if len(found) > KEYS_AT_ONCE:
                waiting += some
            else:
                keys.update(dict.fromkeys(found))
        else:
            waiting += some
    return Climbed(tuple(keys), tuple(waiting))
