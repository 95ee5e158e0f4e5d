"""What the command line prints: results on stdout, everything else on stderr. rich honours NO_COLOR."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import click
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn
from rich.status import Status
from rich.table import Column, Table
from rich.text import Text

from migrator.cli.output.activity import SILENCE, PhaseLines, WaitLines, doing, lines_to, waiting
from migrator.cli.output.log_output import Output
from migrator.copy.catch_up_trend import CatchUp
from migrator.copy.options import ApplyResult, Observer, SampleResult
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import ChunkResult, Rejected
from migrator.model.plan.plan import Plan
from migrator.model.plan.run import CollectionProgress, Run
from migrator.model.report.activity import Activity, Command, Phase
from migrator.model.report.check import Check
from migrator.model.text.formatting import clean, duration, number, plural, size
from migrator.workers.announcer import ActivityListener, Announcements, Ask

# Between two lines of progress where there is no terminal.
LINE_SECONDS = 5.0
# A wait takes the place of numbers after so long.
WAIT_SHOWN = 3.0
# Between two looks for a Ctrl-C while an answer is awaited.
_POLL_SECONDS = 0.1
_CHECK_STYLES = {"ok": "green", "warning": "yellow", "blocked": "bold red"}


def stdout() -> Console:
    """For results. 80 columns where the width is unknown; nothing in data is taken for markup."""
    return Console(highlight=False, markup=False, emoji=False)


def stderr() -> Console:
    """For progress, notes and errors."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def note(text: str) -> None:
    """Prints a line on stderr, whatever is in it."""
    stderr().print(clean(text), soft_wrap=True)


def show(parts: Iterable[RenderableType]) -> None:
    """Prints results, one below the other, each when it comes."""
    console = stdout()
    for part in parts:
        if console.is_terminal:
            console.print(part)
            continue
        with console.capture() as captured:
            console.print(part)
        # Tables are padded to their width, which nobody wants in a file.
        click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def agreed(question: str) -> bool:
    """Whether the person at the terminal answers `y` or `yes`; anything else is a no, and so is the end of the input.

    Raises:
        KeyboardInterrupt: Ctrl-C, whenever it comes. A read begun just after it would keep it until the next key
            (CPython looks for signals when a read is interrupted, not before it starts): so nothing is read until
            there is something to read.
    """
    click.echo(f"{question} [y/N]: ", nl=False, err=True)
    while not select.select([sys.stdin], [], [], _POLL_SECONDS)[0]:
        pass
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextmanager
def planning(console: Console, output: Output, blocked: Ask) -> Iterator[Callable[[str], None]]:
    """Gives a function that is told each step of a plan.

    In a terminal a line says what is being done now; elsewhere there is one when it takes long.

    Args:
        blocked: what sessions of the source wait for.
    """
    with ExitStack() as stack:
        listener: ActivityListener = PhaseLines(lines_to(output, lambda text: _say(console, text)))
        if console.is_terminal:
            listener = _StatusLine(stack.enter_context(console.status("")))
        announcements = stack.enter_context(Announcements("plan", listener))
        announcements.enter(Phase("planning"))
        stack.enter_context(announcements.waiting("answers of the servers", blocked))
        yield lambda text: announcements.enter(Phase("planning", what=text))


@contextmanager
def awaiting(output: Output, command: Command, what: str, ask: Ask | None = None) -> Iterator[None]:
    """A block in which a command waits for answers: lines on stderr say so when it takes long, also in a terminal.

    Args:
        what: completes "waiting for".
        ask: says more about it.
    """
    with Announcements(command, WaitLines(lines_to(output, note))) as announcements, announcements.waiting(what, ask):
        yield


class _StatusLine:
    """Implements migrator.workers.announcer.ActivityListener: a line that is written over."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def doing(self, activity: Activity) -> None:
        text, wait = activity.phase.what or str(activity.phase), activity.waiting
        text += f" ({wait.detail})" if wait is not None and wait.detail else ""
        text += f", for {duration(round(activity.seconds))}" if activity.seconds >= SILENCE else ""
        self._status.update(one_line(text))


def one_line(text: str) -> RenderableType:
    """Text that is cut off at the terminal's width: a line that is written over must not become two."""
    row = Table.grid(Column(no_wrap=True, overflow="ellipsis"))
    row.add_row(Text(clean(text)))
    return row


def _say(console: Console, text: str) -> None:
    console.print(clean(text), soft_wrap=True)


def bar(console: Console) -> Progress:
    """What is done, how far, and the task's `facts`; it is gone when the work is."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    return Progress(*columns, console=console, transient=True)


# --- apply ------------------------------------------------------------------------------------------------------


class ApplyProgress:
    """How far an apply is, and how fast."""

    def __init__(self, plan: Plan) -> None:
        measures = {each.collection.name: each.measure for each in plan.collections}
        self._expected = {name: measure.documents for name, measure in measures.items() if measure}
        self._before = 0
        self._started = time.monotonic()
        self._total = 0
        self._exact = True
        self.documents = 0
        self.rows = 0

    def start(self, progress: Mapping[str, CollectionProgress]) -> None:
        """Begins to measure; what an earlier process did counts as done, not as fast."""
        found = [self._expected[name] for name in progress if name in self._expected]
        self._total = sum(measure.value for measure in found)
        self._exact = all(measure.exact for measure in found)
        self._before = self.documents = sum(each.documents + each.rejected for each in progress.values())
        self._started = time.monotonic()

    def add(self, result: ChunkResult) -> None:
        self.documents += result.documents + result.rejected
        self.rows += result.rows

    @property
    def total(self) -> int:
        """Documents in all; never less than there are already."""
        return max(self._total, self.documents)

    @property
    def seconds(self) -> float:
        return max(time.monotonic() - self._started, 0.001)

    def __str__(self) -> str:
        """`12,000 of ~40,000 documents (30%), 8,200 rows/s, about 40 s left`."""
        approximately = "" if self._exact else "~"
        done = self.documents / self.total if self.total else 1.0
        text = f"{number(self.documents)} of {approximately}{number(self.total)} documents ({done:.0%})"
        text += f", {number(self.rows)} rows, {number(round(self.rows / self.seconds))} rows/s"
        fresh = self.documents - self._before
        if fresh and self.total > self.documents:
            left = (self.total - self.documents) * self.seconds / fresh
            text += f", about {duration(left)} left"
        return text


class ApplyLines:
    """Progress as lines of text, for logs."""

    def __init__(self, console: Console, plan: Plan, output: Output) -> None:
        self._console = console
        self._tally = ApplyProgress(plan)
        self._said = time.monotonic()
        self._phases = PhaseLines(lines_to(output, self._say))

    def doing(self, activity: Activity) -> None:
        self._phases.doing(activity)

    def started(self, run: Run, progress: Mapping[str, CollectionProgress], *, resumed: bool) -> None:
        self._tally.start(progress)
        self._say(_begun(run, self._tally, resumed=resumed))

    def chunk_done(self, result: ChunkResult) -> None:
        self._tally.add(result)
        if time.monotonic() - self._said >= LINE_SECONDS:
            self._said = time.monotonic()
            self._say(f"{result.chunk.collection}: {self._tally}")

    def paused(self, reason: str) -> None:
        self._say(f"paused: {reason}")

    def continued(self) -> None:
        self._say("going on")

    def catching_up(self, progress: CatchUp) -> None:
        if time.monotonic() - self._said >= LINE_SECONDS:
            self._said = time.monotonic()
            self._say(f"catching up: {caught_up(progress)}")

    def published(self, collection: str) -> None:
        self._say(f"{collection} is live")

    def note(self, text: str) -> None:
        self._say(text)

    def _say(self, text: str) -> None:
        self._phases.said()
        _say(self._console, text)


class ApplyBar:
    """Progress as a bar, for terminals."""

    def __init__(self, console: Console, progress: Progress, plan: Plan) -> None:
        self._console = console
        self._progress = progress
        self._tally = ApplyProgress(plan)
        self._facts = ""
        self._task = progress.add_task("starting", total=None, facts="")

    def doing(self, activity: Activity) -> None:
        """The phase, and in place of numbers what keeps them from growing."""
        name = activity.phase.name
        if name not in ("copying", "recording-keys", "catching-up"):
            self._facts = ""
        wait = activity.waiting
        facts = self._facts if wait is None or wait.seconds < WAIT_SHOWN else waiting(wait)
        is_counted = name in ("copying", "recording-keys")
        self._progress.update(
            self._task,
            description=clean(doing(activity.phase, activity.beside)),
            total=(self._tally.total or 1) if is_counted else None,
            completed=self._tally.documents if is_counted else 0,
            facts=clean(facts),
        )

    def started(self, run: Run, progress: Mapping[str, CollectionProgress], *, resumed: bool) -> None:
        self._tally.start(progress)
        self.note(_begun(run, self._tally, resumed=resumed))

    def chunk_done(self, result: ChunkResult) -> None:
        self._tally.add(result)
        self._facts = str(self._tally)
        self._progress.update(self._task, completed=self._tally.documents, total=self._tally.total, facts=self._facts)

    def paused(self, reason: str) -> None:
        """What is waited for is shown anyway."""

    def continued(self) -> None:
        """So is what goes on."""

    def catching_up(self, progress: CatchUp) -> None:
        self._facts = caught_up(progress)
        self._progress.update(self._task, facts=self._facts)

    def published(self, collection: str) -> None:
        self.note(f"{collection} is live")

    def note(self, text: str) -> None:
        self._console.print(clean(text))


def caught_up(progress: CatchUp) -> str:
    """`1,204 changes/s read, 611 documents/s written, lag 12 s, 3.4 MB of log and 120 entries left`."""
    parts = [
        f"{number(round(progress.changes_rate))} changes/s read",
        f"{number(round(progress.documents_rate))} documents/s written",
    ]
    if progress.lag_seconds is not None:
        parts.append(f"lag {duration(progress.lag_seconds)}")
    left = [] if progress.bytes_left is None else [f"{size(progress.bytes_left)} of log"]
    if progress.dirty:
        left.append(plural(progress.dirty, "entry", "entries"))
    return ", ".join(parts) + (f", {' and '.join(left)} left" if left else "")


def _begun(run: Run, tally: ApplyProgress, *, resumed: bool) -> str:
    if resumed:
        return f"resuming run {run.id}, begun at {run.started}: {number(tally.documents)} documents are done"
    return f"run {run.id} begun"


@contextmanager
def watching(console: Console, plan: Plan, output: Output) -> Iterator[Observer]:
    """An observer that shows an apply's progress, as a bar in a terminal and as lines or events elsewhere."""
    if not console.is_terminal:
        yield ApplyLines(console, plan, output)
        return
    with bar(console) as progress:
        yield ApplyBar(console, progress, plan)


def applied(result: ApplyResult, examples: Sequence[Rejected], seconds: float) -> Iterator[RenderableType]:
    """The closing summary of an apply."""
    if result.progress:
        yield _totals(result)
    took = f"Done in {duration(seconds)}."
    yield Text(f"{took} Run {result.run}." if result.run else took, "bold")
    for problem in result.problems:
        yield Text.assemble(("warning  ", "yellow"), clean(problem))
    if result.problems:
        yield Text(
            "The next apply tries to build these again on the existing documents. Where rows must be fixed first, fix "
            "them, then let sync update the documents, or copy again with `apply --replace NAME`."
        )
    if result.rejected:
        yield Text()
        yield Text(f"Rejected: {plural(result.rejected, 'reason')} recorded, the first ones:", "bold red")
        yield from map(rejection, examples)
        yield Text(
            "All of them are in the target's state (_migrator_rejected). Fix the rows or choose another policy, then "
            "apply again: it copies these collections again."
        )


def _totals(result: ApplyResult) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("collection")
    for name in ("documents", "rows read", "size", "rejected"):
        table.add_column(name, justify="right")
    for each in result.progress.values():
        rejected = Text(number(each.rejected), "bold red" if each.rejected else "")
        table.add_row(
            Text(clean(each.collection)), number(each.documents), number(each.rows), size(each.bytes), rejected
        )
    return table


def rejection(each: Rejected) -> RenderableType:
    """Why a document was rejected, and the place of the row at fault."""
    where = f"{each.collection} {each.document}"
    place = f"{each.table} ({each.key})" + (f" {each.column}" if each.column else "")
    value = f" = {each.value!r}" if each.value else ""
    said = f"; the target said: {each.said}" if each.said else ""
    text = Text.assemble((clean(where), "bold"), clean(f": {place}{value}: {each.reason}{said}"))
    return Padding(text, (0, 0, 0, 2))


def sampled(results: Sequence[SampleResult]) -> Iterator[Text]:
    """What a trial wrote."""
    for each in results:
        text = f"{each.collection}: {plural(each.documents, 'document')} in the trial collection {each.name}"
        if each.rejected:
            text += f", {number(each.rejected)} rejected on the way"
        yield Text(clean(text))


# --- check and doctor -------------------------------------------------------------------------------------------


def checked(collections: Sequence[Collection]) -> Iterator[RenderableType]:
    """What the mapping files describe."""
    rows = Table.grid(padding=(0, 2))
    for each in collections:
        tables = f"{each.root.table}, {plural(len(each.tables), 'table')}"
        rows.add_row(Text(clean(each.name), "bold"), Text(clean(tables)), Text(clean(each.file), "dim"))
    yield rows
    yield Text(f"{plural(len(collections), 'mapping')}, no mistakes.", "green")


def diagnosis(side: str, checks: Iterable[Check]) -> Iterator[RenderableType]:
    """The lines of doctor about one side, each as soon as it is known."""
    yield Text(side, "bold")
    yield from map(_check, checks)


def _check(check: Check) -> RenderableType:
    rows = Table.grid(padding=(0, 1))
    rows.add_column(width=8, no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_row(Text(check.status, _CHECK_STYLES[check.status]), Text(f"{clean(check.name)}: {clean(check.text)}"))
    for line in check.fix.splitlines():
        rows.add_row("", Text(f"-> {clean(line)}"))
    return Padding(rows, (0, 0, 0, 2))
