"""What a command is doing now: its phase, what it waits for, and for how long.

Durations, not times of day: a reader adds the age of the record by the target's clock, so that no two clocks are
compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

# Of these apply, sync and verify note in the target what they are doing.
Command = Literal["check", "plan", "apply", "sync", "status", "verify", "cutover", "generate", "doctor"]

PhaseName = Literal[
    "standby",
    "starting",
    "planning",
    "recording-keys",
    "copying",
    "catching-up",
    "building-index",
    "publishing",
    "following",
    "verifying",
]

PHASES: tuple[PhaseName, ...] = get_args(PhaseName)

_WORDS: dict[PhaseName, str] = {
    "recording-keys": "recording cascade keys",
    "catching-up": "catching up",
    "building-index": "building index",
}


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a command's work.

    Attributes:
        name: of the phase, the same for people, programs and metrics.
        collection: whose turn it is; "" where several are worked on at once.
        number, count: which of how many indexes is being built, counted from 1; 0 where nothing is counted.
        what: the step that it is at, "" where it has none.
    """

    name: PhaseName
    collection: str = ""
    number: int = 0
    count: int = 0
    what: str = ""

    def __str__(self) -> str:
        """`publishing orders`, `building index 2 of 3 of orders`, `planning: measuring orders`."""
        words = _WORDS.get(self.name, self.name)
        if self.count:
            words += f" {self.number} of {self.count}"
        if self.collection:
            words += f" of {self.collection}" if self.name == "building-index" else f" {self.collection}"
        return f"{words}: {self.what}" if self.what else words


@dataclass(frozen=True, slots=True)
class Wait:
    """What keeps a command from going on.

    Attributes:
        what: completes "waiting for ...".
        seconds: since it began.
        detail: what a server says of it, "" for nothing: how far an index is, which lock is awaited.
    """

    what: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """What a command is doing.

    Attributes:
        phase: what it is at.
        seconds: since that phase began.
        beside: what it does at the same time.
        waiting: what it waits for, None while it goes on.
        ended: how it ended, "" while it is at work.
    """

    command: Command
    phase: Phase
    seconds: float
    beside: Phase | None = None
    waiting: Wait | None = None
    ended: str = ""


@dataclass(frozen=True, slots=True)
class RecordedActivity:
    """An activity as the target has it.

    Attributes:
        owner: process and machine, for people.
        lives: whether that process does; None where it can't be determined from here.
        age: seconds since it was recorded, by the target's clock.
    """

    activity: Activity
    owner: str
    lives: bool | None
    age: float


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who has the lease of a command.

    Attributes:
        owner: process and machine, and since when, for people.
        process: the same without the time, as in `RecordedActivity.owner`.
        purpose: what for: `apply`, `sync`, or a command that keeps a sync away meanwhile.
        lives: whether that process does, as far as that can be told from here.
        silent: seconds since the lease was last renewed, by the target's clock; None where that was not recorded.
    """

    owner: str
    process: str
    purpose: str
    lives: bool
    silent: float | None
