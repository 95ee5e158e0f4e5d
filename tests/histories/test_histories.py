"""Random histories with a running sync: after it caught up, every document agrees with its rows.

MIGRATOR_HISTORIES is how many databases have slow ones (default 8, with 25 short histories each; 30 or more have a sync
that is killed), MIGRATOR_SEED where their seeds begin. A failure names its seed, and `python -m tests.histories.replay`
plays it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dev.servers.model import Server
from tests.histories import campaign
from tests.histories.campaign import Restarts, Tally
from tests.histories.history import Spec
from tests.histories.replay import fresh
from tests.histories.transactions import Mix

COUNT = int(os.environ.get("MIGRATOR_HISTORIES", "8"))
KILLED = max(30, COUNT * 3 // 4)
AT_ONCE = 3
SEED = int(os.environ.get("MIGRATOR_SEED", "1000"))
FACTORY = Callable[[], Server]


def spec(seed: int, rounds: int = 3, transactions: int = 25) -> Spec:
    """Worlds and numbers of writers in turn."""
    return Spec(seed, ("nasty", "nasty", "shop")[seed % 3], 1 + seed % 4, rounds, transactions)


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    """What all histories of this file did, printed at their end (pytest -s)."""
    done = Tally()
    yield done
    print(f"\n{done}")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_short(mysql_url: str, mongodb_url: str, tally: Tally, seed: int) -> None:
    campaign.play(spec(seed, rounds=2, transactions=15), mysql_url, mongodb_url, tally)


@pytest.mark.slow
def test_short_next_to_a_copy(mysql_url: str, mongodb_url: str, tally: Tally) -> None:
    campaign.play_next_to_copy(spec(4, transactions=60), mysql_url, mongodb_url, tally)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + max(2, COUNT // 4)))
def test_a_log_that_is_compressed_now_and_then(
    mysql_server: str,
    mysql_product: str,
    mysql_server_factory: FACTORY,
    mongodb_server: str,
    tmp_path: Path,
    tally: Tally,
    seed: int,
) -> None:
    """A sync is killed while compressed and plain transactions come in turn."""
    # A server of its own where the setting is one of all sessions.
    server = mysql_server if mysql_product == "MySQL" else mysql_server_factory().url
    compressing = replace(spec(seed, rounds=2, transactions=60), mix=Mix(compression=0.3))
    with fresh(server, mongodb_server) as (source, target):
        campaign.play_killed(compressing, source, target, tmp_path, tally)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT // 2))
def test_many(mysql_url: str, mongodb_url: str, tally: Tally, seed: int) -> None:
    campaign.play(spec(seed), mysql_url, mongodb_url, tally)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT))
def test_hundreds_of_short_ones(mysql_url: str, mongodb_url: str, tally: Tally, seed: int) -> None:
    """One after the other in the same database, each judged: the next begins with what one left."""
    several = replace(spec(seed, rounds=25, transactions=6), writers=1 + seed % 2)
    campaign.play_short(several, mysql_url, mongodb_url, tally)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT // 4))
def test_many_next_to_a_copy(mysql_url: str, mongodb_url: str, tally: Tally, seed: int) -> None:
    campaign.play_next_to_copy(spec(seed, transactions=150), mysql_url, mongodb_url, tally)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT // 4))
def test_many_with_collections_added(mysql_url: str, mongodb_url: str, tally: Tally, seed: int) -> None:
    campaign.play_added(spec(seed, rounds=2, transactions=60), mysql_url, mongodb_url, tally)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(SEED, SEED + KILLED, AT_ONCE))
def test_killed(mysql_server: str, mongodb_server: str, tmp_path: Path, tally: Tally, first: int) -> None:
    """Some at once: most of the time each waits for the lease of a sync that was killed to run out."""

    def play(seed: int) -> Tally:
        mine, folder = Tally(), tmp_path / str(seed)
        folder.mkdir()
        with fresh(mysql_server, mongodb_server) as (source, target):
            campaign.play_killed(spec(seed, rounds=1, transactions=60), source, target, folder, mine)
        return mine

    # Not as a context: that would wait for threads whose server doesn't answer, beyond the time limit of the test.
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for each in pool.map(play, range(first, first + AT_ONCE)):
            assert each.kills >= 2
            tally.include(each)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + 1))
def test_source_killed(
    mysql_server_factory: FACTORY, mongodb_server: str, tmp_path: Path, tally: Tally, seed: int
) -> None:
    server = mysql_server_factory()
    restarts = Restarts(server.kill, server.start)
    with fresh(server.url, mongodb_server) as (source, target):
        campaign.play_killed(spec(seed, transactions=80), source, target, tmp_path, tally, restarts)
    assert restarts.count


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + 1))
def test_target_killed(mysql_server: str, mongod_factory: FACTORY, tmp_path: Path, tally: Tally, seed: int) -> None:
    server = mongod_factory()
    restarts = Restarts(server.kill, server.start)
    with fresh(mysql_server, server.url) as (source, target):
        campaign.play_killed(spec(seed, transactions=80), source, target, tmp_path, tally, restarts)
    assert restarts.count
