"""Statements that end a transaction by themselves: changes of definitions that a mapping survives, and noise."""

from __future__ import annotations

from tests.histories.operations import Operation, Statements
from tests.histories.pen import Pen
from tests.oracle.session import name


def add_column(pen: Pen) -> Statements:
    """A column that no mapping has seen, at any place (edge case 36); some go again."""
    table = pen.rng.choice(list(pen.shape.tables.values()))
    column = f"later_{pen.rng.randint(1, 3)}"
    if pen.chance(0.3):
        yield f"ALTER TABLE {name(table.name)} DROP COLUMN {column}"
        return
    place = pen.rng.choice(("", " FIRST", f" AFTER {name(pen.rng.choice(table.columns).name)}"))
    kind = pen.rng.choice(
        ("INT NULL", "VARCHAR(9) NOT NULL DEFAULT 'new'", "DATETIME(3) NULL", "INT NOT NULL DEFAULT 7")
    )
    yield f"ALTER TABLE {name(table.name)} ADD COLUMN {column} {kind}{place}"


def add_index(pen: Pen) -> Statements:
    table = pen.rng.choice(list(pen.shape.tables.values()))
    index = f"later_{pen.rng.randint(1, 2)}"
    plain = [column for column in table.columns if column.type in ("int", "smallint", "bigint", "varchar", "date")]
    if pen.chance(0.4):
        yield f"ALTER TABLE {name(table.name)} DROP INDEX {index}"
    elif plain:
        yield f"CREATE INDEX {index} ON {name(table.name)} ({name(pen.rng.choice(plain).name)})"


def rebuild(pen: Pen) -> Statements:
    table = name(pen.rng.choice(list(pen.shape.tables.values())).name)
    yield pen.rng.choice(
        (
            f"ALTER TABLE {table} FORCE",
            f"OPTIMIZE TABLE {table}",
            f"ANALYZE TABLE {table}",
            f"ALTER TABLE {table} COMMENT 'x'",
        )
    )


def noise(pen: Pen) -> Statements:
    """What concerns no mapping."""
    number = pen.rng.randint(1, 2)
    yield pen.rng.choice(
        (
            f"CREATE TABLE IF NOT EXISTS noise_{number} (id INT PRIMARY KEY, t TEXT)",
            f"DROP TABLE IF EXISTS noise_{number}",
            f"CREATE OR REPLACE VIEW noise_view AS SELECT {number} AS n",
            f"CREATE TEMPORARY TABLE IF NOT EXISTS noise_short_{number} (id INT)",
            f"DROP TEMPORARY TABLE IF EXISTS noise_short_{number}",
            "FLUSH BINARY LOGS",
        )
    )


DEFINITIONS: tuple[tuple[Operation, int], ...] = (
    (add_column, 3),
    (add_index, 2),
    (rebuild, 2),
    (noise, 3),
)
