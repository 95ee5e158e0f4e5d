"""What one batch of sync asks of both servers: as many commands and statements for many changes as for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from pymongo import monitoring

from dev.servers.probe import connect_mysql
from migrator.sync.follower import Follower
from tests.sync.premises.test_b_crashes import MAPPING, TABLES
from tests.sync.premises.world import World

pytestmark = pytest.mark.slow

MANY = 300
# To MongoDB: documents (mark on the fence, deletes, writes, commit), tracked rows to look up at two levels of the
# cascade and to change in two tables, the position; and what is looked at once a second.
COMMANDS = 24
# To the source: the connection, a snapshot that is late enough, one statement for each node and way up, the end.
STATEMENTS = 24


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch: the reaches and events that it was made of, what it asked of MongoDB and of the source."""

    size: int
    commands: list[str]
    statements: int


@dataclass
class Watch(monitoring.CommandListener):
    """Hears of all commands; notes those of batches."""

    batches: list[Batch] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        about = str(event.command.get(event.command_name))
        if about != "_migrator_leases":  # by a thread of its own
            self.heard.append(f"{event.command_name} {about}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Counted when it started."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Counted when it started."""


@pytest.fixture
def watch(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Of the sync that runs in this process."""
    watch = Watch()
    flush = Follower._flush
    with closing(connect_mysql(world.source)) as connection, connection.cursor() as cursor:

        def questions() -> int:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Questions'")
            return int(cursor.fetchall()[0][1])

        def watched(follower: Follower) -> None:
            size, asked = follower._batch.size, questions()
            watch.heard.clear()
            flush(follower)
            if size:
                watch.batches.append(Batch(size, list(watch.heard), questions() - asked - 1))

        monkeypatch.setattr(Follower, "_flush", watched)
        monkeypatch.setattr(monitoring, "_LISTENERS", monitoring._Listeners([watch], [], [], [], []))
        yield watch


def asked(world: World, watch: Watch, *statements: str) -> list[Batch]:
    """The batches of a sync, each statement in a transaction of its own."""
    world.sql(*statements)
    watch.batches.clear()
    world.sync()
    assert world.disagreements() == []
    return watch.batches


def customers(count: int) -> list[str]:
    """Each with two orders of two items, in goods of their own."""
    of_all = range(1000, 1000 + count)

    def rows(of_one: str) -> str:
        return ", ".join(of_one.format(one, 10 * one, 10 * one + 1) for one in of_all)

    return [
        "INSERT INTO customers VALUES " + rows("({0})"),
        "INSERT INTO goods VALUES " + rows("({0}, 'x')"),
        "INSERT INTO orders VALUES " + rows("({1}, {0}), ({2}, {0})"),
        "INSERT INTO items VALUES " + rows("({1}, 1, {0}), ({1}, 2, {0}), ({2}, 1, {0}), ({2}, 2, {0})"),
    ]


@pytest.mark.parametrize(
    "change", ["DELETE FROM customers WHERE id = {0}", "UPDATE goods SET name = 'y' WHERE id = {0}"]
)
def test_many_changes_ask_for_as_much_as_one(world: World, watch: Watch, change: str) -> None:
    world.sql(*TABLES, *customers(MANY))
    world.mapping(MAPPING)
    world.apply()
    world.sync()
    batches = asked(world, watch, *(change.format(1000 + one) for one in range(MANY)))
    # Not one batch for each: otherwise it would be no wonder.
    assert len(batches) < MANY / 10
    assert max(len(batch.commands) for batch in batches) <= COMMANDS, batches
    assert max(batch.statements for batch in batches) <= STATEMENTS, batches
