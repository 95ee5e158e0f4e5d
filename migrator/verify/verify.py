"""verify: every document rebuilt from the source and compared with the target's, byte for byte.

Workers look at key ranges of the root tables, each in one snapshot, then at documents of the target that no row may
make. What they saw is settled here (see `recheck`), and saved in the target: a verify that was interrupted continues
after what is settled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial

from migrator.copy.throttle import Throttle
from migrator.errors import Interrupted, MigratorError, PlanRefused, Retryable, Stopped
from migrator.model.change.position import Position
from migrator.model.report.activity import Phase
from migrator.model.report.verify import IndexFault, Published, Tally, VerifyReport
from migrator.ports.sync import SyncableSource
from migrator.ports.verify import VerifiedTarget, VerifyEndpoints
from migrator.verify.collection_pass import KEPT
from migrator.verify.outcome import VerifyObserver, VerifyOptions
from migrator.verify.recheck import Recheck, SuspectGroup
from migrator.verify.repair import Repairer
from migrator.verify.saved_pass import SavedPass, new_pass, now, unfinished_pass
from migrator.verify.selection import chosen
from migrator.verify.sync_monitor import SyncMonitor
from migrator.verify.work_queue import QueuedTask, WorkQueue
from migrator.verify.worker import CompareHandler, require_copied_server
from migrator.workers.activity_recorder import Recorder
from migrator.workers.announcer import Announcements, Announcer, OpenWait
from migrator.workers.pool import Outcome, Pool
from migrator.workers.retry import retrying

_PRELOAD = ("migrator.source", "migrator.target", "migrator.verify.worker")
_ANSWERS = "answers of the servers"
_POLL_SECONDS = 0.2
# No new documents are looked at while so many wait to be looked at again.
_MOST_WAITING = 20_000


def verify(ends: VerifyEndpoints, options: VerifyOptions, observer: VerifyObserver) -> VerifyReport:
    """Looks at everything that `options` ask for, and puts it right if they say so.

    Raises:
        SettingsError: when what is asked for is not there.
        PlanRefused: when the source is another server than the one that was copied from, or the target can't be put
            right.
        LeaseHeld: when documents are to be put right, and another process may be writing them.
        Stopped, Interrupted: when it can be resumed.
    """
    with Announcements("verify", observer) as announcements, ExitStack() as stack:
        announcements.enter(Phase("starting"))
        source, target = ends.open_source(), ends.open_target(announcements)
        stack.enter_context(closing(target))
        recorder = stack.enter_context(Recorder(target.activity_store().record, observer.note))
        stack.enter_context(announcements.also(recorder))
        try:
            return _Verify(ends, source, target, options, observer, announcements, stack).run()
        except Retryable as fault:
            raise _gave_up(fault) from fault


class _Verify:
    """One execution."""

    def __init__(
        self,
        ends: VerifyEndpoints,
        source: SyncableSource,
        target: VerifiedTarget,
        options: VerifyOptions,
        observer: VerifyObserver,
        announcer: Announcer,
        stack: ExitStack,
    ) -> None:
        self._ends = ends
        self._source = source
        self._target = target
        self._options = options
        self._observer = observer
        self._state = target.verify_state()
        self._announcer = announcer
        self._stack = stack
        self._retrying = retrying(options.pace.retry_seconds, announcer)
        self._sync_monitor = SyncMonitor(target.sync_target())
        self._whole = options.wanted.sample is None and not options.wanted.keys
        self._jobs: dict[int, QueuedTask | SuspectGroup] = {}
        self._notes: list[str] = []

    def run(self) -> VerifyReport:
        with self._announcer.waiting(_ANSWERS, self._source.blocked):
            self._look_around()
            self._prepare()
        factory = partial(
            CompareHandler, self._published, self._ends, self._options.pace.retry_seconds, self._following
        )
        try:
            with closing(Pool(factory, self._options.pace.processes, _PRELOAD)) as pool:
                with self._announcer.waiting("worker processes to start"):
                    pool.wait_ready()
                self._announcer.enter(Phase("verifying"))
                with OpenWait(self._announcer) as wait:
                    self._work(pool, wait)
        except KeyboardInterrupt:
            self._pass.save()
            hint = "Run the same verify again to resume where it stopped."
            raise Interrupted("stopped by the user", hint=hint) from None
        except MigratorError:
            with suppress(MigratorError):
                self._pass.save()
            raise
        with self._announcer.waiting(_ANSWERS, self._source.blocked):
            self._refuse_renewed()
            return self._report()

    def _look_around(self) -> None:
        """Which collections there are, and whether a sync keeps them in step."""
        self._published = chosen(self._state.published(), self._options.wanted)
        for each in self._published:
            require_copied_server(each.server, self._source)
        self._following = self._sync_monitor.is_running
        self._here = self._retrying(self._source.position)

    def _prepare(self) -> None:
        self._recheck = Recheck(
            self._serves,
            lambda published, position: self._sync_monitor.has_passed(published.scope, position),
            self._repairer() if self._options.repair else None,
            self._options.settle_seconds,
        )
        last = None if self._options.pace.restart or not self._whole else unfinished_pass(self._state, self._published)
        one = last or new_pass(
            self._published, lambda: self._end() if self._following else self._here, whole=self._whole
        )
        self._pass = SavedPass(self._state, one, self._published, whole=self._whole)
        names = [each.scope.collection for each in self._published]
        expected = sum(each.documents for each in self._target.inspect(names))
        self._observer.started(expected, one.started if last else "")
        self._notes += self._circumstances()
        for name in names:
            # Once, before several processes want it.
            self._state.stored(name).prepare()
        retry = self._options.pace.retry_seconds
        self._work_queue = WorkQueue(
            self._pass.trackers, self._source, self._state, self._options.wanted, self._serves, retry, self._announcer
        )

    # --- the work ---

    def _work(self, pool: Pool, wait: OpenWait) -> None:
        throttle = Throttle(self._options.pace, self._source.load, self._observer)
        while True:
            while pool.idle and not throttle.holding and self._hand_out(pool):
                pass
            if pool.busy:
                wait.begin(pool.waiting or "answers of the workers", self._source.blocked)
                for outcome in pool.results(_POLL_SECONDS):
                    wait.end()
                    self._take(outcome)
            elif self._recheck.waiting or not self._work_queue.done or throttle.holding:
                wait.begin(self._awaited(throttle))
                time.sleep(_POLL_SECONDS)
                self._recheck.search()
            else:
                return
            self._pass.save_now_and_then()

    def _awaited(self, throttle: Throttle) -> str:
        if throttle.reason:
            return f"the source to be less busy: {throttle.reason}"
        return "the running sync to pass documents that differ"

    def _hand_out(self, pool: Pool) -> bool:
        """Gives an idle worker something to do; False when there is nothing now."""
        job: QueuedTask | SuspectGroup | None = self._recheck.next()
        if job is None and self._recheck.waiting <= _MOST_WAITING:
            job = self._work_queue.next()
        if job is None:
            return False
        self._jobs[pool.idle[0]] = job
        pool.submit(pool.idle[0], job.task)
        return True

    def _take(self, outcome: Outcome) -> None:
        job = self._jobs.pop(outcome.worker)
        if isinstance(outcome.error, Retryable):
            raise _gave_up(outcome.error) from outcome.error
        if outcome.error is not None:
            raise outcome.error
        if isinstance(job, QueuedTask):
            self._recheck.first(job.tracker, job.number, outcome.value)
        else:
            self._recheck.again(job, outcome.value)
        tally = sum((each.tally for each in self._pass.trackers), Tally())
        self._observer.looked(job.tracker.published.scope.collection, tally, self._recheck.waiting)

    # --- a sync that runs at the same time ---

    def _serves(self, published: Published) -> bool:
        return self._following and self._sync_monitor.serves(published.scope)

    def _end(self) -> Position | None:
        """Where the source's log ends now; None without one."""
        here = self._here
        return None if here is None else self._retrying(lambda: self._source.log_status(here).end)

    def _repairer(self) -> Repairer:
        following = self._target.sync_target()
        if following is None:
            raise PlanRefused(
                "files hold one moment of the source, and single documents of now would not belong to it",
                where=self._target.identity().address,
                hint="Apply again: it writes the files again.",
            )
        handed = following.sync_state().collections.handed_over()
        for each in self._published:
            if each.scope.collection in handed:
                raise PlanRefused(
                    f"the documents are the application's own: {handed[each.scope.collection]}",
                    where=each.scope.collection,
                    hint="Leave it out with --collection.",
                )
        return Repairer(self._source, following, self._serves, self._end, self._options.pace.retry_seconds, self._stack)

    def _circumstances(self) -> Iterator[str]:
        """What a person should know to read the report."""
        for each in self._published:
            if not each.same:
                yield f"{each.scope.collection} is not the collection that migrator published"
        following = self._target.sync_target()
        handed = {} if following is None else following.sync_state().collections.handed_over()
        for each in self._published:
            if each.scope.collection in handed:
                yield f"{each.scope.collection}: {handed[each.scope.collection]}"
        if following is not None and not self._following:
            yield "no sync is running: whatever has changed since counts as different"

    # --- the end ---

    def _refuse_renewed(self) -> None:
        """Documents that a sync has made by other columns meanwhile differ from what was expected of them."""
        now = {each.scope: each.collection.mapping_hash for each in self._retrying(self._state.published)}
        for each in self._published:
            if now.get(each.scope, each.collection.mapping_hash) != each.collection.mapping_hash:
                raise Stopped(
                    "its tables were altered while verify was running, and sync has renewed the columns",
                    where=each.scope.collection,
                    hint="Run verify again: it starts again.",
                )

    def _report(self) -> VerifyReport:
        ended = now()
        self._pass.save(ended)
        if self._pass.problem:
            self._notes.append(self._pass.problem)
        if self._following and not self._sync_monitor.is_running:
            self._notes.append("the sync stopped while verify was running")
        indexes = [
            IndexFault(each.scope.collection, index, why)
            for each in self._published
            for index, why in each.missing_indexes
        ]
        return VerifyReport(
            self._pass.id,
            self._pass.started,
            ended,
            self._pass.position,
            self._following,
            tuple(each.progress() for each in self._pass.trackers),
            tuple(indexes),
            sum(self._state.count_rejected(each.scope) for each in self._published),
            tuple(reason for each in self._published for reason in self._state.reasons(each.scope, KEPT)),
            tuple(self._notes),
            self._whole,
        )


def _gave_up(fault: MigratorError) -> Stopped:
    return Stopped(
        f"gave up after trying again for a while: {fault.what}",
        where=fault.where,
        hint="Nothing that was finished is lost: run the same verify again when the servers answer.",
    )
