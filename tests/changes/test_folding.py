"""Folded text is equal where collations say so (edge case 12)."""

from __future__ import annotations

import pytest

from migrator.changes.folding import OTHERS, folded, is_folded, is_stripped
from migrator.model.schema.tables import Column
from tests.changes.build import column


def text(collation: str, data_type: str = "varchar") -> Column:
    return column("a", data_type, collation=collation, charset=collation.partition("_")[0])


CI = text("utf8mb4_general_ci")
BIN = text("utf8mb4_bin")


@pytest.mark.parametrize(("one", "other"), [("abc", "ABC"), ("abc", "abc  "), ("é", "Å"), ("straße", "ü")])
def test_the_same(one: str, other: str) -> None:
    assert folded(CI, one.encode()) == folded(CI, other.encode())


def test_different() -> None:
    assert folded(CI, b"abc") != folded(CI, b"abd")
    assert folded(CI, b" abc") != folded(CI, b"abc")


@pytest.mark.parametrize("value", ["é", "ß", "STRASSE and straße", "🍏", "a\x01b", "a\x7f", "\x00"])
def test_other_letters_may_be_equal_to_anything(value: str) -> None:
    assert folded(CI, value.encode()) == OTHERS


def test_by_their_codes_only_spaces_at_the_end_do_not_count() -> None:
    assert folded(BIN, "é ".encode()) == "é".encode()
    assert folded(BIN, b"A") != folded(BIN, b"a")
    assert folded(BIN, b"a\x01") != folded(BIN, b"a")


def test_only_text_that_is_compared_so() -> None:
    assert is_folded(CI)
    assert not is_stripped(CI)
    assert is_folded(BIN)
    assert is_stripped(BIN)
    for exact in (text("utf8mb4_bin", "char"), text("utf8mb4_0900_bin"), text("utf8mb4_nopad_bin"), column("a", "int")):
        assert not is_folded(exact)
        assert not is_stripped(exact)
