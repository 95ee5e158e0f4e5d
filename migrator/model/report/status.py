"""How far copy and sync are, as `status` shows it: one tree for text and for JSON.

All ages and "since" are by the target's clock, with which each process records its work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from migrator.model.change.events import RefKind, SyncPhase, SyncReport
from migrator.model.report.activity import Command, Phase, Wait

# Of a collection:
# - `waits-for-copy`: an apply is at work, and has not come to it;
# - `copying`: an apply loads it, next to the live one if there is one;
# - `copied`: all of it is loaded, and it waits to go live;
# - `copy-stopped`: no apply is at work on what one has begun and not copied to the end;
# - `unknown`: a sync is at work, and it is not known how far it is;
# - `catching-up`, `in-step`: a sync is at work on it;
# - `waits-for-sync`: no sync is running on it;
# - `handed-over`: the application has it;
# - `live`: nobody keeps it in step; CollectionStatus.why says why, where there is more to say.
CollectionState = Literal[
    "waits-for-copy",
    "copying",
    "copied",
    "copy-stopped",
    "unknown",
    "catching-up",
    "in-step",
    "waits-for-sync",
    "handed-over",
    "live",
]


@dataclass(frozen=True, slots=True)
class Pass:
    """A part of a rebuild that is not done.

    Attributes:
        of: what is gone through: `documents` of the target, `rejected` ones that it does not have, `rows` of the root's
            table.
        done: how many are done.
        total: about how many there are; None when not known.
    """

    of: RefKind
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A sync's work on every document of a collection, or on all that a table that was emptied may have been part of.

    Attributes:
        why: for people, "" when not known.
        since: when it was recorded, or recorded again and so began again, ISO, UTC; None when not known.
        seconds: how long ago that was.
        passes: those that are not done, in their order; only the first one is under way.
    """

    why: str
    since: str | None
    seconds: float | None
    passes: tuple[Pass, ...]


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """One collection.

    Attributes:
        run: the one that it is of, live or being copied.
        documents: those of the live collection, as the target estimates them; while it is first copied, those copied.
        rejected: reasons recorded for documents that could not be made.
        copying: chunks done and planned so far, None when no apply has it unfinished.
        following: a sync serves it, or would when it runs.
        dirty: references that wait in the state, each pass of a rebuild included.
        rebuild: None when none is to be done or at work.
        why: it can't be followed, "" when it can.
    """

    name: str
    run: str
    documents: int
    rejected: int
    copying: tuple[int, int] | None = None
    following: bool = False
    dirty: int = 0
    why: str = ""
    state: CollectionState = "live"
    rebuild: Rebuild | None = None


@dataclass(frozen=True, slots=True)
class RunStatus:
    """An apply that is unfinished.

    Attributes:
        started: by the clock of the machine that began it.
    """

    id: str
    started: str


@dataclass(frozen=True, slots=True)
class Work:
    """A command that is at work, or was and left something unfinished.

    Attributes:
        running: its process lives, as far as that can be told from here.
        owner: process and machine, for people; "" when not known.
        silent_seconds: since its last sign of life; None when not known.
        not_running_since: the time of the last sign of life of one that runs no more, ISO, UTC; None while it runs, and
            when not known.
        ended: how it ended, in its own words; "" while it runs, and when it was killed.
        phase: what it is at, or was at last; None when not known.
        phase_seconds: how long it has been, or had been.
        beside: what it does at the same time.
        waiting: what it waits for; None while it goes on, and for one that runs no more.
    """

    command: Command
    running: bool
    owner: str
    silent_seconds: float | None = None
    not_running_since: str | None = None
    ended: str = ""
    phase: Phase | None = None
    phase_seconds: float | None = None
    beside: Phase | None = None
    waiting: Wait | None = None


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """The sync.

    Attributes:
        work: the process.
        state: what is known of it now: `stopped` when none runs, `unknown` until the first batch of one that runs is
            done, and when its last report is stale.
        lag_seconds: everything that was logged until so long ago is done; None when not known.
        stale: the last report is older than the time between two.
        report: the last one, also of a sync that runs no more; None before the first.
        age: seconds since that report; None without one.
    """

    work: Work
    state: SyncPhase
    lag_seconds: float | None
    stale: bool
    report: SyncReport | None
    age: float | None


@dataclass(frozen=True, slots=True)
class Status:
    """All of it.

    Attributes:
        at: the target's clock, ISO, UTC.
        run: an apply that is unfinished, whether or not one is at work.
        apply, verify: None when none is at work and none left anything unfinished.
        sync: None when none is at work and none ever was.
    """

    target: str
    at: str
    collections: tuple[CollectionStatus, ...]
    run: RunStatus | None
    apply: Work | None
    sync: SyncStatus | None
    verify: Work | None
