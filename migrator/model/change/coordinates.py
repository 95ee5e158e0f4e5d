"""Which of two places in one server's log comes first."""

from __future__ import annotations

import re

from migrator.model.change.position import Position

_NUMBER = re.compile(r"\d+$")


def log_coordinates(file: str, offset: int) -> tuple[int, int]:
    """Sorts places of one log: the number at the end of a file's name gets a digit more after 999999."""
    found = _NUMBER.search(file)
    return int(found[0]) if found else 0, offset


def coordinates_of(position: Position) -> tuple[int, int]:
    """Where a position is, comparable among positions of one server."""
    return log_coordinates(position.file, position.offset)


def is_before(one: Position, other: Position) -> bool:
    """Whether `one` comes strictly before `other` in the log."""
    return coordinates_of(one) < coordinates_of(other)


def shown(position: Position) -> str:
    """A position for people."""
    return f"{position.file}:{position.offset}" if position.file else position.gtid
