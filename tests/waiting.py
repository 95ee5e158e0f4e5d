"""Waiting for what other processes do, and for a server to let go of its log."""

from __future__ import annotations

import time
from collections.abc import Callable

from dev.servers.probe import connect_mysql

SECONDS = 60.0


def until(true: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Returns when `true()` is; fails after a while."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def purge_log(url: str) -> None:
    """Purges every file of the server's log but the last.

    The server keeps one for a while that a reader has only just left, or that it would need after a crash.
    """
    with connect_mysql(url) as connection, connection.cursor() as cursor:

        def purged() -> bool:
            cursor.execute("SHOW BINARY LOGS")
            cursor.execute("PURGE BINARY LOGS TO %s", (cursor.fetchall()[-1][0],))
            return cursor.execute("SHOW BINARY LOGS") == 1

        until(purged, "a log of one file")
