"""Apply killed at random moments and resumed: it equals the oracle and stays small in memory.

MIGRATOR_TEST_SCALE makes the shop larger than the everyday run can wait for; 100 is about a million rows:
`MIGRATOR_TEST_SCALE=100 python -m pytest tests/copy/test_endurance.py -s`.
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
from tests.project import ROOT, Project, Running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

SCALE = int(os.environ.get("MIGRATOR_TEST_SCALE", "3"))
LIMIT_MB = 300
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

    def note(self, way: str, running: Running) -> None:
        """A run that came to its end, killed in some way or (`""`) not."""
        self.killed += [way] if way else []
        self.resumed += "resuming run" in running.err

    def watch(self, running: Running, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Looks at the memory for some seconds, until `until()`, or until the end of the process."""
        end = time.monotonic() + seconds
        while running.process.poll() is None and time.monotonic() < end and not until():
            self.watched.look(running)
            time.sleep(0.05)


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


def kill_until_left_alone(project: Project, seed: int, chunks: int) -> Story:
    """Applies and kills after up to `chunks` more chunks, in three ways in turn, and once while publishing.

    Then lets it come to its end. A fast machine may get there before it is killed the last times.
    """
    chance, story = random.Random(seed), Story()
    ways: tuple[Callable[[Running, random.Random], None], ...] = (group, one_worker, parent)
    for way in (*ways, *ways):
        wanted = project.chunks_done() + chance.randint(0, chunks)
        running = project.start("apply", "--yes", "--workers", "2")
        story.watch(running, 600, lambda: "run " in running.err and project.chunks_done() >= wanted)  # noqa: B023
        story.watch(running, chance.uniform(0, 0.2))
        if running.process.poll() is not None:
            return ended_well(story, running)
        way(running, chance)
        if way is one_worker:
            story.watch(running, 600)
            if running.process.wait() != RESUMABLE:
                return ended_well(story, running)
        running.process.wait(60)
        story.note(way.__name__, running)
    running = project.start("apply", "--yes", "--workers", "2")
    story.watch(running, 3000, lambda: "is live" in running.err)
    if running.process.poll() is None:
        group(running, chance)
        running.process.wait(60)
        story.note("group while publishing", running)
        running = project.start("apply", "--yes", "--workers", "2")
        story.watch(running, 3000)
    return ended_well(story, running)


def ended_well(story: Story, running: Running) -> Story:
    ended = running.end()
    assert ended.code == 0, ended
    story.note("", running)
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


def outlives(project: Project, mappings: Path, chunk_rows: int, chunks: int) -> None:
    project.settings(f"chunk_rows: {chunk_rows}\nmappings: {mappings}\n")
    story = kill_until_left_alone(project, seed=SCALE, chunks=chunks)
    assert len(story.killed) > 3
    # On a slow machine some are killed before they have a run to resume.
    assert story.resumed > 1
    count = assert_equal_to_the_oracle(project.source, mappings, documents_of(project))
    print(
        f"\n{count:,} documents into {project.target.split(':')[0]}: killed {', '.join(story.killed)}; resumed"
        f" {story.resumed} times; at most {story.watched.parent:.0f} MB, a worker {story.watched.workers:.0f} MB"
    )
    assert 0 < story.watched.parent < LIMIT_MB
    assert 0 < story.watched.workers < LIMIT_MB
    again = project.apply()
    assert again.code == 0, again
    assert "resuming run" not in again.err


def test_chinook(place: Project) -> None:
    load_chinook(place.source)
    outlives(place, CHINOOK_MAPPINGS, chunk_rows=2, chunks=20)


def test_shop(place: Project) -> None:
    load_shop(place.source, SCALE)
    outlives(place, ROOT / "mappings", chunk_rows=10 * SCALE, chunks=15)
