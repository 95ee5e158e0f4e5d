"""Premise B: every change to a joined row is visible, also those that a cascade makes without an event.

Each case is run a second time with the rule taken out, and has to fail then, where the server doesn't log cascades.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from migrator.changes.cascades import Cascades
from migrator.errors import SyncBlocked
from migrator.sync.cascades import row_snapshot, tracking
from tests.sync.premises.world import World

pytestmark = pytest.mark.slow

TAGS = (
    "CREATE TABLE products (id INT PRIMARY KEY, title VARCHAR(20))",
    "CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE product_tags (product_id INT, tag_id INT, PRIMARY KEY (product_id, tag_id),"
    " FOREIGN KEY (product_id) REFERENCES products (id), FOREIGN KEY (tag_id) REFERENCES tags (id) ON DELETE CASCADE)",
    "INSERT INTO products VALUES (1, 'a'), (2, 'b')",
    "INSERT INTO tags VALUES (1, 'red'), (2, 'blue')",
    "INSERT INTO product_tags VALUES (1, 1), (1, 2), (2, 1)",
)
PRODUCTS = """
collection: products
from: products
embed:
  tags: {from: tags, through: product_tags, many: true, value: name}
"""

UNMAPPED = (
    "CREATE TABLE shops (id INT PRIMARY KEY)",
    "CREATE TABLE shelves (id INT PRIMARY KEY, shop_id INT, FOREIGN KEY (shop_id) REFERENCES shops (id) ON DELETE"
    " CASCADE)",
    "CREATE TABLE books (id INT PRIMARY KEY, shelf_id INT, FOREIGN KEY (shelf_id) REFERENCES shelves (id) ON DELETE"
    " CASCADE)",
    "INSERT INTO shops VALUES (1), (2)",
    "INSERT INTO shelves VALUES (10, 1), (20, 2)",
    "INSERT INTO books VALUES (100, 10), (101, 10), (200, 20)",
)
BOOKS = "collection: books\nfrom: books\n"

CUSTOMERS = (
    "CREATE TABLE customers (id INT PRIMARY KEY)",
    "CREATE TABLE goods (id INT PRIMARY KEY)",
    "CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, FOREIGN KEY (customer_id) REFERENCES customers (id) ON"
    " DELETE CASCADE)",
    "CREATE TABLE items (order_id INT, line INT, good_id INT, PRIMARY KEY (order_id, line), FOREIGN KEY (order_id)"
    " REFERENCES orders (id) ON DELETE CASCADE ON UPDATE CASCADE, FOREIGN KEY (good_id) REFERENCES goods (id))",
    "INSERT INTO customers VALUES (1), (2)",
    "INSERT INTO goods VALUES (1), (2)",
    "INSERT INTO orders VALUES (10, 1), (20, 2)",
    "INSERT INTO items VALUES (10, 1, 1), (10, 2, 2), (20, 1, 1)",
)
GOODS = "collection: goods\nfrom: goods\nembed:\n  items: {from: items, many: true}\n"

WHERE = (
    "CREATE TABLE teams (id INT PRIMARY KEY)",
    "CREATE TABLE people (id INT PRIMARY KEY, team_id INT, FOREIGN KEY (team_id) REFERENCES teams (id) ON DELETE SET"
    " NULL)",
    "INSERT INTO teams VALUES (1)",
    "INSERT INTO people VALUES (1, 1), (2, NULL)",
)
LONERS = "collection: people\nfrom: people\nwhere: team_id IS NULL\n"

TOP = (
    "CREATE TABLE boxes (id INT PRIMARY KEY)",
    "CREATE TABLE colours (id INT PRIMARY KEY)",
    "CREATE TABLE balls (id INT PRIMARY KEY, box_id INT, colour_id INT, FOREIGN KEY (box_id) REFERENCES boxes (id),"
    " FOREIGN KEY (colour_id) REFERENCES colours (id) ON DELETE SET NULL)",
    "INSERT INTO boxes VALUES (1)",
    "INSERT INTO colours VALUES (1), (2)",
    "INSERT INTO balls VALUES (1, 1, NULL), (2, 1, 1), (3, 1, 2)",
)
BOXES = """
collection: boxes
from: boxes
embed:
  balls: {from: balls, many: true, order_by: [colour_id, id], limit: 2}
"""


@dataclass(frozen=True)
class Case:
    tables: tuple[str, ...]
    mapping: str
    change: tuple[str, ...]


CASES = {
    "a deleted tag whose documents hold only its name": Case(TAGS, PRODUCTS, ("DELETE FROM tags WHERE id = 1",)),
    "a cascade through an unmapped table": Case(UNMAPPED, BOOKS, ("DELETE FROM shops WHERE id = 1",)),
    "customers to orders to items, which sit in goods": Case(CUSTOMERS, GOODS, ("DELETE FROM customers WHERE id = 1",)),
    "a key handed down": Case(CUSTOMERS, GOODS, ("UPDATE orders SET id = 11 WHERE id = 10",)),
    "a key handed down, then its row deleted": Case(
        CUSTOMERS, GOODS, ("UPDATE orders SET id = 11 WHERE id = 10", "DELETE FROM orders WHERE id = 11")
    ),
    "SET NULL lets a row enter a where": Case(WHERE, LONERS, ("DELETE FROM teams WHERE id = 1",)),
    "SET NULL lets a row enter a top-N": Case(TOP, BOXES, ("DELETE FROM colours WHERE id = 2",)),
    "a parent that went without its cascade, then with it": Case(
        WHERE,
        LONERS,
        (
            "SET foreign_key_checks = 0",
            "DELETE FROM teams",
            "INSERT INTO teams VALUES (1)",
            "SET foreign_key_checks = 1",
            "DELETE FROM teams",
        ),
    ),
    "a row that came after the copy": Case(
        TAGS, PRODUCTS, ("INSERT INTO product_tags VALUES (2, 2)", "DELETE FROM tags WHERE id = 2")
    ),
    "a row that moved after the copy": Case(
        UNMAPPED, BOOKS, ("UPDATE shelves SET shop_id = 2 WHERE id = 10", "DELETE FROM shops WHERE id = 2")
    ),
}


def prepared(world: World, case: Case) -> World:
    world.sql(*case.tables)
    world.mapping(case.mapping)
    world.apply()
    assert world.disagreements() == []
    world.sql(*case.change)
    return world


def synced(world: World) -> None:
    world.sync()
    assert world.disagreements() == []


@pytest.mark.parametrize("name", CASES)
def test_what_a_cascade_changed_arrives(world: World, name: str) -> None:
    prepared(world, CASES[name]).sync()
    assert world.disagreements() == []


@pytest.mark.parametrize("name", CASES)
@pytest.mark.needs_mariadb("foreign keys whose cascades are not logged")
def test_without_the_rule_it_does_not(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant: nothing is remembered."""

    def nothing(*_: object) -> Cascades:
        return Cascades()

    monkeypatch.setattr(row_snapshot, "silent_cascades", nothing)
    monkeypatch.setattr(tracking, "silent_cascades", nothing)
    prepared(world, CASES[name]).sync()
    assert world.disagreements() != []


@pytest.mark.needs_mariadb("transactions that change tables of both kinds, with GTIDs")
@pytest.mark.parametrize(
    ("change", "end"),
    [
        ("DELETE FROM product_tags WHERE product_id = 1 AND tag_id = 1", ("ROLLBACK TO s", "COMMIT")),
        ("DELETE FROM product_tags WHERE product_id = 1 AND tag_id = 1", ("ROLLBACK",)),
        ("DELETE FROM tags WHERE id = 1", ("ROLLBACK TO s", "COMMIT")),
    ],
)
def test_what_was_logged_and_rolled_back_is_still_remembered(world: World, change: str, end: tuple[str, ...]) -> None:
    """So it is logged where a transaction changes a table without transactions, too."""
    world.sql("CREATE TABLE notes (id INT PRIMARY KEY) ENGINE = MyISAM")
    prepared(world, Case(TAGS, PRODUCTS, ()))
    world.sql("BEGIN", "INSERT INTO notes VALUES (1)", "SAVEPOINT s", change, "INSERT INTO notes VALUES (2)", *end)
    synced(world)
    world.sql("DELETE FROM tags WHERE id = 1")
    synced(world)


def test_a_remembered_row_that_another_cascade_has_changed(world: World) -> None:
    """The other one needs no memory: the product's event names its document. The rows that are remembered do."""
    handed_down = TAGS[2].replace("REFERENCES products (id)", "REFERENCES products (id) ON UPDATE CASCADE")
    prepared(world, Case((*TAGS[:2], handed_down, *TAGS[3:]), PRODUCTS, ("UPDATE products SET id = 3 WHERE id = 1",)))
    synced(world)
    world.sql("DELETE FROM tags WHERE id = 1")
    synced(world)


def test_a_cascading_key_that_comes_later_is_followed_from_then_on(world: World) -> None:
    world.sql(*(statement.replace(" ON DELETE CASCADE", "") for statement in TAGS))
    world.mapping(PRODUCTS)
    world.apply()
    world.sql(
        "ALTER TABLE product_tags ADD CONSTRAINT late FOREIGN KEY (tag_id) REFERENCES tags (id) ON DELETE CASCADE",
        "ALTER TABLE product_tags DROP FOREIGN KEY product_tags_ibfk_2",
    )
    world.sync()
    world.sql("DELETE FROM tags WHERE id = 1")
    world.sync()
    assert world.disagreements() == []


def _without_key(world: World) -> None:
    world.sql(
        "CREATE TABLE shops (id INT PRIMARY KEY)",
        "CREATE TABLE shelves (id INT, shop_id INT, KEY (id), FOREIGN KEY (shop_id) REFERENCES shops (id) ON DELETE"
        " CASCADE)",
        "CREATE TABLE books (id INT PRIMARY KEY, shelf_id INT, FOREIGN KEY (shelf_id) REFERENCES shelves (id) ON DELETE"
        " CASCADE)",
    )


@pytest.mark.needs_mariadb("foreign keys whose cascades are not logged")
@pytest.mark.parametrize("tables", [_without_key])
def test_what_cannot_be_followed_is_refused(world: World, tables: Callable[[World], None]) -> None:
    tables(world)
    world.mapping(BOOKS)
    heard = world.apply()
    assert heard.notes
    with pytest.raises(SyncBlocked, match="shelves"):
        world.sync()
