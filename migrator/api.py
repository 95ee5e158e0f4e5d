"""The library: what every command of the command line calls, for programs that do the same.

The only module that brings sources, targets and the work together; everything below sees the others through protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial

from migrator.copy.apply import PRELOAD
from migrator.copy.apply import apply as _apply
from migrator.copy.options import ApplyOptions, ApplyResult, Observer, SampleResult
from migrator.copy.trial import sample as _sample
from migrator.cutover.cutover import CutoverObserver, CutoverOptions
from migrator.cutover.cutover import cutover as _cutover
from migrator.errors import TargetError
from migrator.generate.describe import PackageOptions as GenerateOptions
from migrator.generate.describe import describe
from migrator.generate.invalidate import open_invalidator
from migrator.generate.package import Package
from migrator.generate.sequences import counters
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Rejected
from migrator.model.plan.plan import Plan
from migrator.model.report.activity import Command
from migrator.model.report.check import Check
from migrator.model.report.cutover import CutoverResult
from migrator.model.report.status import Status
from migrator.model.report.verify import VerifyReport
from migrator.planning import planner
from migrator.ports.endpoints import Endpoints
from migrator.ports.sync import SyncTarget
from migrator.source import MySQLSource, open_source
from migrator.sync.cache_invalidation import InvalidatingTarget
from migrator.sync.dry_run import Tell, dry_run
from migrator.sync.status import read_status
from migrator.sync.sync import SyncObserver, SyncOptions, SyncResult
from migrator.sync.sync import sync as _sync
from migrator.target import FilesTarget, MongoTarget, open_target
from migrator.verify.independent import IndependentReport
from migrator.verify.independent import compare_sums as _independent_look
from migrator.verify.outcome import VerifyObserver, VerifyOptions
from migrator.verify.verify import verify as _verify
from migrator.waits import SILENT_WAITS, Waits
from migrator.workers.announcer import ActivityListener, Announcements
from migrator.workers.interrupt import StopRequest
from migrator.workers.pool import warm_up

# How long a look at the target waits for transient errors to pass: somebody waits, perhaps with a mistyped address.
_REACH_SECONDS = 5.0


@contextmanager
def _reached(
    target_url: str, retry_seconds: float | None = None, waits: Waits = SILENT_WAITS
) -> Iterator[MongoTarget | FilesTarget]:
    """The target, which answers. A mistyped address is said within seconds, not after `retry_seconds`."""
    with closing(open_target(target_url, retry_seconds, waits)) as target:
        target.require_reachable()
        yield target


def _require_reachable(target_url: str, command: Command, listener: ActivityListener) -> None:
    """For work that opens the target by itself."""
    with (
        Announcements(command, listener) as announcements,
        announcements.waiting("an answer of the target"),
        _reached(target_url, waits=announcements),
    ):
        pass


def ends(
    source_url: str, target_url: str, retry_seconds: float | None = None
) -> Endpoints[MySQLSource, MongoTarget | FilesTarget]:
    """How this process and its workers open both sides; see `open_target` for `retry_seconds`.

    Raises:
        SettingsError: when a URL can't be used.
    """
    return Endpoints(partial(open_source, source_url), partial(open_target, target_url, retry_seconds))


def check(source_url: str, files: planner.MappingFiles) -> tuple[Collection, ...]:
    """The collections that the mapping files describe; see `migrator.planning.planner.check`."""
    return planner.check(open_source(source_url), files)


def make_plan(
    source_url: str,
    target_url: str,
    files: planner.MappingFiles,
    options: planner.PlanOptions,
    report: planner.Report = lambda _: None,
) -> Plan:
    """What `apply` would do now; see `migrator.planning.planner.make_plan`. Changes nothing."""
    source = open_source(source_url)
    address = f"{source.url.place}/{source.url.database}"
    with _reached(target_url, _REACH_SECONDS) as target:
        return planner.make_plan(source, target, files, address, options, report)


def refuse_outdated(plan: Plan, source_url: str, target_url: str, files: planner.MappingFiles) -> None:
    """Raises PlanRefused when things are not as they were when `plan` was made."""
    with _reached(target_url, _REACH_SECONDS) as target:
        planner.refuse_outdated(plan, open_source(source_url), target, files)


def blocked(source_url: str) -> str:
    """What sessions of the source's account wait for there, such as a lock on a table's definition; "" for nothing."""
    return open_source(source_url).blocked()


def source_checks(source_url: str) -> Iterator[Check]:
    """The source's lines of `doctor`."""
    yield from open_source(source_url).checks()


def target_checks(target_url: str) -> Iterator[Check]:
    """The target's lines of `doctor`."""
    with closing(open_target(target_url)) as target:
        yield from target.checks()


def rejected(target_url: str, run: str, limit: int) -> list[Rejected]:
    """The first reasons why documents of a run were rejected."""
    with _reached(target_url) as target:
        return target.state().rejected(run, limit)


def prepare_workers() -> None:
    """Starts the process that `apply` forks its workers from, for callers that still have to plan."""
    warm_up(PRELOAD)


def apply(plan: Plan, source_url: str, target_url: str, options: ApplyOptions, observer: Observer) -> ApplyResult:
    """Executes a plan; see `migrator.copy.apply.apply` for what it raises.

    Args:
        plan: made by `make_plan`, or read from a file.
        source_url: `mysql://user:password@host:port/db`.
        target_url: `mongodb://host:port/db` or `file:PATH`.
        options: how gently and how far.
        observer: hears of the progress.
    """
    _require_reachable(target_url, "apply", observer)
    with open_source(source_url).located(lambda: [each.collection for each in plan.collections]):
        return _apply(plan, ends(source_url, target_url, options.retry_seconds), options, observer)


def sample(plan: Plan, source_url: str, target_url: str, count: int) -> tuple[SampleResult, ...]:
    """Writes up to `count` documents of each collection of the plan into trial collections next to the real ones."""
    with open_source(source_url).located(lambda: [each.collection for each in plan.collections]):
        return _sample(plan, ends(source_url, target_url), count)


def sync(
    source_url: str,
    target_url: str,
    files: planner.MappingFiles | None,
    options: SyncOptions,
    observer: SyncObserver,
    stop: StopRequest | None = None,
    invalidate: str | None = None,
) -> SyncResult:
    """Keeps the collections that `apply` published in step with the source; see `migrator.sync.sync.sync`.

    Args:
        source_url, target_url: as for `apply`; the target must be MongoDB.
        files: the mappings, to refuse others than those that were applied; None follows what was applied.
        options: how long, and how patient.
        observer: hears of the progress.
        stop: how somebody else asks it to stop, after the batch under way.
        invalidate: `redis://…` or `memcached://…`, the cache of the application's repositories, which hears of
            every document that changes; None for none.
    """
    source = open_source(source_url)
    with ExitStack() as stack:
        announcements = stack.enter_context(Announcements("sync", observer))
        target = stack.enter_context(_reached(target_url, options.retry_seconds, announcements))
        following = _sync_target(target)
        if invalidate is not None and isinstance(target, MongoTarget):
            invalidator = stack.enter_context(closing(open_invalidator(invalidate, target.database)))
            following = InvalidatingTarget(following, invalidator)
        if files is not None:
            with announcements.waiting("the definitions of the tables", source.blocked):
                planner.refuse_other_mappings(source, target, files, observer.note)
        with source.located(partial(_applied, target)):
            return _sync(source, following, options, observer, stop or StopRequest(), announcements)


def sync_dry_run(
    source_url: str,
    target_url: str,
    tell: Tell,
    note: planner.Report,
    listener: ActivityListener,
    retry_seconds: float = 60.0,
) -> Position | None:
    """Tells which documents `sync` would rebuild for what is logged up to now, and writes nothing; `listener` hears
    what is waited for."""
    with ExitStack() as stack:
        announcements = stack.enter_context(Announcements("sync", listener))
        with announcements.waiting("an answer of the target"):
            target = stack.enter_context(_reached(target_url, retry_seconds, announcements))
        return dry_run(open_source(source_url), _sync_target(target), tell, note, retry_seconds, announcements)


def status(target_url: str) -> Status:
    """How far copy and sync are, from the target alone."""
    with _reached(target_url, _REACH_SECONDS) as target:
        return read_status(target)


@contextmanager
def status_reader(target_url: str) -> Iterator[Callable[[], Status]]:
    """As `status`, for who looks several times: gives a function that looks."""
    with _reached(target_url, _REACH_SECONDS) as target:
        yield partial(read_status, target)


def verify(
    source_url: str,
    target_url: str,
    files: planner.MappingFiles | None,
    options: VerifyOptions,
    observer: VerifyObserver,
) -> VerifyReport:
    """Compares what the target has with what the source says; see `migrator.verify.verify.verify`.

    Args:
        files: the mappings; those that are others than what was applied are reported, and what was applied counts.
    """
    source = open_source(source_url)
    with ExitStack() as stack:
        with Announcements("verify", observer) as announcements:
            with announcements.waiting("an answer of the target"):
                target = stack.enter_context(_reached(target_url, _REACH_SECONDS, announcements))
            stack.enter_context(source.located(partial(_applied, target)))
            if files is not None:
                with announcements.waiting("the definitions of the tables", source.blocked):
                    planner.tell_other_mappings(source, target, files, observer.note)
        return _verify(ends(source_url, target_url, options.pace.retry_seconds), options, observer)


def _applied(target: MongoTarget | FilesTarget) -> list[Collection]:
    """The mappings that the live collections were made with."""
    return [each.collection for each in target.verify_state().published()]


def independent_look(
    source_url: str, target_url: str, options: VerifyOptions, observer: VerifyObserver
) -> IndependentReport:
    """Compares sums of tables with sums of documents (`migrator.verify.independent`)."""
    _require_reachable(target_url, "verify", observer)
    return _independent_look(ends(source_url, target_url, options.pace.retry_seconds), options, observer)


def cutover(source_url: str, target_url: str, options: CutoverOptions, observer: CutoverObserver) -> CutoverResult:
    """Hands collections over to the application; see `migrator.cutover.cutover.cutover`."""
    _require_reachable(target_url, "cutover", observer)
    return _cutover(ends(source_url, target_url, options.pace.retry_seconds), counters, options, observer)


def _sync_target(target: MongoTarget | FilesTarget) -> SyncTarget:
    following = target.sync_target()
    if following is None:
        raise TargetError(
            "a folder of files is written once, and can't be kept in step",
            where=target.identity().address,
            hint="Sync goes to a MongoDB database: --target mongodb://host:27017/database.",
        )
    return following


def package(source_url: str, files: planner.MappingFiles, options: GenerateOptions) -> Package:
    """The description of the data-access package for the mapping files; see `migrator.generate.render` for its text."""
    return describe(check(source_url, files), options)
