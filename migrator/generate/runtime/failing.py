"""Entries of the outbox that can't be followed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pymongo.errors import ExecutionTimeout, OperationFailure

# Unauthorized, AuthenticationFailed, OutOfDiskSpace: no document could be written, whatever is in it.
_NOT_THE_DOCUMENT = frozenset((13, 18, 14031))


@dataclass(frozen=True, slots=True)
class Failing:
    """An entry that could not be followed up when it was last tried.

    Attributes:
        collection, key: the document that was written.
        error: why, in the server's words.
        tries: how often that was so.
    """

    collection: str
    key: Any
    error: str
    tries: int


class UnknownCollection(Exception):
    """An entry about a collection that the package no longer has."""


def is_about_a_document(error: OperationFailure) -> bool:
    """Whether the server refused what was to be written, rather than whoever wrote, or for the moment."""
    passing = error.has_error_label("TransientTransactionError") or error.has_error_label("RetryableWriteError")
    return not passing and not isinstance(error, ExecutionTimeout) and error.code not in _NOT_THE_DOCUMENT
