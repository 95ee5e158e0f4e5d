"""Rings of polygons on a sphere, where edges are great circles.

A server decides such questions with exact arithmetic. Here an answer is given only where rounding can't change it;
whatever is too close to call counts as fine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import cos, pi, remainder, sin, sqrt

Position = tuple[float, float]
Vector = tuple[float, float, float]

# Of the products of edges: many times what rounding can do to them.
_SURE = 1e-13
# Of a vertex: its sines and cosines may differ by a bit from those that the server computes.
_ROUNDING = 4e-16
_CLEARLY_APART = 1e-12


@dataclass(frozen=True, slots=True)
class Edge:
    """A great-circle arc, and the number of its first vertex."""

    start: Vector
    end: Vector
    number: int

    @property
    def reach(self) -> tuple[float, float]:
        """Bounds of the arc's x; an arc bulges beyond the straight line between its ends."""
        half = sqrt(_squared(_minus(self.end, self.start))) / 2
        bulge = 1 - sqrt(max(0.0, 1 - half * half)) + _CLEARLY_APART
        low, high = sorted((self.start[0], self.end[0]))
        return low - bulge, high + bulge


@dataclass(frozen=True)
class Ring:
    """A closed ring without its last vertex, which repeats the first. Vertices that repeat the one before are left out
    by whoever makes it."""

    positions: tuple[Position, ...]

    @cached_property
    def vectors(self) -> tuple[Vector, ...]:
        return tuple(map(vector, self.positions))

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        ends = (*self.vectors[1:], self.vectors[0])
        return tuple(Edge(a, b, number) for number, (a, b) in enumerate(zip(self.vectors, ends, strict=True)))


def vector(position: Position) -> Vector:
    """A longitude and latitude in degrees as a point on the unit sphere."""
    longitude, latitude = position
    theta, phi = remainder(longitude * (pi / 180), 2 * pi), latitude * (pi / 180)
    return cos(theta) * cos(phi), sin(theta) * cos(phi), sin(phi)


def without_repeats(positions: Sequence[Position]) -> tuple[Position, ...]:
    """`positions` without those that are the same as the one before."""
    return (*positions[:1], *(after for before, after in pairwise(positions) if before != after))


def clearly_apart(one: Position, other: Position) -> bool:
    """Whether the two are different points, however one rounds."""
    return _squared(_minus(vector(one), vector(other))) > _CLEARLY_APART**2


def crosses_itself(ring: Ring) -> bool:
    """Whether two edges of the ring surely cross."""
    return any(True for _ in _crossings(ring.edges))


def cross(one: Ring, other: Ring) -> bool:
    """Whether an edge of one ring surely crosses an edge of the other."""
    shifted = len(one.edges)
    both = [*one.edges, *(Edge(each.start, each.end, each.number + shifted) for each in other.edges)]
    return any((a.number < shifted) != (b.number < shifted) for a, b in _crossings(both))


def shared_edge(one: Ring, other: Ring) -> bool:
    """Whether both have an edge between the same two positions."""
    mine = {frozenset(pair) for pair in pairwise((*one.positions, one.positions[0]))}
    return any(frozenset(pair) in mine for pair in pairwise((*other.positions, other.positions[0])))


def shared_vertices(one: Ring, other: Ring) -> int:
    """How many positions stand in both."""
    return len({*one.positions} & {*other.positions})


def surely_outside(ring: Ring, position: Position) -> bool:
    """Whether `position` lies outside of `ring`, and neither on its edge nor too close to it to tell.

    Only for rings within a quarter of the sphere around their middle; of larger ones it is never sure.
    """
    return _is_inside(ring, position) is False


def surely_inside(ring: Ring, position: Position) -> bool:
    """Whether `position` lies within `ring`; see `surely_outside`."""
    return _is_inside(ring, position) is True


def _is_inside(ring: Ring, position: Position) -> bool | None:
    """Counts the edges between the position and a place far away. None when too close to tell."""
    middle = _middle(ring.vectors)
    if middle is None:
        return None
    point = vector(position)
    if point in ring.vectors:
        return None
    for far in _far_from(middle):
        count = 0
        for edge in ring.edges:
            crossing = _crossing(point, far, edge.start, edge.end)
            if crossing is None:
                break
            count += crossing
        else:
            return count % 2 == 1
    return None


def _middle(vectors: Sequence[Vector]) -> Vector | None:
    """The middle of some points that are all within 45 degrees of it, else None."""
    summed = tuple(sum(each[axis] for each in vectors) for axis in range(3))
    length = sqrt(sum(part * part for part in summed))
    if length < _CLEARLY_APART:
        return None
    middle = (summed[0] / length, summed[1] / length, summed[2] / length)
    return middle if all(_dot(middle, each) > 0.71 for each in vectors) else None


def _far_from(middle: Vector) -> Iterator[Vector]:
    """Places 80 to 100 degrees from `middle`, in several directions: surely outside of what lies around it."""
    axis = min(range(3), key=lambda each: abs(middle[each]))
    helper = (float(axis == 0), float(axis == 1), float(axis == 2))
    east = _unit(_product(middle, helper))
    north = _product(middle, east)
    for turn in (0.1, 1.3, 2.9, 4.1, 5.3):
        side = tuple(cos(turn) * a + sin(turn) * b for a, b in zip(east, north, strict=True))
        yield _unit(tuple(s - 0.1 * m for s, m in zip(side, middle, strict=True)))


def _crossings(edges: Sequence[Edge]) -> Iterator[tuple[Edge, Edge]]:
    """Pairs of edges that surely cross. Edges are swept along x, so that only those near each other are compared."""
    sweep = sorted(((*edge.reach, edge) for edge in edges), key=lambda each: each[0])
    open_: list[tuple[float, Edge]] = []
    for low, high, edge in sweep:
        open_ = [(end, other) for end, other in open_ if end >= low]
        for _, other in open_:
            if _crossing(edge.start, edge.end, other.start, other.end):
                yield edge, other
        open_.append((high, edge))


def _crossing(a: Vector, b: Vector, c: Vector, d: Vector) -> bool | None:
    """Whether arc AB crosses arc CD at a point within both. None when too close to tell; arcs that meet at a vertex
    don't cross."""
    if a in (c, d) or b in (c, d):
        return False
    turns = (_turn(a, c, b), _turn(c, b, d), _turn(b, d, a), _turn(d, a, c))
    if 1 in turns and -1 in turns:
        return False
    return True if 0 not in turns else None


def _turn(a: Vector, b: Vector, c: Vector) -> int:
    """1 for a left turn at B, -1 for a right turn, 0 when too close to tell."""
    one, other = _minus(b, a), _minus(c, a)
    product = _product(one, other)
    determinant = _dot(a, product)
    lengths = sqrt(_squared(one)), sqrt(_squared(other))
    if abs(determinant) <= _SURE * lengths[0] * lengths[1] + _ROUNDING * sum(lengths):
        return 0
    return 1 if determinant > 0 else -1


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _squared(a: Vector) -> float:
    return _dot(a, a)


def _product(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _unit(a: Sequence[float]) -> Vector:
    length = sqrt(_dot(a, a))
    return a[0] / length, a[1] / length, a[2] / length
