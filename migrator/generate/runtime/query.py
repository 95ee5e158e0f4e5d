"""Filters, sorts and changes from typed fields: `OrderFields.total >= Decimal(100)`.

Each gives a plain MongoDB document, so the two ways of asking can be mixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from .codec import Codec, Document

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition. Combine with `&`, `|` and `~`."""

    document: Document

    def __and__(self, other: Filter) -> Filter:
        return Filter({"$and": [self.document, other.document]})

    def __or__(self, other: Filter) -> Filter:
        return Filter({"$or": [self.document, other.document]})

    def __invert__(self) -> Filter:
        return Filter({"$nor": [self.document]})


@dataclass(frozen=True, slots=True)
class Sort:
    """One term of an order."""

    field: Field[Any, Any]
    direction: Literal[1, -1]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an update; `value` is what is stored."""

    operator: Literal["$set", "$unset", "$inc", "$push"]
    path: str
    value: Any


class Field(Generic[T, R]):
    """A field of a collection's documents. `T` is what it is compared with, `R` what `values` gives for it.

    Args:
        path: dotted, as MongoDB spells it.
        codec: of one value.
        many: whether the path leads through an array, or to one.
        types: BSON types in MongoDB's order of types, where there are several.
    """

    __slots__ = ("codec", "many", "path", "types")

    def __init__(self, path: str, codec: Codec[T], *, many: bool = False, types: Sequence[str] = ()) -> None:
        self.path = path
        self.codec = codec
        self.many = many
        self.types = tuple(types)

    def __repr__(self) -> str:
        return f"Field({self.path!r})"

    __hash__ = object.__hash__

    def __eq__(self, value: T | None) -> Filter:  # type: ignore[override]
        return Filter({self.path: self._stored(value)})

    def __ne__(self, value: T | None) -> Filter:  # type: ignore[override]
        return self._with("$ne", value)

    def __lt__(self, value: T) -> Filter:
        return self._with("$lt", value)

    def __le__(self, value: T) -> Filter:
        return self._with("$lte", value)

    def __gt__(self, value: T) -> Filter:
        return self._with("$gt", value)

    def __ge__(self, value: T) -> Filter:
        return self._with("$gte", value)

    def in_(self, values: Iterable[T]) -> Filter:
        """Equal to one of them; in an array: one element is."""
        return Filter({self.path: {"$in": [self._stored(value) for value in values]}})

    def not_in(self, values: Iterable[T]) -> Filter:
        """Equal to none of them."""
        return Filter({self.path: {"$nin": [self._stored(value) for value in values]}})

    def is_null(self) -> Filter:
        """Null or missing."""
        return Filter({self.path: None})

    def exists(self, there: bool = True) -> Filter:
        """There, even if null; or not there."""
        return Filter({self.path: {"$exists": there}})

    def asc(self) -> Sort:
        """Ascending: null and missing first."""
        return Sort(self, 1)

    def desc(self) -> Sort:
        """Descending: null and missing last."""
        return Sort(self, -1)

    def set(self, value: T | None) -> Change:
        """Set to a value; None is null."""
        return Change("$set", self.path, self._stored(value))

    def unset(self) -> Change:
        """Take the field out of the document."""
        return Change("$unset", self.path, "")

    def inc(self, by: T) -> Change:
        """Add to a number."""
        return Change("$inc", self.path, self._stored(by))

    def _with(self, operator: str, value: T | None) -> Filter:
        return Filter({self.path: {operator: self._stored(value)}})

    def _stored(self, value: T | None) -> Any:
        return None if value is None else self.codec.write(value, self.path)


Where = Filter | Mapping[str, Any] | None
"""What `find` and `count` take: a typed filter, a plain MongoDB filter, or nothing for all."""

Changes = Sequence[Change] | Mapping[str, Any]
"""What `update` takes: typed changes, or a plain MongoDB update of `$` operators."""


def filter_document(where: Where) -> Document:
    """The MongoDB filter."""
    if where is None:
        return {}
    return where.document if isinstance(where, Filter) else dict(where)


def update_document(changes: Changes) -> Document:
    """The MongoDB update.

    Raises:
        ValueError: nothing is changed, or a plain update is no update but a document.
    """
    if isinstance(changes, Mapping):
        if any(not operator.startswith("$") for operator in changes):
            raise ValueError("an update is made of operators such as $set; to replace a whole document use replace()")
        made: Document = {operator: dict(fields) for operator, fields in changes.items()}
    else:
        made = {}
        for change in changes:
            made.setdefault(change.operator, {})[change.path] = change.value
    if not made:
        raise ValueError("there is nothing to update")
    return made


def value_at(document: Any, path: Sequence[str]) -> Any:
    """What stands at a path: through arrays a flat list of all elements' values; None where there is nothing."""
    if not path:
        return document
    if isinstance(document, list):
        found = []
        for each in document:
            value = value_at(each, path)
            found += value if isinstance(value, list) else [value]
        return found
    return value_at(document.get(path[0]), path[1:]) if isinstance(document, dict) else None


def select(document: Document, field: Field[T, R]) -> R:
    """The field's value out of a document, as `values` gives it."""
    stored = value_at(document, field.path.split("."))
    found: Any
    if field.many and isinstance(stored, list):
        found = [None if each is None else field.codec.read(each, field.path) for each in stored]
    else:
        found = None if stored is None else field.codec.read(stored, field.path)
    if field.many and found is None:
        found = []
    selected: R = found
    return selected
