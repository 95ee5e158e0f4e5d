"""What a repository raises on purpose. Errors of the server and of the network stay pymongo's own."""

from __future__ import annotations


class RepositoryError(Exception):
    """Base of all errors that repositories raise on purpose."""


class MalformedDocument(RepositoryError):
    """A stored document, or a value to be stored, is not what its model says."""


class NotFound(RepositoryError):
    """There is no document with this id."""


class Conflict(RepositoryError):
    """Somebody else has changed the document since it was read: read it again, and decide again."""


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
