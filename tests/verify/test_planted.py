"""Faults planted in documents are found, with their paths and values, and put right."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

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
    "stale lookup": (nested("customer.name", "customer"), "customer.name", '"customer ', '"customer"'),
    "doubled element": (doubled, "items.3", None, "{"),
    "swapped": (swapped, "items", None, None),
    "order of scalars": (
        lambda document: {**document, "tags": document["tags"][::-1]},
        "tags",
        None,
        None,
    ),
}
# Each fault gets a document of its own: odd, so without a note; not divisible by 3, so without a comment.
KEYS = dict(zip(PLANTED, (key for key in range(1, 200, 6)), strict=False)) | {"order of scalars": 186}


def plant(shop: Shop) -> None:
    assert shop.apply_here().code == 0
    for name, (change, *_) in PLANTED.items():
        shop.change("orders", KEYS[name], change)
    shop.change("orders", 5, lambda _: None)
    shop.add("orders", {"_id": 1000, "number": 7})
    shop.add("orders", {"_id": "strange", "number": 8})


def test_planted_faults_are_found(either: Shop) -> None:
    assert either.apply_here().code == 0
    assert either.report()["clean"]
    plant(either)
    found = {(each["kind"], each["document"]): each for each in faults(either.report())}
    for name, (_, path, source, target) in PLANTED.items():
        fault = found.pop(("different", str(KEYS[name])))
        (difference,) = fault["differences"]
        assert difference["path"] == path, name
        assert (difference["source"] or "").startswith(source or ""), name
        assert (difference["target"] or "").startswith(target or ""), name
        assert source or target or difference["note"].startswith("the same elements in another order"), name
    assert found.keys() == {("missing", "5"), ("extra", "1000"), ("extra", '"strange"')}


def test_planted_faults_are_put_right(shop: Shop) -> None:
    plant(shop)
    shop.change("orders", 6, lambda document: {**document, "_id": 6.0})
    before = {each["_id"] for each in shop.listed("orders")}
    report = shop.report("--repair")
    assert report["clean"], report
    assert sum(each["tally"]["repaired"] for each in report["collections"]) == len(PLANTED) + 4
    after = {each["_id"] for each in shop.listed("orders")}
    assert after == before - {1000, "strange"} | {5}
    assert type(next(key for key in after if key == 6)) is int
    assert shop.report()["clean"]


def test_files_are_not_repaired(shop: Shop) -> None:
    files = shop.into(f"file:{shop.folder / 'dump'}")
    assert files.apply_here().code == 0
    ended = files.here("verify", "--repair")
    assert ended.code == 4
    assert "one moment" in ended.err


def faults(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [fault for each in report["collections"] for fault in each["faults"]]


def test_the_independent_look_sees_them_too(either: Shop) -> None:
    assert either.apply_here().code == 0
    clean = either.verify("--independent")
    assert clean.code == 0, clean
    assert "The same: " in clean.out
    for name in ("tampered in an array", "int as text", "doubled element", "stale lookup"):
        either.change("orders", KEYS[name], PLANTED[name][0])
    either.change("customers", 5, lambda _: None)
    found = either.verify("--independent")
    assert found.code == 11, found
    different = " ".join(found.out.split()).split("different ")
    for start in (
        "orders, orders.items sku: sum",
        "orders, orders.items quantity: of another type: source 0, target 1",
        "orders, orders.items: rows",
        "orders, orders.customer name: sum",
        "customers, customers: rows: source 30, target 29",
    ):
        assert [line for line in different if line.startswith(start)], (start, different)
