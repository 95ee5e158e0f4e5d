"""Whether a BSON document conforms to a $jsonSchema, for the keywords that migrator writes; an independent reading."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bson import CodecOptions, Decimal128, Int64, ObjectId, decode
from bson.codec_options import DatetimeConversion
from bson.datetime_ms import DatetimeMS

KEYWORDS = {"bsonType", "required", "properties", "items", "additionalProperties"}
_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (Int64, "long"),
    (int, "int"),
    (float, "double"),
    (Decimal128, "decimal"),
    (str, "string"),
    (bytes, "binData"),
    (ObjectId, "objectId"),
    (datetime, "date"),
    (DatetimeMS, "date"),
    (dict, "object"),
    (list, "array"),
    (type(None), "null"),
)


def decoded(document: bytes) -> dict[str, Any]:
    """The document; dates of all years."""
    options: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
    return decode(document, options)


def violations(schema: dict[str, Any], document: bytes) -> list[str]:
    """What of a BSON document the schema forbids, with the place."""
    return list(_look(schema, decoded(document), "document"))


def _look(schema: dict[str, Any], value: Any, place: str) -> Iterator[str]:
    assert set(schema) <= KEYWORDS, f"unexpected keywords at {place}: {set(schema) - KEYWORDS}"
    # Binary subtypes come as bytes, UUID or Binary; all are binData.
    kind = next((name for known, name in _TYPES if isinstance(value, known)), "binData")
    allowed = schema.get("bsonType", kind)
    if kind not in ([allowed] if isinstance(allowed, str) else allowed):
        yield f"{place} is {kind}, allowed are {allowed}"
        return
    if isinstance(value, dict):
        assert schema.get("required") != [], "MongoDB refuses an empty list"
        yield from (f"{place}.{name} is missing" for name in schema.get("required", ()) if name not in value)
        for name, inner in value.items():
            known = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if known:
                yield from _look(known, inner, f"{place}.{name}")
    if isinstance(value, list) and "items" in schema:
        for index, inner in enumerate(value):
            yield from _look(schema["items"], inner, f"{place}.{index}")
