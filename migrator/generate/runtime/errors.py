"""What a repository raises on purpose. Errors of the network, and of the server about itself, stay pymongo's own."""

from __future__ import annotations

from typing import Any

from pymongo.errors import DuplicateKeyError


class RepositoryError(Exception):
    """Base of all errors that repositories raise on purpose."""


class MalformedDocument(RepositoryError):
    """A stored document, or a value to be stored, is not what its model says."""


class NotFound(RepositoryError):
    """There is no document with this id."""


class Conflict(RepositoryError):
    """Somebody else has changed the document since it was read: read it again, and decide again."""


class Refused(RepositoryError):
    """The server does not take a document, for what is in it.

    The message names collection, `_id` and, where the server tells, fields. It holds no other value.

    Attributes:
        collection, key: the document.
        code: the server's.
        said: the server's own words, which may hold the whole document.
    """

    def __init__(self, collection: str, key: Any, reason: str, code: int, said: str) -> None:
        Exception.__init__(self, f"{collection} (_id {key!r}): {reason}")
        self.collection = collection
        self.key = key
        self.said = said
        self._made_of = (collection, key, reason, code, said)

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._made_of

    @property
    def code(self) -> int:
        return self._made_of[3]


class Taken(Refused, DuplicateKeyError):
    """Another document has the `_id`, or the same value in a unique index. Also a DuplicateKeyError of pymongo."""

    def __init__(self, collection: str, key: Any, reason: str, code: int, said: str) -> None:
        DuplicateKeyError.__init__(self, reason, code)
        Refused.__init__(self, collection, key, reason, code, said)


class MissingPartner(RepositoryError):
    """A reference names a document that doesn't exist, and the caller asked to hear of it."""


class NotIncluded(RepositoryError):
    """A partner was asked for that was not read: name it in `include=[…]`."""


class UnknownInclude(RepositoryError):
    """`include` names something that is no reference of the collection."""


class MissingSequence(RepositoryError):
    """A counter of ids was never seeded; beginning at 1 would give out ids that are taken."""


class BadCursor(RepositoryError):
    """`after` is no cursor of this query: it was cut, or comes from another sort."""
