"""The lease: one apply at a time on a target (premise C), without comparing clocks of different machines.

The owner counts a number up in the target (`beat`), every two seconds. Who wants the lease watches the number: as long
as it moves, the owner lives; when it stands still for ten seconds, measured by the watcher alone, the owner is taken
for dead and the lease is taken over by compare-and-set. An owner that could not count for eight seconds takes itself
for dead: it has stopped writing before anybody can have taken over.

A process that was stopped (SIGSTOP) in the middle of a write and wakes up after a takeover can still send that write.
What keeps such late writes from doing harm, for every kind of write that a copy makes:

* documents, indexes, validator and the rename name a collection that only one holding of the lease uses: whoever takes
  over a run first moves what was loaded to a name with the number of its own holding, which is higher than all before
  (`migrator.model.collection_names.staged_name`). A late write reaches a name that nobody reads, and that is dropped
  when the run is over; a late rename finds nothing to rename.
* a chunk counts as done only if its document in the state still names the attempt, which a takeover ends.
* everything else in the state is written together with a look at the lease, in one transaction (see
  `migrator.target.mongo.leases.write_guard`; for files, the transactions of SQLite).
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from migrator.errors import LeaseHeld, LeaseInDoubt, LeaseLost, TargetError
from migrator.target.process import ProcessId, is_dead, is_known, this_process


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has the lease.

    Attributes:
        token: random; tells this holding from every other.
        purpose: what for, in a word.
        since: ISO time by the owner's clock, for people only.
    """

    token: str
    process: ProcessId
    purpose: str
    since: str


@dataclass(frozen=True, slots=True)
class Holding:
    """The lease as the target has it.

    Attributes:
        renewed: when the beat was counted up, by the target's clock; None where that is not recorded. For people
            only: the beat says whether an owner is alive.
    """

    owner: Owner
    beat: int
    renewed: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. `give_up` must be less than `expiry`."""

    interval: float = 2.0
    give_up: float = 8.0
    expiry: float = 10.0
    poll: float = 0.25


class LeaseCheck(Protocol):
    """What the work is handed; see migrator.ports.copy.Lease."""

    def check(self) -> None: ...


class LeaseStore(Protocol):
    """One place for one lease. Every call is one atomic step; all raise TargetError and TargetUnavailable."""

    def read(self) -> Holding | None: ...

    def take(self, owner: Owner, over: Holding | None) -> bool:
        """Writes `owner` with beat 0 if the lease is still `over`, token and beat; None means that nobody has it."""
        ...

    def renew(self, token: str, beat: int) -> bool:
        """Writes the beat if the lease still has this token."""
        ...

    def release(self, token: str) -> None:
        """Removes the lease if it still has this token."""
        ...


class HeldLease:
    """Implements migrator.ports.copy.Lease; a thread keeps it alive until `stop`."""

    def __init__(self, store: LeaseStore, token: str, timing: Timing, where: str, *, inherited: bool = False) -> None:
        self._store = store
        self.token = token
        # Whether it was taken from an owner that did not give it back, who may wake up.
        self.inherited = inherited
        self._timing = timing
        self._where = where
        self._renewed = now()
        self._taken = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="migrator-lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises LeaseLost when another process has the lease, LeaseInDoubt when it may have it by now.

        A later call may pass again: a renewal that succeeds proves that nobody took over in between.
        """
        if self._taken:
            raise LeaseLost(
                "another process has taken over the work on this target", where=self._where, hint="Let that one finish."
            )
        silent = now() - self._renewed
        if silent > self._timing.give_up:
            raise LeaseInDoubt(
                f"could not renew the lease for {silent:.0f} seconds, so another process may have taken over",
                where=self._where,
                hint="Run the same command again: it continues where this one stopped.",
            )

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()

    def _keep(self) -> None:
        beat = 0
        while not self._ending.wait(self._timing.interval):
            beat += 1
            # Taken before the call: the time it needs is time in which the lease wasn't renewed.
            before = now()
            try:
                mine = self._store.renew(self.token, beat)
            except TargetError:
                # `check` tells when this has gone on for too long.
                continue
            if not mine:
                self._taken = True
                return
            self._renewed = before


def describe(owner: Owner) -> str:
    """Who has a lease, for people."""
    return f"{named(owner.process)}, since {owner.since}"


def named(process: ProcessId) -> str:
    """A process, for people."""
    return f"process {process.pid} on {process.host}"


@contextmanager
def hold(store: LeaseStore, purpose: str, where: str, timing: Timing | None = None) -> Iterator[HeldLease]:
    """Has the lease for the length of the block.

    Raises:
        LeaseHeld: when a live process has it. Finding out takes up to `timing.expiry` seconds.
    """
    timing = timing or Timing()
    owner = Owner(
        secrets.token_hex(16), this_process(), purpose, datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    )
    inherited = _acquire(store, owner, where, timing)
    lease = HeldLease(store, owner.token, timing, where, inherited=inherited)
    try:
        yield lease
    finally:
        lease.stop()
        # A lease that can't be given back ends by itself, and must not hide why the block ended.
        with suppress(TargetError):
            store.release(owner.token)


def live_owner(store: LeaseStore, timing: Timing | None = None) -> Owner | None:
    """Who has the lease and lives. One on another machine is watched until it has counted, or for `timing.expiry`."""
    timing = timing or Timing()
    found = store.read()
    if found is None or is_dead(found.owner.process):
        return None
    if is_known(found.owner.process):
        return found.owner
    end = now() + timing.expiry
    while now() < end:
        time.sleep(timing.poll)
        seen = store.read()
        if seen != found:
            return None if seen is None else seen.owner
    return None


def _acquire(store: LeaseStore, owner: Owner, where: str, timing: Timing) -> bool:
    """Whether somebody had it until then who did not give it back."""
    inherited = False
    while True:
        found = store.read()
        if found is not None and found.owner.token == owner.token:
            return inherited  # written by a call whose answer was lost
        if found is not None and not is_dead(found.owner.process):
            _wait_for_silence(store, found, where, timing)
        inherited = found is not None
        if store.take(owner, found):
            return inherited


def _wait_for_silence(store: LeaseStore, found: Holding, where: str, timing: Timing) -> None:
    """Returns when the lease's number stood still for long enough, or the lease is given back or its owner gone."""
    end = now() + timing.expiry
    while now() < end:
        time.sleep(timing.poll)
        seen = store.read()
        if seen is None or is_dead(found.owner.process):
            return
        if seen != found:
            raise LeaseHeld(
                f"{seen.owner.purpose} is running on this target: {describe(seen.owner)}",
                where=where,
                hint="Wait for it to finish, or end it: what it finished is kept.",
            )


def now() -> float:
    """Seconds; only differences mean something."""
    # Goes on while the machine sleeps, as others' clocks do; CLOCK_MONOTONIC does not.
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)
