"""Which of two places in one server's log comes first."""

from __future__ import annotations

import re

from migrator.model.position import Position

_NUMBER = re.compile(r"\.(\d+)$")


def log_place(position: Position) -> tuple[int, int]:
    """Number of the log file and offset: comparable among positions of one server.

    Files are numbered upwards (binlog.000009, binlog.000010, ..., binlog.1000000).
    """
    found = _NUMBER.search(position.file)
    return int(found[1]) if found else 0, position.offset


def is_behind(one: Position, other: Position) -> bool:
    """Whether `one` comes strictly before `other` in the log."""
    return log_place(one) < log_place(other)
