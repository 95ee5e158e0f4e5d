"""Which values a 2dsphere index takes: src/mongo/db/geo of MongoDB, simplified to flat geometry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

Position = tuple[float, float]


def unusable(value: object) -> str:
    """Why a 2dsphere index can't take this value, "" when it can."""
    try:
        if (isinstance(value, dict) and "type" in value and "coordinates" in value) or _is_collection(value):
            _geojson(value)  # type: ignore[arg-type]
        elif isinstance(value, dict | list):
            _position(list(value.values()) if isinstance(value, dict) else value)
        else:
            return f"geo element must be an array or object: {value!r}"
    except ValueError as reason:
        return str(reason)
    return ""


def _is_collection(value: object) -> bool:
    return isinstance(value, dict) and value.get("type") == "GeometryCollection"


def _geojson(value: dict[str, Any]) -> None:
    kind, coordinates = value["type"], value.get("coordinates")
    match kind:
        case "Point":
            _position(coordinates)
        case "LineString":
            _line(coordinates)
        case "Polygon":
            _polygon(coordinates)
        case "MultiPoint":
            for each in _listed(coordinates):
                _position(each)
        case "MultiLineString":
            for each in _listed(coordinates):
                _line(each)
        case "MultiPolygon":
            for each in _listed(coordinates):
                _polygon(each)
        case "GeometryCollection":
            for each in _listed(value.get("geometries")):
                _geojson(each)
        case _:
            raise ValueError(f"unknown GeoJSON type: {kind}")


def _listed(value: object) -> Sequence[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError("GeoJSON coordinates must be an array")
    return value


def _position(value: object) -> Position:
    if not isinstance(value, list) or len(value) < 2:
        raise ValueError("Point must be an array or object with two numbers")
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in value[:2]):
        raise ValueError("Point must only contain numeric elements")
    longitude, latitude = value[:2]
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise ValueError(f"longitude/latitude is out of bounds, lng: {longitude} lat: {latitude}")
    return float(longitude), float(latitude)


def _line(value: object) -> None:
    positions = [_position(each) for each in _listed(value)]
    if len(set(positions)) < 2:
        raise ValueError("GeoJSON LineString must have at least 2 vertices")


def _polygon(value: object) -> None:
    for ring in _listed(value):
        positions = [_position(each) for each in _listed(ring)]
        if len(positions) < 4 or positions[0] != positions[-1]:
            raise ValueError("Polygon isn't closed, or has fewer than 4 vertices")
        if len(set(positions[:-1])) < len(positions) - 1:
            raise ValueError("Polygon has duplicate vertices")
        edges = list(pairwise(positions))
        for (one, first), (other, second) in combinations(enumerate(edges), 2):
            if other - one > 1 and other - one < len(edges) - 1 and _cross(*first, *second):
                raise ValueError(f"Edges {one} and {other} cross")


def _cross(a: Position, b: Position, c: Position, d: Position) -> bool:
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _side(a: Position, b: Position, c: Position) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
