"""Where two sets of documents differ: by key, path and both values, number types and field order included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion

_PLAIN = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)


def differences(expected: Mapping[bytes, bytes], actual: Mapping[bytes, bytes], limit: int = 10) -> list[str]:
    """At most `limit` lines on documents (BSON by the BSON of their `_id`) that are missing, extra or different."""
    found: list[str] = []
    for line in _lines(expected, actual):
        found.append(line)
        if len(found) == limit:
            break
    return found


def decode(document: bytes) -> dict[str, Any]:
    """A document with dates as milliseconds, so that every BSON date can be shown."""
    return bson.decode(document, _PLAIN)


def _lines(expected: Mapping[bytes, bytes], actual: Mapping[bytes, bytes]) -> Iterator[str]:
    for key in expected:
        if key not in actual:
            yield f"missing: {_shown(key)}"
        elif expected[key] != actual[key]:
            before = decode(expected[key])
            after = decode(actual[key])
            paths = list(_paths("", before, after))
            for path in paths:
                yield f"{_shown(key)} {path}"
            if not paths:
                yield f"{_shown(key)}: same values, other bytes: {expected[key].hex()} | {actual[key].hex()}"
    for key in actual:
        if key not in expected:
            yield f"extra: {_shown(key)}: {decode(actual[key])!r}"


def _shown(key: bytes) -> str:
    return repr(decode(key)["_id"])


def _paths(path: str, expected: Any, actual: Any) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in expected:
            if name not in actual:
                yield f"{path}.{name}: expected {_typed(expected[name])}, is missing"
            else:
                yield from _paths(f"{path}.{name}", expected[name], actual[name])
        for name in actual:
            if name not in expected:
                yield f"{path}.{name}: not expected, is {_typed(actual[name])}"
        if list(expected) != list(actual) and set(expected) == set(actual):
            yield f"{path}: expected fields in the order {list(expected)}, are {list(actual)}"
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{path}: expected {len(expected)} elements, are {len(actual)}"
        for number, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from _paths(f"{path}.{number}", one, other)
    elif bson.encode({"": expected}) != bson.encode({"": actual}):
        yield f"{path}: expected {_typed(expected)}, is {_typed(actual)}"


def _typed(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"


def by_id(documents: Iterable[bytes]) -> dict[bytes, bytes]:
    """Documents by the BSON of `{_id: ...}`."""
    return {bson.encode({"_id": decode(document)["_id"]}): document for document in documents}


def without_id(document: bytes) -> bytes:
    """A document without its `_id`, to compare tables without a key."""
    return bson.encode({name: value for name, value in decode(document).items() if name != "_id"})
