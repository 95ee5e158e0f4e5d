"""A short trial before a plan is made: does the source write its log faster than documents can be rebuilt from it?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from migrator.changes.document_refs import Resolver
from migrator.changes.followable import unfollowable
from migrator.changes.watches import watches
from migrator.documents.assemble import Assembler
from migrator.errors import SourceUnavailable, SyncBlocked
from migrator.model.change.events import CaughtUp, DocumentRef, Rows
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.model.plan.plan import Finding
from migrator.model.schema.tables import Schema
from migrator.model.slices import slices
from migrator.model.text.formatting import duration, size
from migrator.ports.sync import LogReader, SyncableSource
from migrator.sync.change_handler import OpenedSnapshots
from migrator.sync.rebuild import KEYS_AT_ONCE
from migrator.sync.root_keys import find_root_keys

TRIAL_SECONDS = 2.0
# Below that the log says more about its headers than about writers, and a trial would be too short to tell anything.
_LEAST_BYTES = 256 << 10
_LEAST_SECONDS = 0.5
_REFS = 2000


@dataclass(frozen=True, slots=True)
class LogRate:
    """Bytes of log a second.

    Attributes:
        written: by the source, over `seconds`.
        followed: by the trial, which rebuilt the documents and wrote none.
    """

    written: float
    followed: float
    seconds: float


@dataclass(frozen=True, slots=True)
class LogMark:
    """Where the log stood at a moment.

    Attributes:
        position: every later event comes after it; it may be earlier than the log's end (see Source.position).
        before: bytes of log from the position to the end at that moment.
        at: that moment, by a clock that only goes forward.
    """

    position: Position
    before: int
    at: float


def mark_log(source: SyncableSource) -> LogMark | None:
    """Where the log stands now; None where there is none, or none that can be followed."""
    try:
        position = source.position()
        if position is None:
            return None
        source.require_followable()
        before = source.log_status(position).bytes
    except (SyncBlocked, SourceUnavailable):
        # What keeps a sync from following is told by other findings, and a copy needs nothing of it.
        return None
    return None if before is None else LogMark(position, before, time.monotonic())


def measure_log_rate(
    source: SyncableSource, schema: Schema, collections: Sequence[Collection], since: LogMark | None
) -> LogRate | None:
    """What was written since, and how fast it can be followed; None where too little was written to tell."""
    if since is None:
        return None
    try:
        grown, seconds = _grown(source, since), time.monotonic() - since.at
        if grown < _LEAST_BYTES or seconds < _LEAST_SECONDS:
            return None
        followed = _followed(source, schema, collections, since)
    except (SyncBlocked, SourceUnavailable):
        return None
    return None if followed is None else LogRate(grown / seconds, followed, seconds)


def _grown(source: SyncableSource, since: LogMark) -> int:
    return (source.log_status(since.position).bytes or 0) - since.before


def log_rate_findings(rate: LogRate | None) -> tuple[Finding, ...]:
    """A warning where a catch-up would come to no end."""
    if rate is None or rate.written <= rate.followed:
        return ()
    text = (
        f"the source wrote {size(round(rate.written))} of log a second in the {duration(rate.seconds)} that this plan "
        f"took, and a trial followed {size(round(rate.followed))} a second without writing a document: at this rate "
        "apply's catch-up will not come to an end, and sync will lag"
    )
    hint = "Copy when less is written, or fewer collections at a time (--collection)."
    return (Finding("warning", "log-rate", "source", text, hint),)


def _followed(
    source: SyncableSource, schema: Schema, collections: Sequence[Collection], since: LogMark
) -> float | None:
    """Bytes a second; None where no collection can be followed."""
    followed = [each for each in collections if not unfollowable(each, schema)]
    if not followed:
        return None
    every = watches(schema, followed, ())
    trials = [_TrialRebuild(Resolver(each, every), Assembler(each)) for each in followed]
    with OpenedSnapshots(source) as opened, source.follow(since.position, every) as log:
        started = time.monotonic()
        end = started + TRIAL_SECONDS
        while _batch(log, trials, opened, end):
            pass
        seconds = time.monotonic() - started
        reached = log.reached
    left = source.log_status(reached).bytes or 0
    return max(0, _grown(source, since) - left) / seconds


@dataclass(frozen=True, slots=True)
class _TrialRebuild:
    """What rebuilds the documents of one collection."""

    resolver: Resolver
    assembler: Assembler


def _batch(log: LogReader, trials: Sequence[_TrialRebuild], opened: OpenedSnapshots, end: float) -> bool:
    """Whether there is more, and time for it."""
    found: list[dict[DocumentRef, None]] = [{} for _ in trials]
    more = False
    for event in log.events():
        if isinstance(event, Rows):
            for refs, trial in zip(found, trials, strict=True):
                refs.update(dict.fromkeys(trial.resolver.document_refs(event)))
        if isinstance(event, CaughtUp):
            break
        more = time.monotonic() < end
        if not more or sum(map(len, found)) >= _REFS:
            break
    opened.run(_rebuild(log.reached, found, trials, opened))
    return more


async def _rebuild(
    reached: Position,
    found: Sequence[dict[DocumentRef, None]],
    trials: Sequence[_TrialRebuild],
    opened: OpenedSnapshots,
) -> None:
    async with opened.snapshots.at_least(reached) as snapshot:
        for refs, trial in zip(found, trials, strict=True):
            keys = (await find_root_keys(snapshot, trial.resolver.collection, refs)).keys
            for some in slices(keys, KEYS_AT_ONCE):
                async for _ in trial.assembler.by_keys(snapshot, some):
                    pass
