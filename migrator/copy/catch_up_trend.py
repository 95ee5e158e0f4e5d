"""Whether a catch-up gets closer to its end. Pure: computed from its past measurements."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

# Rates are of so many seconds, and whether the rest shrinks is told by a longer look: writers come in bursts.
_RATE_OVER = 10.0
_TREND_OVER = 60.0


@dataclass(frozen=True, slots=True)
class TrendSample:
    """What was known of a catch-up at one moment.

    Attributes:
        at: seconds by a clock that only goes forward.
        changes: row changes read from the log since the start.
        documents: documents written or deleted since the start.
        logged: seconds between the source's commit of what was read last and now; None before the first commit.
        bytes_left: log that is not read yet; None where the server can't tell.
        dirty: entries of the state that are still to be rebuilt.
    """

    at: float
    changes: int
    documents: int
    logged: float | None
    bytes_left: int | None
    dirty: int


@dataclass(frozen=True, slots=True)
class CatchUp:
    """How a catch-up goes.

    Attributes:
        seconds: since it began.
        changes_rate, documents_rate: row changes read and documents written a second, of late.
        lag_seconds, bytes_left, dirty: see Sample.
        growing: what has not become less in the last minute of those three, in words; empty as long as anything else
            than an end can be hoped for, so in the first minute.
    """

    seconds: float
    changes_rate: float
    documents_rate: float
    lag_seconds: float | None
    bytes_left: int | None
    dirty: int
    growing: tuple[str, ...] = ()


class Trend:
    """The samples of the last minute."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._samples: deque[TrendSample] = deque()

    def add(self, sample: TrendSample) -> CatchUp:
        """What is to be said now; samples come in the order of their times."""
        self._samples.append(sample)
        # One from before the last minute stays, to compare with.
        while len(self._samples) > 1 and self._samples[1].at <= sample.at - _TREND_OVER:
            self._samples.popleft()
        recent = next(each for each in self._samples if each.at >= sample.at - _RATE_OVER)
        seconds = sample.at - recent.at
        return CatchUp(
            seconds=sample.at - self._started,
            changes_rate=(sample.changes - recent.changes) / seconds if seconds else 0.0,
            documents_rate=(sample.documents - recent.documents) / seconds if seconds else 0.0,
            lag_seconds=sample.logged,
            bytes_left=sample.bytes_left,
            dirty=sample.dirty,
            growing=tuple(self._growing(sample)),
        )

    def _growing(self, now: TrendSample) -> list[str]:
        before = self._samples[0]
        if before.at > now.at - _TREND_OVER:
            return []
        found = []
        # The same in bytes and in time, of which one may be unknown; idle minutes of the source make them differ.
        unread = {_grows(before.bytes_left, now.bytes_left), _grows(before.logged, now.logged)}
        if True in unread and False not in unread:
            found.append("the part of the log that is not read yet")
        if _grows(before.dirty, now.dirty):
            found.append("what is read and not rebuilt yet")
        return found


def _grows(before: float | None, now: float | None) -> bool | None:
    """Nothing left is no growth; None where it can't be determined."""
    if before is None or now is None:
        return None
    return now > 0 and now >= before
