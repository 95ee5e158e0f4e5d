"""Limits the load on the source: delays new chunks while it is busy or its replica lags."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from migrator.copy.options import ApplyOptions, PauseObserver
from migrator.model.change.position import Load
from migrator.workers.retry import retrying

_POLL_SECONDS = 2.0


class Throttle:
    """Asks the source how busy it is, at most every two seconds, and tells the observer about pauses.

    Attributes:
        reason: why new work must wait, as of the last look; "" when it need not.
    """

    def __init__(self, options: ApplyOptions, load: Callable[[], Load], observer: PauseObserver) -> None:
        self._options = options
        self._load = load
        self._observer = observer
        self._polled_at = float("-inf")
        self.reason = ""

    @property
    def holding(self) -> bool:
        """Whether new work must wait now."""
        options = self._options
        if options.max_threads_running is None and options.max_replica_lag is None:
            return False
        if time.monotonic() - self._polled_at >= _POLL_SECONDS:
            self._polled_at = time.monotonic()
            reason = self._reason(retrying(options.retry_seconds)(self._load))
            if reason and not self.reason:
                self._observer.paused(reason)
            elif self.reason and not reason:
                self._observer.continued()
            self.reason = reason
        return bool(self.reason)

    def _reason(self, load: Load) -> str:
        threads, lag = self._options.max_threads_running, self._options.max_replica_lag
        if threads is not None and load.threads_running > threads:
            return f"Threads_running is {load.threads_running}, above {threads}"
        if lag is not None and load.replica_lag is not None and load.replica_lag > lag:
            if math.isinf(load.replica_lag):
                return "the replica does not replicate"
            return f"the replica is {load.replica_lag:.0f} s behind, above {lag:g} s"
        return ""
