"""What an unfinished run still has to do, and whether a plan is for just that. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.model.change.position import Position
from migrator.model.plan.plan import COPIED, CollectionPlan, Plan
from migrator.model.plan.run import CollectionProgress, Run

Progress = Mapping[str, CollectionProgress]
# What is copied: the collection, its mapping and its tables.
Work = tuple[str, str, str]

# Positions that name one exact moment, so that equal ones mean that nothing was written in between.
_EXACT = ("mariadb-snapshot", "gtid-executed", "global-lock")


def to_copy(plan: Plan) -> tuple[CollectionPlan, ...]:
    """Those of its collections whose documents are copied."""
    return tuple(each for each in plan.collections if each.action in COPIED)


def is_published(progress: Progress, run: Run, plan: CollectionPlan) -> bool:
    """Whether the run has done what `plan` asks for."""
    found = progress.get(plan.collection.name)
    return found is not None and found.published and _work(plan) in map(_work, run.plan.collections)


def left(progress: Progress, run: Run, plan: Plan) -> set[Work]:
    """What `plan` asks for and the run has not done. Of the run's own plan: what is left of the run."""
    return {_work(each) for each in to_copy(plan) if not is_published(progress, run, each)}


def is_for(progress: Progress, run: Run, plan: Plan) -> bool:
    """Whether `plan` asks for just what is left of the run."""
    same = left(progress, run, run.plan) == left(progress, run, plan)
    return same and run.plan.source.uuid == plan.source.uuid


def _work(plan: CollectionPlan) -> Work:
    return plan.collection.name, plan.collection.mapping_hash, plan.collection.schema_fingerprint


def is_same_moment(one: Position | None, other: Position | None) -> bool:
    """Whether two positions prove that nothing was written between them."""
    if one is None or other is None or one.how not in _EXACT or other.how not in _EXACT:
        return False
    if one.server.uuid != other.server.uuid:
        return False
    if one.gtid and other.gtid:
        # A restart of the server begins a new file, and writes no transaction.
        return one.gtid == other.gtid
    return (one.gtid, one.file, one.offset) == (other.gtid, other.file, other.offset)
