"""Apply killed at random moments, gone on with, equal to the oracle, and small in memory all the time: Chinook, the shop.

MIGRATOR_TEST_SCALE makes the shop larger than the everyday run can wait for; 100 is about a million rows:
`MIGRATOR_TEST_SCALE=100 python -m pytest tests/run/test_endurance.py -s`.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.measure import peaks_of_session
from sample_schema.generate import load as load_shop
from tests.chinook.load import MAPPINGS as CHINOOK_MAPPINGS
from tests.chinook.load import load as load_chinook
from tests.oracle.target import Documents, assert_equal_to_the_oracle, in_files, in_mongodb
from tests.run.conftest import ROOT, Project, Running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

SCALE = int(os.environ.get("MIGRATOR_TEST_SCALE", "6"))
LIMIT_MB = 300
KILLS = 8
RESUMABLE = 8


@dataclass
class Watched:
    """The highest peak of memory of migrator's own process and of any process it started, in MB."""

    parent: float = 0.0
    workers: float = 0.0

    def look(self, running: Running) -> None:
        for pid, peak in peaks_of_session(running.process.pid).items():
            if pid == running.process.pid:
                self.parent = max(self.parent, peak)
            else:
                self.workers = max(self.workers, peak)


@dataclass
class Story:
    """What was done to a run before it was left alone."""

    watched: Watched = field(default_factory=Watched)
    killed: list[str] = field(default_factory=list)
    resumed: int = 0

    def until(self, running: Running, end: float) -> None:
        """Looks at the memory until the moment, or the end of the process."""
        while running.process.poll() is None and time.monotonic() < end:
            self.watched.look(running)
            time.sleep(0.02)


def group(running: Running, chance: random.Random) -> None:
    """A power cut."""
    running.signal_all(signal.SIGKILL)


def one_worker(running: Running, chance: random.Random) -> None:
    """The kernel when memory is short."""
    if workers := running.workers():
        os.kill(chance.choice(workers), signal.SIGKILL)


def parent(running: Running, chance: random.Random) -> None:
    """Somebody who saw the name in `top`; its workers must go by themselves."""
    running.signal(signal.SIGKILL)


def kill_until_left_alone(project: Project, seed: int, seconds: float) -> Story:
    """Applies and kills at moments up to `seconds` after the start, in three ways in turn; then goes on to the end."""
    chance, story = random.Random(seed), Story()
    ways: tuple[Callable[[Running, random.Random], None], ...] = (group, one_worker, parent)
    for number in range(KILLS):
        way = ways[number % len(ways)]
        running = project.start("apply", "--yes", "--workers", "2")
        story.until(running, time.monotonic() + chance.uniform(0, seconds))
        if running.process.poll() is not None:
            assert running.process.returncode == 0, running.end()
            break
        way(running, chance)
        if way is one_worker:
            story.until(running, time.monotonic() + 600)
            # None was there yet, or it had done its last chunk; else the error says what to do.
            assert running.process.wait(60) in (0, RESUMABLE), running.end()
        running.process.wait(60)
        story.resumed += "going on with run" in running.err
        story.killed.append(way.__name__)
    running = project.start("apply", "--yes", "--workers", "2")
    story.until(running, time.monotonic() + 3000)
    ended = running.end()
    assert ended.code == 0, ended
    story.resumed += "going on with run" in ended.err
    return story


@pytest.fixture(params=["mongodb", "files"])
def place(request: pytest.FixtureRequest, mysql_url: str, mongodb_url: str, tmp_path: Path) -> Iterator[Project]:
    """An empty source, and an empty target of each kind."""
    target = mongodb_url if request.param == "mongodb" else f"file:{tmp_path / 'dump'}"
    project = Project(tmp_path, mysql_url, target)
    yield project
    for running in project.started:
        running.kill()


def documents_of(project: Project) -> Documents:
    return in_files(project.files) if project.target.startswith("file:") else in_mongodb(project.target)


def outlives(project: Project, mappings: Path, chunk_rows: int, seconds: float) -> None:
    project.settings(f"chunk_rows: {chunk_rows}\nmappings: {mappings}\n")
    story = kill_until_left_alone(project, seed=SCALE, seconds=seconds)
    assert len(story.killed) > 1
    count = assert_equal_to_the_oracle(project.source, mappings, documents_of(project))
    print(
        f"\n{count:,} documents into {project.target.split(':')[0]}: killed {', '.join(story.killed)}; gone on with"
        f" {story.resumed} times; at most {story.watched.parent:.0f} MB, a worker {story.watched.workers:.0f} MB"
    )
    assert 0 < story.watched.parent < LIMIT_MB
    assert 0 < story.watched.workers < LIMIT_MB


def test_chinook(place: Project) -> None:
    load_chinook(place.source)
    outlives(place, CHINOOK_MAPPINGS, chunk_rows=20, seconds=4)


def test_shop(place: Project) -> None:
    load_shop(place.source, SCALE)
    outlives(place, ROOT / "mappings", chunk_rows=20 * SCALE, seconds=2 + 0.3 * SCALE)
