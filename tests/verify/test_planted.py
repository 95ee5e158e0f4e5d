"""Faults planted in documents are found, with their paths and values, and put right."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128, Int64

from tests.verify.conftest import Shop

Change = Callable[[dict[str, Any]], dict[str, Any] | None]


def nested(path: str, value: object) -> Change:
    """Puts a value at a dotted path."""

    def change(document: dict[str, Any]) -> dict[str, Any]:
        place: Any = document
        *parts, last = path.split(".")
        for part in parts:
            place = place[int(part)] if part.isdigit() else place[part]
        place[int(last) if last.isdigit() else last] = value
        return document

    return change


def without(name: str) -> Change:
    return lambda document: {key: value for key, value in document.items() if key != name}


def swapped(document: dict[str, Any]) -> dict[str, Any]:
    first, second, *rest = document["items"]
    return {**document, "items": [second, first, *rest]}


def doubled(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "items": [*document["items"], document["items"][-1]]}


PLANTED: dict[str, tuple[Change, str, str | None, str | None]] = {
    "tampered in an array": (nested("items.1.sku", "other"), "items.1.sku", '"sku 2"', '"other"'),
    "int as text": (nested("items.2.quantity", "3"), "items.2.quantity", '{"$numberInt": "3"}', '"3"'),
    "int as double": (
        nested("items.2.quantity", 3.0),
        "items.2.quantity",
        '{"$numberInt": "3"}',
        '{"$numberDouble": "3.0"}',
    ),
    "int as long": (
        nested("items.2.quantity", Int64(3)),
        "items.2.quantity",
        '{"$numberInt": "3"}',
        '{"$numberLong": "3"}',
    ),
    "scale": (
        nested("items.0.price", Decimal128(Decimal("2.5"))),
        "items.0.price",
        '{"$numberDecimal": "2.50"}',
        '{"$numberDecimal": "2.5"}',
    ),
    "missing for null": (without("comment"), "comment", "null", None),
    "null for missing": (lambda document: {**document, "note": None}, "note", None, "null"),
    "stale lookup": (nested("customer.name", "customer"), "customer.name", '"customer 8"', '"customer"'),
    "doubled element": (doubled, "items.3", None, "{"),
    "swapped": (swapped, "items", None, None),
    "order of scalars": (
        lambda document: {**document, "tags": document["tags"][::-1]},
        "tags",
        None,
        None,
    ),
}
KEY = 7 * 26 + 5  # 187: no comment, no note, customer 8; one tag
TWO_TAGS = 186


@pytest.mark.parametrize("name", PLANTED)
def test_differences(either: Shop, name: str) -> None:
    change, path, source, target = PLANTED[name]
    key = TWO_TAGS if name == "order of scalars" else KEY
    assert either.apply_here().code == 0
    assert either.report()["clean"]
    either.change("orders", key, change)
    (fault,) = faults(either.report())
    assert (fault["kind"], fault["document"]) == ("different", str(key))
    difference = next(each for each in fault["differences"] if each["path"] == path)
    assert difference["source"] == source
    assert (difference["target"] or "")[: len(target or "")] == (target or "")
    assert source or target or difference["note"].startswith("the same elements in another order")


def test_missing_and_extra(either: Shop) -> None:
    assert either.apply_here().code == 0
    either.change("orders", 5, lambda _: None)
    either.add("orders", {"_id": 1000, "number": 7})
    either.add("orders", {"_id": "strange", "number": 8})
    found = {(each["kind"], each["document"]) for each in faults(either.report())}
    assert found == {("missing", "5"), ("extra", "1000"), ("extra", '"strange"')}


@pytest.mark.parametrize("name", PLANTED)
def test_differences_are_put_right(shop: Shop, name: str) -> None:
    change = PLANTED[name][0]
    key = TWO_TAGS if name == "order of scalars" else KEY
    assert shop.apply_here().code == 0
    shop.change("orders", key, change)
    report = shop.report("--repair")
    assert report["clean"]
    assert sum(each["tally"]["repaired"] for each in report["collections"]) == 1
    assert shop.report()["clean"]


def test_missing_and_extra_are_put_right(shop: Shop) -> None:
    assert shop.apply_here().code == 0
    shop.change("orders", 5, lambda _: None)
    shop.change("orders", 6, lambda document: {**document, "_id": 6.0})
    shop.add("orders", {"_id": 1000, "number": 7})
    shop.add("orders", {"_id": "strange", "number": 8})
    before = {each["_id"]: each for each in shop.listed("orders")}
    report = shop.report("--repair")
    assert report["clean"], report
    assert sum(each["tally"]["repaired"] for each in report["collections"]) == 4
    after = {each["_id"]: each for each in shop.listed("orders")}
    assert after.keys() == before.keys() - {1000, "strange"} | {5}
    assert type(next(key for key in after if key == 6)) is int
    assert shop.report()["clean"]


def faults(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [fault for each in report["collections"] for fault in each["faults"]]
