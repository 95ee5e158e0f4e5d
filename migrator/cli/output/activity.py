"""Lines that say what a command is doing: its phases, and what it waits for, for people and for log collectors."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from migrator.cli.output.log_output import Output
from migrator.model.report.activity import Activity, Phase, PhaseName, Wait
from migrator.model.text.formatting import duration

# Nobody is left for longer without a line.
SILENCE = 5.0
# A wait that goes on is told again after as long as it has lasted, at most so much later.
_LONGEST_PAUSE = 60.0
# When a phase is a line of its own. Short ones in the middle of others would fill a log.
_FROM_THE_START: tuple[PhaseName, ...] = (
    "recording-keys",
    "copying",
    "catching-up",
    "following",
    "verifying",
    "standby",
)
_AFTER_A_MOMENT: tuple[PhaseName, ...] = ("building-index", "publishing")
_MOMENT = 1.0
_IDLE: tuple[PhaseName, ...] = ("following", "standby")


class ActivityLines(Protocol):
    """Where lines go."""

    def phase(self, activity: Activity) -> None:
        """What it is at."""
        ...

    def waiting(self, activity: Activity, wait: Wait) -> None:
        """What it waits for, and since when."""
        ...


class WaitLines:
    """Implements migrator.workers.announcer.ActivityListener: waits of more than a few seconds."""

    def __init__(self, lines: ActivityLines) -> None:
        self._lines = lines
        self._what = ""
        self._next = SILENCE

    def doing(self, activity: Activity) -> None:
        wait = activity.waiting
        if wait is None or wait.what != self._what:
            self._what, self._next = "" if wait is None else wait.what, SILENCE
        if wait is not None and wait.seconds >= self._next:
            self._next = _next(wait.seconds)
            self._lines.waiting(activity, wait)


class PhaseLines:
    """Implements migrator.workers.announcer.ActivityListener: phases, waits, and phases that go on with nothing to be
    said."""

    def __init__(self, lines: ActivityLines) -> None:
        self._lines = lines
        self._waits = WaitLines(lines)
        self._phase: Phase | None = None
        self._is_told = False
        self._next = SILENCE
        self._said = time.monotonic()

    def said(self) -> None:
        """Something else was said just now."""
        self._said = time.monotonic()

    def doing(self, activity: Activity) -> None:
        phase = _without_step(activity.phase)
        if phase != self._phase:
            self._phase, self._is_told, self._next = phase, False, SILENCE
        self._waits.doing(activity)
        if activity.waiting is not None and activity.waiting.seconds >= SILENCE:
            self.said()
        elif not self._is_told and _is_due(activity):
            self._tell(activity)
        elif activity.phase.name in _IDLE:
            # Nothing to do is no wait; a standby says what it waits for.
            return
        elif activity.seconds >= self._next and time.monotonic() - self._said >= SILENCE:
            self._next = _next(activity.seconds)
            self._tell(activity)

    def _tell(self, activity: Activity) -> None:
        self._is_told = True
        self.said()
        self._lines.phase(activity)


def _is_due(activity: Activity) -> bool:
    name = activity.phase.name
    return name in _FROM_THE_START or (name in _AFTER_A_MOMENT and activity.seconds >= _MOMENT)


def _without_step(phase: Phase) -> Phase:
    return Phase(phase.name, phase.collection, phase.number, phase.count)


def _next(seconds: float) -> float:
    return seconds + min(max(seconds, SILENCE), _LONGEST_PAUSE)


# --- for people ----------------------------------------------------------------------------------------------------


def doing(phase: Phase, beside: Phase | None) -> str:
    """`copying, recording cascade keys`."""
    return f"{phase}, {beside}" if beside is not None and beside.name != phase.name else str(phase)


def waiting(wait: Wait) -> str:
    """`waiting for the lease of the target, for 12 s`."""
    detail = f" ({wait.detail})" if wait.detail else ""
    return f"waiting for {wait.what}{detail}, for {duration(round(wait.seconds))}"


class TextLines:
    """Implements Lines for people."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def phase(self, activity: Activity) -> None:
        lasting = f", for {duration(round(activity.seconds))}" if activity.seconds >= SILENCE else ""
        self._say(doing(activity.phase, activity.beside) + lasting)

    def waiting(self, activity: Activity, wait: Wait) -> None:
        since = datetime.now() - timedelta(seconds=wait.seconds)
        self._say(f"{doing(activity.phase, activity.beside)}: {waiting(wait)}, since {since:%H:%M:%S}")


# --- for log collectors --------------------------------------------------------------------------------------------


class EventLines:
    """Implements Lines for programs: events `phase` and `waiting`."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def phase(self, activity: Activity) -> None:
        self._output.event("info", "phase", **facts(activity), text=doing(activity.phase, activity.beside))

    def waiting(self, activity: Activity, wait: Wait) -> None:
        since = datetime.now(UTC) - timedelta(seconds=wait.seconds)
        self._output.event(
            "warning",
            "waiting",
            **facts(activity),
            waiting_for=wait.what,
            waiting_seconds=wait.seconds,
            since=since.isoformat(timespec="seconds"),
            detail=wait.detail,
            text=f"{doing(activity.phase, activity.beside)}: {waiting(wait)}",
        )


def facts(activity: Activity) -> dict[str, object]:
    """An activity as plain values, without its wait."""
    phase, beside = activity.phase, activity.beside
    found: dict[str, object] = {"command": activity.command, "phase": phase.name, "phase_seconds": activity.seconds}
    found |= {"collection": phase.collection} if phase.collection else {}
    found |= {"number": phase.number, "count": phase.count} if phase.count else {}
    found |= {"step": phase.what} if phase.what else {}
    return found | ({"beside": beside.name} if beside is not None else {})


def lines_to(output: Output, say: Callable[[str], None]) -> ActivityLines:
    """As the command was told: text by `say`, or events."""
    return EventLines(output) if output.is_json else TextLines(say)
