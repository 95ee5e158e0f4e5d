"""Histories from the first row to the last judgement, with a sync at the same time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Protocol

from tests.histories.history import History, Spec, Writing
from tests.histories.judge import judge
from tests.sync import running

CatchUp = Callable[[History, str], None]


class Disturb(Protocol):
    """What else happens to the servers."""

    def __call__(self, rng: random.Random) -> None: ...

    def wait(self) -> None:
        """Until all is well again."""
        ...


# How long a real sync may take to catch up, the end of a killed one's lease included.
SECONDS = 240.0


@dataclass
class Tally:
    """What was done, to be printed."""

    histories: int = 0
    judged: int = 0
    transactions: int = 0
    statements: int = 0
    documents: int = 0
    syncs: int = 0
    kills: int = 0

    def __str__(self) -> str:
        return (
            f"{self.histories} histories judged {self.judged} times, {self.transactions} transactions,"
            f" {self.statements} statements,"
            f" {self.documents} documents compared, {self.syncs} syncs, {self.kills} kills"
        )

    def include(self, other: Tally) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def judged_so(self, documents: int) -> None:
        self.judged += 1
        self.documents += documents

    def add(self, history: History) -> None:
        self.histories += 1
        self.transactions += history.log.transactions
        self.statements += len(history.log.done)


def play(spec: Spec, source: str, target: str, tally: Tally, catch_up: CatchUp | None = None) -> None:
    """A history with a sync in this process while others write, judged after each round.

    With an even seed one sync runs all the while; with an odd one, or a given `catch_up`, it is started ever again.
    """
    follow = catch_up or in_process
    restarts = catch_up is not None or spec.seed % 2

    def write(history: History) -> None:
        with history.writing() as writing:
            while writing.going_on:
                if restarts:
                    follow(history, target)
                else:
                    running.follow_while(history.url, target, lambda: writing.going_on)
                tally.syncs += 1

    _rounds(spec, source, target, tally, write, follow)


def play_short(spec: Spec, source: str, target: str, tally: Tally) -> None:
    """Each round is a history of its own that is synced when it is over: quick, so that there can be many."""
    _rounds(spec, source, target, tally, History.write, in_process)


def _rounds(
    spec: Spec, source: str, target: str, tally: Tally, write: Callable[[History], None], follow: CatchUp
) -> None:
    history = History(spec, source)
    try:
        run = running.apply(source, target, history.world.mappings, history.collections)
        for number in range(spec.rounds):
            write(history)
            follow(history, target)
            tally.syncs += 1
            tally.judged_so(judge(history, target, [run], f"after round {number + 1}"))
        tally.add(history)
    finally:
        history.close()


def in_process(history: History, target: str) -> None:
    running.catch_up(history.url, target)


def play_next_to_copy(spec: Spec, source: str, target: str, tally: Tally) -> None:
    """Others write while the copy runs, in small chunks; sync goes on from the position that it noted.

    Definitions stay as they are meanwhile: a copy during ALTER TABLE refuses to continue.
    """
    history = History(replace(spec, mix=replace(spec.mix, definitions=0)), source)
    try:
        with history.writing():
            run = running.apply(source, target, history.world.mappings, history.collections, chunk_rows=3)
        in_process(history, target)
        tally.judged_so(judge(history, target, [run], "after a copy next to writers"))
        tally.add(history)
    finally:
        history.close()


def play_added(spec: Spec, source: str, target: str, tally: Tally) -> None:
    """Half of the collections are copied later, while others write: each has a position of its own (edge case 59)."""
    history = History(replace(spec, mix=replace(spec.mix, definitions=0)), source)
    rng = random.Random(f"{spec.seed}:added")
    first = sorted(rng.sample(history.collections, len(history.collections) // 2))
    second = [name for name in history.collections if name not in first]
    try:
        runs = [running.apply(source, target, history.world.mappings, first)]
        for number in range(spec.rounds):
            with history.writing():
                if number == 0:
                    runs.append(running.apply(source, target, history.world.mappings, second, chunk_rows=3))
            in_process(history, target)
            tally.syncs += 1
            tally.judged_so(judge(history, target, runs, f"after round {number + 1} with collections added"))
        tally.add(history)
    finally:
        history.close()


def play_killed(
    spec: Spec, source: str, target: str, folder: Path, tally: Tally, disturb: Disturb | None = None
) -> None:
    """Real processes that are killed with kill -9 at any moment, sometimes two at once.

    Args:
        disturb: what else happens to the servers while the writers write.
    """
    rng = random.Random(f"{spec.seed}:kills")
    history = History(spec, source, patient=disturb is not None)
    try:
        run = running.apply(source, target, history.world.mappings, history.collections)
        for number in range(spec.rounds):
            with history.writing() as writing:
                tally.kills += _kill_while(writing, history, target, folder, rng, tally, disturb)
            if disturb is not None:
                disturb.wait()
            tally.syncs += 1
            _until_caught_up(history, target, folder)
            tally.judged_so(judge(history, target, [run], f"after round {number + 1} with kills"))
        tally.add(history)
    finally:
        history.close()


def _kill_while(
    writing: Writing,
    history: History,
    target: str,
    folder: Path,
    rng: random.Random,
    tally: Tally,
    disturb: Disturb | None,
) -> int:
    """How often something was killed; at least twice."""
    kills = 0
    started: list[running.Process] = []
    try:
        while writing.going_on or kills < 2:
            while len(started) < (2 if rng.random() < 0.3 else 1):
                started.append(running.sync(folder, history.url, target, history.world.mappings))
                tally.syncs += 1
            time.sleep(rng.uniform(0.5, 4))
            if disturb is not None:
                disturb(rng)
            victim = started.pop(rng.randrange(len(started)))
            assert victim.code is None or disturb is not None, (
                f"sync ended by itself with {victim.code}:\n{victim.said}"
            )
            victim.kill()
            kills += 1
    finally:
        for each in started:
            each.kill()
    return kills + len(started)


def _until_caught_up(history: History, target: str, folder: Path) -> None:
    code, end = running.HELD, time.monotonic() + SECONDS
    while code == running.HELD and time.monotonic() < end:
        # Until the lease of one that was killed has run out.
        process = running.sync(folder, history.url, target, history.world.mappings, "--until-caught-up")
        code = process.wait(SECONDS)
    assert code == 0, f"python -m tests.histories.replay {history.spec}: sync ended with {code}:\n{process.said}"


class Restarts:
    """Kills a server now and then, and starts it again after a moment, in another thread."""

    def __init__(self, kill: Callable[[], None], start: Callable[[], None], often: float = 0.5) -> None:
        self._kill = kill
        self._start = start
        self._often = often
        self._thread: threading.Thread | None = None
        self.count = 0

    def __call__(self, rng: random.Random) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        if rng.random() < self._often:
            self.count += 1
            pause = rng.uniform(0.1, 2)
            self._kill()
            self._thread = threading.Thread(target=self._again, args=[pause], daemon=True)
            self._thread.start()

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _again(self, pause: float) -> None:
        time.sleep(pause)
        self._start()
