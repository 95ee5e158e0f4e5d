"""The pass that a verify begins or resumes, and its progress as the target keeps it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from migrator.errors import Retryable, TargetError
from migrator.model.change.position import Position
from migrator.model.report.verify import CollectionPass, Pass, Published
from migrator.ports.verify import VerifyState
from migrator.verify.collection_pass import PassTracker

_SAVE_EVERY = 5.0
# A pass that began longer ago is not resumed: it says too little about the present.
_OLDEST = timedelta(hours=24)


class SavedPass:
    """One pass. A verify of chosen documents only is not saved: it is over soon, and says little about the rest.

    Attributes:
        trackers: of each collection how far it is.
        problem: why the progress can't be saved, "" when it can.
    """

    def __init__(self, state: VerifyState, one: Pass, published: Sequence[Published], *, whole: bool) -> None:
        self.problem = ""
        self.trackers = [PassTracker(each, done) for each, done in zip(published, one.collections, strict=True)]
        self._state = state
        self._pass = one
        self._whole = whole
        self._saved_at = time.monotonic()

    @property
    def id(self) -> str:
        return self._pass.id

    @property
    def started(self) -> str:
        """ISO, UTC."""
        return self._pass.started

    @property
    def position(self) -> Position | None:
        """Where the log ended when it began."""
        return self._pass.position

    def save_now_and_then(self) -> None:
        """As `save`, when the last time is some seconds ago."""
        if time.monotonic() - self._saved_at > _SAVE_EVERY:
            self.save()

    def save(self, ended: str = "") -> None:
        """Saves it in the target, where that takes it: an account that may only read can verify all the same.

        Args:
            ended: when the pass ended, ISO, UTC.

        Raises:
            TargetUnavailable: when the target does not answer.
        """
        self._saved_at = time.monotonic()
        if not self._whole or self.problem:
            return
        collections = tuple(each.progress() for each in self.trackers)
        try:
            self._state.save_pass(Pass(self.id, self.started, self.position, collections, ended))
        except TargetError as error:
            if isinstance(error, Retryable):
                raise
            self.problem = f"the progress of this verify can't be kept, so it can't be continued: {error.what}"


def unfinished_pass(state: VerifyState, published: Sequence[Published]) -> Pass | None:
    """The last pass, where that can be resumed: it covers the same documents and is not too old."""
    last = state.last_pass()
    if last is None or last.ended:
        return None
    made = {each.scope: each.collection.mapping_hash for each in published}
    age = datetime.now(UTC) - datetime.fromisoformat(last.started)
    # A version that did not save the hash did not renew columns.
    hashes = {each.scope: each.mapping_hash or made.get(each.scope) for each in last.collections}
    return last if hashes == made and age < _OLDEST else None


def new_pass(published: Sequence[Published], position: Callable[[], Position | None], *, whole: bool) -> Pass:
    """A pass that begins now.

    Args:
        position: asks where the log ends.
    """
    collections = tuple(
        CollectionPass(each.scope, whole=whole, mapping_hash=each.collection.mapping_hash) for each in published
    )
    return Pass(secrets.token_hex(4), now(), position(), collections)


def now() -> str:
    """ISO, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
