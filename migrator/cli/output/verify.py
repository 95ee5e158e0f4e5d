"""What `verify` prints: progress on stderr, a summary for people, a report for machines."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import Progress, TaskID
from rich.table import Table
from rich.text import Text

from migrator.cli.output.activity import PhaseLines, lines_to, waiting
from migrator.cli.output.log_output import Output
from migrator.cli.output.terminal import LINE_SECONDS, WAIT_SHOWN, bar, rejection
from migrator.model.report.activity import Activity
from migrator.model.report.verify import Difference, DocumentFault, Tally, VerifyReport
from migrator.model.serialize import to_json
from migrator.model.text.formatting import clean, number, plural
from migrator.verify.outcome import VerifyObserver

_SHOWN_FAULTS = 10
_SHOWN_DIFFERENCES = 5
_SHOWN_REASONS = 10
_KINDS = ("missing", "extra", "different", "unsettled")


class _VerifyProgress:
    """How far a verify is, as text."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._before = 0
        self.expected = 0
        self.checked = 0

    def start(self, expected: int) -> None:
        self.expected = expected
        self._begun = time.monotonic()
        self._before = -1

    def of(self, tally: Tally, waiting: int) -> str:
        done = tally.checked + tally.rejected
        if self._before < 0:
            # What an earlier process did counts as done, not as fast.
            self._before = done
        self.checked = done
        seconds = max(time.monotonic() - self._begun, 0.001)
        text = f"{number(done)} of ~{number(max(self.expected, done))} documents"
        text += f", {number(round((done - self._before) / seconds))}/s"
        if tally.faults:
            text += f", {number(tally.faults)} not right"
        if tally.repaired:
            text += f", {number(tally.repaired)} put right"
        return f"{text}, {number(waiting)} to be compared again" if waiting else text


class VerifyLines:
    """Progress as lines of text, for logs."""

    def __init__(self, console: Console, output: Output) -> None:
        self._console = console
        self._words = _VerifyProgress()
        self._said = time.monotonic()
        self._phases = PhaseLines(lines_to(output, self.note))

    def doing(self, activity: Activity) -> None:
        self._phases.doing(activity)

    def started(self, expected: int, begun: str) -> None:
        self._words.start(expected)
        if begun:
            self.note(_resumed(begun))

    def looked(self, collection: str, tally: Tally, waiting: int) -> None:
        text = self._words.of(tally, waiting)
        if time.monotonic() - self._said >= LINE_SECONDS:
            self._said = time.monotonic()
            self.note(f"{collection}: {text}")

    def paused(self, reason: str) -> None:
        self.note(f"paused: {reason}")

    def continued(self) -> None:
        self.note("going on")

    def note(self, text: str) -> None:
        self._phases.said()
        self._console.print(clean(text), soft_wrap=True)


class VerifyBar:
    """Progress as a bar, for terminals."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._words = _VerifyProgress()
        self._facts = ""
        self._task: TaskID = progress.add_task("starting", total=None, facts="")

    def doing(self, activity: Activity) -> None:
        """The phase, and in place of numbers what keeps them from growing."""
        wait = activity.waiting
        facts = self._facts if wait is None or wait.seconds < WAIT_SHOWN else waiting(wait)
        self._progress.update(self._task, description=clean(str(activity.phase)), facts=clean(facts))

    def started(self, expected: int, begun: str) -> None:
        self._words.start(expected)
        if begun:
            self.note(_resumed(begun))

    def looked(self, collection: str, tally: Tally, waiting: int) -> None:
        self._facts = f"{collection}: {self._words.of(tally, waiting)}"
        total = max(self._words.expected, self._words.checked, 1)
        self._progress.update(self._task, completed=self._words.checked, total=total, facts=clean(self._facts))

    def paused(self, reason: str) -> None:
        """What is waited for is shown anyway."""

    def continued(self) -> None:
        """So is what goes on."""

    def note(self, text: str) -> None:
        self._console.print(clean(text))


def _resumed(begun: str) -> str:
    return f"resuming the verify begun at {begun}"


@contextmanager
def watching(console: Console, output: Output) -> Iterator[VerifyObserver]:
    """An observer that shows progress, as a bar in a terminal and as lines or events elsewhere."""
    if not console.is_terminal:
        yield VerifyLines(console, output)
        return
    with bar(console) as progress:
        yield VerifyBar(console, progress)


def summary(report: VerifyReport) -> Iterator[RenderableType]:
    """What a person reads."""
    yield _totals(report)
    for note in report.notes:
        yield Text.assemble(("note  ", "yellow"), clean(note))
    for each in report.indexes:
        name = f" {each.index}" if each.index else ""
        yield Text.assemble(("index  ", "bold red"), clean(f"{each.collection}{name}: {each.reason}"))
    faults = [fault for each in report.collections for fault in each.faults]
    for fault in faults[:_SHOWN_FAULTS]:
        yield from _fault(fault)
    left = report.tally.faults - min(len(faults), _SHOWN_FAULTS)
    if left:
        yield Text(f"and {plural(left, 'further document')} that are not right; --report FILE lists them", "bold")
    if report.rejected:
        text = f"Rejected rows still open: {plural(report.rejected, 'reason')} recorded in _migrator_rejected"
        yield Text(f"{text}, the first ones:", "yellow")
        yield from map(rejection, report.reasons[:_SHOWN_REASONS])
    yield Text(_verdict(report), "bold green" if report.clean else "bold red")


def _verdict(report: VerifyReport) -> str:
    tally = report.tally
    if not report.clean:
        found = [f"{number(getattr(tally, kind))} {kind}" for kind in _KINDS if getattr(tally, kind)]
        found += [plural(len(report.indexes), "index missing", "indexes missing")] if report.indexes else []
        return f"Not the same: {', '.join(found)}."
    text = f"The same: {plural(tally.checked, 'document')} compared"
    if not report.complete:
        text += ", a sample; extra documents were not looked for"
    return f"{text}, {number(tally.repaired)} of them put right." if tally.repaired else f"{text}."


def _totals(report: VerifyReport) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("collection", overflow="fold")
    columns = ("checked", *_KINDS[:3], "rejected")
    shown = [*columns, *(name for name in ("unsettled", "repaired") if getattr(report.tally, name))]
    for name in shown:
        table.add_column(name, justify="right")
    for each in report.collections:
        cells = []
        for name in shown:
            value = getattr(each.tally, name)
            cells.append(Text(number(value), "bold red" if value and name in _KINDS else ""))
        table.add_row(Text(clean(each.scope.collection)), *cells)
    return table


def _fault(fault: DocumentFault) -> Iterator[RenderableType]:
    head = Text.assemble((f"{fault.kind}  ", "bold red"), (clean(f"{fault.collection} {fault.document}"), "bold"))
    if fault.reason:
        head.append(clean(f": {fault.reason}"))
    yield head
    for each in fault.differences[:_SHOWN_DIFFERENCES]:
        yield Padding(Text(clean(_difference(each))), (0, 0, 0, 4))
    more = fault.more + max(0, len(fault.differences) - _SHOWN_DIFFERENCES)
    if more:
        yield Padding(Text(f"and {plural(more, 'further difference')}"), (0, 0, 0, 4))


def _difference(each: Difference) -> str:
    place = each.path or "the document"
    if each.source is None and each.target is None:
        return f"{place}: {each.note}"
    source = "(missing)" if each.source is None else each.source
    target = "(missing)" if each.target is None else each.target
    text = f"{place}: source {source}, target {target}"
    return f"{text} ({each.note})" if each.note else text


def as_json(report: VerifyReport) -> str:
    """The report file."""
    body: dict[str, Any] = json.loads(to_json(report))
    body["clean"] = report.clean
    for one, each in zip(body["collections"], report.collections, strict=True):
        one["faults_left_out"] = each.tally.faults - len(each.faults)
        for fault in one["faults"]:
            # For repairs only: the same as `document`, in the servers' own bytes.
            del fault["identity"], fault["keys"]
    return json.dumps(body, indent=2, ensure_ascii=False)
