"""Folded text is equal where collations say so (EDGE_CASES 12)."""

from __future__ import annotations

import pytest

from migrator.changes.folding import OTHERS, folded, is_folded
from tests.changes.build import column


@pytest.mark.parametrize(("one", "other"), [("abc", "ABC"), ("abc", "abc  "), ("é", "Å"), ("straße", "ü")])
def test_the_same(one: str, other: str) -> None:
    assert folded(one.encode()) == folded(other.encode())


def test_different() -> None:
    assert folded(b"abc") != folded(b"abd")
    assert folded(b" abc") != folded(b"abc")


@pytest.mark.parametrize("text", ["é", "ß", "STRASSE and straße", "🍏", "a\x01b", "a\x7f", "\x00"])
def test_other_letters_may_be_equal_to_anything(text: str) -> None:
    assert folded(text.encode()) == OTHERS


def test_only_text_that_is_compared_so() -> None:
    assert is_folded(column("a", "varchar", collation="utf8mb4_general_ci", charset="utf8mb4"))
    assert not is_folded(column("a", "varchar", collation="utf8mb4_bin", charset="utf8mb4"))
    assert not is_folded(column("a", "int"))
