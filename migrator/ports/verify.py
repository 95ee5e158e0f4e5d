"""What verify needs of a target beyond migrator.ports.copy. Implementations raise only errors of migrator.errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from migrator.model.change.events import Scope
from migrator.model.change.position import Position
from migrator.model.plan.chunk import Key, Rejected
from migrator.model.report.sums import NodeSums, SummedNode
from migrator.model.report.verify import Pass, Published
from migrator.ports.copy import Target
from migrator.ports.endpoints import Endpoints
from migrator.ports.sync import FollowedSource, SyncableSource, SyncTarget


class Stored(Protocol):
    """The documents of one live collection, to be read only."""

    def prepare(self) -> None:
        """To be called once before several processes ask."""
        ...

    def find(self, ids: Sequence[bytes]) -> list[bytes]:
        """The documents with any of these `{_id: ...}`, as the target compares them: one whose `_id` is 1.0 for 1."""
        ...

    def count(self) -> int:
        """How many documents there are, exactly."""
        ...

    def ids(self) -> Iterator[list[bytes]]:
        """Every document's `{_id: ...}`, some at a time."""
        ...

    def close(self) -> None: ...


class VerifyState(Protocol):
    """What verify reads of the state, and what it stores there."""

    def published(self) -> tuple[Published, ...]:
        """Everything live that an apply made (not what was adopted), by name."""
        ...

    def recorded(self, scope: Scope, keys: Sequence[Key]) -> frozenset[Key]:
        """Those of these root keys for which a reason for rejecting their document is recorded."""
        ...

    def count_rejected(self, scope: Scope) -> int: ...

    def reasons(self, scope: Scope, limit: int) -> list[Rejected]:
        """The first reasons that are recorded for rejected documents."""
        ...

    def rejected(self, scope: Scope, limit: int) -> list[str]:
        """Root keys, as text, of documents that a reason for rejecting them is recorded for; each once."""
        ...

    def sums(self, collection: str, nodes: Sequence[SummedNode]) -> tuple[NodeSums, ...]:
        """What the documents of a live collection hold at each spot, added up by the target itself where it can."""
        ...

    def last_pass(self) -> Pass | None: ...

    def save_pass(self, one: Pass) -> None:
        """Replaces what was kept."""
        ...

    def stored(self, collection: str) -> Stored: ...


class SumSource(FollowedSource, Protocol):
    """A source that adds up what its tables hold."""

    def position(self) -> Position | None: ...

    def sums(self, nodes: Sequence[SummedNode], without: Sequence[Key]) -> tuple[NodeSums, ...]:
        """What the tables hold at each spot of one collection, in one snapshot, but for the root keys of `without`."""
        ...


class VerifiedSource(SyncableSource, SumSource, Protocol):
    """A source that documents can be compared with."""


class VerifiedTarget(Target, Protocol):
    """A target that can be looked at."""

    def verify_state(self) -> VerifyState: ...

    def sync_target(self) -> SyncTarget | None:
        """None for a target that is only ever written once."""
        ...


VerifyEndpoints = Endpoints[VerifiedSource, VerifiedTarget]
