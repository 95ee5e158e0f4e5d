"""Many events walked through at once say the same as one at a time, however little memory there is."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from migrator.model.change.events import RowChange, Rows
from migrator.model.plan.chunk import Key
from migrator.model.schema.tables import Schema
from migrator.sync.cascades import overlay, tracker
from tests.changes.build import refers, schema, table
from tests.sync.cascades.test_tracking import Case, Row, chain, row

Event = tuple[str, Row | None, Row | None]


def tree() -> Schema:
    """A table whose rows hang on each other, and one below it."""
    return schema(
        table("tree", "up", keys=(refers("u", "up", "tree", delete="CASCADE", update="CASCADE"),)),
        table("leaves", "tree_id", keys=(refers("t", "tree_id", "tree", delete="SET NULL", update="CASCADE"),)),
    )


def handed_down() -> Schema:
    """A key that goes down two levels as part of the next key."""
    return schema(
        table("tops"),
        table("middles", "top_id", keys=(refers("t", "top_id", "tops", delete="CASCADE", update="CASCADE"),)),
        table("lows", "top_id", keys=(refers("m", "top_id", "middles", "top_id", delete="CASCADE", update="CASCADE"),)),
    )


SHAPES: dict[str, tuple[Schema, tuple[str, ...], tuple[str, ...]]] = {
    "chain": (chain(), ("items", "orders"), ("customers", "orders", "items")),
    "set null": (chain("SET NULL"), ("items", "orders"), ("customers", "orders", "items")),
    "tree": (tree(), ("leaves", "tree"), ("tree", "leaves")),
    "handed down": (handed_down(), ("lows", "middles"), ("tops", "middles", "lows")),
}


def events(rng: random.Random, tables: Schema, names: Sequence[str], count: int) -> list[Event]:
    """Inserts, updates and deletes as a log could have them, of few keys: many of them are used again."""
    found: list[Event] = []
    rows: dict[tuple[str, int], Row] = {}
    for _ in range(count):
        name = rng.choice(names)
        columns = [column.name for column in tables.by_name["shop", name].columns]
        key = rng.randint(1, 6)
        after: Row | None = row(**{each: key if each == "id" else rng.choice((None, *range(1, 7))) for each in columns})
        before = rows.get((name, key))
        if before is not None and rng.random() < 0.5:
            after = row(**{**_numbers(after), "id": rng.randint(1, 6)}) if rng.random() < 0.3 else None
        rows.pop((name, key), None)
        if after is not None:
            rows[name, int(after["id"] or b"0")] = after
        found.append((name, before, after))
    return found


def _numbers(found: Row | None) -> dict[str, int | None]:
    return {name: None if value is None else int(value) for name, value in (found or {}).items()}


def played(
    shape: str, happened: Sequence[Event], *, at_once: int
) -> tuple[set[Event_], dict[str, list[Key]], list[object]]:
    """What was emitted, and which rows are tracked in the end, with their values."""
    tables, mapped, _ = SHAPES[shape]
    case = Case(tables, *mapped)
    for place, event in enumerate(happened, 1):
        case.follow(*event)
        if place % at_once == 0:
            case.tracker.flush()
    case.tracker.flush()
    emitted = {(name, _frozen(before), _frozen(after)) for name, before, after in case.emitted}
    rows = sorted((table, key, sorted(row.values.items())) for (table, key), row in case.stored.rows.items())
    return emitted, {name: case.tracked(name) for name in mapped}, list(map(str, rows))


Event_ = tuple[str, tuple[tuple[str, bytes | None], ...] | None, tuple[tuple[str, bytes | None], ...] | None]


def _frozen(found: Row | None) -> tuple[tuple[str, bytes | None], ...] | None:
    return None if found is None else tuple(found.items())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("memory", [3, 12, 10_000])
@pytest.mark.parametrize("seed", range(6))
def test_a_batch_says_what_its_events_say(shape: str, memory: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    happened = events(rng, SHAPES[shape][0], SHAPES[shape][2], 80)
    one_by_one = played(shape, happened, at_once=1)
    monkeypatch.setattr(overlay, "_KEPT", memory)
    monkeypatch.setattr(tracker, "_UNWRITTEN", memory)
    monkeypatch.setattr(tracker, "_AT_ONCE", 2)
    for at_once in (7, 80):
        assert played(shape, happened, at_once=at_once) == one_by_one


def test_keys_that_follow_each_other_are_walked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory comes to its end in the middle of the event: it is walked through again from its beginning."""
    case = Case(chain(), "items", "orders")
    for order, customer in ((10, 1), (11, 2), (12, 3), (20, 8), (21, 8)):
        case.event("orders", None, row(id=order, customer_id=customer))
    monkeypatch.setattr(overlay, "_KEPT", 4)
    case.follow("customers", row(id=8), None)
    shifts = tuple(RowChange((before,), (after,)) for before, after in ((b"3", b"4"), (b"2", b"3"), (b"1", b"2")))
    case.tracker.follow(Rows(("shop", "customers"), shifts))
    case.tracker.flush()
    assert {key: found.values["customer_id"] for (_, key), found in case.stored.rows.items()} == {
        (b"10",): b"2",
        (b"11",): b"3",
        (b"12",): b"4",
    }
