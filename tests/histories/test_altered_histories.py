"""Tables are altered at random next to writers and to a sync, which is killed now and then.

MIGRATOR_HISTORIES is how many (a quarter of it), MIGRATOR_SEED where their seeds begin.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.histories.altering import Altering
from tests.sync import running
from tests.sync.premises.test_d_altered import planned
from tests.sync.premises.world import World

COUNT = max(2, int(os.environ.get("MIGRATOR_HISTORIES", "8")) // 4)
SEED = int(os.environ.get("MIGRATOR_SEED", "1000"))

pytestmark = pytest.mark.slow


def require_right(history: Altering) -> None:
    world = history.world
    alters = [line for line in history.done if "TABLE" in line]
    found = world.disagreements()
    assert found == [], "\n".join([f"seed {history.seed}", *alters[-40:], *found[:20]])
    assert planned(world) == {}, alters


@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT))
def test_altered_next_to_a_sync(world: World, seed: int) -> None:
    """Judged after every few statements: a later one would have documents built again that are wrong."""
    history = Altering(world, seed)
    history.prepare()
    world.apply()
    for part in range(12):
        history.start(writers=2, transactions=12, alters=1 + part % 2, part=part)
        running.follow_while(world.source, world.target, lambda: history.going_on)
        history.join()
        world.sync()
        require_right(history)


@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT))
def test_altered_next_to_a_sync_that_is_killed(world: World, tmp_path: Path, seed: int) -> None:
    history = Altering(world, seed)
    history.prepare()
    world.apply()
    rng = random.Random(f"{seed} kills")
    history.start(writers=2, transactions=250, alters=25)
    kills = 0
    while history.going_on or kills < 3:
        process = running.sync(tmp_path, world.source, world.target, world.folder)
        time.sleep(rng.uniform(1.5, 5))
        assert process.code is None, process.said
        process.kill()
        kills += 1
    history.join()
    world.sync()
    require_right(history)
