"""How histories call migrator: the only place here that knows its functions and its command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pymongo

from dev.servers.probe import identify_mongodb
from migrator import api
from migrator.copy.options import ApplyOptions
from migrator.model.change.events import Scope, SyncReport
from migrator.model.change.position import Position
from migrator.model.mapping.policies import Policies
from migrator.model.plan.run import Run
from migrator.model.report.activity import Activity
from migrator.planning.decide import Consent
from migrator.planning.planner import MappingFiles, PlanOptions
from migrator.sync.sync import SyncOptions
from migrator.target import open_target
from migrator.workers.interrupt import StopRequest

ROOT = Path(__file__).parents[2]
# The exit code of a sync that another one keeps from beginning.
HELD = 9


class Quiet:
    """An observer that remembers what was said."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def started(self, run: Run, progress: object, *, resumed: bool) -> None: ...

    def chunk_done(self, result: object) -> None: ...

    def catching_up(self, progress: object) -> None: ...

    def doing(self, activity: Activity) -> None: ...

    def paused(self, reason: str) -> None: ...

    def continued(self) -> None: ...

    def published(self, collection: str) -> None: ...

    def reported(self, report: SyncReport) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)


def apply(source: str, target: str, mappings: Path, collections: Sequence[str], chunk_rows: int | None = None) -> str:
    """Copies in this process; the id of the run."""
    options = PlanOptions(collections=tuple(collections), consent=Consent(), chunk_rows=chunk_rows)
    plan = api.make_plan(source, target, MappingFiles(mappings, Policies()), options)
    assert not plan.blocked, plan.blocked
    run = api.apply(plan, source, target, ApplyOptions(workers=1), Quiet()).run
    _spare_standin(target, collections)
    return run


def _spare_standin(target: str, collections: Sequence[str]) -> None:
    """Drops unique indexes where SecantusDB stands in: there a changed document keeps its old unique value taken."""
    if identify_mongodb(target).product == "MongoDB":
        return
    with pymongo.MongoClient[Any](target) as client:
        for name in collections:
            collection = client.get_default_database()[name]
            for index in list(collection.list_indexes()):
                if index.get("unique"):
                    collection.drop_index(index["name"])


def rejected(target: str, runs: Sequence[str]) -> dict[str, dict[str, str]]:
    """Why documents were rejected, by collection and key, as the state has it."""
    found: dict[str, dict[str, str]] = {}
    for run in runs:
        for each in api.rejected(target, run, 1_000_000):
            found.setdefault(each.collection, {})[each.document] = each.reason
    return found


class Process:
    """A real `migrator`, to be killed."""

    def __init__(self, folder: Path, source: str, target: str, mappings: Path, *arguments: str) -> None:
        number = len(list(folder.glob("*.log")))
        self.log = folder / f"{number}.log"
        ends = ["--source", source, "--target", target, "--mappings", str(mappings)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "migrator", *arguments, *ends],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
                start_new_session=True,
            )
        self.pid = self._process.pid
        self.peak_mb = 0.0

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self, seconds: float) -> int:
        """Its exit code; 999 when it had to be killed. `peak_mb` is up to date afterwards."""
        end = time.monotonic() + seconds
        while self._process.poll() is None:
            self.peak_mb = max(self.peak_mb, peak_mb(self.pid))
            if time.monotonic() > end:
                self.kill()
                return 999
            time.sleep(0.05)
        return self._process.returncode

    def kill(self) -> None:
        """kill -9, with whatever it started."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def sync(folder: Path, source: str, target: str, mappings: Path, *more: str) -> Process:
    """A real `migrator sync`."""
    return Process(folder, source, target, mappings, "sync", *more)


def catch_up(source: str, target: str) -> None:
    """Syncs in this process until everything is done that was logged before."""
    result = api.sync(source, target, None, SyncOptions(until_caught_up=True), Quiet())
    assert result.caught_up, result


def follow_while(source: str, target: str, going_on: Callable[[], bool]) -> None:
    """Syncs in this process as long as `going_on()`."""
    api.sync(source, target, None, SyncOptions(), Quiet(), _Until(going_on))


class _Until(StopRequest):
    """Asks to stop when something no longer goes on."""

    def __init__(self, going_on: Callable[[], bool]) -> None:
        super().__init__()
        self._going_on = going_on

    @property
    def asked(self) -> bool:
        return not self._going_on()


def peak_mb(pid: int) -> float:
    """The highest resident size that a running process has had, in MB; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def position(target: str, run: str, collection: str) -> Position:
    """Where a collection stands, as the state has it."""
    scope = Scope(run, collection)
    with closing(open_target(target)) as opened:
        following = opened.sync_target()
        assert following is not None
        return following.sync_state().positions.load([scope])[scope]
