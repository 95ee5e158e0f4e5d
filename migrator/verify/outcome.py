"""The options of a verify, and what it reports while it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from migrator.copy.options import ApplyOptions, PauseObserver
from migrator.model.report.verify import Selection, Tally
from migrator.workers.announcer import ActivityListener


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How gently and how far.

    Attributes:
        wanted: which documents.
        pace: workers, how to spare the source, patience; `restart` forgets an unfinished pass.
        repair: put right what is wrong, and look again.
        settle_seconds: how long a document that changes all the time is looked at again before it is given up.
    """

    wanted: Selection
    pace: ApplyOptions
    repair: bool = False
    settle_seconds: float = 120.0


class VerifyObserver(PauseObserver, ActivityListener, Protocol):
    """Is told of the work while it runs; called in the process that runs `verify`, but for `doing` from one thread."""

    def started(self, expected: int, begun: str) -> None:
        """`expected`: documents in the target, estimated; `begun`: when the resumed pass began, or ""."""
        ...

    def looked(self, collection: str, tally: Tally, waiting: int) -> None:
        """`tally` of all so far; `waiting`: documents to be looked at again."""
        ...

    def note(self, text: str) -> None: ...
