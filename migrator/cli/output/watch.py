"""What `status --watch` prints: a screen, a line for each change, or a JSON object for each refresh."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from migrator.cli.output.activity import SILENCE, ActivityLines, WaitLines, doing, waiting
from migrator.cli.output.status import as_json, as_text, moment, state_words
from migrator.errors import Retryable
from migrator.model.report.activity import Activity, Wait
from migrator.model.report.status import CollectionStatus, Status, Work
from migrator.model.text.formatting import clean, duration
from migrator.workers.announcer import Announcements

Read = Callable[[], Status]


# What is said of something that was there and is no more; of a command that it has ended.
_GONE = {"collection": "gone", "target": "answers again"}
_ANSWER = "an answer of the target"


class Screen(ActivityLines, Protocol):
    """Where looks are shown, and waits for one."""

    def show(self, status: Status) -> None: ...

    def fault(self, fault: Retryable) -> None:
        """The target could not be asked; what was shown before is old."""
        ...


def poll_status(read: Read, lines: ActivityLines) -> Status:
    """What `read` gives; `lines` hear when that takes long."""
    with Announcements("status", WaitLines(lines)) as announcements, announcements.waiting(_ANSWER):
        return read()


def watch(read: Read, screen: Screen, interval: float) -> None:
    """Looks again and again until Ctrl-C or SIGTERM, which is how a watch ends.

    A target that does not answer is shown as that, and asked again; the first look must succeed.

    Raises:
        TargetError: what the first look raises, and what waiting does not help against.
    """
    try:
        screen.show(poll_status(read, screen))
        while True:
            time.sleep(interval)
            try:
                screen.show(poll_status(read, screen))
            except Retryable as fault:
                screen.fault(fault)
    except KeyboardInterrupt:
        return


@contextmanager
def screen(console: Console, interval: float, *, json_lines: bool) -> Iterator[Screen]:
    """What suits where the output goes."""
    if json_lines:
        yield StatusJsonLines()
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield LiveScreen(live, interval)
    else:
        yield StatusChangeLines()


class LiveScreen:
    """For a terminal: one picture, written over."""

    def __init__(self, live: Live, interval: float) -> None:
        self._live = live
        self._interval = interval
        self._status: Status | None = None

    def show(self, status: Status) -> None:
        self._status = status
        self._draw()

    def fault(self, fault: Retryable) -> None:
        self._draw(f"the target does not answer: {fault.what}; this is what it said last")

    def phase(self, activity: Activity) -> None:
        """It looks, all the time."""

    def waiting(self, activity: Activity, wait: Wait) -> None:
        self._draw(f"{waiting(wait)}; this is what it said last")

    def _draw(self, fault: str = "") -> None:
        if self._status is None:
            self._live.update(Text(clean(fault), "bold red"), refresh=True)
            return
        head = f"{self._status.target}  {moment(self._status.at)}, every {self._interval:g} s, Ctrl-C ends it"
        parts = [Text(clean(head), "dim"), *([Text(clean(fault), "bold red")] if fault else []), Text()]
        self._live.update(Group(*parts, *as_text(self._status)), refresh=True)


class StatusChangeLines:
    """For pipes and files: a line for each thing that is not what it was."""

    def __init__(self) -> None:
        self._before: Mapping[str, str] = {}

    def show(self, status: Status) -> None:
        found = gist(status)
        for name in [*found, *(self._before.keys() - found.keys())]:
            now = found.get(name) or _GONE.get(name.split()[0], "ended")
            if self._before.get(name) != now:
                click.echo(clean(f"{moment(status.at)}  {name}: {now}"))
        self._before = found

    def fault(self, fault: Retryable) -> None:
        self._target(f"does not answer: {fault.what}")

    def phase(self, activity: Activity) -> None:
        """It looks, all the time."""

    def waiting(self, activity: Activity, wait: Wait) -> None:
        self._target(f"does not answer, for {duration(round(wait.seconds))}")

    def _target(self, text: str) -> None:
        if self._before.get("target") != text:
            click.echo(clean(f"target: {text}"))
        self._before = {**self._before, "target": text}


class StatusJsonLines:
    """For programs: all of it for each look."""

    def show(self, status: Status) -> None:
        click.echo(as_json(status, indent=None))

    def fault(self, fault: Retryable) -> None:
        click.echo(json.dumps({"error": fault.what, "where": fault.where}))

    def phase(self, activity: Activity) -> None:
        """It looks, all the time."""

    def waiting(self, activity: Activity, wait: Wait) -> None:
        click.echo(json.dumps({"waiting_for": wait.what, "waiting_seconds": wait.seconds}))


def gist(status: Status) -> dict[str, str]:
    """What is worth a line when it changes, by what it is of: no numbers that always grow."""
    found = {f"collection {each.name}": _collection(each) for each in status.collections}
    for work in (status.apply, None if status.sync is None else status.sync.work, status.verify):
        if work is not None:
            found[work.command] = _work(work)
    if status.sync is not None and status.sync.work.running and status.sync.state == "unknown":
        found["sync"] += ", lag unknown" + (": the last report is stale" if status.sync.stale else "")
    return found


def _collection(each: CollectionStatus) -> str:
    """The state, and why it is rebuilt."""
    words = state_words(each)
    return f"{words}: {each.rebuild.why}" if each.rebuild is not None and each.rebuild.why else words


def _work(work: Work) -> str:
    if not work.running:
        return f"not running: {work.ended}" if work.ended not in ("", "done") else "not running"
    if work.phase is None:
        return "at work"
    text = doing(work.phase, work.beside)
    if work.waiting is None or work.waiting.seconds < SILENCE:
        return text
    return f"{text}: waiting for {work.waiting.what}"
