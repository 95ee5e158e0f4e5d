"""Who has a lease and whether they live, without waiting if the target's clock or this machine shows it."""

from __future__ import annotations

from datetime import datetime

from migrator.model.report.activity import LeaseHolder
from migrator.target.lease import Holding, LeaseStore, Timing, describe, live_owner, named
from migrator.target.process import ProcessId, is_dead, is_known

# A lease is renewed every two seconds; a renewal may take its time.
_SLACK = 2.0


def lives(process: ProcessId) -> bool | None:
    """Whether a process does; None for one of another machine."""
    return not is_dead(process) if is_known(process) else None


def holder(store: LeaseStore, now: datetime, timing: Timing | None = None) -> LeaseHolder | None:
    """Who has the lease of `store`, alive or not.

    Args:
        now: by the target's clock, which also stamps renewals. Only people go by what comes of it: whoever wants the
            lease watches its beat.
    """
    timing = timing or Timing()
    found = store.read()
    if found is None:
        return None
    silent = None if found.renewed is None else max(0.0, (now - found.renewed).total_seconds())
    owner = found.owner
    return LeaseHolder(
        describe(owner), named(owner.process), owner.purpose, _lives(store, found, silent, timing), silent
    )


def _lives(store: LeaseStore, found: Holding, silent: float | None, timing: Timing) -> bool:
    known = lives(found.owner.process)
    if known is not None:
        return known
    if silent is not None:
        return silent <= timing.expiry + _SLACK
    return live_owner(store, timing) is not None
