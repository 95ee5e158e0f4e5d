"""What `sync` prints: lines for people or events for machines, on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Protocol

import click
from rich.console import Console

from migrator.cli.output.activity import EventLines, PhaseLines, TextLines, doing, waiting
from migrator.cli.output.log_output import Output
from migrator.cli.output.terminal import WAIT_SHOWN, one_line
from migrator.model.change.coordinates import shown
from migrator.model.change.events import SyncReport
from migrator.model.report.activity import Activity
from migrator.model.text.formatting import number
from migrator.sync.dry_run import WouldChange
from migrator.sync.sync import SyncObserver, SyncResult

# Between two lines of progress where there is no terminal.
_LINE_SECONDS = 10.0


class ClosableObserver(SyncObserver, Protocol):
    """An observer that has something to put away."""

    def close(self) -> None: ...


class SyncLines:
    """For people: a line that is written over on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("starting") if console.is_terminal else None
        self._said = float("-inf")
        self._state = ""
        self._is_waiting = False
        self._phases = PhaseLines(_UnreportedPhases(self.note))
        if self._status is not None:
            self._status.start()

    def doing(self, activity: Activity) -> None:
        wait = activity.waiting
        self._is_waiting = wait is not None and wait.seconds >= WAIT_SHOWN
        if self._status is None:
            self._phases.doing(activity)
        elif wait is not None and self._is_waiting:
            self._status.update(one_line(f"{doing(activity.phase, activity.beside)}: {waiting(wait)}"))

    def reported(self, report: SyncReport) -> None:
        text = line(report)
        if self._status is not None:
            # A wait is shown until it ends: reports come all the while.
            if not self._is_waiting:
                self._status.update(one_line(text))
            return
        now = time.monotonic()
        if report.state != self._state or now - self._said >= _LINE_SECONDS:
            self._state, self._said = report.state, now
            self._phases.said()
            click.echo(text, err=True)

    def note(self, text: str) -> None:
        self._console.print(text) if self._status is not None else click.echo(text, err=True)

    def close(self) -> None:
        if self._status is not None:
            self._status.stop()


class _UnreportedPhases(TextLines):
    """What no report says."""

    def phase(self, activity: Activity) -> None:
        if activity.phase.name not in ("catching-up", "following"):
            super().phase(activity)


class SyncJsonLines:
    """For log collectors: one JSON object a line on stderr, with time, level, event and its facts."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._state = ""
        self._said = float("-inf")
        self._phases = PhaseLines(EventLines(output))

    def doing(self, activity: Activity) -> None:
        self._phases.doing(activity)

    def reported(self, report: SyncReport) -> None:
        now = time.monotonic()
        if report.state == self._state and now - self._said < _LINE_SECONDS:
            return
        self._state, self._said = report.state, now
        self._phases.said()
        self._output.event("error" if report.error else "info", "progress", **facts(report))

    def note(self, text: str) -> None:
        self._output.event("warning", "note", text=text)

    def close(self) -> None:
        """Every line is out already."""


class ObserverGroup:
    """Tells several observers."""

    def __init__(self, observers: Sequence[ClosableObserver]) -> None:
        self._observers = observers

    def reported(self, report: SyncReport) -> None:
        for each in self._observers:
            each.reported(report)

    def doing(self, activity: Activity) -> None:
        for each in self._observers:
            each.doing(activity)

    def note(self, text: str) -> None:
        for each in self._observers:
            each.note(text)


@contextmanager
def watching(observers: Sequence[ClosableObserver]) -> Iterator[SyncObserver]:
    """All of `observers` for the length of the block."""
    try:
        yield ObserverGroup(observers)
    finally:
        for each in observers:
            each.close()


def line(report: SyncReport) -> str:
    """`following: 3 collections, 1,204 changes, 611 documents, 52 a second, lag 0 s`."""
    parts = [
        f"{number(len(report.serving))} collection{'' if len(report.serving) == 1 else 's'}",
        f"{number(report.changes)} changes read",
        f"{number(report.documents)} documents",
        f"{report.rate:,.0f} changes a second",
        "lag unknown" if report.lag_seconds is None else f"lag {report.lag_seconds:,.0f} s",
    ]
    parts += [f"{number(report.dirty)} waiting"] if report.dirty else []
    state = "starting" if report.state == "unknown" else report.state
    return f"{state}: {', '.join(parts)}"


def facts(report: SyncReport) -> dict[str, object]:
    """A report as plain values."""
    found = asdict(report)
    position = report.position
    found["position"] = (
        None
        if position is None
        else {"file": position.file, "offset": position.offset, "gtid": position.gtid, "server": position.server.uuid}
    )
    return found


# --- dry run -----------------------------------------------------------------------------------------------------


def would_change(found: WouldChange) -> Iterator[str]:
    """Lines of `sync --dry-run`: one a document."""
    for key in found.keys:
        yield f"{found.collection}  {key}"
    if found.searched:
        yield f"{found.collection}  all that hold any of {number(found.searched)} changed rows"


def last_words(result: SyncResult) -> str:
    """What a sync that ended says."""
    report = result.report
    if report is None:
        return "Stopped as a standby."
    place = f" at {shown(report.position)}" if report.position is not None else ""
    how = ", caught up" if result.caught_up else ""
    done = f"{number(report.changes)} changes read, {number(report.documents)} documents rebuilt"
    return f"Stopped{place}{how}: {done}."
