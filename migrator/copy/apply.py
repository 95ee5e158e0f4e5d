"""apply: executes a plan, from the first chunk to the last rename, and resumes where an earlier process stopped.

The order of the steps matters:
  1. the lease (one apply at a time, premise C);
  2. a check that the plan is still valid;
  3. the change log's position, before any snapshot (premise A);
  4. chunks, each from one snapshot, into collections next to the live ones; what changes in the meantime is recorded;
  5. a check that the schema is still the same (premise D);
  6. the recorded documents are rebuilt; indexes, validator, rename, record of ownership.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial

from migrator.copy.chunk_queue import ChunkQueue
from migrator.copy.chunk_worker import (
    ChunkHandler,
    CopyEndpoints,
    OpenSharedSnapshot,
    SharedSnapshotHandler,
    require_planned_server,
)
from migrator.copy.copy import copy
from migrator.copy.options import ApplyOptions, ApplyResult, Observer
from migrator.copy.sync_handover import SyncHandover
from migrator.copy.throttle import Throttle
from migrator.copy.unfinished import is_for, is_published, is_same_moment, left, to_copy
from migrator.errors import (
    Interrupted,
    LeaseInDoubt,
    PlanRefused,
    Retryable,
    SourceError,
    SourceUnavailable,
    Stopped,
    TargetError,
)
from migrator.model.change.position import Position
from migrator.model.mapping.tree import tables_of
from migrator.model.plan.plan import CollectionPlan, Plan
from migrator.model.plan.run import CollectionProgress, Run
from migrator.model.report.activity import Phase
from migrator.model.schema.tables import fingerprint
from migrator.ports.copy import Lease, State
from migrator.ports.sync import SyncableSource, SyncableTarget
from migrator.waits import Building
from migrator.workers.activity_recorder import Recorder
from migrator.workers.announcer import LEASE, Announcements, Announcer, index_building
from migrator.workers.background import no_check
from migrator.workers.pool import Factory, Pool
from migrator.workers.retry import retrying

# What a worker needs of migrator: imported once, by the process that all are forked from.
PRELOAD = ("migrator.source", "migrator.target", "migrator.copy.chunk_worker")
_WORKERS = "worker processes to start"


def apply(plan: Plan, ends: CopyEndpoints, options: ApplyOptions, observer: Observer) -> ApplyResult:
    """Executes `plan`.

    Raises:
        PlanRefused: when the plan is blocked or its ground has changed; nothing was done.
        LeaseHeld: when another apply is at work.
        Stopped, Interrupted: when it can go on later.
        SourceError, TargetError: when it can't.
    """
    if plan.blocked:
        first = plan.blocked[0]
        raise PlanRefused(f"the plan is blocked: {first.text}", where=first.where, hint=first.fix)
    with Announcements("apply", observer) as announcements, ExitStack() as stack:
        announcements.enter(Phase("starting"))
        source, target = ends.open_source(), ends.open_target(announcements)
        stack.enter_context(closing(target))
        with announcements.waiting(LEASE):
            lease = stack.enter_context(target.lease("apply"))
        try:
            with Recorder(target.activity_store().record, observer.note) as recorder, announcements.also(recorder):
                return _Apply(plan, ends, source, target, lease, options, observer, announcements).run()
        except TargetError:
            # Whoever took over moved what this process was writing to: that explains every other error.
            with suppress(LeaseInDoubt):
                lease.check()
            raise
        except KeyboardInterrupt:
            raise Interrupted(
                "stopped by the user", hint="Run the same apply again to resume where it stopped."
            ) from None


class _Apply:
    """One execution."""

    def __init__(
        self,
        plan: Plan,
        ends: CopyEndpoints,
        source: SyncableSource,
        target: SyncableTarget,
        lease: Lease,
        options: ApplyOptions,
        observer: Observer,
        announcer: Announcer,
    ) -> None:
        self._plan = plan
        self._ends = ends
        self._source = source
        self._target = target
        self._lease = lease
        self._retrying = retrying(options.retry_seconds, announcer)
        self._options = options
        self._observer = observer
        self._announcer = announcer
        self._state: State = target.state(lease)
        self._publisher = target.publisher(lease)

    def run(self) -> ApplyResult:
        self._refuse_handed_over()
        self._check_source()
        run = self._resumable()
        if run is None and self._applied_already():
            self._observer.note("this plan has been applied already")
            return ApplyResult("", {}, 0, ())
        self._check_target(run)
        problems: list[str] = []
        for plan in self._plan.collections:
            if plan.action in ("indexes", "adopt"):
                self._announcer.enter(Phase("publishing", plan.collection.name))
                problems += self._publisher.alter(plan, self._building("", plan))
                self._observer.published(plan.collection.name)
        if not to_copy(self._plan):
            return ApplyResult("", {}, 0, tuple(problems))
        if run is None or self._unpublished(run):
            with self._workers(run) as (run, pool), _faults_stop():
                self._copy(run, pool)
        with _faults_stop():
            self._check_source_again(run)
            problems += self._publish(run)
            copied = {plan.collection.name for plan in to_copy(run.plan)}
            progress = {name: each for name, each in self._state.progress(run.id).items() if name in copied}
            rejected = self._state.count_rejected(run.id)
            self._state.finish(run.id, "done")
        return ApplyResult(run.id, progress, rejected, tuple(problems))

    def _copy(self, run: Run, pool: Pool) -> None:
        plans = self._unpublished(run)
        # Premise C, in this order: first the claims of a predecessor end, then its writes reach another name.
        self._state.take_over(run.id)
        progress = self._state.progress(run.id)
        for plan in plans:
            if progress[plan.collection.name].chunks:
                self._publisher.take_over(run.id, plan)
            else:
                self._publisher.prepare(run.id, plan)
        agenda = ChunkQueue(
            run,
            plans,
            self._source,
            self._state,
            progress,
            self._lease.number,
            self._options.retry_seconds,
            self._announcer,
        )
        throttle = Throttle(self._options, self._source.load, self._observer)
        with ExitStack() as stack:
            handover = self._handover(run)
            check_memory = stack.enter_context(
                nullcontext(no_check) if handover is None else handover.in_background(progress)
            )

            def check() -> None:
                self._check_lease()
                check_memory()

            self._announcer.enter(Phase("copying"))
            copy(pool, agenda, throttle, check, self._observer, self._announcer, self._source.blocked)

    def _handover(self, run: Run) -> SyncHandover | None:
        """None for a target that no sync will follow."""
        following = self._target.sync_target()
        if following is None:
            return None
        plans = self._unpublished(run)
        return SyncHandover(
            run,
            plans,
            self._source,
            following,
            self._lease,
            self._observer,
            self._announcer,
            self._options.retry_seconds,
        )

    def _publish(self, run: Run) -> list[str]:
        problems: list[str] = []
        handover = self._handover(run)
        if handover is not None:
            handover.catch_up()
        for plan in self._unpublished(run):
            self._check_lease()
            self._announcer.enter(Phase("publishing", plan.collection.name))
            with ExitStack() as stack:
                if handover is not None:
                    stack.enter_context(handover.exclusively(plan))
                problems += self._publisher.publish(run.id, plan, self._building(run.id, plan))
            self._observer.published(plan.collection.name)
        return problems

    def _building(self, run_id: str, plan: CollectionPlan) -> Building:
        """Says which index is built, and asks the target how far it is; then it is publishing again."""
        name = plan.collection.name
        ask = partial(self._publisher.progress, run_id, name)
        return index_building(self._announcer, name, ask, Phase("publishing", name))

    def _check_lease(self) -> None:
        """While the target can't be asked nobody else can take over there either: the doubt may pass."""
        self._retrying(self._lease.check)

    def _unpublished(self, run: Run) -> tuple[CollectionPlan, ...]:
        """What is left of the plan. The run's own may be an older one: same documents, other indexes."""
        progress = self._state.progress(run.id)
        return tuple(plan for plan in to_copy(self._plan) if not is_published(progress, run, plan))

    def _refuse_handed_over(self) -> None:
        """A copy would put what MySQL has in place of what the application has written since."""
        following = self._target.sync_target()
        handed = {} if following is None else following.sync_state().collections.handed_over()
        for plan in self._plan.collections:
            if plan.action != "unchanged" and plan.collection.name in handed:
                raise PlanRefused(
                    f"apply does not overwrite the application's own documents: {handed[plan.collection.name]}",
                    where=plan.collection.name,
                    hint="Leave it out with --collection; `migrator help cutover` says how to go back.",
                )

    def _check_source_again(self, run: Run) -> None:
        try:
            self._check_source()
        except PlanRefused:
            # Documents from before and after an ALTER TABLE: nobody can use them.
            self._forget(run)
            raise

    def _check_source(self) -> None:
        """The server and the tables are those that the plan was made for."""
        require_planned_server(self._plan, self._source)
        copied = to_copy(self._plan)
        with self._announcer.waiting("the definitions of the tables", self._source.blocked):
            schema = self._retrying(partial(self._source.schema, tables_of(plan.collection for plan in copied)))
        for plan in copied:
            tables = [table for name in plan.collection.tables if (table := schema.table(*name)) is not None]
            if fingerprint(tables) != plan.collection.schema_fingerprint:
                names = ", ".join(".".join(name) for name in plan.collection.tables)
                raise PlanRefused(
                    f"the tables have been altered since the plan was made ({names})",
                    where=plan.collection.name,
                    hint="Make a new plan; what is live was not touched.",
                )

    def _applied_already(self) -> bool:
        """Whether every collection has changed since the plan was made, and into just what the plan makes of it.

        So it is when a plan kept in a file is applied again, perhaps since the first time ended without a last word.
        """
        copied = to_copy(self._plan)
        if len(copied) < len(self._plan.collections):
            return False
        names = [plan.collection.name for plan in copied]
        return all(
            now.structure != plan.before.structure
            and now.owned
            and (now.mapping_hash, now.schema_fingerprint)
            == (plan.collection.mapping_hash, plan.collection.schema_fingerprint)
            for plan, now in zip(copied, self._target.inspect(names), strict=True)
        )

    def _check_target(self, run: Run | None) -> None:
        """Nobody has touched the collections since the plan was made, but for what this very run has published."""
        progress = self._state.progress(run.id) if run else {}
        names = [plan.collection.name for plan in self._plan.collections]
        changed = []
        for plan, now in zip(self._plan.collections, self._target.inspect(names), strict=True):
            mine = run is not None and is_published(progress, run, plan)
            if not mine and now.structure != plan.before.structure:
                changed.append(plan.collection.name)
        if changed:
            raise PlanRefused(
                "in the target it is not as it was when the plan was made",
                where=", ".join(changed),
                hint="Check what changed there, then make a new plan.",
            )

    def _resumable(self) -> Run | None:
        """The unfinished run, if this plan is to do what that one was doing."""
        run = self._state.open_run()
        if run is None:
            return None
        progress = self._state.progress(run.id)
        open_, wanted = left(progress, run, run.plan), left(progress, run, self._plan)
        if not open_ and (wanted or not to_copy(self._plan)):
            # Everything was published; only the last note was missing.
            self._state.finish(run.id, "done")
            return None
        if is_for(progress, run, self._plan) and not self._options.restart:
            return self._require_tracked_rows(run, progress)
        done = sum(each.chunks_done for each in progress.values())
        if done and not self._options.restart:
            names = sorted(name for name, _, _ in open_)
            only = "".join(f" --collection {name}" for name in names)
            finish = f"with `apply{only}`" if open_ < wanted else "with the mappings and tables as they were"
            raise PlanRefused(
                f"an apply begun at {run.started} is unfinished, and was for other mappings, tables or collections",
                where=", ".join(names),
                hint=f"Finish it {finish}, or forget what it copied with --restart.",
            )
        self._observer.note(f"forgetting the unfinished apply begun at {run.started}")
        self._forget(run)
        return None

    def _require_tracked_rows(self, run: Run, progress: Mapping[str, CollectionProgress]) -> Run | None:
        """The run, if all rows are tracked that had to be as of a moment before its first chunk (premise B)."""
        handover = self._handover(run)
        published = any(each.published for each in progress.values())
        if handover is None or published or not handover.lacks_tracked_rows(progress):
            return run
        self._observer.note(
            "copying starts again: the last apply ended before it had recorded the keys that cascades change"
        )
        self._forget(run)
        return None

    def _forget(self, run: Run) -> None:
        for plan in to_copy(run.plan):
            self._publisher.discard(run.id, plan.collection.name)
        self._state.finish(run.id, "abandoned")

    def _begin(self, position: Position | None) -> Run:
        run = Run(secrets.token_hex(4), self._plan, position, datetime.now(UTC).isoformat(timespec="seconds"))
        self._state.begin(run)
        return run

    @contextmanager
    def _workers(self, run: Run | None) -> Iterator[tuple[Run, Pool]]:
        """The run to work for, new or resumed, and its worker processes."""
        with ExitStack() as stack:
            if self._target.identity().capabilities.one_snapshot:
                run, pool, resumed = self._in_one_snapshot(stack, run)
            else:
                resumed = run is not None
                # Premise A: the position first, then the snapshots.
                run = run or self._begin(self._source.position())
                factory = partial(ChunkHandler, self._plan, self._ends, self._options.retry_seconds)
                with self._announcer.waiting(_WORKERS):
                    pool = _pool(stack, factory, self._options.processes)
            self._observer.started(run, self._state.progress(run.id), resumed=resumed)
            yield run, pool

    def _in_one_snapshot(self, stack: ExitStack, run: Run | None) -> tuple[Run, Pool, bool]:
        """All readers in one snapshot: no sync will repair the differences between chunks of different moments."""
        factory = partial(SharedSnapshotHandler, self._plan, self._ends, self._options.retry_seconds)
        # Ready before the lock is taken: while it is held, nobody can write to the source.
        with self._announcer.waiting(_WORKERS):
            pool = _pool(stack, factory, self._options.processes)
        try:
            with ExitStack() as lock:
                with self._announcer.waiting("FLUSH TABLES WITH READ LOCK at the source", self._source.blocked):
                    moment = lock.enter_context(self._source.hold_shared_snapshot())
                with self._announcer.waiting("every worker's snapshot", self._source.blocked):
                    pool.everywhere(OpenSharedSnapshot())
                position = moment.position
        except SourceUnavailable:
            raise
        except SourceError as error:
            self._observer.note(f"one reader only: {error.what}")
            pool.close()
            with self._announcer.waiting(_WORKERS):
                pool = _pool(stack, factory, 1)
            before = self._source.position()
            with self._announcer.waiting("the worker's snapshot", self._source.blocked):
                pool.everywhere(OpenSharedSnapshot())
            position = before if before is not None and is_same_moment(before, self._source.position()) else None
        if run is not None and is_same_moment(run.position, position):
            return run, pool, True
        if run is not None:
            self._observer.note("starting the copy again: the source has changed since, and files hold one moment only")
            self._forget(run)
        return self._begin(position), pool, False


def _pool(stack: ExitStack, factory: Factory, size: int) -> Pool:
    pool = stack.enter_context(closing(Pool(factory, size, PRELOAD)))
    pool.wait_ready()
    return pool


@contextmanager
def _faults_stop() -> Iterator[None]:
    """A transient error that outlasted the retries leaves a run that can be resumed."""
    try:
        yield
    except Retryable as fault:
        raise Stopped(
            f"gave up after trying again for a while: {fault.what}",
            where=fault.where,
            hint="Nothing that was finished is lost: run the same apply again when the servers answer.",
        ) from fault
