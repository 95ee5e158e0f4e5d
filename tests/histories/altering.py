"""Random writes to a few tables next to random ALTERs of them, all from one seed; every mapping goes on fitting."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pymysql

from tests.sync.premises.world import World

TABLES = (
    "CREATE TABLE parents (id INT PRIMARY KEY, name VARCHAR(20), n INT, d DECIMAL(10, 2), e ENUM('a', 'b'), t DATETIME)"
    " CHARACTER SET utf8mb4",
    "CREATE TABLE children (id INT PRIMARY KEY, parent_id INT, lookup_id SMALLINT, v VARCHAR(20), n INT,"
    " KEY (parent_id)) CHARACTER SET utf8mb4",
    "CREATE TABLE lookups (id SMALLINT PRIMARY KEY, word VARCHAR(20)) CHARACTER SET utf8mb4",
)
MAPPING = """
collection: parents
from: parents
columns: [name, n, d, e, t]
validator: true
policies: {zero_date: "null"}
fields: {sum: {sql: n + 1}}
embed:
  children:
    from: children
    many: true
    on: {id: parent_id}
    columns: [id, v, n]
    order_by: [n, id]
    embed: {lookup: {from: lookups, on: {lookup_id: id}, columns: [word]}}
"""
PARENTS, CHILDREN, LOOKUPS = 30, 90, 6

_TEXTS = ("VARCHAR(3)", "VARCHAR(20)", "VARCHAR(60)", "CHAR(12)", "TEXT")
_CHARSETS = ("utf8mb4", "utf8mb3", "latin1")
_NUMBERS = ("SMALLINT", "INT", "BIGINT", "INT UNSIGNED", "DECIMAL(12,2)", "DOUBLE", "VARCHAR(20)")
_KEYS = ("INT", "BIGINT", "MEDIUMINT")
_TYPES: dict[str, dict[str, tuple[str, ...]]] = {
    "parents": {
        "id": tuple(f"{kind} NOT NULL" for kind in _KEYS),
        "name": _TEXTS,
        "n": (*_NUMBERS, "INT NOT NULL"),
        "d": ("DECIMAL(10,2)", "DECIMAL(6,1)", "DECIMAL(20,4)", "DECIMAL(20,2)"),
        "e": ("ENUM('a','b')", "ENUM('a','b','c')", "ENUM('b','a')", "ENUM('a','b') NOT NULL"),
        "t": ("DATETIME", "DATETIME(3)", "DATE", "TIMESTAMP NULL", "DATETIME(6)"),
    },
    "children": {
        "id": tuple(f"{kind} NOT NULL" for kind in _KEYS),
        "parent_id": _KEYS,
        "lookup_id": ("SMALLINT", "INT", "BIGINT"),
        "v": _TEXTS,
        "n": _NUMBERS,
    },
    "lookups": {"id": ("SMALLINT NOT NULL", "INT NOT NULL", "BIGINT NOT NULL"), "word": _TEXTS},
}
_WORDS = ("'a'", "'Bb '", "'naïf'", "'日本'", "'😀'", "''", "NULL", "'a longer text, cut or not'", "'12'")
_AMOUNTS = ("NULL", "0", "7", "-3", "12.5", "40000", "3000000000", "'9'")
_TIMES = ("NULL", "'2020-01-02 03:04:05.678901'", "'1999-12-31'", "'1960-01-01 00:00:01'")


def alterations(rng: random.Random) -> Iterator[list[str]]:
    """Statements that belong together, without an end."""
    number = 0
    while True:
        number += 1
        table = rng.choice(tuple(_TYPES))
        kind = rng.random()
        if kind < 0.6:
            actions = {_modify(rng, table) for _ in range(rng.choice((1, 1, 2)))}
            # A column is altered once in a statement.
            actions = {action.split()[1]: action for action in sorted(actions)}.values()
            yield [f"ALTER TABLE {table} {', '.join(actions)}"]
        elif kind < 0.7:
            yield [f"ALTER TABLE {table} CONVERT TO CHARACTER SET {rng.choice(_CHARSETS)}"]
        elif kind < 0.85:
            place = rng.choice(("FIRST", "AFTER id", ""))
            yield [f"ALTER TABLE {table} ADD COLUMN extra_{number} INT DEFAULT {number} {place}"]
        elif kind < 0.9:
            yield [f"ALTER TABLE {table} ADD INDEX extra_{number} (id), COMMENT = 'x'"]
        else:
            yield [
                f"CREATE TABLE _{table}_gho LIKE {table}",
                f"ALTER TABLE _{table}_gho {_modify(rng, table)}",
                f"INSERT INTO _{table}_gho SELECT * FROM {table}",
                f"RENAME TABLE {table} TO _{table}_del, _{table}_gho TO {table}",
                f"DROP TABLE _{table}_del",
            ]


def _modify(rng: random.Random, table: str) -> str:
    column = rng.choice(tuple(_TYPES[table]))
    kind = rng.choice(_TYPES[table][column])
    charset = f" CHARACTER SET {rng.choice(_CHARSETS)}" if kind in _TEXTS else ""
    return f"MODIFY {column} {kind}{charset}"


def writes(rng: random.Random) -> list[str]:
    """A transaction."""
    return [_write(rng) for _ in range(rng.choice((1, 1, 2, 4)))]


def _write(rng: random.Random) -> str:
    parent, child = rng.randint(1, PARENTS), rng.randint(1, CHILDREN)
    word, amount = rng.choice(_WORDS), rng.choice(_AMOUNTS)
    match rng.randint(0, 8):
        case 0:
            return f"DELETE FROM parents WHERE id = {parent}"
        case 1 | 2:
            e, t = rng.choice(("'a'", "'b'", "'c'", "NULL")), rng.choice(_TIMES)
            return (
                f"REPLACE INTO parents (id, name, n, d, e, t) VALUES ({parent}, {word}, {amount}, {amount}, {e}, {t})"
            )
        case 3:
            return f"UPDATE parents SET name = {word}, n = {amount} WHERE id = {parent}"
        case 4:
            return f"DELETE FROM children WHERE id = {child}"
        case 5 | 6:
            lookup = rng.choice(("NULL", str(rng.randint(1, LOOKUPS))))
            return (
                "REPLACE INTO children (id, parent_id, lookup_id, v, n)"
                f" VALUES ({child}, {parent}, {lookup}, {word}, {amount})"
            )
        case 7:
            return f"UPDATE children SET parent_id = {parent}, n = {amount} WHERE id = {child}"
    return f"REPLACE INTO lookups (id, word) VALUES ({rng.randint(1, LOOKUPS)}, {word})"


@dataclass
class Altering:
    """Writers and one who alters, at work in threads.

    Attributes:
        done: statements in the order in which they ended, roughly.
    """

    world: World
    seed: int
    done: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _failures: list[BaseException] = field(default_factory=list)

    def prepare(self) -> None:
        rng = random.Random(f"{self.seed} first")
        self.world.sql(*TABLES)
        self.world.sql("SET SESSION sql_mode = ''", *(_write(rng) for _ in range(400)))
        self.world.mapping(MAPPING)

    def start(self, writers: int, transactions: int, alters: int, part: int = 0) -> None:
        """Parts come one after the other."""

        def write(number: int) -> None:
            rng = random.Random(f"{self.seed} writer {number} {part}")
            for _ in range(transactions):
                self._execute("BEGIN", *writes(rng), "COMMIT")
                time.sleep(rng.choice((0, 0.005, 0.02)))

        def alter() -> None:
            rng = random.Random(f"{self.seed} alter {part}")
            time.sleep(rng.choice((0, 0.1)))
            statements = alterations(rng)
            for _ in range(alters):
                self._execute(*next(statements))
                time.sleep(rng.choice((0, 0.05, 0.4)))

        works: list[Callable[[], None]] = [alter, *(lambda number=number: write(number) for number in range(writers))]  # type: ignore[misc]
        self._threads = [threading.Thread(target=self._guarded, args=(work,), daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    @property
    def going_on(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as failure:
            self._failures.append(failure)

    def _execute(self, *statements: str) -> None:
        """All of them, or those up to one that the server refuses: a table that is gone for a moment, a deadlock."""
        with self.world.connected() as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode = ''")
            for statement in statements:
                try:
                    cursor.execute(statement)
                except pymysql.err.MySQLError as error:
                    self.done.append(f"{statement}  -- {error}")
                    cursor.execute("ROLLBACK")
                    if "_gho" in statement:
                        continue
                    return
                self.done.append(statement)
