"""How long transient errors are retried, the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from migrator.errors import Retryable
from migrator.waits import SILENT_WAITS, Waits, retry_and_tell

T = TypeVar("T")


class RetryingCall:
    """Calls work until it succeeds or time is up; then the last error is raised.

    Only errors that are `Retryable` are tried again, with growing random pauses.
    """

    def __init__(self, seconds: float, waits: Waits) -> None:
        self._waits = waits
        self._retrying = Retrying(
            retry=retry_if_exception_type(Retryable),
            wait=wait_random_exponential(multiplier=0.5, max=10),
            stop=stop_after_delay(seconds),
            reraise=True,
        )

    def __call__(self, work: Callable[..., T], *arguments: object) -> T:
        return retry_and_tell(self._retrying, self._waits, partial(work, *arguments))


def retrying(seconds: float, waits: Waits = SILENT_WAITS) -> RetryingCall:
    """Tries for so many seconds; `waits` hears of it."""
    return RetryingCall(seconds, waits)
