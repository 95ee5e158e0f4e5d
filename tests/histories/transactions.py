"""Operations in transactions: sessions of several kinds, savepoints, rollbacks. Pure but for what the pen looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.histories.definitions import DEFINITIONS
from tests.histories.operations import OPERATIONS, Operation, truncate
from tests.histories.pen import Pen, insertion

ZONES = ("+00:00", "+05:30", "-08:00")
# Strict, so that a slip of the generator shows, but with the zero dates that old data has.
STRICT = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO"


@dataclass(frozen=True)
class Mix:
    """How often something else than an ordinary transaction happens, as probabilities.

    Attributes:
        compression: of the log, turned on or off; on MariaDB for all sessions.
    """

    definitions: float = 0.03
    emptying: float = 0.012
    rollback: float = 0.1
    savepoint: float = 0.12
    single: float = 0.25
    session: float = 0.1
    compression: float = 0.0


def transaction(pen: Pen, mix: Mix) -> Iterator[str]:
    """Statements of one transaction, or of what stands outside of any."""
    if pen.chance(mix.session):
        yield _session(pen)
    if mix.compression and pen.chance(mix.compression):
        yield compression(on=pen.chance(0.6))
    if pen.chance(mix.emptying):
        yield from truncate(pen)
        return
    if pen.chance(mix.definitions):
        yield from _drawn(pen, DEFINITIONS)(pen)
        return
    if pen.chance(mix.single):
        yield from _drawn(pen, OPERATIONS)(pen)
        return
    yield pen.rng.choice(("BEGIN", "START TRANSACTION", "START TRANSACTION WITH CONSISTENT SNAPSHOT"))
    for _ in range(pen.rng.randint(1, 6)):
        if pen.chance(mix.savepoint):
            yield "SAVEPOINT here"
            yield from _drawn(pen, OPERATIONS)(pen)
            yield pen.rng.choice(("ROLLBACK TO SAVEPOINT here", "ROLLBACK TO SAVEPOINT here", "RELEASE SAVEPOINT here"))
        else:
            yield from _drawn(pen, OPERATIONS)(pen)
    yield "ROLLBACK" if pen.chance(mix.rollback) else "COMMIT"


def first_rows(pen: Pen, rows: int) -> Iterator[str]:
    """Fills every table, parents first."""
    for table in pen.shape.tables.values():
        for _ in range(pen.rng.randint(rows // 2, rows + rows // 2)):
            if row := pen.new_row(table):
                yield insertion("INSERT IGNORE", table, [row])


def compression(*, on: bool) -> str:
    return (
        "SET /*!80020 SESSION binlog_transaction_compression */"
        " /*M!100302 GLOBAL log_bin_compress_min_len = 10, GLOBAL log_bin_compress */"
        f" = {'ON' if on else 'OFF'}"
    )


def _session(pen: Pen) -> str:
    return pen.rng.choice(
        (
            f"SET time_zone = '{pen.rng.choice(ZONES)}'",
            f"SET sql_mode = '{pen.rng.choice((STRICT, ''))}'",
            f"SET SESSION TRANSACTION ISOLATION LEVEL {pen.rng.choice(('READ COMMITTED', 'REPEATABLE READ'))}",
        )
    )


def _drawn(pen: Pen, choice: Sequence[tuple[Operation, int]]) -> Operation:
    operations, weights = zip(*choice, strict=True)
    drawn: Operation = pen.rng.choices(operations, weights)[0]
    return drawn
