"""Well-known binary to GeoJSON, without a look at whether the positions are on earth."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

_NAMES = {
    1: "Point",
    2: "LineString",
    3: "Polygon",
    4: "MultiPoint",
    5: "MultiLineString",
    6: "MultiPolygon",
    7: "GeometryCollection",
}


def geojson(data: bytes, at: int, positions: list[list[float]]) -> tuple[dict[str, Any], int]:
    """The GeoJSON of the WKB at `at`, and where it ends; its positions are added to `positions`."""
    order = "<" if data[at] == 1 else ">"
    code = struct.unpack_from(order + "I", data, at + 1)[0]
    at += 5

    def position() -> list[float]:
        nonlocal at
        found = list(struct.unpack_from(order + "dd", data, at))
        at += 16
        positions.append(found)
        return found

    def several(read: Callable[[], Any]) -> list[Any]:
        nonlocal at
        count = struct.unpack_from(order + "I", data, at)[0]
        at += 4
        return [read() for _ in range(count)]

    def nested() -> dict[str, Any]:
        nonlocal at
        found, at = geojson(data, at, positions)
        return found

    name = _NAMES[code]
    if name == "GeometryCollection":
        return {"type": name, "geometries": several(nested)}, at
    if name == "Point":
        return {"type": name, "coordinates": position()}, at
    if name == "LineString":
        return {"type": name, "coordinates": several(position)}, at
    if name == "Polygon":
        return {"type": name, "coordinates": several(lambda: several(position))}, at
    return {"type": name, "coordinates": [part["coordinates"] for part in several(nested)]}, at
