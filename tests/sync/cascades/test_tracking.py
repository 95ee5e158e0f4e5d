"""What cascades did without an event comes to light, whole, and in an order that a crash can't break (premise B)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from migrator.changes.cascades import silent_cascades
from migrator.changes.watches import watches
from migrator.model.change.events import RowChange, Rows, Scope, TableName, TrackedRow
from migrator.model.plan.chunk import Key
from migrator.model.schema.tables import Schema
from migrator.ports.sync_state import TrackedRows
from migrator.sync.cascades.tracker import Tracker
from tests.changes.build import collection, column, node, refers, schema, table

Row = Mapping[str, bytes | None]


class Crash(Exception):
    """The process dies here."""


@dataclass
class StoredRows:
    """The tracked rows as a dictionary; dies before the `fatal`-th write."""

    rows: dict[tuple[TableName, Key], TrackedRow] = field(default_factory=dict)
    writes: int = 0
    fatal: int = -1

    def put(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        self._write()
        self.rows.update({(row.table, row.key): row for row in rows})

    load = put

    def remove(self, scope: Scope, table: TableName, keys: Sequence[Key]) -> None:
        self._write()
        for key in keys:
            self.rows.pop((table, key), None)

    def find(
        self, scope: Scope, table: TableName, columns: Sequence[str], values: Sequence[Key], limit: int
    ) -> list[TrackedRow]:
        found = [
            row
            for row in self.rows.values()
            if row.table == table and tuple(row.values[name] for name in columns) in values
        ]
        return found[:limit]

    def _write(self) -> None:
        if self.writes == self.fatal:
            raise Crash
        self.writes += 1


class Case:
    """Tables, what is tracked of them, and what was emitted."""

    def __init__(self, tables: Schema, *mapped: str) -> None:
        collections = [collection(node(tables.by_name["shop", name])) for name in mapped]
        cascades = silent_cascades(tables, collections)
        self.watches = watches(tables, collections, [cascades])
        self.stored = StoredRows()
        self.emitted: list[tuple[str, Row | None, Row | None]] = []
        self.tracker = Tracker(
            Scope("run", "documents"), cascades, self.watches, cast(TrackedRows, self.stored), self._emit, self._secure
        )

    def _emit(self, rows: Rows) -> None:
        columns = self.watches[rows.table].columns
        for change in rows.changes:
            before, after = (
                None if image is None else dict(zip(columns, image, strict=True))
                for image in (change.before, change.after)
            )
            self.emitted.append((rows.table[1], before, after))

    def _secure(self) -> None:
        """What was emitted is kept."""

    def event(self, name: str, before: Row | None, after: Row | None) -> None:
        self.follow(name, before, after)
        self.tracker.flush()

    def follow(self, name: str, before: Row | None, after: Row | None) -> None:
        """The event waits for the end of a batch."""
        columns = self.watches["shop", name].columns
        images = [None if row is None else tuple(row.get(each) for each in columns) for row in (before, after)]
        self.tracker.follow(Rows(("shop", name), (RowChange(*images),)))

    def tracked(self, name: str) -> list[Key]:
        return sorted(key for table_name, key in self.stored.rows if table_name == ("shop", name))


def row(**values: Any) -> Row:
    return {name: None if value is None else str(value).encode() for name, value in values.items()}


def chain(rule: str = "CASCADE") -> Schema:
    """customers <- orders <- items."""
    return schema(
        table("customers"),
        table("orders", "customer_id", keys=(refers("c", "customer_id", "customers", delete=rule, update=rule),)),
        table("items", "order_id", keys=(refers("o", "order_id", "orders", delete="CASCADE", update="CASCADE"),)),
    )


def filled(rule: str = "CASCADE") -> Case:
    case = Case(chain(rule), "items", "orders")
    case.event("customers", None, row(id=1))
    case.event("orders", None, row(id=10, customer_id=1))
    case.event("orders", None, row(id=11, customer_id=1))
    case.event("orders", None, row(id=12, customer_id=2))
    for number, order in ((100, 10), (101, 10), (110, 11), (120, 12)):
        case.event("items", None, row(id=number, order_id=order))
    assert case.emitted == []
    return case


def test_a_deleted_parent_takes_its_children_and_theirs() -> None:
    case = filled()
    case.event("customers", row(id=1), None)
    gone = {(name, (before or {})["id"]) for name, before, after in case.emitted if after is None}
    assert gone == {("orders", b"10"), ("orders", b"11"), ("items", b"100"), ("items", b"101"), ("items", b"110")}
    assert case.tracked("orders") == [(b"12",)]
    assert case.tracked("items") == [(b"120",)]


def test_set_null_changes_the_children_and_ends_there() -> None:
    case = filled("SET NULL")
    case.event("customers", row(id=1), None)
    assert [(name, after and after["customer_id"]) for name, _, after in case.emitted] == [("orders", None)] * 2
    case.event("orders", row(id=10, customer_id=None), None)
    assert case.tracked("items") == [(b"110",), (b"120",)]


def test_a_changed_key_is_handed_down() -> None:
    case = filled()
    case.event("customers", row(id=1), row(id=5))
    assert [(name, after and after["customer_id"]) for name, _, after in case.emitted] == [("orders", b"5")] * 2
    case.emitted.clear()
    case.event("customers", row(id=5), None)
    assert len([name for name, *_ in case.emitted if name == "orders"]) == 2


def test_an_update_that_leaves_the_key_alone_hides_nothing() -> None:
    case = filled()
    case.event("customers", row(id=1), row(id=1))
    assert case.emitted == []


def test_rows_that_moved_before_are_looked_up_where_they_are() -> None:
    case = filled()
    case.event("orders", row(id=10, customer_id=1), row(id=10, customer_id=2))
    case.event("customers", row(id=1), None)
    assert {(before or {})["id"] for name, before, _ in case.emitted if name == "orders"} == {b"11"}


def test_without_foreign_key_checks_children_stay_and_are_remembered() -> None:
    case = filled()
    case.tracker.follow(Rows(("shop", "customers"), (RowChange((b"1",), None),), cascades=False))
    assert case.emitted == []
    case.event("customers", row(id=1), None)
    assert {(before or {})["id"] for name, before, _ in case.emitted if name == "orders"} == {b"10", b"11"}


def test_rows_that_are_not_written_yet_are_found() -> None:
    case = filled()
    case.tracker.follow(Rows(("shop", "orders"), (RowChange(None, (b"13", b"1")),)))
    case.event("customers", row(id=1), None)
    assert {(before or {})["id"] for name, before, _ in case.emitted if name == "orders"} == {b"10", b"11", b"13"}


def test_a_cycle_of_rows_comes_to_an_end() -> None:
    tree = schema(table("tree", "up", keys=(refers("u", "up", "tree", delete="CASCADE"),)))
    case = Case(tree, "tree")
    for number, up in ((1, 2), (2, 1), (3, 3), (4, 1)):
        case.event("tree", None, row(id=number, up=up))
    case.event("tree", row(id=1, up=2), None)
    assert {(before or {})["id"] for _, before, _ in case.emitted} >= {b"2", b"4"}
    assert case.tracked("tree") == [(b"3",)]


def test_more_children_than_one_page() -> None:
    case = Case(chain(), "items", "orders")
    orders = [RowChange(None, (str(number).encode(), b"1")) for number in range(1201)]
    assert case.watches["shop", "orders"].columns == ("id", "customer_id")
    case.tracker.follow(Rows(("shop", "orders"), tuple(orders)))
    case.tracker.flush()
    case.event("customers", row(id=1), None)
    assert len(case.emitted) == 1201
    assert case.tracked("orders") == []


def test_keys_that_only_the_collation_finds_equal() -> None:
    code = column("code", "varchar", charset="utf8mb4", collation="utf8mb4_general_ci", length=9)
    coupons = table("coupons", key=("code",))
    uses = table("uses", "code", keys=(refers("c", "code", "coupons", "code", delete="CASCADE"),))
    tables = schema(
        type(coupons)("shop", "coupons", (code,), ("code",)),
        type(uses)("shop", "uses", (uses.columns[0], code), ("id",), foreign_keys=uses.foreign_keys),
    )
    case = Case(tables, "uses")
    case.event("uses", None, row(id=1, code="Spring"))
    case.event("coupons", row(code="SPRING"), None)
    assert [(before or {})["code"] for _, before, _ in case.emitted] == [b"Spring"]


def test_letters_that_a_collation_may_keep_apart() -> None:
    """Both are looked at, and neither is forgotten: a guess changes nothing that is remembered."""
    code = column("code", "varchar", charset="latin1", collation="latin1_swedish_ci", length=9)
    coupons = type(table("x"))("shop", "coupons", (code,), ("code",))
    uses = table("uses", keys=(refers("c", "code", "coupons", "code", delete="SET NULL", update="CASCADE"),))
    uses = type(uses)("shop", "uses", (uses.columns[0], code), ("id",), foreign_keys=uses.foreign_keys)
    case = Case(schema(coupons, uses), "uses")
    case.event("uses", None, row(id=1, code="a"))
    case.event("uses", None, row(id=2, code="ä"))
    case.event("coupons", row(code="a"), None)
    assert {(before or {})["id"] for _, before, _ in case.emitted} == {b"1", b"2"}
    assert not case.tracker.uncertain
    case.emitted.clear()
    case.event("coupons", row(code="b"), row(code="z"))
    case.event("coupons", row(code="z"), None)
    assert {(before or {})["id"] for _, before, _ in case.emitted} == {b"2"}
    case.event("coupons", row(code="ü"), None)
    assert case.tracker.uncertain == {("shop", "uses")}


@pytest.mark.parametrize("fatal", range(4))
def test_after_a_crash_the_same_event_finds_what_is_left(fatal: int) -> None:
    """What led to documents goes only after these were noted, deepest rows first."""
    case = filled()
    case.stored.writes, case.stored.fatal = 0, fatal
    try:
        case.event("customers", row(id=1), None)
    except Crash:
        case.stored.fatal = -1
        case.event("customers", row(id=1), None)
    gone = {(name, (before or {})["id"]) for name, before, after in case.emitted if after is None}
    assert gone == {("orders", b"10"), ("orders", b"11"), ("items", b"100"), ("items", b"101"), ("items", b"110")}
    assert case.tracked("items") == [(b"120",)]
