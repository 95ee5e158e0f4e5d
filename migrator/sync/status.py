"""status: the progress of copy and sync, from the target's state alone, whatever machine they run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from migrator.model.change.events import DirtyEntry, Scope, SyncPhase, SyncReport
from migrator.model.plan.run import CollectionProgress
from migrator.model.report.activity import Command, LeaseHolder, RecordedActivity
from migrator.model.report.status import (
    CollectionState,
    CollectionStatus,
    Pass,
    Rebuild,
    RunStatus,
    Status,
    SyncStatus,
    Work,
)
from migrator.ports.copy import ActivityStore
from migrator.ports.sync import SyncableTarget
from migrator.sync.progress_meter import REPORT_EVERY
from migrator.workers.activity_recorder import NOTE_EVERY

# A report takes its time to the target and back.
STALE_AFTER = 3 * REPORT_EVERY
# A process of another machine that has no lease is known by its notes only.
_GONE_AFTER = 3 * NOTE_EVERY


def read_status(target: SyncableTarget) -> Status:
    """Looks; changes nothing."""
    activities = target.activity_store()
    # Before the collections: what they show may be newer than this, never older.
    sync, apply = _sync(activities), _work(activities, "apply", "apply")
    verify = _work(activities, "verify", "verify")
    run = target.state().open_run()
    copying = target.state().progress(run.id) if run is not None else {}
    following = target.sync_target()
    published = target.publisher().published() if following is None else following.sync_state().collections.published()
    found = _live(target, published, sync)
    is_applying = apply is not None and apply.running
    for name, progress in copying.items():
        if progress.published:
            continue
        state = _copy_state(progress, is_applying=is_applying)
        part = progress.chunks_done, progress.chunks
        if name in found:
            found[name] = replace(found[name], copying=part, state=state)
        else:
            assert run is not None, "what is copied is of a run"
            found[name] = CollectionStatus(name, run.id, progress.documents, progress.rejected, part, state=state)
    return Status(
        target=target.identity().address,
        at=_iso(activities.now()),
        collections=tuple(each for _, each in sorted(found.items())),
        run=None if run is None else RunStatus(run.id, run.started),
        # One that is not running and left nothing to resume is not shown.
        apply=apply if apply is not None and (apply.running or run is not None) else _nobody(run is not None),
        sync=sync,
        verify=verify if verify is not None and (verify.running or verify.ended != "done") else None,
    )


# --- who is at work -------------------------------------------------------------------------------------------------


def _work(activities: ActivityStore, command: Command, purpose: str) -> Work | None:
    """None when nothing is known of one."""
    holder, noted = activities.lease_holder(command), activities.last_activity(command)
    if holder is not None and holder.purpose != purpose:
        holder = None
    if holder is not None and holder.lives:
        # A note of a predecessor says nothing of this one.
        mine = noted if noted is not None and noted.owner == holder.process and not noted.activity.ended else None
        return _described(Work(command, True, holder.owner, _silence(holder, mine)), mine)
    if holder is None and noted is not None and not noted.activity.ended and _is_alive(noted):
        return _described(Work(command, True, noted.owner, noted.age), noted)
    if noted is None and holder is None:
        return None
    silence = _silence(holder, noted)
    since = None if silence is None else _iso(activities.now() - timedelta(seconds=silence))
    owner = noted.owner if noted is not None else holder.owner if holder is not None else ""
    return _described(Work(command, False, owner, silence, since), noted)


def _described(work: Work, noted: RecordedActivity | None) -> Work:
    """With what it recorded of itself."""
    if noted is None:
        return work
    activity = noted.activity
    wait = activity.waiting
    # What it was at when it recorded that, it has been at since: as long as it lives.
    more = noted.age if work.running else 0.0
    return replace(
        work,
        ended=activity.ended,
        phase=activity.phase,
        phase_seconds=round(activity.seconds + more, 1),
        beside=activity.beside,
        waiting=replace(wait, seconds=round(wait.seconds + more, 1)) if wait is not None and work.running else None,
    )


def _nobody(is_unfinished: bool) -> Work | None:
    """An apply of an earlier version recorded nothing of itself."""
    return Work("apply", False, "") if is_unfinished else None


def _is_alive(noted: RecordedActivity) -> bool:
    return noted.lives if noted.lives is not None else noted.age < _GONE_AFTER


def _silence(holder: LeaseHolder | None, noted: RecordedActivity | None) -> float | None:
    """Seconds since the last sign of life."""
    known = [] if noted is None else [noted.age]
    known += [] if holder is None or holder.silent is None else [holder.silent]
    return round(min(known), 1) if known else None


# --- sync -----------------------------------------------------------------------------------------------------------


def _sync(activities: ActivityStore) -> SyncStatus | None:
    work, reported = _work(activities, "sync", "sync"), activities.last_report()
    if work is None and reported is None:
        return None
    report, age = (None, None) if reported is None else reported
    if work is None or not work.running:
        return SyncStatus(_stopped(activities, work, report, age), "stopped", None, False, report, age)
    is_own = report is not None and _is_from(report, work)
    stale = is_own and age is not None and age > STALE_AFTER
    if report is None or not is_own or stale:
        return SyncStatus(work, "unknown", None, stale, report, age)
    state, lag = _known(report)
    return SyncStatus(work, state, lag, False, report, age)


def _is_from(report: SyncReport, work: Work) -> bool:
    # The owner begins with what the lease is for.
    return report.owner == f"sync: {work.owner}"


def _stopped(activities: ActivityStore, work: Work | None, report: SyncReport | None, age: float | None) -> Work:
    """An earlier version recorded reports only."""
    work = Work("sync", False, "") if work is None else work
    if age is None or report is None or (work.silent_seconds is not None and work.silent_seconds <= age):
        return work
    return replace(
        work,
        owner=report.owner,
        silent_seconds=round(age, 1),
        not_running_since=_iso(activities.now() - timedelta(seconds=age)),
        ended=report.error or ("done" if report.state == "stopped" else ""),
    )


def _known(report: SyncReport) -> tuple[SyncPhase, float | None]:
    """Earlier versions said 0 for a lag that was not known."""
    if report.state == "catching-up" and not report.logged_at and report.lag_seconds == 0:
        return "unknown", None
    return report.state, report.lag_seconds


# --- collections ----------------------------------------------------------------------------------------------------


def _live(target: SyncableTarget, published: Mapping[str, str], sync: SyncStatus | None) -> dict[str, CollectionStatus]:
    """What is live, by name; few questions for each, since the target may be far."""
    names = sorted(published)
    found = {
        seen.name: CollectionStatus(seen.name, published[seen.name], seen.documents, seen.rejected)
        for seen in target.inspect(names)
    }
    following = target.sync_target()
    if following is None:
        return found
    state = following.sync_state()
    handed, positions = (
        state.collections.handed_over(),
        state.positions.load([Scope(published[name], name) for name in names]),
    )
    for name, each in found.items():
        scope = Scope(each.run, name)
        if name in handed:
            found[name] = replace(each, why=handed[name], state="handed-over")
        elif scope in positions:
            each = replace(each, following=True, dirty=state.dirty.count([scope]))
            wide = state.dirty.wide(scope) if each.dirty else []
            rebuild = _rebuild(wide, each.documents, target.activity_store().now()) if wide else None
            each = replace(each, rebuild=rebuild)
            found[name] = replace(each, state=_followed_state(each, sync))
        else:
            has_key = bool(state.collections.mapping(scope).root.key)
            found[name] = replace(each, why=f"not followed: no {'change log' if has_key else 'key'}")
    return found


def _rebuild(wide: Sequence[DirtyEntry], documents: int, now: datetime) -> Rebuild:
    """
    Args:
        wide: what waits for the whole collection, the oldest first.
        documents: about how many it has. There are about as many rows.
    """
    # What was recorded again last has begun again last.
    told = max(((each.since, each.why) for each in wide if each.since is not None), default=None)
    passes = tuple(Pass(each.ref.kind, each.done, _total(each, documents)) for each in wide)
    if told is None:
        return Rebuild("", None, None, passes)
    since, why = told
    return Rebuild(why, _iso(since), max(0.0, round((now - since).total_seconds(), 1)), passes)


def _total(entry: DirtyEntry, documents: int) -> int | None:
    """Nobody counts rejected documents by the key."""
    return None if entry.ref.kind == "rejected" else max(documents, entry.done)


def _followed_state(found: CollectionStatus, sync: SyncStatus | None) -> CollectionState:
    if sync is None or not sync.work.running:
        return "waits-for-sync"
    if sync.report is None or (sync.state == "unknown" and not _is_rebuilding(found, sync, sync.report)):
        return "unknown"
    if sync.report.serving.get(found.name) != found.run:
        return "waits-for-sync"
    return "in-step" if sync.state == "following" and not found.dirty else "catching-up"


def _is_rebuilding(found: CollectionStatus, sync: SyncStatus, report: SyncReport) -> bool:
    """Until a rebuild is done nobody knows how far the sync at work is, but that it is not in step is known."""
    return found.rebuild is not None and not sync.stale and _is_from(report, sync.work)


def _copy_state(progress: CollectionProgress, *, is_applying: bool) -> CollectionState:
    if progress.planned and progress.chunks_done == progress.chunks:
        return "copied"
    if not is_applying:
        return "copy-stopped"
    return "copying" if progress.chunks else "waits-for-copy"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
