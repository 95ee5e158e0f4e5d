"""What the switch needs of a source and of a target beyond migrator.ports.verify."""

from __future__ import annotations

from typing import Protocol

from migrator.model.report.cutover import Counter, Handover, Seed
from migrator.ports.endpoints import Endpoints
from migrator.ports.verify import VerifiedSource, VerifiedTarget


class CutoverSource(VerifiedSource, Protocol):
    """A source that an application can leave."""

    def read_only(self) -> bool:
        """Whether the server refuses writes of ordinary accounts."""
        ...

    def highest(self, counter: Counter) -> int:
        """The highest number that the column has given out, 0 for none: rows that are gone count as well."""
        ...


class CutoverState(Protocol):
    """What the target stores of cutovers. What a call wrote is durable on a majority when it returns."""

    def handed_over(self) -> dict[str, Handover]:
        """By collection."""
        ...

    def record(self, handover: Handover) -> None: ...

    def withdraw(self, handover: Handover) -> None:
        """As if it had not been recorded."""
        ...

    def seed(self, seed: Seed) -> None:
        """A counter starts after `seed.last`; one that is higher already stays."""
        ...


class CutoverTarget(VerifiedTarget, Protocol):
    """A target that an application can go on with."""

    def cutover_state(self) -> CutoverState | None:
        """None for a target that nobody writes to."""
        ...


CutoverEndpoints = Endpoints[CutoverSource, CutoverTarget]
