"""Premise B where the log shows cascades: MariaDB's rpl_use_binlog_events_for_fk_cascade, which no released server has.

As its design describes them (MDEV-38243): the parent's rows event is followed by one for the children's rows. All of
them are flagged NO_FOREIGN_KEY_CHECKS, so that replicas carry out no cascade of their own; two more flags say why. Of a
large statement the first events were written before any cascade and have none of the flags. So a sync may find a
cascade by following it, by the child's own events, or by both.

The events are made here by a session that checks no keys and changes the children by itself; the flags are put into
what the server sends.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import pytest

from migrator.source.binlog.events.compressed import PLAIN_ROWS
from migrator.source.binlog.events.packets import HEADER_BYTES, Kind, kind_of
from migrator.source.binlog.events.stream import LogStream
from tests.sync.premises.test_b_cascades import (
    BOOKS,
    BOXES,
    CUSTOMERS,
    GOODS,
    LONERS,
    PRODUCTS,
    TAGS,
    TOP,
    UNMAPPED,
    WHERE,
)
from tests.sync.premises.world import World

pytestmark = pytest.mark.slow

NO_KEY_CHECKS, CASCADES_LOGGED, DERIVED = 1 << 1, 1 << 4, 1 << 5
ROWS = frozenset(
    (
        Kind.WRITE_ROWS_V1,
        Kind.UPDATE_ROWS_V1,
        Kind.DELETE_ROWS_V1,
        Kind.WRITE_ROWS,
        Kind.UPDATE_ROWS,
        Kind.DELETE_ROWS,
        *PLAIN_ROWS,
    )
)


@dataclass(frozen=True)
class Flags:
    """Attributes:
    parents, children: what is added to the flags of their events, or, below zero, taken away; a session that
        checks no keys has set NO_KEY_CHECKS.
    parents_first: as MariaDB's design has it; MySQL logs the children first.
    """

    parents: int
    children: int
    parents_first: bool = True


FLAGS = {
    "as designed": Flags(CASCADES_LOGGED, CASCADES_LOGGED | DERIVED),
    "as a replica logs what it applied": Flags(0, 0),
    "the parent's event was written before any cascade": Flags(-NO_KEY_CHECKS, CASCADES_LOGGED | DERIVED),
    "as MySQL": Flags(-NO_KEY_CHECKS, -NO_KEY_CHECKS, parents_first=False),
}


@dataclass(frozen=True)
class Case:
    """Attributes:
    parents: statements that set off cascades.
    children: what the cascades do, in their order.
    """

    tables: tuple[str, ...]
    mapping: str
    parents: tuple[str, ...]
    children: tuple[str, ...]


CASES = {
    "a deleted tag": Case(
        TAGS, PRODUCTS, ("DELETE FROM tags WHERE id = 1",), ("DELETE FROM product_tags WHERE tag_id = 1",)
    ),
    "through an unmapped table": Case(
        UNMAPPED,
        BOOKS,
        ("DELETE FROM shops WHERE id = 1",),
        ("DELETE FROM shelves WHERE shop_id = 1", "DELETE FROM books WHERE shelf_id = 10"),
    ),
    "two levels into another root's documents": Case(
        CUSTOMERS,
        GOODS,
        ("DELETE FROM customers WHERE id = 1",),
        ("DELETE FROM orders WHERE customer_id = 1", "DELETE FROM items WHERE order_id = 10"),
    ),
    "a key handed down into the children's own key": Case(
        CUSTOMERS,
        GOODS,
        ("UPDATE orders SET id = 11 WHERE id = 10",),
        ("UPDATE items SET order_id = 11 WHERE order_id = 10",),
    ),
    "SET NULL lets a row enter a where": Case(
        WHERE, LONERS, ("DELETE FROM teams WHERE id = 1",), ("UPDATE people SET team_id = NULL WHERE team_id = 1",)
    ),
    "SET NULL lets a row enter a top-N": Case(
        TOP, BOXES, ("DELETE FROM colours WHERE id = 2",), ("UPDATE balls SET colour_id = NULL WHERE colour_id = 2",)
    ),
}


MARKS = (0, -NO_KEY_CHECKS, CASCADES_LOGGED, CASCADES_LOGGED | DERIVED)


def mark(change: int) -> str:
    """A statement that announces what is done to the flags of the rows events after it."""
    return f"INSERT INTO mark_{MARKS.index(change)} VALUES (NULL)"


class Flagging:
    """Changes the flags of rows events on their way."""

    def __init__(self) -> None:
        self.change = 0

    def __call__(self, data: bytes) -> bytes:
        kind = kind_of(data)
        if kind == Kind.TABLE_MAP:
            found = re.search(rb"mark_(\d)", data)
            if found is not None:
                self.change = MARKS[int(found[1])]
        if kind not in ROWS or not self.change:
            return data
        at = HEADER_BYTES + 6
        flags = int.from_bytes(data[at : at + 2], "little")
        flags = flags & ~-self.change if self.change < 0 else flags | self.change
        return data[:at] + flags.to_bytes(2, "little") + data[at + 2 :]


@pytest.fixture(autouse=True)
def flagged(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The flags of rows events as the reader sees them, without the one for a statement's end."""
    flagging = Flagging()
    read = LogStream.next
    seen: set[int] = set()

    def patched(self: LogStream) -> bytes:
        data = flagging(read(self))
        if kind_of(data) in ROWS:
            seen.add(int.from_bytes(data[HEADER_BYTES + 6 : HEADER_BYTES + 8], "little") & 0x32)
        return data

    monkeypatch.setattr(LogStream, "next", patched)
    return seen


def prepare(world: World, tables: tuple[str, ...], mapping: str) -> None:
    marks = (f"CREATE TABLE mark_{number} (id INT PRIMARY KEY AUTO_INCREMENT)" for number in range(len(MARKS)))
    world.sql(*marks, *tables)
    world.mapping(mapping)
    world.apply()
    world.sync()
    assert world.disagreements() == []


def logged(parents: tuple[str, ...], children: tuple[str, ...], flags: Flags) -> list[str]:
    """The statements of a transaction whose events are those of cascades that the log shows."""
    of_parents, of_children = [mark(flags.parents), *parents], [mark(flags.children), *children]
    order = [*of_parents, *of_children] if flags.parents_first else [*of_children, *of_parents]
    return ["SET foreign_key_checks = 0", "BEGIN", *order, mark(0), "COMMIT", "SET foreign_key_checks = 1"]


def resulting(change: int) -> int:
    return NO_KEY_CHECKS & ~-change if change < 0 else NO_KEY_CHECKS | change


@pytest.mark.needs_mariadb("flags of rows events as MariaDB has them")
@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("name", CASES)
def test_a_cascade_that_the_log_shows(world: World, flagged: set[int], name: str, flags: str) -> None:
    case, how = CASES[name], FLAGS[flags]
    prepare(world, case.tables, case.mapping)
    flagged.clear()
    world.sql(*logged(case.parents, case.children, how))
    world.sync()
    assert world.disagreements() == []
    assert flagged == {resulting(how.parents), resulting(how.children), NO_KEY_CHECKS}


def delete_customer(r: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    number = r.randint(1, 4)
    return (f"DELETE FROM customers WHERE id = {number}",), (
        f"DELETE items FROM items JOIN orders ON orders.id = order_id WHERE customer_id = {number}",
        f"DELETE FROM orders WHERE customer_id = {number}",
    )


def delete_order(r: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    number = r.randint(1, 12)
    return (f"DELETE FROM orders WHERE id = {number}",), (f"DELETE FROM items WHERE order_id = {number}",)


def move_order(r: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """To a number that nobody has."""
    old, new = r.randint(1, 12), r.randint(13, 10**6)
    return (f"UPDATE orders SET id = {new} WHERE id = {old}",), (
        f"UPDATE items SET order_id = {new} WHERE order_id = {old}",
    )


def move_all(r: random.Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keys follow each other."""
    return ("UPDATE orders SET id = id + 1 ORDER BY id DESC",), (
        "UPDATE items SET order_id = order_id + 1 ORDER BY order_id DESC, line",
    )


def fill(r: random.Random) -> list[str]:
    return [
        f"INSERT IGNORE INTO customers VALUES ({r.randint(1, 4)})",
        f"INSERT IGNORE INTO orders VALUES ({r.randint(1, 12)}, {r.randint(1, 4)})",
        *(
            f"INSERT IGNORE INTO items VALUES ({r.randint(1, 12)}, {r.randint(1, 3)}, {r.randint(1, 2)})"
            for _ in range(4)
        ),
        f"UPDATE IGNORE items SET good_id = {r.randint(1, 2)} WHERE order_id = {r.randint(1, 12)}",
    ]


@pytest.mark.parametrize("seed", range(4))
def test_histories_of_cascades_that_are_logged_and_such_that_are_not(world: World, seed: int) -> None:
    r = random.Random(seed)
    prepare(world, CUSTOMERS, GOODS)
    for _ in range(6):
        for _ in range(6):
            world.sql(*fill(r))
            parents, children = r.choice((delete_customer, delete_order, move_order, move_all))(r)
            if r.random() < 0.5:
                world.sql(*parents)
            else:
                world.sql(*logged(parents, children, r.choice(list(FLAGS.values()))))
        world.sync()
        assert world.disagreements() == []
