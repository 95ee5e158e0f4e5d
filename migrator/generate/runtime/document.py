"""Between a document and its dataclass, losing nothing: what the model doesn't know is kept in `Rest`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar

from .codec import Codec, Document
from .errors import MalformedDocument, NotIncluded

T = TypeVar("T")


class NewId:
    """The type of `NEW_ID`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NEW_ID"

    def __copy__(self) -> NewId:
        return self

    def __deepcopy__(self, _: object) -> NewId:
        return self

    def __reduce__(self) -> str:
        return "NEW_ID"


NEW_ID: Any = NewId()
"""Stands for an id that the repository makes when the document is first written."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What a document has beyond its model.

    Attributes:
        fields: unknown fields, in their order.
        absent: known fields that are missing though usually they would be null.
        null: known fields that are null though usually they would be missing.
    """

    fields: Document = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    null: frozenset[str] = frozenset()


EMPTY = Rest()
"""Shared by all documents that are just as their model says, which are nearly all."""


class Reader:
    """Reads a document's fields one by one and remembers which these were.

    Args:
        document: as pymongo returned it.
        place: of the (sub-)document, for messages: `orders.items`.
    """

    __slots__ = ("_absent", "_document", "_known", "_null", "_place")

    def __init__(self, document: Document, place: str) -> None:
        self._document = document
        self._place = place
        self._known: set[str] = set()
        self._absent: set[str] = set()
        self._null: set[str] = set()

    def required(self, name: str, codec: Codec[T]) -> T:
        """A field that is always there and never null. Raises MalformedDocument."""
        if name not in self._document:
            raise MalformedDocument(f"{self._place}.{name} is missing{self._whose()}")
        self._known.add(name)
        return codec.read(self._document[name], f"{self._place}.{name}{self._whose()}")

    def optional(self, name: str, codec: Codec[T], *, omit: bool = False) -> T | None:
        """A field that may be null, or missing. `omit`: where it is None, it is usually missing rather than null."""
        if name not in self._document:
            if not omit:
                self._absent.add(name)
            return None
        self._known.add(name)
        value = self._document[name]
        if value is None:
            if omit:
                self._null.add(name)
            return None
        return codec.read(value, f"{self._place}.{name}{self._whose()}")

    def rest(self) -> Rest:
        """Everything else; to be called last."""
        if len(self._known) == len(self._document) and not self._absent and not self._null:
            return EMPTY
        unknown = {name: value for name, value in self._document.items() if name not in self._known}
        return Rest(unknown, frozenset(self._absent), frozenset(self._null))

    def _whose(self) -> str:
        return f" (_id {self._document['_id']!r})" if "_id" in self._document else ""


class Writer:
    """Puts a document together in the order of the calls; unknown fields come last."""

    __slots__ = ("_document", "_place", "_rest")

    def __init__(self, rest: Rest, place: str) -> None:
        self._document: Document = {}
        self._rest = rest
        self._place = place

    def required(self, name: str, codec: Codec[T], value: T) -> None:
        """A field that is always there. Raises MalformedDocument."""
        self._document[name] = codec.write(value, f"{self._place}.{name}")

    def identity(self, name: str, codec: Codec[T], value: T) -> None:
        """A key that the repository makes where it is still NEW_ID: until then it is left out."""
        if value is not NEW_ID:
            self.required(name, codec, value)

    def optional(self, name: str, codec: Codec[T], value: T | None, *, omit: bool = False) -> None:
        """A field that may be None: null, or left out with `omit`, or as it was read."""
        if value is not None:
            self._document[name] = codec.write(value, f"{self._place}.{name}")
        elif name in self._rest.null or not (omit or name in self._rest.absent):
            self._document[name] = None

    def document(self) -> Document:
        """The finished document."""
        for name, value in self._rest.fields.items():
            self._document.setdefault(name, value)
        return self._document


class Root:
    """Base of the dataclasses of whole documents: holds the partners that `include` read."""

    __slots__ = ("_included",)
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]
    _included: dict[str, Any]

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """The object of a stored document. Raises MalformedDocument."""
        raise NotImplementedError

    def to_document(self) -> Document:
        """What is stored for this object. Raises MalformedDocument."""
        raise NotImplementedError

    def _partner(self, name: str) -> Any:
        try:
            return self._included[name]
        except (AttributeError, KeyError):
            model = type(self).__name__
            raise NotIncluded(f"{model}.{name} was not read; add include=[{name!r}] to the call") from None


def refresh(root: Root, document: Document) -> None:
    """Makes `root` what `document` says: the ids and the version that a write made."""
    fresh = root.from_document(document)
    for each in dataclasses.fields(root):
        setattr(root, each.name, getattr(fresh, each.name))


def attach(root: Root, name: str, partner: Any) -> None:
    """Makes `root.<name>` return what a join found."""
    try:
        root._included[name] = partner
    except AttributeError:
        root._included = {name: partner}
