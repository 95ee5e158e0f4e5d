"""Documents that an index takes or refuses. Each is asked of migrator's rules everywhere, and of MongoDB where there is
one (tests/target/test_index_rules.py): the second keeps the first true."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bson import Binary, Decimal128, Int64

from migrator.model.mapping.tree import IndexSpec

POINT = {"type": "Point", "coordinates": [1, 2]}
SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
SMALL = [[2, 2], [3, 2], [3, 3], [2, 3], [2, 2]]
BOW = [[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]


def geometry(kind: str, coordinates: Any, **more: Any) -> dict[str, Any]:
    return {"type": kind, "coordinates": coordinates, **more}


def several(*members: Any) -> dict[str, Any]:
    return {"type": "GeometryCollection", "geometries": list(members)}


def crs(name: str) -> dict[str, Any]:
    return {"crs": {"type": "name", "properties": {"name": name}}}


def moved(ring: list[list[float]], by: float) -> list[list[float]]:
    return [[x + by, y + by] for x, y in ring]


# What a 2dsphere index takes at its field.
TAKEN: dict[str, Any] = {
    "point": POINT,
    "point with a height": geometry("Point", [1, 2, 300]),
    "point of an object": geometry("Point", {"lng": 1, "lat": 2}),
    "point at the edge": geometry("Point", [180, -90]),
    "point of other numbers": geometry("Point", [Int64(1), Decimal128("2.5")]),
    "point with a known crs": geometry("Point", [1, 2], **crs("EPSG:4326")),
    "point with another known crs": geometry("Point", [1, 2], **crs("urn:ogc:def:crs:OGC:1.3:CRS84")),
    "more fields": {**POINT, "accuracy": 5},
    "pair": [1, 2],
    "pair and more": [1, 2, "high"],
    "object of two numbers": {"x": 1, "y": 2},
    "object of two numbers and a type": {"x": 1, "y": 2, "type": "Polygon"},
    "line": geometry("LineString", [[0, 0], [1, 1]]),
    "line that crosses itself": geometry("LineString", [[0, 0], [10, 10], [10, 0], [0, 10]]),
    "line that repeats a position": geometry("LineString", [[0, 0], [0, 0], [1, 1]]),
    "polygon": geometry("Polygon", [SQUARE]),
    "polygon the other way round": geometry("Polygon", [SQUARE[::-1]]),
    "polygon that repeats a corner": geometry("Polygon", [[SQUARE[0], *SQUARE]]),
    "polygon with a hole": geometry("Polygon", [SQUARE, SMALL]),
    "polygon with two holes": geometry("Polygon", [SQUARE, SMALL, moved(SMALL, 4)]),
    "polygon with a hole that touches in a corner": geometry("Polygon", [SQUARE, [[0, 0], [3, 2], [2, 3], [0, 0]]]),
    "polygon with holes that touch in a corner": geometry("Polygon", [SQUARE, SMALL, moved(SMALL, 1)]),
    "triangle": geometry("Polygon", [[[0, 0], [1, 0], [0, 1], [0, 0]]]),
    "several points": geometry("MultiPoint", [[0, 0], [0, 0], [1, 1]]),
    "several lines": geometry("MultiLineString", [[[0, 0], [1, 1]], [[2, 2], [3, 3]]]),
    "several polygons": geometry("MultiPolygon", [[SQUARE], [moved(SQUARE, 20)]]),
    "several polygons that overlap": geometry("MultiPolygon", [[SQUARE], [moved(SQUARE, 5)]]),
    "collection": several(POINT, geometry("LineString", [[0, 0], [1, 1]]), geometry("Polygon", [SQUARE])),
    "null": None,
    "empty array": [],
    "empty object": {},
}  # fmt: skip

REFUSED: dict[str, Any] = {
    "text": "1,2",
    "number": 5,
    "truth": True,
    "binary": Binary(b"\x01"),
    "object of something": {"a": "b"},
    "null in an object": {"x": None},
    "bytes of the server": {"srid": 3857, "wkb": Binary(b"\x01")},
    "one number": [1],
    "pair of text": ["1", "2"],
    "pair of truths": [True, False],
    "nested pair": [[1, 2]],
    "pair too far north": [1, 95],
    "pair too far east": [181, 1],
    "object too far north": {"x": 1, "y": -90.5},
    "infinite": [float("inf"), 1],
    "not a number": [float("nan"), 1],
    "unknown type": geometry("Circle", [1, 2]),
    "type in another case": geometry("point", [1, 2]),
    "type of another kind": {"type": 1.5, "coordinates": "x"},
    "feature": {"type": "Feature", "geometry": POINT},
    "point without coordinates": {"type": "Point"},
    "point of one number": geometry("Point", [1]),
    "point of text": geometry("Point", "1 2"),
    "empty point": geometry("Point", []),
    "latitude 95": geometry("Point", [1, 95]),
    "longitude -180.5": geometry("Point", [-180.5, 1]),
    "unknown crs": geometry("Point", [1, 2], **crs("EPSG:3857")),
    "null as crs": geometry("Point", [1, 2], crs=None),
    "strict winding": geometry("Polygon", [SQUARE], **crs("urn:x-mongodb:crs:strictwinding:EPSG:4326")),
    "empty line": geometry("LineString", []),
    "line of one position": geometry("LineString", [[1, 1]]),
    "line of one position twice": geometry("LineString", [[1, 1], [1, 1]]),
    "line of an object": geometry("LineString", [{"x": 1, "y": 2}, {"x": 2, "y": 2}]),
    "line out of bounds": geometry("LineString", [[0, 0], [0, 91]]),
    "line of numbers": geometry("LineString", [1, 2]),
    "polygon without rings": geometry("Polygon", []),
    "polygon of an empty ring": geometry("Polygon", [[]]),
    "polygon of positions": geometry("Polygon", SQUARE),
    "open polygon": geometry("Polygon", [SQUARE[:-1]]),
    "polygon of two corners": geometry("Polygon", [[[0, 0], [1, 1], [0, 0]]]),
    "polygon of one corner": geometry("Polygon", [[[0, 0], [0, 0], [0, 0], [0, 0]]]),
    "polygon that crosses itself": geometry("Polygon", [BOW]),
    "tiny polygon that crosses itself": geometry("Polygon", [[[x / 1e5, y / 1e5] for x, y in BOW]]),
    "large polygon that crosses itself": geometry("Polygon", [[[x * 8 - 40, y * 4 - 20] for x, y in BOW]]),
    "polygon that touches itself": geometry("Polygon", [[[0, 0], [2, 0], [1, 1], [2, 2], [0, 2], [1, 1], [0, 0]]]),
    "hole outside": geometry("Polygon", [SQUARE, moved(SMALL, 30)]),
    "hole across the edge": geometry("Polygon", [SQUARE, moved(SMALL, 7.5)]),
    "hole that is the polygon": geometry("Polygon", [SQUARE, SQUARE]),
    "hole along an edge": geometry("Polygon", [SQUARE, [[0, 0], [10, 0], [5, 5], [0, 0]]]),
    "hole in a hole": geometry("Polygon", [SQUARE, [[1, 1], [9, 1], [9, 9], [1, 9], [1, 1]], SMALL]),
    "holes across each other": geometry("Polygon", [SQUARE, SMALL, moved(SMALL, 0.5)]),
    "the same hole twice": geometry("Polygon", [SQUARE, SMALL, SMALL]),
    "no points": geometry("MultiPoint", []),
    "no lines": geometry("MultiLineString", []),
    "an empty line among lines": geometry("MultiLineString", [[[0, 0], [1, 1]], []]),
    "no polygons": geometry("MultiPolygon", []),
    "a bad polygon among polygons": geometry("MultiPolygon", [[SQUARE], [BOW]]),
    "empty collection": several(),
    "collection of nothing": {"type": "GeometryCollection"},
    "collection in a collection": several(several(POINT)),
    "collection of null": several(None),
    "collection of a pair": several([1, 2]),
    "a bad one in a collection": several(POINT, geometry("Point", [1, 95])),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A document for an index, and the path that it is refused for; "" where it is taken.

    Attributes:
        codes: of MongoDB's error, any of these.
    """

    name: str
    keys: dict[str, int | str]
    document: dict[str, Any]
    path: str = ""
    codes: tuple[int, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> IndexSpec:
        return IndexSpec("i", tuple(self.keys.items()), **self.options)


_GEO: dict[str, int | str] = {"g": "2dsphere"}
_IN_ARRAY: dict[str, int | str] = {"a.g": "2dsphere"}
_TEXT: dict[str, int | str] = {"t": "text"}
_DEEP_TEXT: dict[str, int | str] = {"t": "text", "a.b.t": "text"}

CASES = (
    *(Case(f"geo: {name}", _GEO, {"g": value}) for name, value in TAKEN.items()),
    *(Case(f"geo: {name}", _GEO, {"g": value}, "g", (16755, 16756)) for name, value in REFUSED.items()),
    Case("geo: missing", _GEO, {}),
    Case("geo: null next to a point", _IN_ARRAY, {"a": [{"g": None}, {"g": POINT}]}, "a.g", (16755,)),
    Case("geo: empty next to a point", _IN_ARRAY, {"a": [{"g": {}}, {"g": POINT}]}, "a.g", (16755,)),
    Case("geo: null next to empty", _IN_ARRAY, {"a": [{"g": None}, {"g": []}]}, "a.g", (16755,)),
    Case("geo: null alone in an array", _IN_ARRAY, {"a": [{"g": None}]}),
    Case("geo: nulls only", _IN_ARRAY, {"a": [{"g": None}, {"g": None}]}),
    Case("geo: missing next to a point", _IN_ARRAY, {"a": [{}, {"g": POINT}]}),
    Case("geo: missing next to null", _IN_ARRAY, {"a": [{}, {"g": None}]}),
    Case("geo: elements that are no documents", _IN_ARRAY, {"a": [1, "x", None, {"g": POINT}]}),
    Case("geo: empty array above", _IN_ARRAY, {"a": []}),
    Case("geo: null above", {"a.b.g": "2dsphere"}, {"a": [{"b": None}, {"b": {"g": POINT}}]}),
    Case("geo: points in a plain array", {"a": "2dsphere"}, {"a": [POINT, None]}, "a", (16755,)),
    Case("geo: an array of points at the field", _GEO, {"g": [POINT, POINT]}, "g", (16755,)),
    Case("geo: the coordinates alone", {"g.coordinates": "2dsphere"}, {"g": POINT}),
    Case("geo: two arrays", {"a.g": "2dsphere", "b": 1}, {"a": [{"g": POINT}], "b": [1, 2]}),
    Case("geo: two arrays, none of it geometry", {"g": "2dsphere", "a": 1, "b": 1}, {"g": POINT, "a": [1], "b": [2]}),
    Case("geo: two fields", {"g": "2dsphere", "h": "2dsphere"}, {"g": None, "h": "x"}, "h", (16755,)),
    Case("geo: nothing but the other key", {"g": "2dsphere", "n": 1}, {"n": 1}),
    Case("plain: two arrays", {"a": 1, "b": 1}, {"a": [1], "b": [2]}, "b", (171,)),
    Case("plain: two arrays with an element missing", {"a.x": 1, "b.y": -1}, {"a": [{}], "b": [{"y": 1}]}, "b.y",
         (171,)),
    Case("plain: an array and none", {"a": 1, "b": 1}, {"a": [1], "b": 2}),
    Case("plain: empty arrays", {"a": 1, "b": 1}, {"a": [], "b": []}, "b", (171,)),
    Case("plain: one array twice", {"a.x": 1, "a.y": 1}, {"a": [{"x": 1, "y": 2}]}),
    Case("plain: an array in an array", {"a.x": 1, "a.b.y": 1}, {"a": [{"x": 1, "b": [{"y": 1}]}]}),
    Case("plain: two arrays in an array", {"a.x": 1, "a.y": 1}, {"a": [{"x": [1], "y": [2]}]}, "a.y", (171,)),
    Case("plain: two arrays in some elements", {"a.x": 1, "a.y": 1}, {"a": [{"x": [1]}, {"y": [2]}]}),
    Case("plain: array in an array of plain values", {"a": 1}, {"a": [[1, 2], [3]]}),
    Case("plain: an array and its own inside", {"a": 1, "a.b": 1}, {"a": [{"b": 1}]}),
    Case("plain: a number that is a field", {"a.0": 1}, {"a": {"0": 1}}),
    Case("plain: a number that is a place", {"a.0": 1}, {"a": [5, 6]}),
    Case("plain: a number that is both", {"a.0": 1}, {"a": [{"0": 1}]}, "a.0", (16746,)),
    Case("plain: a number that is both, further below", {"a.0.b": 1}, {"a": [{"0": {"b": 1}}]}, "a.0.b", (16746,)),
    Case("plain: a number beyond the array", {"a.5": 1}, {"a": [{"5": 1}]}),
    Case("plain: a number that only another element has", {"a.1": 1}, {"a": [{"1": 1}, 2]}, "a.1", (16746,)),
    Case("plain: a number in a longer path", {"a.b.0": 1}, {"a": [{"b": {"0": 1}}]}),
    Case("unique: what is left out may be anything", {"a": 1, "b": 1}, {"a": [1], "b": [2]},
         options={"unique": True, "nullable": (("a", ("string",)),)}),
    Case("unique: what is covered may not", {"a": 1, "b": 1}, {"a": ["x"], "b": [2]}, "b", (171,),
         options={"unique": True, "nullable": (("a", ("string",)),)}),
    Case("hashed: value", {"h": "hashed"}, {"h": {"a": 1}}),
    Case("hashed: array", {"h": "hashed"}, {"h": [1]}, "h", (16766,)),
    Case("hashed: empty array", {"h": "hashed"}, {"h": []}, "h", (16766,)),
    Case("hashed: array above", {"a.h": "hashed"}, {"a": [{"h": 1}]}, "a.h", (16766,)),
    Case("hashed: array inside", {"h": "hashed"}, {"h": {"a": [1]}}),
    Case("hashed: null above", {"a.h": "hashed"}, {"a": None}),
    Case("text: none", _TEXT, {}),
    Case("text: array", _TEXT, {"t": ["a", "b", 1, None]}),
    Case("text: known language", _TEXT, {"t": "a", "language": "danish"}),
    Case("text: code of a language, in capitals", _TEXT, {"t": "a", "language": "DE"}),
    Case("text: no stemming", _TEXT, {"t": "a", "language": "none"}),
    Case("text: unknown language", _TEXT, {"t": "a", "language": "klingon"}, "language", (17262,)),
    Case("text: unknown language without text", _TEXT, {"language": "klingon"}, "language", (17262,)),
    Case("text: empty language", _TEXT, {"t": "a", "language": ""}, "language", (17262,)),
    Case("text: language with a country", _TEXT, {"t": "a", "language": "en_US"}, "language", (17262,)),
    Case("text: null as language", _TEXT, {"t": "a", "language": None}, "language", (17261,)),
    Case("text: number as language", _TEXT, {"t": "a", "language": 1}, "language", (17261,)),
    Case("text: object as language", _TEXT, {"t": "a", "language": {"code": "en"}}, "language", (17261,)),
    Case("text: language elsewhere", _TEXT, {"t": "a", "a": {"language": 1}}),
    Case("text: language next to text below", _DEEP_TEXT, {"a": {"b": {"t": "x", "language": 1}}}, "a.b.language",
         (17261,)),
    Case("text: language above text", _DEEP_TEXT, {"a": {"language": 1, "b": {"t": "x"}}}, "a.language", (17261,)),
    Case("text: language in an array", _DEEP_TEXT, {"a": [{"b": {}}, {"language": "x"}]}, "a.language", (17262,)),
    Case("text: language next to the way", _DEEP_TEXT, {"a": {"c": {"language": 1}}}),
    Case("text: language below text", _TEXT, {"t": {"language": 1}}),
    Case("text: key in an array", {"t": "text", "k": 1}, {"t": "a", "k": [1]}, "k", (201,)),
    Case("text: key below an array", {"k.x": 1, "t": "text"}, {"t": "a", "k": [{"x": 1}]}, "k.x", (201,)),
    Case("text: key at a place of an array", {"k.0": 1, "t": "text"}, {"t": "a", "k": [1, 2]}),
    Case("text: plain key", {"k": 1, "t": "text"}, {"t": "a", "k": None}),
)  # fmt: skip
