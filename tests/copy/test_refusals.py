"""Stopping because nearly everything is refused: never for few documents, never for the same ones again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.documents.refusal_streak import ENOUGH, Streak, stop_if_hopeless
from migrator.errors import TargetError
from migrator.model.plan.chunk import Key, Refusal

GEO, PARALLEL = 16755, 171


def refused(*numbers: int, code: int = GEO) -> list[tuple[Key, Refusal]]:
    return [((str(number).encode(),), Refusal("no geometry (16755)", code, "the server's words")) for number in numbers]


def after(*batches: tuple[int, Sequence[tuple[Key, Refusal]]]) -> Streak:
    streak = Streak()
    for written, some in batches:
        streak = streak.after(written, some)
    return streak


def test_a_batch_of_nothing_else() -> None:
    assert after((0, refused(*range(ENOUGH)))).is_hopeless
    assert not after((0, refused(*range(ENOUGH - 1)))).is_hopeless


def test_many_small_batches() -> None:
    batches = [(0, refused(3 * n, 3 * n + 1, 3 * n + 2)) for n in range(40)]
    assert after(*batches).is_hopeless
    assert not after(*batches[:30]).is_hopeless


def test_a_document_that_is_tried_again_and_again_counts_once() -> None:
    assert not after(*[(0, refused(1, 2, 3))] * 200).is_hopeless


def test_hardly_anything_in_between() -> None:
    some = [(0, refused(*range(n, n + 30))) for n in range(0, 120, 30)]
    assert after(*some[:2], (1, ()), *some[2:]).is_hopeless
    assert not after(*some[:2], (20, ()), *some[2:]).is_hopeless
    # A document that was written right at the start says nothing about those after it.
    assert after((50, ()), *some).is_hopeless


def test_two_reasons_are_no_one_reason() -> None:
    mixed = [(0, [*refused(2 * n), *refused(2 * n + 1, code=PARALLEL)]) for n in range(200)]
    assert not after(*mixed).is_hopeless
    assert after((0, refused(*range(99), code=PARALLEL)), (0, refused(*range(ENOUGH)))).code == GEO
    few_others = (0, [*refused(*range(ENOUGH)), *refused(1000, 1001, code=PARALLEL)])
    assert after(few_others).is_hopeless


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=60))
def test_a_streak_is_nearly_nothing_but_refused_documents(batches: list[tuple[int, int]]) -> None:
    streak, number = Streak(), 0
    for written, count in batches:
        streak = streak.after(written, refused(*range(number, number + count)))
        number += count
        assert not streak.refused or streak.others <= len(streak.refused) / 19


def test_the_error() -> None:
    stop_if_hopeless(Streak(), "orders")
    stop_if_hopeless(after((0, refused(1))), "orders")
    with pytest.raises(TargetError) as caught:
        stop_if_hopeless(after((0, refused(*range(120))), (2, ())), "orders")
    error = caught.value
    assert "120 documents in a row" in error.what
    assert "2 others" in error.what
    assert "no geometry (16755)" in error.what
    assert (error.where, error.said) == ("orders", "the server's words")
    assert "index" in error.hint
