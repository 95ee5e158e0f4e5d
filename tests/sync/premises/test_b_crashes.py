"""Premise B through crashes: a sync dies before each of its writes in turn, and what comes after it is still right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.collection import Collection

from migrator.sync.cascades import overlay, tracker
from migrator.sync.cascades.tracker import Tracker
from migrator.target.mongo.leases import write_guard
from tests.sync.premises.world import World

pytestmark = [pytest.mark.slow, pytest.mark.needs_mariadb("foreign keys whose cascades are not logged")]

TABLES = (
    "CREATE TABLE customers (id INT PRIMARY KEY)",
    "CREATE TABLE goods (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, FOREIGN KEY (customer_id) REFERENCES customers (id)"
    " ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE items (order_id INT, line INT, good_id INT, PRIMARY KEY (order_id, line), FOREIGN KEY (order_id)"
    " REFERENCES orders (id) ON DELETE CASCADE ON UPDATE CASCADE, FOREIGN KEY (good_id) REFERENCES goods (id))",
    "INSERT INTO customers VALUES (1), (2), (3), (4)",
    "INSERT INTO goods VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    "INSERT INTO orders VALUES (10, 1), (11, 1), (20, 2), (30, 3), (40, 4)",
    "INSERT INTO items VALUES (10, 1, 1), (10, 2, 2), (11, 1, 3), (20, 1, 1), (30, 1, 2), (40, 1, 3)",
)
MAPPING = "collection: goods\nfrom: goods\nembed:\n  items: {from: items, many: true, order_by: [order_id, line]}\n"
CHANGES = (
    "DELETE FROM customers WHERE id = 1",
    "UPDATE customers SET id = 5 WHERE id = 2",
    "UPDATE orders SET id = 31 WHERE id = 30",
    "INSERT INTO orders VALUES (50, 5)",
    "INSERT INTO items VALUES (50, 1, 2)",
    "UPDATE goods SET name = 'd' WHERE id = 3",
)
# These show whether the rows are remembered as they are now.
LATER = ("DELETE FROM customers WHERE id = 5", "DELETE FROM orders WHERE id = 31", "DELETE FROM customers WHERE id = 4")


class Crash(BaseException):
    """The process dies here."""


class Writes:
    """Counts the writes of a sync to its target; dies before one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._fatal: int | None = None
        self._done = 0
        for name in ("insert_many", "bulk_write", "delete_many"):
            monkeypatch.setattr(Collection, name, self._counted(getattr(Collection, name)))

    def die_before(self, number: int | None) -> None:
        self._fatal, self._done = number, 0

    def _counted(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            if self._done == self._fatal:
                raise Crash
            self._done += 1
            return write(*arguments, **named)

        return counted


def prepared(world: World) -> World:
    world.sql(*TABLES)
    world.mapping(MAPPING)
    world.apply()
    world.sync()
    world.sql(*CHANGES)
    return world


def crashed_everywhere(world: World, writes: Writes) -> int:
    """Syncs until one survives, each dying one write later than the one before; how many died."""
    number = 0
    while True:
        writes.die_before(number)
        try:
            world.sync()
        except Crash:
            number += 1
        else:
            writes.die_before(None)
            return number


def without_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_guard, "has_transactions", lambda session: False)


@pytest.mark.parametrize("transactions", [True, False], ids=["transactions", "none"])
def test_a_crash_before_each_write(world: World, monkeypatch: pytest.MonkeyPatch, transactions: bool) -> None:
    if not transactions:
        without_transactions(monkeypatch)
    prepared(world)
    assert crashed_everywhere(world, Writes(monkeypatch)) >= 4
    assert world.disagreements() == []
    world.sql(*LATER)
    world.sync()
    assert world.disagreements() == []


def test_a_crash_in_the_middle_of_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory holds next to nothing, what a cascade reaches is noted before the rows that led to it go."""
    monkeypatch.setattr(overlay, "_KEPT", 0)
    monkeypatch.setattr(tracker, "_AT_ONCE", 1)
    prepared(world)
    assert crashed_everywhere(world, Writes(monkeypatch)) >= 5
    assert world.disagreements() == []
    world.sql(*LATER)
    world.sync()
    assert world.disagreements() == []


def test_tracked_rows_written_before_the_documents(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant: after a crash in between, the parent's event comes again and finds nothing."""
    resolve = Tracker.resolve

    def written_at_once(self: Tracker) -> None:
        resolve(self)
        self._secure = lambda: None
        self._make_room()

    prepared(world)
    monkeypatch.setattr(Tracker, "resolve", written_at_once)
    crashed_everywhere(world, Writes(monkeypatch))
    assert world.disagreements() != []
