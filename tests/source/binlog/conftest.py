"""A source whose log is followed, on the server of the other tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from migrator.model.change.position import Position
from migrator.source import MySQLSource
from tests.source.binlog.followed import Followed, watches_of

Follow = Callable[..., Followed]


@pytest.fixture
def follow(source: MySQLSource) -> Iterator[Follow]:
    """Follows tables of the fresh database: `follow("t", "u")`, from now on or from a `position`."""
    opened: list[Followed] = []

    def start(
        *tables: str, position: Position | None = None, columns: Mapping[str, tuple[str, ...]] | None = None
    ) -> Followed:
        opened.append(Followed(source, watches_of(source, tables, columns or {}), position))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
