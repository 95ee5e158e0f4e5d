"""How a process opens its own source and target for verify; travels to worker processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from migrator.ports.verify import VerifiedSource, VerifiedTarget
from migrator.waits import Waits


@dataclass(frozen=True)
class VerifyEndpoints:
    """Both must be picklable (`functools.partial` of a module's function is)."""

    open_source: Callable[[], VerifiedSource]
    open_target: Callable[[Waits], VerifiedTarget]
