"""A schema with every kind of join that mappings have, and statements that make and unmake orphans in all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pymysql

OFF = "SET foreign_key_checks = 0"
ON = "SET foreign_key_checks = 1"

SCHEMA = (
    "CREATE TABLE regions (id INT PRIMARY KEY)",
    "CREATE TABLE countries (id INT PRIMARY KEY, region_id INT, name VARCHAR(20),"
    " FOREIGN KEY (region_id) REFERENCES regions (id) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE customers (id INT PRIMARY KEY, country_id INT, boss_id INT, name VARCHAR(20),"
    " FOREIGN KEY (country_id) REFERENCES countries (id) ON DELETE SET NULL ON UPDATE CASCADE,"
    " FOREIGN KEY (boss_id) REFERENCES customers (id) ON DELETE SET NULL)",
    "CREATE TABLE warehouses (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, warehouse_id INT,"
    " FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE ON UPDATE CASCADE,"
    " FOREIGN KEY (warehouse_id) REFERENCES warehouses (id) ON DELETE SET NULL ON UPDATE SET NULL)",
    "CREATE TABLE goods (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE items (order_id INT, line INT, good_id INT, PRIMARY KEY (order_id, line),"
    " FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE ON UPDATE CASCADE,"
    " FOREIGN KEY (good_id) REFERENCES goods (id) ON DELETE CASCADE)",
    "CREATE TABLE parts (id INT PRIMARY KEY, order_id INT, line INT, name VARCHAR(20),"
    " FOREIGN KEY (order_id, line) REFERENCES items (order_id, line) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE invoices (id INT PRIMARY KEY, order_id INT, name VARCHAR(20), UNIQUE (order_id),"
    " FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE SET NULL ON UPDATE CASCADE)",
    "CREATE TABLE tags (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE order_tags (order_id INT, tag_id INT, name VARCHAR(20), PRIMARY KEY (order_id, tag_id),"
    " FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,"
    " FOREIGN KEY (tag_id) REFERENCES tags (id) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE options (order_id INT, name VARCHAR(20), value VARCHAR(20), PRIMARY KEY (order_id, name),"
    " FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE notes (id INT PRIMARY KEY, kind VARCHAR(10), subject_id INT, name VARCHAR(20))",
    "CREATE TABLE categories (id INT PRIMARY KEY, parent_id INT, name VARCHAR(20),"
    " FOREIGN KEY (parent_id) REFERENCES categories (id) ON DELETE CASCADE)",
    "CREATE TABLE shelves (a INT, b INT, name VARCHAR(20), PRIMARY KEY (a, b))",
    "CREATE TABLE boxes (id INT PRIMARY KEY, a INT, b INT, name VARCHAR(20),"
    " FOREIGN KEY (a, b) REFERENCES shelves (a, b) ON DELETE SET NULL ON UPDATE CASCADE)",
)

MAPPINGS = (
    """
collection: orders
from: orders
embed:
  customer:
    from: customers
    embed:
      country: {from: countries}
      boss: {from: customers, on: {boss_id: id}, depth: 2}
  items:
    from: items
    many: true
    embed:
      good: {from: goods}
      parts: {from: parts, many: true}
  invoice: {from: invoices, one: true}
  tags: {from: tags, through: order_tags, many: true, value: name}
  tagged: {from: tags, through: {table: order_tags, fields: {how: {column: name}}}, many: true}
  options: {from: options, as: map, key: name, value: value}
  notes: {from: notes, many: true, on: {id: subject_id}, match: {kind: order}}
references:
  warehouse: {collection: warehouses, on: {warehouse_id: _id}}
""",
    """
collection: strict
from: orders
embed:
  customer: {from: customers, orphans: reject, embed: {country: {from: countries, orphans: reject}}}
  items: {from: items, many: true, embed: {good: {from: goods, orphans: reject}}}
  warehouse: {from: warehouses, flatten: true, columns: [], fields: {place: {column: name}}}
""",
    """
collection: customers
from: customers
embed:
  country: {from: countries, flatten: true, columns: [], fields: {country_name: {column: name}}}
  boss: {from: customers, on: {boss_id: id}, depth: 2}
  reports: {from: customers, many: true, on: {id: boss_id}, depth: 2}
  latest: {from: orders, many: true, order_by: [id desc], limit: 2, embed: {tags: {from: tags, through: order_tags,
           many: true}, invoice: {from: invoices, one: true}}}
""",
    "collection: warehouses\nfrom: warehouses\nembed: {orders: {from: orders, many: true, null: omit}}\n",
    """
collection: goods
from: goods
embed:
  items: {from: items, many: true, embed: {order: {from: orders, embed: {customer: {from: customers}}},
          parts: {from: parts, many: true}}}
""",
    """
collection: items
from: items
embed:
  order: {from: orders, embed: {customer: {from: customers, embed: {country: {from: countries}}}}}
  good: {from: goods, null: omit}
  parts: {from: parts, many: true}
""",
    """
collection: parts
from: parts
embed:
  item: {from: items, embed: {order: {from: orders}, good: {from: goods}}}
""",
    """
collection: tags
from: tags
embed:
  orders: {from: orders, through: order_tags, many: true, embed: {customer: {from: customers}}}
""",
    """
collection: links
from: order_tags
embed:
  tag: {from: tags}
  order: {from: orders, embed: {invoice: {from: invoices, one: true}}}
""",
    "collection: invoices\nfrom: invoices\nembed: {order: {from: orders, embed: {customer: {from: customers}}}}\n",
    """
collection: categories
from: categories
embed:
  above: {from: categories, on: {parent_id: id}, depth: 3}
  below: {from: categories, many: true, on: {id: parent_id}, depth: 2}
""",
    "collection: boxes\nfrom: boxes\nembed: {shelf: {from: shelves}}\n",
    "collection: loose\nfrom: boxes\nwhere: a IS NULL\n",
    "collection: shelves\nfrom: shelves\nembed: {boxes: {from: boxes, many: true}}\n",
)


@dataclass(frozen=True)
class Kind:
    """A table, what its key is made of, and its columns that refer to rows.

    Attributes:
        parents: (columns, table, columns there): what has to exist for a row to be no orphan.
    """

    key: tuple[str, ...]
    refers: tuple[str, ...] = ()
    parents: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = ()


def _to(table: str, column: str) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    return (column,), table, ("id",)


ID = ("id",)
KINDS = {
    "regions": Kind(ID),
    "countries": Kind(ID, ("region_id",), (_to("regions", "region_id"),)),
    "customers": Kind(ID, ("country_id", "boss_id"), (_to("countries", "country_id"), _to("customers", "boss_id"))),
    "warehouses": Kind(ID),
    "orders": Kind(
        ID, ("customer_id", "warehouse_id"), (_to("customers", "customer_id"), _to("warehouses", "warehouse_id"))
    ),
    "goods": Kind(ID),
    "items": Kind(("order_id", "line"), ("good_id",), (_to("orders", "order_id"), _to("goods", "good_id"))),
    "parts": Kind(ID, ("order_id", "line"), ((("order_id", "line"), "items", ("order_id", "line")),)),
    "invoices": Kind(ID, ("order_id",), (_to("orders", "order_id"),)),
    "tags": Kind(ID),
    "order_tags": Kind(("order_id", "tag_id"), (), (_to("orders", "order_id"), _to("tags", "tag_id"))),
    "options": Kind(("order_id", "name"), (), (_to("orders", "order_id"),)),
    "notes": Kind(ID, ("subject_id",), (_to("orders", "subject_id"),)),
    "categories": Kind(ID, ("parent_id",), (_to("categories", "parent_id"),)),
    "shelves": Kind(("a", "b")),
    "boxes": Kind(ID, ("a", "b"), ((("a", "b"), "shelves", ("a", "b")),)),
}
# Tables that others refer to.
PARENTS = tuple(
    name for name in KINDS if any(name == parent for kind in KINDS.values() for _, parent, _ in kind.parents)
)

# What a statement of these may be refused for: a duplicate (a cascade's, too), a row that is referred to or refers to
# nothing, a lock.
REFUSED = (1062, 1205, 1213, 1451, 1452, 1761, 1762)


def orphans(connection: pymysql.connections.Connection[Any]) -> dict[str, int]:
    """How many rows refer to a row that doesn't exist, by `table.columns`."""
    found = {}
    with connection.cursor() as cursor:
        for table, kind in KINDS.items():
            for columns, parent, theirs in kind.parents:
                on = " AND ".join(f"p.{one} = c.{own}" for own, one in zip(columns, theirs, strict=True))
                given = " AND ".join(f"c.{own} IS NOT NULL" for own in columns)
                cursor.execute(
                    f"SELECT COUNT(*) FROM {table} c LEFT JOIN {parent} p ON {on}"
                    f" WHERE {given} AND p.{theirs[0]} IS NULL"
                )
                found[f"{table}.{','.join(columns)}"] = int(cursor.fetchall()[0][0])
    return found


def related_rows() -> Iterator[str]:
    """Rows 1 to 3 of every table, which refer to each other and to a few that are not there."""
    yield OFF
    for number in (1, 2, 3):
        for table in KINDS:
            yield _insert(table, {**dict.fromkeys(_numbers(table), number), **_text(table, f"{table} {number}")})
    for number in (1, 2, 3):
        yield _insert("items", {"order_id": number, "line": 9, "good_id": 4})
        yield _insert("order_tags", {"order_id": number, "tag_id": number + 1, "name": "more"})
        yield f"UPDATE customers SET boss_id = {1 + number} WHERE id = {number}"
        yield f"UPDATE categories SET parent_id = {1 + number} WHERE id = {number}"
    yield ON


def lost_rows() -> Iterator[str]:
    """A row 10 of every table that refers to a row, which refers to nothing that is there."""
    yield OFF
    for table, kind in KINDS.items():
        if kind.parents:
            referring = {column for columns, _, _ in kind.parents for column in columns}
            values: dict[str, object] = {name: 77 if name in referring else 10 for name in _numbers(table)}
            yield _insert(table, {**values, **_text(table, f"{table} lost")})
    yield ON


def _numbers(table: str) -> tuple[str, ...]:
    kind = KINDS[table]
    return tuple(dict.fromkeys(one for one in (*kind.key, *kind.refers) if one != "name"))


def _text(table: str, text: str) -> dict[str, object]:
    if table in ("regions", "orders", "items"):
        return {}
    more = {"value": text} if table == "options" else {"kind": "order"} if table == "notes" else {}
    return {"name": text, **more}


def _insert(table: str, values: dict[str, object]) -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(map(_literal, values.values()))})"


def _literal(value: object) -> str:
    return "NULL" if value is None else repr(value)


class Statements:
    """Random statements, few different keys: parents go with and without their cascades, come back, and get other
    keys; children refer to what is not there."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._count = 0

    def some(self, count: int) -> Iterator[str]:
        for _ in range(count):
            yield OFF if self._random.random() < 0.7 else ON
            yield self._one()

    def _one(self) -> str:
        random = self._random
        self._count += 1
        table = random.choice(PARENTS if random.random() < 0.5 else tuple(KINDS))
        kind = KINDS[table]
        row = {name: random.randint(1, 4) for name in kind.key if name != "name"}
        where = " AND ".join(f"{name} = {value}" for name, value in row.items())
        match random.choice(("insert", "insert", "insert", "delete", "delete", "key", "refer", "text")):
            case "insert":
                values: dict[str, object] = {**row, **_text(table, f"{table} {self._count % 50}")}
                values |= {name: random.choice((None, 1, 2, 3, 4, 5)) for name in kind.refers}
                return _insert(table, values)
            case "delete":
                return f"DELETE FROM {table} WHERE {where}"
            case "key":
                name = random.choice(tuple(row))
                return f"UPDATE {table} SET {name} = {random.randint(1, 5)} WHERE {where}"
            case "refer" if kind.refers:
                value = random.choice(("NULL", 1, 2, 3, 4, 5))
                return f"UPDATE {table} SET {random.choice(kind.refers)} = {value} WHERE {where}"
        if "name" not in _text(table, "") or "name" in kind.key:
            return f"DELETE FROM {table} WHERE {where}"
        return f"UPDATE {table} SET name = 'text {self._count}' WHERE {where}"


def execute(connection: pymysql.connections.Connection[Any], statements: Iterator[str]) -> int:
    """Executes statements, and returns how many changed something; a few may be refused."""
    changed = 0
    with connection.cursor() as cursor:
        for statement in statements:
            try:
                changed += cursor.execute(statement) > 0
            except pymysql.err.MySQLError as error:
                if error.args[0] not in REFUSED:
                    raise
    return changed
