"""sync: keeps live collections in step with the source's change log until told to stop.

One process at a time writes (premise C): it holds the sync lease; others wait as standbys. Which collections it
serves, and by which mapping, stands in the target: any machine can go on. A collection that apply wants to replace is
let go between two batches, and taken up again, with its new mapping and its own position, when it is published.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from migrator.changes.followable import unfollowable
from migrator.errors import LeaseHeld, MigratorError, Retryable, Stopped, SyncBlocked
from migrator.model.change.coordinates import is_before
from migrator.model.change.events import Scope, SyncReport
from migrator.model.change.position import Position
from migrator.model.mapping.tree import tables_of
from migrator.model.report.activity import Phase
from migrator.ports.copy import Lease
from migrator.ports.sync import SyncableSource, SyncTarget
from migrator.ports.sync_state import SyncState
from migrator.sync.change_handler import RebuildNow, SyncedCollection
from migrator.sync.follower import Follower, Member, Progress
from migrator.sync.progress_meter import REPORT_EVERY, Meter
from migrator.sync.renewals import RenewLive
from migrator.sync.reports import Reports
from migrator.workers.activity_recorder import Recorder
from migrator.workers.announcer import LEASE, ActivityListener, Announcements, Announcer, OpenWait
from migrator.workers.interrupt import StopRequest

_SELECT_SECONDS = 1.0
_STANDBY_POLL_SECONDS = 1.0
_STEP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How long, and how patient.

    Attributes:
        until_caught_up: end when everything is done that was logged before the start.
        seconds: end after so long; None for no end.
        retry_seconds: how long transient errors are tried again before the work stops.
    """

    until_caught_up: bool = False
    seconds: float | None = None
    retry_seconds: float = 60.0


class SyncObserver(ActivityListener, Protocol):
    """Hears of the work; called in the process that runs `sync`."""

    def reported(self, report: SyncReport) -> None:
        """About once a second; from any thread, one after the other."""
        ...

    def note(self, text: str) -> None:
        """Something a person wants to know now."""
        ...


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What came of it.

    Attributes:
        caught_up: everything that was logged is done, as of the end or (`until_caught_up`) of the start.
        report: the last one, None for a standby whose turn never came.
    """

    caught_up: bool
    report: SyncReport | None


class _SelectionChanged(Exception):
    """Other collections are to be served from now on."""


@dataclass(frozen=True, slots=True)
class _SyncedRuns:
    """What is served now: collection -> run, and what that is made of."""

    runs: dict[str, str]
    members: tuple[Member, ...]


def sync(
    source: SyncableSource,
    target: SyncTarget,
    options: SyncOptions,
    observer: SyncObserver,
    stop: StopRequest,
    announcements: Announcements,
) -> SyncResult:
    """Follows the source's log until `stop`, or as `options` say; `announcements` hear what it does.

    Raises:
        SyncBlocked: when the log can't be followed any further; says the position and the way out.
        LeaseHeld: when another sync is at work, and this one was to end when it has caught up.
        LeaseLost: when another process took over.
        Stopped: when transient errors outlasted the retries.
        SourceError, TargetError: when one side refuses for good.
    """
    with announcements.waiting("the source's settings"):
        source.require_followable()
    stop.heed()
    with ExitStack() as stack:
        lease = _lease(stack, target, options, observer, announcements, stop)
        if lease is None:
            return SyncResult(False, None)
        # A standby notes nothing: it would hide what the one at work does.
        recorder = stack.enter_context(Recorder(target.activity_store().record, observer.note))
        stack.enter_context(announcements.also(recorder))
        return _Sync(source, target, lease, options, observer, stop, announcements).run()


def _lease(
    stack: ExitStack,
    target: SyncTarget,
    options: SyncOptions,
    observer: SyncObserver,
    announcer: Announcer,
    stop: StopRequest,
) -> Lease | None:
    """Waits for the lease as a standby; None when asked to stop before it came."""
    end = None if options.seconds is None else time.monotonic() + options.seconds
    said = ""
    with OpenWait(announcer) as wait:
        wait.begin(LEASE)
        while not stop.asked and (end is None or time.monotonic() < end):
            try:
                return stack.enter_context(target.sync_lease("sync"))
            except LeaseHeld as held:
                if options.until_caught_up:
                    raise
                if held.what != said:
                    observer.note(f"standby: {held.what}")
                    announcer.enter(Phase("standby"))
                    wait.begin(f"the running sync to end: {held.what}")
                    said = held.what
            time.sleep(_STANDBY_POLL_SECONDS)
    return None


class _Sync:
    """One holding of the lease."""

    def __init__(
        self,
        source: SyncableSource,
        target: SyncTarget,
        lease: Lease,
        options: SyncOptions,
        observer: SyncObserver,
        stop: StopRequest,
        announcer: Announcer,
    ) -> None:
        self._source = source
        self._target = target
        self._lease = lease
        self._options = options
        self._observer = observer
        self._stop = stop
        self._state: SyncState = target.sync_state(lease)
        self._started = time.monotonic()
        self._announcer = announcer
        self._meter = Meter(target.sync_lease_owner() or "")
        self._reports = Reports(self._meter, self._state.reports.save, observer.reported, announcer)
        self._goal: Position | None = None
        self._serving = _SyncedRuns({}, ())
        self._selected_at = 0.0
        self._noted: set[str] = set()

    def run(self) -> SyncResult:
        try:
            with self._reports:
                while True:
                    try:
                        return self._serve()
                    except _SelectionChanged:
                        continue
        except MigratorError as error:
            self._reports.last(str(error.what))
            if isinstance(error, Retryable):
                raise Stopped(
                    f"gave up after trying again for a while: {error.what}",
                    where=error.where,
                    hint="Nothing is lost: start sync again when the servers answer.",
                    said=error.said,
                ) from error
            raise

    def _serve(self) -> SyncResult:
        self._serving = self._select_collections()
        if not self._serving.members:
            return self._idle()
        with ExitStack() as stack:
            follower = self._follower(stack)
            with self._announcer.waiting("the source to say where its log ends"):
                log = self._source.log_status(follower.reached)
            self._meter.log(log)
            if self._options.until_caught_up and self._goal is None:
                self._goal = log.end
            while True:
                with self._announcer.waiting("a batch to be done"):
                    follower.step(_STEP_SECONDS)
                done = self._is_done(follower.progress)
                self._meter.take(follower.progress)
                if done is not None:
                    follower.finish()
                    return SyncResult(done, self._reports.last())
                self._report_sometimes(follower)

    def _idle(self) -> SyncResult:
        """Nothing to serve yet: waits for an apply to publish something."""
        self._observer.note("nothing to keep in step: no collection was published by an apply with a change log")
        while not self._over() and not self._options.until_caught_up:
            time.sleep(_SELECT_SECONDS)
            self._refresh_selection()
        return SyncResult(True, self._reports.last())

    def _follower(self, stack: ExitStack) -> Follower:
        served = [
            SyncedCollection(
                member.scope,
                member.collection,
                self._target.documents(member.scope, self._lease, staged=False),
            )
            for member in self._serving.members
        ]
        handler = stack.enter_context(RebuildNow(self._source, self._state, served, self._announcer))
        return stack.enter_context(
            Follower(
                self._source,
                self._state,
                self._serving.members,
                handler,
                RenewLive(
                    self._target.renewer(self._lease), self._state.collections, self._observer.note, self._announcer
                ),
                self._before_write,
                self._options.retry_seconds,
                self._announcer,
            )
        )

    # --- what is served ---

    def _select_collections(self) -> _SyncedRuns:
        """What can be kept in step of what is published, less what apply wants to replace.

        What may be served is reported before the wishes are read: an apply that asks later finds it in the report and
        waits, one that asked earlier is heard (premise C).
        """
        published = self._state.collections.published()
        self._announcer.enter(Phase("starting"))
        self._reports.serving(published)
        paused = self._state.pauses.asked()
        left = self._state.collections.handed_over()
        for name, why in left.items():
            self._note_once(f"{name} is left alone: {why}")
        runs = {name: run for name, run in published.items() if name not in paused and name not in left}
        members = followable_members(self._source, self._state, frozenset(paused) | left.keys(), self._note_once)
        self._selected_at = time.monotonic()
        self._reports.serving({member.scope.collection: member.scope.run for member in members})
        return _SyncedRuns(runs, members)

    def _note_once(self, text: str) -> None:
        if text not in self._noted:
            self._noted.add(text)
            self._observer.note(text)

    def _before_write(self) -> None:
        """Premise C: nobody else writes, and nobody wants to replace what is written to. Whoever wants to waits
        for this sync to let go, so a look now and then is enough."""
        self._lease.check()
        if time.monotonic() - self._selected_at >= _SELECT_SECONDS:
            self._refresh_selection()

    def _refresh_selection(self) -> None:
        paused = self._state.pauses.asked()
        if any(name in paused for name in self._serving.runs):
            raise _SelectionChanged
        self._selected_at = time.monotonic()
        published, without = (
            self._state.collections.published(),
            paused.keys() | self._state.collections.handed_over().keys(),
        )
        if {name: run for name, run in published.items() if name not in without} != self._serving.runs:
            raise _SelectionChanged

    # --- when to end ---

    def _over(self) -> bool:
        seconds = self._options.seconds
        return self._stop.asked or (seconds is not None and time.monotonic() - self._started >= seconds)

    def _is_done(self, progress: Progress) -> bool | None:
        """Whether to end: True when caught up, False when only told to; None to go on."""
        reached = (
            self._goal is not None and progress.position is not None and not is_before(progress.position, self._goal)
        )
        if reached and not progress.waiting:
            return True
        return progress.caught_up if self._over() else None

    # --- reports ---

    def _report_sometimes(self, follower: Follower) -> None:
        if self._meter.age < REPORT_EVERY:
            return
        position = follower.progress.position
        if position is not None and self._meter.log_due():
            with self._announcer.waiting("the source to say where its log ends"):
                self._meter.log(self._source.log_status(position))
        scopes = [member.scope for member in self._serving.members]
        with self._announcer.waiting("the target to count what waits"):
            self._meter.dirty = self._state.dirty.count(scopes) if follower.progress.waiting else 0
        report = self._reports.now()
        if report.state != "unknown":
            self._announcer.enter(Phase("following" if report.state == "following" else "catching-up"))


def followable_members(
    source: SyncableSource, state: SyncState, without: frozenset[str], note: Callable[[str], None]
) -> tuple[Member, ...]:
    """The published collections that the log can be followed for; `note` hears why others can't.

    Raises:
        SyncBlocked: when all that could be followed was copied from another server.
    """
    scopes = [Scope(run, name) for name, run in sorted(state.collections.published().items()) if name not in without]
    known = state.positions.load(scopes)
    collections = {scope: state.collections.mapping(scope) for scope in scopes}
    schema, server = source.schema(tables_of(collections.values())), source.identity().uuid
    members = []
    others = {}
    for scope, collection in collections.items():
        why = unfollowable(collection, schema)
        if not why and scope not in known:
            why = "it was applied without a change log"
        if not why and known[scope].server.uuid != server:
            why = f"it was copied from another server, {known[scope].server.uuid}"
            others[scope.collection] = why
        if why:
            note(f"{scope.collection} is not kept in step: {why}")
        else:
            members.append(Member(scope, collection))
    if others and not members:
        raise SyncBlocked(
            f"this is server {server}: {'; '.join(f'{name}: {why}' for name, why in others.items())}",
            hint="Give the address of the server that was copied, or `migrator apply --replace` from this one.",
        )
    return tuple(members)
