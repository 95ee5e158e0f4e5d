"""How a process opens its own source and target; travels to worker processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from migrator.waits import Waits

SourceT = TypeVar("SourceT", covariant=True)
TargetT = TypeVar("TargetT", covariant=True)


@dataclass(frozen=True)
class Endpoints(Generic[SourceT, TargetT]):
    """Opens the two sides of a command, as the protocols that the command needs of them.

    Both must be picklable (`functools.partial` of a module's function is). A target tells of servers that it waits for.
    """

    open_source: Callable[[], SourceT]
    open_target: Callable[[Waits], TargetT]
