"""What apply does so that a sync can continue from its copy: track rows, record changes, catch up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from migrator.changes.cascades import Cascades
from migrator.changes.document_refs import Resolver
from migrator.changes.followable import unfollowable
from migrator.changes.watches import watches
from migrator.copy.catch_up_watch import CatchUpWatch
from migrator.copy.options import Observer
from migrator.errors import LeaseHeld, SyncBlocked, TargetUnavailable
from migrator.model.change.coordinates import is_before
from migrator.model.change.events import Rows, Scope
from migrator.model.change.position import Position
from migrator.model.mapping.tree import tables_of
from migrator.model.plan.plan import CollectionPlan
from migrator.model.plan.run import CollectionProgress, Run
from migrator.model.report.activity import Phase
from migrator.ports.copy import Lease
from migrator.ports.sync import SyncableSource, SyncTarget
from migrator.ports.sync_state import SyncState
from migrator.sync.capture import capture
from migrator.sync.cascades.initial_load import InitialLoad
from migrator.sync.cascades.row_snapshot import TrackedCollection, untracked
from migrator.sync.cascades.tracker import Tracker
from migrator.sync.change_handler import RebuildNow, SyncedCollection
from migrator.sync.follower import Follower, Member
from migrator.sync.renewals import RefuseRenewals
from migrator.workers.announcer import Announcer
from migrator.workers.background import BackgroundThread, IsOver, no_check, nothing

_POLL_SECONDS = 0.25
_STEP_SECONDS = 0.2
# A sync lets go between two batches; one of them can take its time.
_PATIENCE = 300.0


class SyncHandover:
    """One run's side of it. Nothing of it concerns a target that is written once, or a source without a log."""

    def __init__(
        self,
        run: Run,
        plans: Sequence[CollectionPlan],
        source: SyncableSource,
        target: SyncTarget,
        lease: Lease,
        observer: Observer,
        announcer: Announcer,
        retry_seconds: float,
    ) -> None:
        self._run = run
        self._source = source
        self._target = target
        self._lease = lease
        self._observer = observer
        self._announcer = announcer
        self._retry_seconds = retry_seconds
        self._state: SyncState = target.sync_state(lease)
        self._said = ""
        with announcer.waiting("the definitions of the tables", source.blocked):
            self._schema = source.schema(tables_of(plan.collection for plan in plans))
        self._members = [
            Member(Scope(run.id, plan.collection.name), plan.collection)
            for plan in plans
            if not unfollowable(plan.collection, self._schema)
        ]

    def lacks_tracked_rows(self, progress: Mapping[str, CollectionProgress]) -> bool:
        """Whether an earlier process began to copy and ended before all was tracked that had to be: what cascades
        have changed since then can't be told any more."""
        return any(_is_begun(progress, scope) for scope in self._untracked_tables())

    @contextmanager
    def in_background(self, progress: Mapping[str, CollectionProgress]) -> Iterator[Callable[[], None]]:
        """While chunks are copied: rows are tracked as of this moment (premise B), then changes are recorded.

        Gives a function that raises what ended the first; the second is not needed to go on.
        """
        if not self._is_followed():
            yield no_check
            return
        with ExitStack() as stack:
            initial_load = self._begin_initial_load(progress, stack)
            self._set_positions(initial_load)
            first = nothing if initial_load is None else partial(self._load_tracked_rows, initial_load)
            second = self._capture if self._is_followable() else nothing
            with BackgroundThread(first, second) as background:
                try:
                    yield background.check
                except BaseException:
                    if not background.wait_for_first(0):
                        self._observer.note("not all keys are recorded yet: the next apply will copy from the start")
                    raise
                if not background.wait_for_first(_POLL_SECONDS):
                    self._announcer.enter(Phase("recording-keys"))
                    self._observer.note("all chunks are copied; keys are still being recorded")
        if initial_load is not None and initial_load.is_late:
            self._observer.note("the snapshot of the recorded keys was lost: every document is checked again")
        if background.fault is not None:
            self._observer.note(f"changes are no longer taken from the log: {background.fault.what}")

    def catch_up(self) -> None:
        """Before anything is published: what changed during the copy is updated before the collections go live, so
        that they go live as of one moment, and unique indexes meet no duplicates that never were (edge case 51)."""
        if not self._is_followed() or not self._is_followable():
            return
        self._announcer.enter(Phase("catching-up"))
        try:
            self._catch_up()
        except SyncBlocked as reason:
            # A copy needs nothing of it; sync will find the same, and not start.
            self._observer.note(f"what changed since the copy began is left to sync: {reason.what}")

    def _catch_up(self) -> None:
        served = [
            SyncedCollection(each.scope, each.collection, self._target.documents(each.scope, self._lease, staged=True))
            for each in self._members
        ]
        with ExitStack() as stack:
            handler = stack.enter_context(RebuildNow(self._source, self._state, served, self._announcer))
            renewals = RefuseRenewals(self._state.dirty)
            follower = stack.enter_context(
                Follower(
                    self._source,
                    self._state,
                    self._members,
                    handler,
                    renewals,
                    self._lease.check,
                    self._retry_seconds,
                    self._announcer,
                )
            )
            goal = self._source.log_status(follower.reached).end
            watch = CatchUpWatch(
                self._source, self._state.dirty, [each.scope for each in self._members], self._observer
            )
            while not _reached(follower, goal):
                with self._announcer.waiting("a batch to be done"):
                    follower.step(_STEP_SECONDS)
                watch.look(follower.progress)
            follower.finish()

    @contextmanager
    def exclusively(self, plan: CollectionPlan) -> Iterator[None]:
        """No sync writes to the live collection for the length of the block, in which it is replaced (premise C)."""
        name = plan.collection.name
        if name not in self._state.collections.published():
            yield
            return
        self._state.pauses.ask(name, self._run.id)
        try:
            with ExitStack() as stack:
                with self._announcer.waiting(f"the running sync to release {name}"):
                    self._wait_until_let_go(name, stack)
                yield
        finally:
            self._state.pauses.withdraw(name, self._run.id)

    def _untracked_tables(self) -> dict[Scope, Cascades]:
        """By collection the silent cascades, with the tables of them that are not tracked yet."""
        if not self._is_followed() or self._source.cascades_are_logged():
            return {}
        found = {
            each.scope: untracked(each.scope, each.collection, self._schema, self._state.tracked)
            for each in self._members
        }
        return {scope: cascades for scope, cascades in found.items() if cascades.tables}

    def _begin_initial_load(self, progress: Mapping[str, CollectionProgress], stack: ExitStack) -> InitialLoad | None:
        """Takes the snapshot whose rows are tracked. Collections that are copied in part already can't be helped by
        it: whoever follows the log for them rebuilds every document."""
        found = {scope: each for scope, each in self._untracked_tables().items() if not _is_begun(progress, scope)}
        if not found:
            return None
        collections = {member.scope: member.collection for member in self._members}
        watched = watches(self._schema, collections.values(), found.values())
        parts = [
            TrackedCollection(
                scope, cascades.tables, Tracker(scope, cascades, watched, self._state.tracked, _nobody, _nothing_hidden)
            )
            for scope, cascades in found.items()
        ]
        resolvers = {scope: Resolver(collections[scope], watched) for scope in found}
        self._announcer.enter(Phase("recording-keys"))
        initial_load = InitialLoad(parts, resolvers, self._source, self._state, self._retry_seconds, self._announcer)
        stack.callback(initial_load.close)
        initial_load.begin()
        names = ", ".join(initial_load.tables)
        self._observer.note(
            f"recording keys of {names} during the copy: cascades change them without a trace in the log"
        )
        return initial_load

    def _load_tracked_rows(self, initial_load: InitialLoad, is_over: IsOver) -> None:
        with self._announcer.in_background(Phase("recording-keys")):
            initial_load.load(is_over)

    def _set_positions(self, initial_load: InitialLoad | None) -> None:
        """Gives each collection that has no position its first one: that of the snapshot of tracked rows where there is
        one and its position is known, else the run's. Every chunk comes after either."""
        assert self._run.position is not None
        scopes = [member.scope for member in self._members]
        known = self._state.positions.load(scopes)
        if initial_load is not None and initial_load.position is not None:
            moment = initial_load.position
            self._state.positions.save(
                [scope for scope in initial_load.scopes if _is_before(known.get(scope), moment)], moment
            )
            known |= dict.fromkeys(initial_load.scopes, moment)
        self._state.positions.save([scope for scope in scopes if scope not in known], self._run.position)

    def _capture(self, is_over: IsOver) -> None:
        capture(self._source, self._state, self._members, self._retry_seconds, is_over)

    def _is_followed(self) -> bool:
        return bool(self._members) and self._run.position is not None

    def _is_followable(self) -> bool:
        """Whether the log can be read now. If not, the copy goes on without; sync reports it when it starts."""
        try:
            self._source.require_followable()
        except SyncBlocked as reason:
            if reason.what != self._said:
                self._observer.note(f"changes are not taken from the log: {reason.what}")
                self._said = reason.what
            return False
        return True

    def _wait_until_let_go(self, name: str, stack: ExitStack) -> None:
        """Until the sync at work says that it serves the collection no more, or none is at work: then its lease is
        taken, which keeps one that was stopped in the middle of a write from finishing it."""
        end = time.monotonic() + _PATIENCE
        while True:
            owner = self._target.sync_lease_owner()
            if owner is None:
                with suppress(LeaseHeld):
                    stack.enter_context(self._target.sync_lease("apply"))
                    return
            report = self._state.reports.last()
            if report is not None and report.owner == owner and name not in report.serving:
                return
            if time.monotonic() > end:
                raise TargetUnavailable(
                    f"the running sync ({owner}) has not released the collection",
                    where=name,
                    hint="Stop that sync, then run the same apply again.",
                )
            time.sleep(_POLL_SECONDS)


def _reached(follower: Follower, goal: Position) -> bool:
    progress = follower.progress
    return progress.position is not None and not progress.waiting and not is_before(progress.position, goal)


def _is_begun(progress: Mapping[str, CollectionProgress], scope: Scope) -> bool:
    """Whether chunks were planned: one that is not finished may have written, too."""
    return scope.collection in progress and progress[scope.collection].chunks > 0


def _is_before(known: Position | None, position: Position) -> bool:
    return known is None or is_before(known, position)


def _nobody(_: Rows) -> None:
    """Rows that are tracked for the first time hide nothing yet."""


def _nothing_hidden() -> None:
    """Of what was emitted nothing has to be recorded."""
