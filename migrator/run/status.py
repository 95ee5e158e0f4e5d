"""status: how far copy and sync are, from the target's state alone, whoever is at work and wherever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from migrator.model.change import Scope, SyncReport
from migrator.model.run import Run
from migrator.run.sync_ports import SyncableTarget


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """One collection.

    Attributes:
        documents: those of the live collection, as the target estimates them; while it is first copied, those copied.
        rejected: reasons recorded for documents that could not be made.
        copying: chunks done and planned so far, None when no apply is unfinished.
        following: a sync serves it, or would when it runs.
        dirty: reaches that wait in the state.
        why: it can't be followed, "" when it can.
    """

    name: str
    run: str
    documents: int
    rejected: int
    copying: tuple[int, int] | None = None
    following: bool = False
    dirty: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """All of it.

    Attributes:
        run: an apply that is unfinished.
        sync: the last report of a sync, also of one that has ended.
        sync_owner: the sync that is alive, None when none is.
        sync_age: seconds since the last report.
    """

    target: str
    collections: tuple[CollectionStatus, ...]
    run: Run | None
    sync: SyncReport | None
    sync_owner: str | None
    sync_age: float


def read_status(target: SyncableTarget) -> Status:
    """Looks; changes nothing."""
    following = target.following()
    run = target.state().open_run()
    copying = target.state().progress(run.id) if run is not None else {}
    published = target.publisher().published() if following is None else following.sync_state().published()
    report = None if following is None else following.sync_state().last_report()
    found = [_live(target, name, run_id, report) for name, run_id in sorted(published.items())]
    names = {each.name for each in found}
    for name, progress in sorted(copying.items()):
        part = progress.chunks_done, progress.chunks
        if name in names:
            found = [_with(each, part) if each.name == name and not progress.published else each for each in found]
        elif not progress.published:
            found.append(CollectionStatus(name, run.id if run else "", progress.documents, progress.rejected, part))
    age = 0.0 if report is None else max(0.0, (datetime.now(UTC) - datetime.fromisoformat(report.at)).total_seconds())
    owner = None if following is None else following.sync_lease_owner()
    return Status(target.identity().address, tuple(found), run, report, owner, age)


def _live(target: SyncableTarget, name: str, run: str, report: SyncReport | None) -> CollectionStatus:
    following = target.following()
    (seen,) = target.inspect([name])
    if following is None:
        return CollectionStatus(name, run, seen.documents, seen.rejected)
    state, scope = following.sync_state(), Scope(run, name)
    if not state.collection(scope).root.key:
        return CollectionStatus(name, run, seen.documents, seen.rejected, why="not followed: no key")
    if scope not in state.positions([scope]):
        return CollectionStatus(name, run, seen.documents, seen.rejected, why="not followed: no change log")
    return CollectionStatus(name, run, seen.documents, seen.rejected, None, True, state.count_dirty([scope]))


def _with(each: CollectionStatus, part: Sequence[int]) -> CollectionStatus:
    done, total = part
    return CollectionStatus(
        each.name, each.run, each.documents, each.rejected, (done, total), each.following, each.dirty, each.why
    )
