"""One line of `migrator doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at and what to do about it.

    Attributes:
        side: which end.
        status: `blocked` means apply or sync can't work.
        name: short: `reachable`, `privileges`, `binlog_format`.
        text: what was found.
        fix: how to fix it, "" when ok. May hold SQL to copy.
    """

    side: Literal["source", "target"]
    status: Literal["ok", "warning", "blocked"]
    name: str
    text: str
    fix: str = ""
