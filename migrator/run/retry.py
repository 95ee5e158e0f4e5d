"""How long passing faults are tried again, the same everywhere."""

from __future__ import annotations

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from migrator.errors import Retryable


def retrying(seconds: float) -> Retrying:
    """Attempts until one succeeds or `seconds` have passed; then the last error is raised.

    Only errors that are `Retryable` are tried again, with growing random pauses.
    """
    return Retrying(
        retry=retry_if_exception_type(Retryable),
        wait=wait_random_exponential(multiplier=0.5, max=10),
        stop=stop_after_delay(seconds),
        reraise=True,
    )
