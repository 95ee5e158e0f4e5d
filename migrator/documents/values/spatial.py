"""Geometry: the server's own format, a 4-byte SRID and WKB (MySQL 9 manual, 13.4.3), to GeoJSON (RFC 7946)."""

from __future__ import annotations

from struct import Struct
from struct import error as StructError
from typing import Any

from bson import Binary

from migrator.documents.values.codec import Codec, Misfit, Typed
from migrator.documents.values.nested import encode_value
from migrator.model.mapping.representation import Representation
from migrator.model.schema.tables import Column

_SRID = Struct("<I")
_GEOGRAPHIC = (0, 4326)
_POINT, _LINE, _POLYGON, _MULTIPOINT, _MULTILINE, _MULTIPOLYGON, _COLLECTION = range(1, 8)
_NAMES = {
    _POINT: "Point",
    _LINE: "LineString",
    _POLYGON: "Polygon",
    _MULTIPOINT: "MultiPoint",
    _MULTILINE: "MultiLineString",
    _MULTIPOLYGON: "MultiPolygon",
}


class _NotGeographic(ValueError):
    """A position that is no longitude and latitude."""


def geojson(column: Column, value: Representation) -> Codec:
    return Codec(_convert)


def _convert(raw: bytes) -> Typed:
    try:
        (srid,) = _SRID.unpack_from(raw)
        if srid in _GEOGRAPHIC:
            try:
                geometry, end = _geometry(raw, 4)
            except _NotGeographic:
                pass
            else:
                if end == len(raw):
                    return encode_value(geometry)
        return encode_value({"srid": srid, "wkb": Binary(raw[4:])})
    except (StructError, KeyError):
        raise Misfit("is not a geometry in the server's format; use `type: binary`") from None


def _geometry(raw: bytes, at: int) -> tuple[dict[str, Any], int]:
    """The geometry whose WKB starts at `at`, and where it ends."""
    order = "<" if raw[at : at + 1] == b"\x01" else ">"
    (kind,) = Struct(order + "I").unpack_from(raw, at + 1)
    at += 5
    if kind == _COLLECTION:
        count, at = _count(raw, at, order)
        members = []
        for _ in range(count):
            member, at = _geometry(raw, at)
            members.append(member)
        return {"type": "GeometryCollection", "geometries": members}, at
    coordinates, at = _coordinates(kind, raw, at, order)
    return {"type": _NAMES[kind], "coordinates": coordinates}, at


def _coordinates(kind: int, raw: bytes, at: int, order: str) -> tuple[list[Any], int]:
    if kind == _POINT:
        x, y = Struct(order + "2d").unpack_from(raw, at)
        if not (-180 <= x <= 180 and -90 <= y <= 90):
            raise _NotGeographic
        return [x, y], at + 16
    count, at = _count(raw, at, order)
    parts: list[Any] = []
    for _ in range(count):
        if kind in (_LINE, _POLYGON):
            part, at = _coordinates(_POINT if kind == _LINE else _LINE, raw, at, order)
        else:
            member, at = _geometry(raw, at)
            part = member["coordinates"]
        parts.append(part)
    return parts, at


def _count(raw: bytes, at: int, order: str) -> tuple[int, int]:
    (count,) = Struct(order + "I").unpack_from(raw, at)
    return count, at + 4
