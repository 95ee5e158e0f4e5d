"""Values that are documents or arrays themselves: SET and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from json import JSONDecodeError, loads
from math import isinf
from typing import Any, NoReturn

from bson import encode
from bson.errors import InvalidDocument

from migrator.documents.values.codec import ARRAY, STRING, Codec, Misfit, Typed, fixed
from migrator.documents.values.numbers import pack_int32
from migrator.documents.values.text import string_payload, utf8
from migrator.model.mapping.representation import Representation
from migrator.model.schema.tables import Column

_INT64 = range(-(2**63), 2**63)


def array(column: Column, value: Representation) -> Codec:
    """SET: MySQL prints the members in order of definition, and none of them can hold a comma."""

    # A column has few different combinations.
    @lru_cache(4096)
    def payload(raw: bytes) -> bytes:
        members = utf8(raw).split(b",") if raw else []
        body = b"".join(STRING + b"%d\x00" % index + string_payload(member) for index, member in enumerate(members))
        return pack_int32(len(body) + 5) + body + b"\x00"

    return fixed(ARRAY, payload)


def json(column: Column, value: Representation, room: int) -> Codec:
    """JSON of at most `room` levels of objects and arrays."""
    strict = value.policies.json_keys == "reject"

    def convert(raw: bytes) -> Typed:
        parsed = parse_json(raw)
        if raw.count(b"[") + raw.count(b"{") > room and _levels(parsed) > room:
            raise Misfit("is nested too deep: MongoDB allows 100 levels; use `type: string`")
        if strict:
            _check_keys(parsed)
        return encode_value(parsed)

    return Codec(convert)


def parse_json(raw: bytes) -> Any:
    """JSON text as Python values.

    Raises:
        Misfit: when it is not JSON, or nested too deep.
    """
    try:
        return loads(utf8(raw), parse_constant=_no_constant, parse_float=_double)
    except Misfit:
        raise
    except JSONDecodeError as error:
        raise Misfit(f"is not JSON: {error.msg}") from None
    except RecursionError:
        raise Misfit("is not JSON: nested too deep") from None
    except ValueError:
        # Python converts no integer of more than 4300 digits (sys.set_int_max_str_digits); a double has 309 at most.
        raise _beyond() from None


def encode_value(value: Any) -> Typed:
    """One Python value as a BSON type and payload.

    Raises:
        Misfit: when BSON can't hold it.
    """
    try:
        try:
            element = encode({"": value})
        except OverflowError:
            element = encode({"": _widened(value)})
    except Misfit:
        raise
    except UnicodeEncodeError:
        raise Misfit(r"holds half of a surrogate pair (\ud800 to \udfff), which BSON can't hold") from None
    except (InvalidDocument, ValueError) as error:
        if _has_nul_name(value):
            raise Misfit("has a key with a NUL character, which BSON can't hold; use `type: string`") from None
        raise Misfit(f"can't be stored in BSON: {error}") from None
    # int32 length, type, empty name (one NUL), payload, NUL.
    return element[4:5], element[6:-1]


def _no_constant(name: str) -> NoReturn:
    raise Misfit(f"is not JSON: {name}")


def _double(text: str) -> float:
    found = float(text)
    if isinf(found):
        raise _beyond()
    return found


def _beyond() -> Misfit:
    return Misfit("holds a number beyond any double; use `type: string`")


def _levels(value: Any) -> int:
    deepest, todo = 0, [(value, 1)]
    while todo:
        item, level = todo.pop()
        if isinstance(item, (dict, list)):
            deepest = max(deepest, level)
            inner = item.values() if isinstance(item, dict) else item
            todo += [(child, level + 1) for child in inner]
    return deepest


def _widened(value: Any) -> Any:
    """Integers beyond 64 bits as doubles, as JSON readers take them."""
    if isinstance(value, dict):
        return {key: _widened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_widened(item) for item in value]
    if isinstance(value, int) and value not in _INT64:
        try:
            return float(value)
        except OverflowError:
            raise _beyond() from None
    return value


def _has_nul_name(value: Any) -> bool:
    return any("\0" in key for item in _objects(value) for key in item)


def _check_keys(value: Any) -> None:
    for item in _objects(value):
        for key in item:
            check_key(key)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """The value itself and all inside it that are JSON objects."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            yield item
            todo += item.values()
        elif isinstance(item, list):
            todo += item


def check_key(key: str) -> None:
    """Raises Misfit for a key that MongoDB's queries and updates can't name (policy json_keys: reject)."""
    if "." in key or key.startswith("$"):
        raise Misfit(f"has the key {key!r} with '.' or a leading '$'; policy json_keys: keep allows it")
