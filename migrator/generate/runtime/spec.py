"""What the generator knows of a collection, as data that the repositories work by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from .copies import NO_COPIES, Copies
from .document import Root
from .query import Field

K = TypeVar("K")
M = TypeVar("M", bound=Root)

Ids = Literal["sequence", "objectid", "uuid", "application"]


@dataclass(frozen=True, slots=True)
class Relation:
    """A reference, from either of its sides.

    Attributes:
        name: what `include` calls it.
        collection: where the partners are.
        on: pairs (dotted field here, dotted field there).
        many: the partners are a list.
        forward: this side holds the key, so a partner that isn't there is missing.
    """

    name: str
    collection: str
    on: tuple[tuple[str, str], ...]
    many: bool
    forward: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """An id inside the documents that the repository makes for new embedded rows.

    Attributes:
        path: of the id, dotted: `payments.id`.
        sequence: the counter's name, "" for ids that need none.
        ids: how it is made.
    """

    path: str
    sequence: str
    ids: Ids


@dataclass(frozen=True, slots=True)
class Spec(Generic[M, K]):
    """A collection.

    Attributes:
        collection: its name.
        model: class of its documents.
        key: its `_id`.
        relations: what can be included.
        ids: who makes ids of new documents.
        identities: ids of embedded rows.
        key_parts: fields of a composite `_id`, in order.
        version: dotted field that counts the writes, "" for none.
        copies: what its documents copy of others, and where they are copied to.
    """

    collection: str
    model: type[M]
    key: Field[K, K]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    ids: Ids = "application"
    identities: tuple[Identity, ...] = ()
    key_parts: tuple[str, ...] = ()
    version: str = ""
    copies: Copies = NO_COPIES


AnySpec = Spec[Any, Any]
