"""Polygons on a sphere: what surely crosses, and that nothing valid is refused."""

from __future__ import annotations

from fractions import Fraction
from math import cos, pi, sin
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from migrator.indexing.geometry import geo_problem
from migrator.indexing.rings import Ring, Vector, crosses_itself, surely_inside, surely_outside, vector
from tests.indexing.cases import REFUSED, TAKEN

PLACES = st.tuples(st.floats(-170, 170), st.floats(-80, 80))


def star(middle: tuple[float, float], radii: list[float], size: float) -> list[list[float]]:
    """A ring around a middle, seen from which no edge hides another."""
    count = len(radii)
    turns = [2 * pi * place / count for place in range(count)]
    corners = [
        [middle[0] + size * r * cos(turn), middle[1] + size * r * sin(turn)]
        for r, turn in zip(radii, turns, strict=True)
    ]
    return [*corners, corners[0]]


RADII = st.lists(st.floats(0.2, 1), min_size=5, max_size=12)
SIZES = st.sampled_from([1e-5, 1e-3, 0.1, 1.0, 8.0])


@settings(deadline=None)
@given(middle=PLACES, radii=RADII, size=SIZES)
def test_a_ring_that_goes_round_once_is_taken(middle: tuple[float, float], radii: list[float], size: float) -> None:
    ring = star(middle, radii, size)
    for coordinates in (ring, ring[::-1]):
        assert geo_problem({"type": "Polygon", "coordinates": [coordinates]}) is None


@settings(deadline=None)
@given(middle=PLACES, radii=RADII, size=SIZES, data=st.data())
def test_two_corners_that_change_places_cross(
    middle: tuple[float, float], radii: list[float], size: float, data: st.DataObject
) -> None:
    corners = star(middle, [1.0] * len(radii), size)[:-1]
    place = data.draw(st.integers(0, len(corners) - 2))
    corners[place], corners[place + 1] = corners[place + 1], corners[place]
    found = geo_problem({"type": "Polygon", "coordinates": [[*corners, corners[0]]]})
    assert found is not None
    assert "crosses itself" in found


@settings(deadline=None)
@given(middle=PLACES, radii=RADII, size=SIZES)
def test_a_hole_around_the_middle_is_inside_and_one_far_away_is_not(
    middle: tuple[float, float], radii: list[float], size: float
) -> None:
    # Far from the poles, where a circle of degrees is no circle.
    assume(abs(middle[1]) < 60)
    ring = star(middle, radii, size)
    inner = star(middle, [1.0] * 5, size * 0.05)
    assert geo_problem({"type": "Polygon", "coordinates": [ring, inner]}) is None
    towards = -1 if middle[0] > 0 else 1
    away = [[x + towards * 3 * size, y] for x, y in inner]
    found = geo_problem({"type": "Polygon", "coordinates": [ring, away]})
    assert found is not None
    assert "outside" in found


@settings(deadline=None)
@given(ring=st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=4, max_size=9, unique=True))
def test_what_is_refused_surely_crosses(ring: list[tuple[int, int]]) -> None:
    """Against exact arithmetic, on corners of a grid, where much is on one line."""
    corners = tuple((float(x), float(y)) for x, y in ring)
    vectors = [vector(each) for each in corners]
    edges = [*zip(vectors, [*vectors[1:], vectors[0]], strict=True)]
    exact = any(
        exactly_cross(*edges[one], *edges[other])
        for one in range(len(edges))
        for other in range(one + 2, len(edges))
        if not (one == 0 and other == len(edges) - 1)
    )
    if crosses_itself(Ring(corners)):
        assert exact


@settings(deadline=None)
@given(ring=st.lists(PLACES, min_size=4, max_size=7, unique=True))
def test_crossings_away_from_any_grid_are_all_found(ring: list[tuple[float, float]]) -> None:
    corners = tuple((round(x, 3) + 0.0001, round(y, 3) + 0.0002) for x, y in ring)
    assume(len(set(corners)) == len(corners))
    vectors = [vector(each) for each in corners]
    edges = [*zip(vectors, [*vectors[1:], vectors[0]], strict=True)]
    clear = any(
        exactly_cross(*edges[one], *edges[other], margin=Fraction(1, 10**9))
        for one in range(len(edges))
        for other in range(one + 2, len(edges))
        if not (one == 0 and other == len(edges) - 1)
    )
    if clear:
        assert crosses_itself(Ring(corners))


def exactly_cross(a: Vector, b: Vector, c: Vector, d: Vector, margin: Fraction = Fraction(0)) -> bool:
    turns = [exact_turn(*each) for each in ((a, c, b), (c, b, d), (b, d, a), (d, a, c))]
    return all(turn > margin for turn in turns) or all(turn < -margin for turn in turns)


def exact_turn(a: Vector, b: Vector, c: Vector) -> Fraction:
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = ([Fraction(part) for part in each] for each in (a, b, c))
    return ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)


RING = Ring(((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)))


@pytest.mark.parametrize(
    ("position", "inside", "outside"),
    [
        ((5.0, 5.0), True, False),
        ((0.001, 0.001), True, False),
        ((-0.001, 5.0), False, True),
        ((100.0, 50.0), False, True),
        ((-175.0, -5.0), False, True),
        ((0.0, 0.0), False, False),  # a corner
        ((0.0, 5.0), False, False),  # on an edge
    ],
)
def test_inside_and_outside(position: tuple[float, float], inside: bool, outside: bool) -> None:
    assert (surely_inside(RING, position), surely_outside(RING, position)) == (inside, outside)


def test_rings_around_half_the_sphere_are_left_to_the_server() -> None:
    wide = Ring(((-90.0, 0.0), (0.0, -80.0), (90.0, 0.0), (0.0, 80.0)))
    assert not surely_inside(wide, (0.0, 0.0))
    assert not surely_outside(wide, (180.0, 0.0))


@pytest.mark.parametrize(("name", "value"), [*TAKEN.items()])
def test_what_is_taken(name: str, value: Any) -> None:
    # By themselves null, {} and [] are no geometry: the index counts them as missing.
    assert (geo_problem(value) is None) is (name not in ("null", "empty array", "empty object"))


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(value: Any) -> None:
    assert geo_problem(value) is not None


@pytest.mark.slow
def test_a_ring_of_many_corners_is_looked_at_in_time() -> None:
    """Corners all around, one after the other: each edge is near a few others only."""
    ring = star((0, 0), [1.0] * 20_000, 5.0)
    assert geo_problem({"type": "Polygon", "coordinates": [ring]}) is None
    ring[7000], ring[7001] = ring[7001], ring[7000]
    assert geo_problem({"type": "Polygon", "coordinates": [ring]}) is not None
