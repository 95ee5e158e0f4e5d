"""What writers do, one small generator an operation: each yields statements, and looks at the data between them.

An operation that finds nothing to work on yields nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.histories.pen import Cells, Pen, assignments, insertion, where
from tests.histories.shape import Link, Table
from tests.oracle.session import name

Statements = Iterator[str]
Operation = Callable[[Pen], Statements]


def insert(pen: Pen) -> Statements:
    table = _any(pen)
    rows = [row for _ in range(pen.rng.choice((1, 1, 1, 2, 5))) if (row := pen.new_row(table))]
    if rows:
        yield insertion(pen.rng.choice(("INSERT", "INSERT", "INSERT IGNORE")), table, rows)


def update(pen: Pen) -> Statements:
    table = _any(pen)
    key = pen.key(table)
    cells = pen.changes(table, pen.rng.randint(1, 3), keys=False)
    if key and cells:
        yield f"UPDATE {name(table.name)} SET {assignments(cells)} WHERE {where(key)}"


def rekey(pen: Pen) -> Statements:
    """A primary key changes: one event, two documents (edge case 20)."""
    table = _any(pen)
    key = pen.key(table)
    if key:
        cells = {
            column: pen.value(table, column) for column in pen.rng.sample(sorted(key), pen.rng.randint(1, len(key)))
        }
        yield f"UPDATE {name(table.name)} SET {assignments(cells)} WHERE {where(key)}"


def respell(pen: Pen) -> Statements:
    """'abc' becomes 'ABC' or 'abc ': the same to the collation (edge case 12), or at least to some."""
    choice = [
        (table, column.name)
        for table in pen.shape.tables.values()
        for column in table.columns
        if column.collation and column.collation.endswith(("_ci", "_bin")) and _matters(table, column.name)
    ]
    if not choice:
        return
    table, column = pen.rng.choice(choice)
    key = pen.key(table)
    if key:
        text = name(column)
        change = pen.rng.choice((f"UPPER({text})", f"LOWER({text})", f"CONCAT({text}, ' ')", f"RTRIM({text})"))
        yield f"UPDATE IGNORE {name(table.name)} SET {text} = {change} WHERE {where(key)}"


def _matters(table: Table, column: str) -> bool:
    keys = [*table.unique, *(link.columns for link in table.parents), *(link.parent_columns for link in table.children)]
    return any(column in key for key in keys)


def delete(pen: Pen) -> Statements:
    table = _any(pen)
    if key := pen.key(table):
        yield f"DELETE FROM {name(table.name)} WHERE {where(key)}"


def bulk_delete(pen: Pen) -> Statements:
    table = _any(pen)
    order = ", ".join(f"{name(column)} {pen.rng.choice(('', 'DESC'))}" for column in table.key)
    if order:
        yield f"DELETE FROM {name(table.name)} ORDER BY {order} LIMIT {pen.rng.randint(1, 4)}"


def bulk_update(pen: Pen) -> Statements:
    table = _any(pen)
    cells = pen.changes(table, pen.rng.randint(1, 2), keys=False)
    unique = {column for key in table.unique for column in key}
    cells = {column: sql for column, sql in cells.items() if column not in unique}
    if cells and table.key:
        order = ", ".join(f"{name(column)} {pen.rng.choice(('', 'DESC'))}" for column in table.key)
        limit = f" ORDER BY {order} LIMIT {pen.rng.randint(2, 9)}" if pen.chance(0.8) else ""
        yield f"UPDATE {name(table.name)} SET {assignments(cells)}{limit}"


def move(pen: Pen) -> Statements:
    """A child goes r1, r2, r3, perhaps back; perhaps one of them goes meanwhile (edge case 48)."""
    link = _any_link(pen)
    table = pen.shape.tables[link.table]
    key = pen.key(table)
    if not key or any(column in key or not table.writable(column) for column in link.columns):
        return
    before = pen.existing(table, link.columns)
    steps = [pen.parent(table, link) for _ in range(pen.rng.randint(1, 3))]
    if pen.chance(0.2):
        steps.append(before)
    for number, cells in enumerate(steps):
        if cells:
            yield f"UPDATE {name(table.name)} SET {assignments(cells)} WHERE {where(key)}"
        if cells and number and pen.chance(0.2) and "NULL" not in cells.values():
            there = dict(zip(link.parent_columns, (cells[column] for column in link.columns), strict=True))
            yield f"DELETE FROM {name(link.parent)} WHERE {where(there)}"


def swap(pen: Pen) -> Statements:
    """Two rows exchange a unique value (edge case 51)."""
    choice = [
        (table, key[0])
        for table in pen.shape.tables.values()
        for key in table.unique
        if len(key) == 1 and key[0] != table.counter and pen.spare(table, key[0]) and table.key
    ]
    if not choice:
        return
    table, column = pen.rng.choice(choice)
    columns = tuple(dict.fromkeys((*table.key, column)))
    one, other = pen.existing(table, columns), pen.existing(table, columns)
    if not one or not other or one == other or "NULL" in (one[column], other[column]):
        return
    # By the value itself: the key may be what is swapped.
    steps = [(one[column], pen.spare(table, column)), (other[column], one[column])]
    for old, new in [*steps, (pen.spare(table, column), other[column])]:
        yield f"UPDATE {name(table.name)} SET {name(column)} = {new} WHERE {name(column)} = {old}"


def replace(pen: Pen) -> Statements:
    """Deletes whatever has the key, with all that cascades, and inserts."""
    table = _any(pen)
    key, row = pen.key(table), pen.new_row(table)
    if key and row:
        yield insertion("REPLACE", table, [row | key if pen.chance(0.8) else row])


def upsert(pen: Pen) -> Statements:
    table = _any(pen)
    key, row = pen.key(table), pen.new_row(table)
    cells = pen.changes(table, pen.rng.randint(1, 2), keys=False)
    if key and row and cells:
        head = insertion("INSERT", table, [row | key if pen.chance(0.6) else row])
        yield f"{head} ON DUPLICATE KEY UPDATE {assignments(cells)}"


def insert_selected(pen: Pen) -> Statements:
    """Copies of rows that are there, with new keys."""
    table = _any(pen)
    key = pen.key(table)
    if not key:
        return
    unique = {column for columns in table.unique for column in columns}
    fresh = {
        column: pen.value(table, column)
        for column in sorted(unique)
        if column != table.counter and not _is_link(table, column)
    }
    columns = [column.name for column in table.columns if column.name != table.counter]
    wanted = ", ".join(fresh.get(column, name(column)) for column in columns)
    yield (
        f"INSERT INTO {name(table.name)} ({', '.join(map(name, columns))})"
        f" SELECT {wanted} FROM {name(table.name)} WHERE {where(key)}"
    )


def _is_link(table: Table, column: str) -> bool:
    return any(column in link.columns for link in table.parents)


def replay_key(pen: Pen) -> Statements:
    """Away and there again, in one transaction."""
    table = _any(pen)
    key, row = pen.key(table), pen.new_row(table)
    if key and row:
        yield f"DELETE FROM {name(table.name)} WHERE {where(key)}"
        yield insertion("INSERT", table, [row | key])


def update_joined(pen: Pen) -> Statements:
    """Parent and child in one statement."""
    link = _any_link(pen)
    if link.table == link.parent:
        return
    child, parent = pen.shape.tables[link.table], pen.shape.tables[link.parent]
    key = pen.key(parent)
    linked = {column for each in child.parents for column in each.columns}
    named = {column for each in parent.parents for column in each.columns} | set(link.parent_columns)
    mine, theirs = pen.changes(child, 1, keys=False), pen.changes(parent, 1, keys=False)
    unique = {column for table in (child, parent) for columns in table.unique for column in columns}
    sets = [f"a.{name(column)} = {sql}" for column, sql in mine.items() if column not in linked | unique]
    sets += [f"b.{name(column)} = {sql}" for column, sql in theirs.items() if column not in named | unique]
    if key and sets:
        on = " AND ".join(
            f"a.{name(one)} = b.{name(other)}" for one, other in zip(link.columns, link.parent_columns, strict=True)
        )
        at = " AND ".join(f"b.{name(column)} = {sql}" for column, sql in key.items())
        yield f"UPDATE {name(child.name)} a JOIN {name(parent.name)} b ON {on} SET {', '.join(sets)} WHERE {at}"


def same_again(pen: Pen) -> Statements:
    """An update that changes nothing."""
    table = _any(pen)
    if key := pen.key(table):
        column = name(pen.rng.choice(table.columns).name)
        yield f"UPDATE {name(table.name)} SET {column} = {column} WHERE {where(key)}"


def unchecked(pen: Pen) -> Statements:
    """With foreign key checks off: parents go without their children, children come without parents (edge case 24)."""
    table = _any(pen)
    key, row = pen.key(table), pen.new_row(table)
    if not key or not row:
        return
    yield "SET foreign_key_checks = 0"
    if pen.chance(0.5):
        yield f"DELETE FROM {name(table.name)} WHERE {where(key)}"
    else:
        lost: Cells = {
            column: pen.value(table, column)
            for link in table.parents
            for column in link.columns
            if column not in table.key and table.writable(column)
        }
        yield insertion("INSERT", table, [row | lost])
    yield "SET foreign_key_checks = 1"


def truncate(pen: Pen) -> Statements:
    """Without row events; of a table that others refer to only with checks off (edge case 37)."""
    free = [table for table in pen.shape.tables.values() if not table.referred]
    if pen.chance(0.75):
        if table := pen.table(free):
            yield f"TRUNCATE TABLE {name(table.name)}"
        return
    if table := pen.table():
        yield "SET foreign_key_checks = 0"
        yield f"TRUNCATE {name(table.name)}"
        yield "SET foreign_key_checks = 1"


def _any(pen: Pen) -> Table:
    table = pen.table()
    assert table is not None
    return table


def _any_link(pen: Pen) -> Link:
    return pen.rng.choice(pen.shape.links)


# Operation and how often, in proportion.
OPERATIONS: tuple[tuple[Operation, int], ...] = (
    (insert, 22),
    (update, 18),
    (delete, 8),
    (rekey, 8),
    (respell, 5),
    (bulk_update, 5),
    (bulk_delete, 3),
    (move, 10),
    (swap, 4),
    (replace, 5),
    (upsert, 5),
    (insert_selected, 3),
    (replay_key, 4),
    (update_joined, 4),
    (same_again, 1),
    (unchecked, 2),
)
