"""Errors of the server about a document, as errors of the repository's own."""

from __future__ import annotations

from pymongo.errors import BulkWriteError, DocumentTooLarge, ExecutionTimeout, OperationFailure, PyMongoError

from .codes import DUPLICATE_KEY, TOO_LARGE, refuses_a_document
from .errors import Refused, Taken
from .server_message import own_words, sentence

_TRANSIENT = ("TransientTransactionError", "RetryableWriteError", "UnknownTransactionCommitResult")


def is_about_a_document(error: PyMongoError) -> bool:
    """Whether the server refused what was to be written, rather than whoever wrote, or for the moment."""
    if isinstance(error, DocumentTooLarge):
        return True
    if not isinstance(error, OperationFailure) or isinstance(error, ExecutionTimeout | BulkWriteError):
        return False
    return not any(map(error.has_error_label, _TRANSIENT)) and refuses_a_document(error.code or 0)


def told(error: PyMongoError) -> str:
    """What happened, without a value of a document."""
    if isinstance(error, DocumentTooLarge):
        return sentence(TOO_LARGE, "")
    if not isinstance(error, OperationFailure):
        return str(error).split(", full error: ")[0]
    details = error.details or {}
    return sentence(error.code or 0, _text(error), list(details.get("keyPattern") or ()), details.get("errInfo"))


def refused(error: PyMongoError, collection: str, key: object) -> Refused:
    """The repository's error for one that is about a document."""
    code = error.code or 0 if isinstance(error, OperationFailure) else TOO_LARGE
    kind = Taken if code == DUPLICATE_KEY else Refused
    return kind(collection, key, told(error), code, own_words(_text(error)))


def _text(error: PyMongoError) -> str:
    details = error.details if isinstance(error, OperationFailure) else None
    return str((details or {}).get("errmsg") or error)
