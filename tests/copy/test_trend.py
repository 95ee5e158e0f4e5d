"""Whether a catch-up is told to come to no end: only after a minute, and only when nothing got less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.copy.catch_up_trend import CatchUp, Trend, TrendSample
from migrator.copy.catch_up_watch import endless

UNREAD, UNDONE = "the part of the log that is not read yet", "what is read and not rebuilt yet"


def last(samples: list[TrendSample]) -> CatchUp:
    trend = Trend(0.0)
    for sample in samples:
        found = trend.add(sample)
    return found


def minutes(
    logged: tuple[float | None, float | None], left: tuple[int | None, int | None], dirty: tuple[int, int]
) -> CatchUp:
    """A sample each second for 70 seconds, from the first values to the last ones in a straight line."""

    def between(pair: tuple[float | None, float | None], at: int) -> float | None:
        first, second = pair
        return None if first is None or second is None else first + (second - first) * at / 70

    def whole(value: float | None) -> int | None:
        return None if value is None else round(value)

    return last(
        [
            TrendSample(
                at, at * 100, at * 10, between(logged, at), whole(between(left, at)), whole(between(dirty, at)) or 0
            )
            for at in range(71)
        ]
    )


@pytest.mark.parametrize(
    ("logged", "left", "dirty", "growing"),
    [
        ((5.0, 50.0), (1000, 9000), (0, 0), (UNREAD,)),
        ((5.0, 50.0), (None, None), (0, 0), (UNREAD,)),
        ((None, None), (1000, 9000), (0, 0), (UNREAD,)),
        # Nothing is known, so nothing is said.
        ((None, None), (None, None), (0, 0), ()),
        # A source that wrote little for a while and much before: fewer bytes are left, though they are older.
        ((5.0, 50.0), (9000, 1000), (0, 0), ()),
        ((50.0, 5.0), (1000, 9000), (0, 0), ()),
        ((50.0, 5.0), (9000, 1000), (10, 500), (UNDONE,)),
        ((50.0, 5.0), (9000, 1000), (500, 500), (UNDONE,)),
        ((50.0, 5.0), (9000, 1000), (500, 10), ()),
        ((0.0, 0.0), (0, 0), (0, 0), ()),
        ((5.0, 50.0), (1000, 9000), (10, 500), (UNREAD, UNDONE)),
    ],
)
def test_what_grew_in_the_last_minute(
    logged: tuple[float | None, float | None],
    left: tuple[int | None, int | None],
    dirty: tuple[int, int],
    growing: tuple[str, ...],
) -> None:
    found = minutes(logged, left, dirty)
    assert found.growing == growing
    assert (found.seconds, round(found.changes_rate), round(found.documents_rate)) == (70.0, 100, 10)


def test_the_first_minute_says_nothing() -> None:
    assert last([TrendSample(at, 0, 0, at, at, at) for at in range(60)]).growing == ()
    assert last([TrendSample(at, 0, 0, at, at, at) for at in range(62)]).growing == (UNREAD, UNDONE)


@given(st.lists(st.tuples(st.floats(0.1, 20), st.integers(0, 1000)), min_size=1, max_size=60))
def test_what_shrinks_all_the_time_is_never_told_to_grow(steps: list[tuple[float, int]]) -> None:
    trend, at, left = Trend(0.0), 0.0, 1_000_000
    for seconds, less in steps:
        at, left = at + seconds, left - less - 1
        found = trend.add(TrendSample(at, 0, 0, float(left), left, left))
        assert found.growing == ()
        assert found.changes_rate >= 0


def test_what_is_said_then() -> None:
    text = endless(CatchUp(61.0, 1234.5, 67.8, 4.0, 9, 0, (UNREAD, UNDONE)))
    assert "at this rate it will not catch up" in text
    assert "1,234 changes a second are read, 68 documents written" in text
