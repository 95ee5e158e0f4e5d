"""How a process opens its own source and target for verify; travels to worker processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from migrator.run.sync_ports import SyncableSource
from migrator.verify.ports import VerifiedTarget


@dataclass(frozen=True)
class VerifyEnds:
    """Both must be picklable (`functools.partial` of a module's function is)."""

    open_source: Callable[[], SyncableSource]
    open_target: Callable[[], VerifiedTarget]
