"""What the assembler does with rows, without a server: shapes, absence, faults, memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from migrator.documents import assemble
from migrator.model.mapping.representation import represent
from migrator.model.mapping.tree import Field, Node, Variants
from migrator.model.plan.chunk import Batch
from tests.documents.build import ID, PARENT, Rows, batches, child, column, decoded, field, root, text

NAME = text("name")


def run(node: Node, rows: Rows) -> list[Batch]:
    return asyncio.run(batches(node, rows))


def documents(node: Node, rows: Rows) -> list[dict[str, Any]]:
    return decoded(run(node, rows))


def test_every_shape_without_rows() -> None:
    scalar = Field((), NAME, None, represent(NAME, None, field("x", NAME).value.policies))
    node = root(
        children=[
            child("many", "many", field("name", NAME)),
            child("scalars", "scalars", scalar),
            child("one", "one", field("name", NAME)),
            child("map", "map", scalar, map_key=NAME),
            child("gone", "one", field("name", NAME), omit_null=True),
        ]
    )
    rows = Rows(r=[(b"1",)], r_many=[], r_scalars=[], r_one=[], r_map=[], r_gone=[])
    assert documents(node, rows) == [{"_id": 1, "many": [], "scalars": [], "one": None, "map": {}}]


def test_flatten_without_a_row_is_its_fields_as_null() -> None:
    flat = child("flat", "one", field("a", NAME), field("b.c", NAME), field("d", NAME, null="omit"), flatten=True)
    flat = Node(**{**{name: getattr(flat, name) for name in flat.__slots__}, "path": ()})
    rows = Rows(r=[(b"1",), (b"2",)], r_flat=[(b"2", b"9", b"x")])
    assert documents(root(children=[flat]), rows) == [
        {"_id": 1, "a": None, "b": {"c": None}},
        {"_id": 2, "a": "x", "b": {"c": "x"}, "d": "x"},
    ]


def test_flatten_without_a_row_keeps_the_groups_of_what_is_embedded_in_it() -> None:
    inner = Node("r.flat.x", "s", "x", "many", ("g", "x"), (ID,), (field("n", NAME),), join=child("x", "one").join)
    flat = child("flat", "one", field("g.a", NAME), children=(inner,), flatten=True)
    flat = Node(**{**{name: getattr(flat, name) for name in flat.__slots__}, "path": ()})
    assert documents(root(children=[flat]), Rows(r=[(b"1",)], r_flat=[])) == [{"_id": 1, "g": {"a": None, "x": []}}]


def test_rows_of_other_parents_are_left_out() -> None:
    node = root(children=[child("many", "many", field("name", NAME))])
    rows = Rows(r=[(b"1",)], r_many=[(b"0", b"5", b"no"), (b"1", b"6", b"yes"), (b"2", b"7", b"no")])
    assert documents(node, rows) == [{"_id": 1, "many": [{"name": "yes"}]}]


def test_a_null_join_value_matches_nothing_and_asks_nothing() -> None:
    node = root(children=[child("one", "one", field("name", NAME), parent=PARENT)])
    rows = Rows(r=[(b"1", None)], r_one=[])
    assert documents(node, rows) == [{"_id": 1, "one": None}]
    assert rows.calls == []


def test_a_fault_deep_down_rejects_the_whole_document_and_names_the_row() -> None:
    deep = Node(
        "r.outer.deep", "s", "deep", "many", ("deep",), (ID,), (field("name", NAME),), join=child("x", "one").join
    )
    outer = child("outer", "many", field("name", NAME), children=(deep,))
    rows = Rows(
        r=[(b"1",), (b"2",)],
        r_outer=[(b"1", b"10", b"a"), (b"2", b"20", b"b")],
        r_outer_deep=[(b"10", b"100", b"\xff"), (b"20", b"200", b"fine")],
    )
    (batch,) = run(root(children=[outer]), rows)
    assert decoded([batch]) == [{"_id": 2, "outer": [{"name": "b", "deep": [{"name": "fine"}]}]}]
    (rejected,) = batch.rejected
    assert (rejected.document, rejected.table, rejected.key, rejected.column) == ("1", "s.deep", "100", "name")
    assert rejected.value == "0xff"
    assert "invalid_text" in rejected.reason
    assert batch.rejected_keys == ((b"1",),)


def test_every_fault_of_a_document_is_recorded() -> None:
    broken = text("broken")
    node = root(field("name", NAME), field("broken", broken), children=[child("many", "many", field("name", NAME))])
    rows = Rows(r=[(b"1", b"\xff", b"\xfe")], r_many=[(b"1", b"5", b"\xfd"), (b"1", b"6", b"\xfc")])
    (batch,) = run(node, rows)
    found = [(each.table, each.key, each.column) for each in batch.rejected]
    assert found == [("s.r", "1", "name"), ("s.r", "1", "broken"), ("s.many", "5", "name"), ("s.many", "6", "name")]


def test_variants_choose_their_fields() -> None:
    kind = text("kind")
    iban = text("iban")
    last4 = text("last4")
    variants = Variants(kind, (("card", (field("last4", last4),)), ("bank", (field("iban", iban),))))
    node = root(field("kind", kind), variants=variants)
    rows = Rows(r=[(b"1", b"card", b"4242", b"x"), (b"2", b"bank", b"x", b"DE"), (b"3", b"cash", b"x", b"x")])
    assert documents(node, rows) == [
        {"_id": 1, "kind": "card", "last4": "4242"},
        {"_id": 2, "kind": "bank", "iban": "DE"},
        {"_id": 3, "kind": "cash"},
    ]


def test_a_key_twice_in_a_map_rejects() -> None:
    value = text("value")
    scalar = Field((), value, None, represent(value, None, field("x", value).value.policies))
    node = root(children=[child("map", "map", scalar, map_key=NAME)])
    rows = Rows(r=[(b"1",)], r_map=[(b"1", b"5", b"a", b"x"), (b"1", b"6", b"a", b"y")])
    (batch,) = run(node, rows)
    assert "two rows" in batch.rejected[0].reason


def test_several_rows_for_one_reject() -> None:
    node = root(children=[child("one", "one", field("name", NAME))])
    rows = Rows(r=[(b"1",)], r_one=[(b"1", b"5", b"a"), (b"1", b"6", b"b")])
    (batch,) = run(node, rows)
    assert batch.documents == ()
    assert "several rows" in batch.rejected[0].reason


def test_orphans_reject_by_policy() -> None:
    node = root(children=[child("one", "one", field("name", NAME), parent=PARENT, orphans="reject")])
    rows = Rows(r=[(b"1", b"7"), (b"2", None), (b"3", b"8")], r_one=[(b"8", b"8", b"here")])
    (batch,) = run(node, rows)
    assert decoded([batch]) == [{"_id": 2, "one": None}, {"_id": 3, "one": {"name": "here"}}]
    assert (batch.rejected[0].document, batch.rejected[0].key) == ("1", "7")


def test_a_shared_row_is_read_once_in_a_snapshot_and_again_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble, "_FIRST_BATCH", 1)
    monkeypatch.setattr(assemble, "_LARGEST_BATCH", 1)
    join = child("one", "one", parent=PARENT).join
    lookup = Node("r.one", "s", "one", "one", ("one",), (PARENT,), (field("name", NAME),), join=join)
    rows = Rows(r=[(b"1", b"7"), (b"2", b"7"), (b"3", b"9")], r_one=[(b"7", b"seven")])
    expected = [{"_id": 1, "one": {"name": "seven"}}, {"_id": 2, "one": {"name": "seven"}}, {"_id": 3, "one": None}]
    assert documents(root(children=[lookup]), rows) == expected
    assert len(rows.calls) == 2
    rows.rows["r_one"] = [(b"7", b"changed")]
    assert documents(root(children=[lookup]), rows)[0]["one"] == {"name": "changed"}


def test_a_heavy_batch_is_split_and_a_document_beyond_all_limits_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble, "_BATCH_LIMIT", 20_000)
    monkeypatch.setattr(assemble, "_DOCUMENT_LIMIT", 20_000)

    class Filtered(Rows):
        async def children(self, node: Any, parent: Any, match: Any) -> Any:
            self.calls.append((node.id, len(match)))
            for row in self.rows["r_many"]:
                if (row[0],) in match:
                    yield [row]

    big = [(b"4", b"%d" % number, b"x" * 100) for number in range(200)]
    small = [(b"%d" % key, b"1%d" % key, b"y") for key in (1, 2, 3, 5)]
    rows = Filtered(r=[(b"%d" % key,) for key in range(1, 6)], r_many=small + big)
    found = run(root(children=[child("many", "many", field("name", NAME))]), rows)
    assert [document["_id"] for document in decoded(found)] == [1, 2, 3, 5]
    (rejected,) = [each for batch in found for each in batch.rejected]
    assert rejected.document == "4"
    assert "16 MB" in rejected.reason


def test_a_document_above_16_mb_is_rejected_with_its_size() -> None:
    rows = Rows(r=[(b"1", b"x" * (17 * 1024 * 1024)), (b"2", b"y")])
    (batch,) = run(root(field("name", NAME)), rows)
    assert [document["_id"] for document in decoded([batch])] == [2]
    assert "17.0 MB" in batch.rejected[0].reason


def test_identical_rows_without_a_key_get_different_ids() -> None:
    node = Node("r", "s", "r", "root", (), (), (field("name", NAME),))
    rows = Rows(r=[(b"a",), (b"a",), (b"b",), (None,)])
    first = documents(node, rows)
    assert [document["name"] for document in first] == ["a", "a", "b", None]
    assert len({document["_id"] for document in first}) == 4
    assert documents(node, rows) == first


def test_a_fault_of_migrators_own_is_not_taken_for_a_rejected_row() -> None:
    with pytest.raises(TypeError):
        # A reader that gives no bytes: no value of the row explains it.
        run(root(field("n", column("n"))), Rows(r=[(b"1", 5)]))


def test_null_in_a_column_that_was_not_null_rejects_the_row() -> None:
    """A table that was altered since, by a statement that isn't read yet."""
    (batch,) = run(root(field("n", column("n", nullable=False))), Rows(r=[(b"1", None)]))
    assert "NOT NULL" in batch.rejected[0].reason
