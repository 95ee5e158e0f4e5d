"""This process and the server's: what is killed, and how much memory is held."""

from __future__ import annotations

import os

from migrator.source import MySQLSource
from migrator.source.connection.connect import connected
from tests.source.reading import raw


def kill_dumps(source: MySQLSource) -> None:
    """Ends every stream of the server's log."""
    for number, _, _, _, command, *_ in raw(source, "SHOW PROCESSLIST"):
        if command is not None and command.startswith(b"Binlog Dump"):
            assert number is not None
            with connected(source.url) as connection:
                connection.exec_driver_sql(f"KILL {number.decode()}")


def resident() -> int:
    """Bytes of memory that this process holds."""
    with open("/proc/self/statm") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
