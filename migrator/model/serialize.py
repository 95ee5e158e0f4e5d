"""Model objects to JSON and back. One way for plans, chunks and state, so they can't drift apart."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from migrator.errors import PlanRefused

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_json(value: object, *, indent: int | None = None) -> str:
    """`value` (a model dataclass) as JSON text. Bytes become hex."""
    kind: Any = type(value)
    return _adapter(kind).dump_json(value, indent=indent).decode()


def from_json(kind: type[T], text: str | bytes, *, where: str = "") -> T:
    """The inverse of `to_json`.

    Raises:
        PlanRefused: when the text is not a `kind`.
    """
    try:
        wanted: Any = kind
        value: T = _adapter(wanted).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        mistake = f"{place}: {first['msg']}" if place else first["msg"]
        raise PlanRefused(
            f"not a {kind.__name__.lower()} this version can read: {mistake}",
            where=where,
            hint="Make a new one with this version of migrator.",
        ) from error
    return value
