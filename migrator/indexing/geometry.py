"""What a 2dsphere index refuses, by the rules that MongoDB documents for GeoJSON and legacy coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, pairwise
from math import isfinite
from typing import Any

from bson import Decimal128

from migrator.indexing.rings import (
    Position,
    Ring,
    clearly_apart,
    cross,
    crosses_itself,
    shared_edge,
    shared_vertices,
    surely_inside,
    surely_outside,
    without_repeats,
)

_KNOWN_CRS = ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326")
_FEWEST_CORNERS = 3


class _GeometryRefused(Exception):
    """Why the geometry can't be indexed."""


def geo_problem(value: object) -> str | None:
    """Why a 2dsphere index refuses `value`, or None where it takes it.

    Completes "the value ...", and never shows the value. Whether edges cross is a matter of rounding where they nearly
    touch; there the answer is None, so that nothing is refused here that a server would take.
    """
    try:
        _check(value)
    except _GeometryRefused as refused:
        return str(refused)
    return None


def _check(value: object) -> None:
    if isinstance(value, list):
        _in_bounds(_pair(value))
    elif isinstance(value, Mapping):
        first = next(iter(value.values()), None)
        if [*value] == ["srid", "wkb"]:
            raise _GeometryRefused(
                "is `{srid, wkb}`: its positions or its coordinate system are no longitude and latitude"
            )
        if _is_number(first):
            _in_bounds(_pair([*value.values()]))
        else:
            _geojson(value)
    else:
        raise _GeometryRefused(f"is {_called(value)}, no GeoJSON")


def _geojson(value: Mapping[str, Any]) -> None:
    kind = value.get("type")
    if kind == "GeometryCollection":
        _collection(value.get("geometries"))
        return
    check = _KINDS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise _GeometryRefused("is an object without the `type` of a GeoJSON geometry")
    _crs(value.get("crs"), present="crs" in value)
    check(value.get("coordinates"))


def _collection(geometries: object) -> None:
    if not isinstance(geometries, list) or not geometries:
        raise _GeometryRefused("is an empty GeometryCollection")
    for each in geometries:
        if not isinstance(each, Mapping):
            raise _GeometryRefused("is a GeometryCollection of something that is no geometry")
        if each.get("type") == "GeometryCollection":
            raise _GeometryRefused("is a GeometryCollection in a GeometryCollection")
        _geojson(each)


def _crs(crs: object, *, present: bool) -> None:
    if not present:
        return
    properties = crs.get("properties") if isinstance(crs, Mapping) and crs.get("type") == "name" else None
    name = properties.get("name") if isinstance(properties, Mapping) else None
    if name not in _KNOWN_CRS:
        raise _GeometryRefused("has a coordinate reference system (`crs`) other than WGS84")


def _point(coordinates: object) -> None:
    # Unlike the positions of other geometries, those of a point may be an object.
    values = [*coordinates.values()] if isinstance(coordinates, Mapping) else coordinates
    if not isinstance(values, list):
        raise _GeometryRefused("has no coordinates")
    _in_bounds(_pair(values))


def _multi_point(coordinates: object) -> None:
    if not _positions(coordinates):
        raise _GeometryRefused("is an empty MultiPoint")


def _line(coordinates: object) -> None:
    # The server compares points, not numbers: -180 and 180 degrees, or two longitudes of a pole, may be one of them.
    if not any(before != after for before, after in pairwise(_positions(coordinates))):
        raise _GeometryRefused("is a LineString of fewer than two different positions")


def _multi_line(coordinates: object) -> None:
    for each in _several(coordinates, "MultiLineString"):
        _line(each)


def _polygon(coordinates: object) -> None:
    rings: list[Ring] = []
    for each in _several(coordinates, "Polygon"):
        ring = _ring(each)
        if rings:
            _hole(rings[0], ring)
        rings.append(ring)
    for one, other in combinations(rings[1:], 2):
        if shared_edge(one, other) or cross(one, other):
            raise _GeometryRefused("is a polygon whose holes overlap")
        if _surely_within(one, other) or _surely_within(other, one):
            raise _GeometryRefused("is a polygon with a hole in a hole")


def _multi_polygon(coordinates: object) -> None:
    for each in _several(coordinates, "MultiPolygon"):
        _polygon(each)


def _ring(coordinates: object) -> Ring:
    positions = _positions(coordinates)
    if not positions:
        raise _GeometryRefused("is a polygon with an empty ring")
    if clearly_apart(positions[0], positions[-1]):
        raise _GeometryRefused("is a polygon whose ring does not end where it begins")
    corners = without_repeats(positions)[:-1]
    if len(corners) < _FEWEST_CORNERS:
        raise _GeometryRefused("is a polygon of fewer than three corners")
    if len(set(corners)) < len(corners):
        raise _GeometryRefused("is a polygon whose ring touches itself")
    ring = Ring(corners)
    if crosses_itself(ring):
        raise _GeometryRefused("is a polygon that crosses itself")
    return ring


def _hole(exterior: Ring, hole: Ring) -> None:
    if cross(exterior, hole):
        raise _GeometryRefused("is a polygon with a hole that crosses its edge")
    if shared_edge(exterior, hole) or shared_vertices(exterior, hole) > 1:
        raise _GeometryRefused("is a polygon with a hole that touches its edge in more than one corner")
    if any(surely_outside(exterior, position) for position in hole.positions):
        raise _GeometryRefused("is a polygon with a hole outside of it")


def _surely_within(outer: Ring, inner: Ring) -> bool:
    return all(surely_inside(outer, position) for position in inner.positions)


def _several(coordinates: object, kind: str) -> list[Any]:
    if not isinstance(coordinates, list):
        raise _GeometryRefused("has no array of coordinates")
    if not coordinates:
        raise _GeometryRefused(f"is an empty {kind}")
    return coordinates


def _positions(coordinates: object) -> tuple[Position, ...]:
    if not isinstance(coordinates, list):
        raise _GeometryRefused("has no array of coordinates")
    found = []
    for each in coordinates:
        if not isinstance(each, list):
            raise _GeometryRefused("has a position that is no array")
        found.append(_pair(each))
        _in_bounds(found[-1])
    return tuple(found)


def _pair(values: Sequence[Any]) -> Position:
    """Longitude and latitude; more may follow, such as a height."""
    if len(values) < 2 or not all(map(_is_number, values[:2])):
        raise _GeometryRefused("has a position that is not made of two numbers")
    longitude, latitude = (float(_number(each)) for each in values[:2])
    if not (isfinite(longitude) and isfinite(latitude)):
        raise _GeometryRefused("has a position that is not finite")
    return longitude, latitude


def _in_bounds(position: Position) -> None:
    longitude, latitude = position
    if abs(latitude) > 90:
        raise _GeometryRefused("has a latitude beyond 90 degrees")
    if abs(longitude) > 180:
        raise _GeometryRefused("has a longitude beyond 180 degrees")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal128)) and not isinstance(value, bool)


def _number(value: Any) -> float:
    return float(value.to_decimal()) if isinstance(value, Decimal128) else float(value)


def _called(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float() | Decimal128():
            return "a number"
    return "of another type"


_KINDS: dict[str, Callable[[object], None]] = {
    "Point": _point,
    "LineString": _line,
    "Polygon": _polygon,
    "MultiPoint": _multi_point,
    "MultiLineString": _multi_line,
    "MultiPolygon": _multi_polygon,
}
