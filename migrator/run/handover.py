"""What apply does so that a sync can go on from what it copied: rows remembered, changes noted, documents caught up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from migrator.changes.cascades import silent_cascades
from migrator.changes.followable import unfollowable
from migrator.changes.watches import watches
from migrator.errors import LeaseHeld, SyncBlocked, TargetUnavailable
from migrator.model.change import Rows, Scope
from migrator.model.places import is_behind
from migrator.model.plan import CollectionPlan
from migrator.model.position import Position
from migrator.model.run import Run
from migrator.run.capture import capturing
from migrator.run.follow import Follower, Member
from migrator.run.outcome import Observer
from migrator.run.ports import Lease
from migrator.run.remember import remember
from migrator.run.retry import retrying
from migrator.run.sync_ports import SyncableSource, SyncState, SyncTarget
from migrator.run.tracking import Tracker
from migrator.run.treatment import Now, Served

_LOOK = 0.25
_WAIT = 0.2
# A sync lets go between two batches; one of them can take its time.
_PATIENCE = 300.0


class Handover:
    """One run's side of it. Nothing of it concerns a target that is written once, or a source without a log."""

    def __init__(
        self,
        run: Run,
        plans: Sequence[CollectionPlan],
        source: SyncableSource,
        target: SyncTarget,
        lease: Lease,
        observer: Observer,
        retry_seconds: float,
    ) -> None:
        self._run = run
        self._source = source
        self._target = target
        self._lease = lease
        self._observer = observer
        self._retry_seconds = retry_seconds
        self._state: SyncState = target.sync_state(lease)
        self._said = ""
        self._schema = source.schema()
        self._members = [
            Member(Scope(run.id, plan.collection.name), plan.collection)
            for plan in plans
            if not unfollowable(plan.collection, self._schema)
        ]

    def begin(self) -> None:
        """Before the first chunk: what has to be remembered (DESIGN premise B), and where the collections stand."""
        if self._run.position is None or not self._members:
            return
        self._remember()
        scopes = [member.scope for member in self._members]
        known = self._state.positions(scopes)
        new = [scope for scope in scopes if scope not in known]
        if new:
            self._state.save(new, self._run.position)

    @contextmanager
    def capturing(self) -> Iterator[None]:
        """While chunks are copied: what changes is noted."""
        if not self._members or self._run.position is None or not self._is_followable():
            yield
            return
        with capturing(self._source, self._state, self._members, self._retry_seconds) as capture:
            yield
        if capture.fault is not None:
            self._observer.note(f"changes are no longer taken from the log: {capture.fault.what}")

    def catch_up(self) -> None:
        """Before anything is published: what changed while it was copied is put right beside the live collections, so
        that they go live as of one moment, and unique indexes meet no duplicates that never were (EDGE_CASES 51)."""
        if not self._members or self._run.position is None or not self._is_followable():
            return
        try:
            self._catch_up()
        except SyncBlocked as reason:
            # A copy needs nothing of it; sync will find the same, and not start.
            self._observer.note(f"what changed since the copy began is left to sync: {reason.what}")

    def _catch_up(self) -> None:
        served = [
            Served(each.scope, each.collection, self._target.documents(each.scope, self._lease, staged=True))
            for each in self._members
        ]
        treatment = Now(self._source, self._state, served)
        with ExitStack() as stack:
            stack.callback(treatment.close)
            follower = Follower(
                self._source, self._state, self._members, treatment, self._lease.check, self._retry_seconds
            )
            stack.callback(follower.close)
            goal = self._source.log_status(follower.reached).end
            while not _reached(follower, goal):
                follower.step(_WAIT)
            follower.finish()

    @contextmanager
    def alone(self, plan: CollectionPlan) -> Iterator[None]:
        """No sync writes to the live collection for the length of the block, in which it is replaced (premise C)."""
        name = plan.collection.name
        if name not in self._state.published():
            yield
            return
        self._state.ask_pause(name, self._run.id)
        try:
            with ExitStack() as stack:
                self._wait_until_let_go(name, stack)
                yield
        finally:
            self._state.withdraw_pause(name, self._run.id)

    def _remember(self) -> None:
        if self._source.cascades_are_logged():
            return
        collections = [member.collection for member in self._members]
        cascades = silent_cascades(self._schema, collections)
        known = self._state.tracked_tables(self._run.id)
        missing = [each for each in cascades.tables if each.table not in known]
        if not missing or cascades.hidden:
            return
        names = ", ".join(each.table[1] for each in missing)
        self._observer.note(f"remembering keys of {names}: cascades change them without a trace in the log")
        tracker = Tracker(self._run.id, cascades, watches(self._schema, collections, [cascades]), self._state, _nobody)
        retrying(self._retry_seconds)(lambda: remember(self._source, missing, tracker))
        self._state.note_tracked_tables(self._run.id, {each.table: each.columns for each in missing})

    def _is_followable(self) -> bool:
        """Whether the log can be read now; if not, sync will say it again, and a copy needs it not."""
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
            report = self._state.last_report()
            if report is not None and report.owner == owner and name not in report.serving:
                return
            if time.monotonic() > end:
                raise TargetUnavailable(
                    f"the sync at work ({owner}) has not let go of the collection",
                    where=name,
                    hint="Stop that sync, then run the same apply again.",
                )
            time.sleep(_LOOK)


def _reached(follower: Follower, goal: Position) -> bool:
    progress = follower.progress
    return progress.position is not None and not progress.waiting and not is_behind(progress.position, goal)


def _nobody(_: Rows) -> None:
    """Rows that are remembered for the first time hide nothing yet."""
