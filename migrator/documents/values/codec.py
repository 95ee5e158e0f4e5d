"""What a conversion is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# A BSON type byte and the bytes that follow the element's name (https://bsonspec.org/spec.html).
Typed = tuple[bytes, bytes]

DOUBLE = b"\x01"
STRING = b"\x02"
DOCUMENT = b"\x03"
ARRAY = b"\x04"
BINARY = b"\x05"
OBJECTID = b"\x07"
BOOL = b"\x08"
DATE = b"\x09"
NULL = b"\x0a"
INT32 = b"\x10"
INT64 = b"\x12"
DECIMAL128 = b"\x13"


class Misfit(ValueError):
    """A value that its policy rejects.

    Args:
        reason: one sentence without the value; the caller adds table, key, column and value.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Codec:
    """Turns one value's text bytes into BSON. NULL never reaches it.

    Attributes:
        convert: the value to its type and payload; None when the policy turns it into NULL. Raises Misfit.
        type: the type byte that values usually have, None when there is no usual one.
        inline: a Python expression over `{v}` that gives the payload of `type`, for the row encoder's generated code.
            It raises some exception where `convert` raises Misfit or gives another type or NULL.
        names: what `inline` refers to.
        varies: some values have another type than `type`, or become NULL.
    """

    convert: Callable[[bytes], Typed | None]
    type: bytes | None = None
    inline: str = ""
    names: Mapping[str, object] = field(default_factory=dict)
    varies: bool = True


def fixed(type_byte: bytes, payload: Callable[[bytes], bytes], inline: str = "", **names: object) -> Codec:
    """A codec whose values all have one BSON type; `payload` raises Misfit."""
    used: dict[str, object] = dict(names) if inline else {"payload": payload}
    return Codec(lambda value: (type_byte, payload(value)), type_byte, inline or "payload({v})", used, varies=False)
