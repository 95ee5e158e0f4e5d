"""Takes changed keys from the log into the state while a copy runs, so that the log may expire during a long copy."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.ports.sync import SyncableSource
from migrator.ports.sync_state import SyncState
from migrator.sync.change_handler import MarkDirty
from migrator.sync.follower import Follower, Member
from migrator.sync.renewals import RefuseRenewals
from migrator.workers.announcer import SILENT
from migrator.workers.background import IsOver

_STEP_SECONDS = 0.5


def capture(
    source: SyncableSource, state: SyncState, members: Sequence[Member], retry_seconds: float, is_over: IsOver
) -> None:
    """Records every change of `members` as dirty and moves their position on, which is saved when it returns.

    Raises:
        SyncBlocked: when the log can't be followed.
        SourceUnavailable, TargetUnavailable: when transient errors outlasted the retries.
    """
    renewals = RefuseRenewals(state.dirty)
    # It runs next to the copy, which is what people hear of; where it ends early the copy goes on without.
    with Follower(source, state, members, MarkDirty(state.dirty), renewals, _never, retry_seconds, SILENT) as follower:
        while not is_over():
            follower.step(_STEP_SECONDS)
        follower.finish()


def _never() -> None:
    """What is recorded in the state is nobody else's: nothing keeps it from being written."""
