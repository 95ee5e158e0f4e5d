"""Takes changed keys from the log into the state while a copy runs, so that the log may expire behind a long copy."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from migrator.errors import MigratorError
from migrator.run.follow import Follower, Member
from migrator.run.sync_ports import SyncableSource, SyncState
from migrator.run.treatment import Later

_WAIT = 0.5


class Capture:
    """A thread that notes every change of a run's collections as dirty and moves their position on."""

    def __init__(
        self, source: SyncableSource, state: SyncState, members: Sequence[Member], retry_seconds: float
    ) -> None:
        self.fault: MigratorError | None = None
        self._source = source
        self._state = state
        self._members = members
        self._retry_seconds = retry_seconds
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="migrator-capture", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the position is saved; `fault` says what ended it before."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            follower = Follower(
                self._source,
                self._state,
                self._members,
                Later(self._state),
                _never,
                self._retry_seconds,
            )
        except MigratorError as fault:
            self.fault = fault
            return
        try:
            while not self._ending.is_set():
                follower.step(_WAIT)
            follower.finish()
        except MigratorError as fault:
            self.fault = fault
        finally:
            follower.close()


def _never() -> None:
    """What is noted in the state is nobody else's: nothing keeps it from being written."""


@contextmanager
def capturing(
    source: SyncableSource, state: SyncState, members: Sequence[Member], retry_seconds: float
) -> Iterator[Capture]:
    """A capture for the length of the block."""
    capture = Capture(source, state, members, retry_seconds)
    capture.start()
    try:
        yield capture
    finally:
        capture.stop()
