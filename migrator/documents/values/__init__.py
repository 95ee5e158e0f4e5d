"""The codec: the server's text bytes to BSON, one module per type family, one conversion for each value.

Copy, sync, verify and repair all use this code (rule 1). Values are turned into BSON bytes at once, not into
Python objects that a BSON library encodes later: about twice as fast, and the BSON type is chosen here alone.

binary: Bytes, UUIDs, ObjectIds and vectors.
codec: what a conversion is.
nested: values that are documents or arrays themselves.
numbers: Integers, decimals, floats, BIT and YEAR.
origins: the codec backwards, for keys.
spatial: the server's own format, a 4-byte SRID and WKB (MySQL 9 manual, 13.4.3), to GeoJSON (RFC 7946).
temporal: Dates, times and durations.
text: Strings, and whatever the mapping wants as the text that MySQL prints.
"""

from __future__ import annotations

from collections.abc import Callable

from migrator.documents.values import binary, nested, numbers, spatial, temporal, text
from migrator.documents.values.codec import Codec, Misfit
from migrator.model.mapping.representation import Kind, Representation
from migrator.model.schema.tables import Column

__all__ = ["Codec", "Misfit", "codec_for", "companion_codec"]

_MAKERS: dict[Kind, Callable[[Column, Representation], Codec]] = {
    "int32": numbers.int32,
    "int64": numbers.int64,
    "double": numbers.double,
    "float32": numbers.float32,
    "decimal128": numbers.decimal128,
    "bool": numbers.boolean,
    "string": text.string,
    "binary": binary.binary,
    "uuid": binary.uuid,
    "objectid": binary.objectid,
    "vector": binary.vector,
    "date": temporal.date,
    "microseconds": temporal.microseconds,
    "array": nested.array,
    "geojson": spatial.geojson,
}


# MongoDB nests documents and arrays up to 100 levels, the document itself being the first (MongoDB manual, Limits).
MAX_LEVELS = 100


def codec_for(column: Column, value: Representation, level: int) -> Codec:
    """The conversion for one column's values under one representation.

    Args:
        column: what the values are in the source.
        value: what they become.
        level: how deep the document that holds the value is nested, 1 for the top.
    """
    if value.kind == "json":
        return nested.json(column, value, MAX_LEVELS - level)
    return _MAKERS[value.kind](column, value)


def companion_codec(column: Column, value: Representation) -> Codec:
    """The conversion for the second field of policy `submillisecond: companion`: the microseconds of the same value."""
    return temporal.fraction(column, value)
