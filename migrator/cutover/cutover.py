"""cutover: the checklist before the application writes to the target, run as a command.

Every gate must hold, one after the other; the first that doesn't hold ends it, and nothing has changed. It is safe
because the fence is checked in the log. Everything logged before the fence is in the documents (the sync has passed
it), the documents agree with the rows (the final verify), and nothing was logged after it (the log is read again, also
after the record, which is withdrawn if a write got through).
"""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from migrator.copy.options import ApplyOptions
from migrator.cutover.write_freeze import written_after
from migrator.errors import CutoverRefused, SyncBlocked, VerifyFailed
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.model.report.activity import Phase
from migrator.model.report.cutover import Counter, CutoverResult, Handover, Seed, Step
from migrator.model.report.verify import Selection, VerifyReport
from migrator.model.text.formatting import plural
from migrator.ports.cutover import CutoverEndpoints, CutoverSource, CutoverState, CutoverTarget
from migrator.verify.outcome import VerifyObserver, VerifyOptions
from migrator.verify.selection import chosen
from migrator.verify.sync_monitor import SyncMonitor
from migrator.verify.verify import verify
from migrator.verify.worker import require_copied_server
from migrator.waits import SILENT_WAITS
from migrator.workers.announcer import Announcements, Ask
from migrator.workers.retry import retrying

_POLL_SECONDS = 0.5
_ANSWERS = "answers of the servers"
_STARTING = Phase("starting")

CountersOf = Callable[[Sequence[Collection]], Sequence[Counter]]


@dataclass(frozen=True, slots=True)
class CutoverOptions:
    """What is switched, and how patiently.

    Attributes:
        collections: names; empty for all.
        rehearse: everything but fence, counters and record.
        fenced: writes are kept out in another way than by read_only.
        wait_seconds: how long the sync may take to catch up, and the fence to be there.
        pace: of the two verifies.
    """

    collections: tuple[str, ...]
    pace: ApplyOptions
    rehearse: bool = False
    fenced: bool = False
    wait_seconds: float = 300.0


class CutoverObserver(VerifyObserver, Protocol):
    """Hears of the work; called in the process that runs `cutover`, never concurrently."""

    def passed(self, step: Step) -> None: ...

    def fence_wanted(self) -> None:
        """The source is to be made read-only now."""
        ...


def cutover(
    ends: CutoverEndpoints, counters_of: CountersOf, options: CutoverOptions, observer: CutoverObserver
) -> CutoverResult:
    """Runs the checklist, and records that the application has the collections from now on.

    Raises:
        CutoverRefused, VerifyFailed, SyncBlocked: when a gate does not hold; nothing was changed.
        SettingsError: when a collection isn't there, or was handed over before.
    """
    source, target = ends.open_source(), ends.open_target(SILENT_WAITS)
    with closing(target):
        state = target.cutover_state()
        if state is None:
            raise CutoverRefused(
                "an application can't use a folder of files",
                where=target.identity().address,
                hint="Load it with mongorestore, or apply to a MongoDB database.",
            )
        return _Cutover(ends, source, target, state, counters_of, options, observer).run()


@contextmanager
def _waiting(what: str, observer: CutoverObserver, ask: Ask | None, phase: Phase = _STARTING) -> Iterator[None]:
    """What is waited for at a gate or between two: a verify tells of its own."""
    with Announcements("cutover", observer) as announcements:
        announcements.enter(phase)
        with announcements.waiting(what, ask):
            yield


class _Cutover:
    """One execution."""

    def __init__(
        self,
        ends: CutoverEndpoints,
        source: CutoverSource,
        target: CutoverTarget,
        state: CutoverState,
        counters_of: CountersOf,
        options: CutoverOptions,
        observer: CutoverObserver,
    ) -> None:
        self._ends = ends
        self._source = source
        self._target = target
        self._state = state
        self._counters_of = counters_of
        self._options = options
        self._observer = observer
        self._retrying = retrying(options.pace.retry_seconds)
        self._verifying = target.verify_state()
        self._sync_monitor = SyncMonitor(target.sync_target())
        self._steps: list[Step] = []

    def run(self) -> CutoverResult:
        with _waiting(_ANSWERS, self._observer, self._source.blocked):
            self._choose()
        self._settings()
        self._sync("sync")
        self._nothing_rejected()
        self._verify("verify")
        self._freeze_writes()
        end = self._sync("catch-up")
        report = self._verify("final verify")
        self._nothing_written(end)
        seeds = self._seeds()
        handovers = self._handovers(end, report, seeds)
        if not self._options.rehearse:
            with _waiting("the target to take the highest numbers", self._observer, None):
                for seed in seeds:
                    self._state.seed(seed)
            self._record(handovers, end)
        return CutoverResult(self._options.rehearse, tuple(self._steps), handovers, tuple(self._warnings()))

    def _choose(self) -> None:
        """The collections that are to be handed over."""
        self._every = self._verifying.published()
        done = self._state.handed_over()
        for name in self._options.collections:
            if name in done:
                raise CutoverRefused(f"{name} was handed over at {done[name].at}", where=name)
        left = tuple(each for each in self._every if each.scope.collection not in done)
        self._published = chosen(left, Selection(self._options.collections))
        self._collections = [each.collection for each in self._published]
        for each in self._published:
            require_copied_server(each.server, self._source)

    # --- the gates ---

    def _settings(self) -> None:
        with self._asking("the source's settings"):
            self._source.require_followable()
        self._pass("settings", "the log contains everything that sync needs")

    def _sync(self, name: str) -> Position:
        """A sync is at work on all of it, and has done all that is logged now."""
        with self._standing_by("the running sync to do all that is logged"):
            end = self._caught_up()
        self._pass(name, f"sync has applied everything logged before {end.file}, {end.offset}")
        return end

    def _caught_up(self) -> Position:
        """Where the log ended when this began, as soon as the sync has passed it."""
        end = self._end()
        until = time.monotonic() + self._options.wait_seconds
        for each in self._published:
            while not (self._sync_monitor.serves(each.scope) and self._sync_monitor.has_passed(each.scope, end)):
                if not self._sync_monitor.is_running:
                    raise CutoverRefused(
                        "no sync is running",
                        where=each.scope.collection,
                        hint="Start `migrator sync`, and keep it running.",
                    )
                if time.monotonic() > until:
                    raise CutoverRefused(
                        f"sync has not caught up within {self._options.wait_seconds:g} seconds",
                        where=each.scope.collection,
                        hint="`migrator status` shows its progress; try again later, or with a longer --wait.",
                    )
                time.sleep(_POLL_SECONDS)
        return end

    def _asking(self, what: str) -> AbstractContextManager[None]:
        return _waiting(what, self._observer, self._source.blocked)

    def _standing_by(self, what: str) -> AbstractContextManager[None]:
        return _waiting(what, self._observer, None, Phase("standby"))

    def _nothing_rejected(self) -> None:
        with _waiting("the target to count what is rejected", self._observer, None):
            found = {each.scope.collection: self._verifying.count_rejected(each.scope) for each in self._published}
        open_ = [f"{name}: {count}" for name, count in found.items() if count]
        if open_:
            raise VerifyFailed(
                f"rows are rejected, so documents are missing ({', '.join(open_)})",
                hint="Fix the rows or choose a policy; `migrator status` and _migrator_rejected say which.",
            )
        self._pass("rejected", "nothing is rejected")

    def _verify(self, name: str) -> VerifyReport:
        names = tuple(each.scope.collection for each in self._published)
        pace = replace(self._options.pace, restart=True)
        report = verify(self._ends, VerifyOptions(Selection(names), pace), self._observer)
        tally = report.tally
        if not report.clean:
            first = next((fault for each in report.collections for fault in each.faults), None)
            example = f", the first one {first.collection} {first.document}" if first else ""
            missing = f", {plural(len(report.indexes), 'index', 'indexes')} missing" if report.indexes else ""
            wrong = plural(tally.faults, "document differs from its rows", "documents differ from their rows")
            raise VerifyFailed(
                f"{name}: {wrong}{example}{missing}",
                hint="`migrator verify --report FILE` lists them, `migrator verify --repair` corrects them.",
            )
        if not report.following or not self._sync_monitor.is_running:
            raise CutoverRefused("the sync has stopped", hint="Start `migrator sync`, and keep it running.")
        right = plural(tally.checked, "document agrees with its rows", "documents agree with their rows")
        self._pass(name, right)
        return report

    def _freeze_writes(self) -> None:
        """The source takes no writes any more. That it says so is looked at here, that it is so in
        `_nothing_written`."""
        if self._options.fenced:
            self._pass("fence", "writers are kept out, as you confirmed; the log will be checked")
            return
        if self._options.rehearse:
            with self._asking("the source to say whether it is read-only"):
                is_fenced = self._source.read_only()
            stands = "is" if is_fenced else "is not"
            self._pass("fence", f"a rehearsal: the source {stands} read-only", ok=is_fenced)
            return
        with self._standing_by("the source to become read-only"):
            self._writes_are_frozen()
        self._pass("fence", "the source is read-only")

    def _writes_are_frozen(self) -> None:
        until = time.monotonic() + self._options.wait_seconds
        asked = False
        while not self._retrying(self._source.read_only):
            if not asked:
                self._observer.fence_wanted()
                asked = True
            if time.monotonic() > until:
                raise CutoverRefused(
                    "the source still accepts writes",
                    hint="SET GLOBAL read_only = ON there, or keep writers out in another way and pass --fenced.",
                )
            time.sleep(_POLL_SECONDS)

    def _nothing_written(self, end: Position) -> None:
        """Nothing slipped through the fence."""
        with self._asking("the source's log to be read to its end"):
            found = written_after(self._source, end, self._collections)
        if found and self._options.rehearse:
            self._pass("quiet", f"a rehearsal: the application still writes ({found})", ok=False)
        elif found:
            raise CutoverRefused(
                f"something was written after the fence: {found}",
                where=f"log after {end.file}, {end.offset}",
                hint="read_only does not stop accounts with SUPER or READ ONLY ADMIN; stop the writer, then try again.",
            )
        else:
            self._pass("quiet", "nothing was written since")

    def _seeds(self) -> tuple[Seed, ...]:
        with self._asking("the source's highest numbers"):
            seeds = tuple(
                Seed(each.name, self._retrying(lambda each=each: self._source.highest(each)))
                for each in self._counters_of([every.collection for every in self._every])
                if any(_is_of(each.name, mine.name) for mine in self._collections)
            )
        for seed in seeds:
            self._pass("ids", f"new ids of {seed.counter} start after {seed.last}")
        return seeds

    # --- the record ---

    def _handovers(self, end: Position, report: VerifyReport, seeds: Sequence[Seed]) -> tuple[Handover, ...]:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        by = f"{getpass.getuser()} on {socket.gethostname()}"
        checked = {each.scope: each.tally.checked for each in report.collections}
        return tuple(
            Handover(
                each.scope,
                now,
                by,
                end,
                report.id,
                checked.get(each.scope, 0),
                tuple(seed for seed in seeds if _is_of(seed.counter, each.scope.collection)),
            )
            for each in self._published
        )

    def _record(self, handovers: Sequence[Handover], end: Position) -> None:
        with _waiting("the target to record it", self._observer, None):
            for each in handovers:
                self._state.record(each)
        try:
            self._nothing_written(end)
        except (CutoverRefused, SyncBlocked):
            for each in handovers:
                self._state.withdraw(each)
            raise
        self._pass("record", "the application has these collections from now on")

    def _warnings(self) -> list[str]:
        """Where documents that are not handed over show rows that the application now writes elsewhere."""
        mine = {each.scope.collection for each in self._published}
        found = []
        for each in self._published:
            tables = set(each.collection.tables)
            for other in self._every:
                shared = sorted(tables & set(other.collection.tables))
                if other.scope.collection not in mine and shared:
                    names = ", ".join(".".join(name) for name in shared)
                    found.append(
                        f"{other.scope.collection} stays with MySQL and shows {names} too: "
                        f"what the application writes to {each.scope.collection} won't be seen there"
                    )
        return found

    def _end(self) -> Position:
        here = self._retrying(self._source.position)
        if here is None:
            raise CutoverRefused("the source writes no change log", hint="`migrator doctor` says what to set.")
        return self._retrying(lambda: self._source.log_status(here).end)

    def _pass(self, name: str, text: str, *, ok: bool = True) -> None:
        step = Step(name, text, ok)
        self._steps.append(step)
        self._observer.passed(step)


def _is_of(counter: str, collection: str) -> bool:
    return counter == collection or counter.startswith(f"{collection}.")
