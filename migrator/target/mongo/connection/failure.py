"""The driver's errors in migrator's words: transient ones are TargetUnavailable, the rest is TargetError."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.topology_description import TopologyDescription
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from migrator.errors import Retryable, TargetError, TargetUnavailable
from migrator.target.mongo.connection.codes import UNAUTHORIZED, is_transient
from migrator.target.mongo.connection.server_message import action, own_words, sentence
from migrator.waits import SILENT_WAITS, Waits, retry_and_tell

T = TypeVar("T")

_RETRY_SECONDS = 40.0

# The last: it may have been committed, so the whole of it is done again.
_TRANSIENT_LABELS = ("RetryableWriteError", "TransientTransactionError", "UnknownTransactionCommitResult")
_HINTS = {
    18: "Check user and password in the target URL, and authSource: the database that holds the account, often admin.",
    100: "The replica set has too few members that hold data for a majority to acknowledge a write.",
    8000: "Atlas refused it: check the account, its access list and the cluster's storage quota.",
    14031: "The server's disk is full: free space there, then run the same command again.",
}
# Of what migrator sends, the one command that `readWrite` doesn't hold: a validator is set with it.
_COMMANDS_OF_ADMINS = ("collMod",)
_REACH = "Is the server running, are host and port in the target URL right, and may this machine connect?"
_TLS = "Check tls, tlsCAFile and tlsCertificateKeyFile in the target URL, and whether the server offers TLS."


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turns what the driver raises inside the block into TargetError or TargetUnavailable."""
    try:
        yield
    except (PyMongoError, BSONError) as error:
        raise translate(error, where) from error


def retried(
    work: Callable[[], T], seconds: float | None = None, more_seconds: float = 0.0, waits: Waits = SILENT_WAITS
) -> T:
    """`work`'s result; TargetUnavailable is tried again with growing pauses, then raised. `work` must be repeatable.

    `waits` hears of it from the first fault on.
    """
    seconds = _RETRY_SECONDS if seconds is None else seconds
    retrying = Retrying(
        retry=retry_if_exception_type(Retryable),
        wait=wait_random_exponential(multiplier=0.2, max=5),
        stop=stop_after_delay(seconds + more_seconds),
        reraise=True,
    )
    return retry_and_tell(retrying, waits, work)


def translate(error: PyMongoError | BSONError, where: str) -> TargetError:
    """A driver's error as one of migrator's, without credentials."""
    if isinstance(error, ConnectionFailure):
        if _is_tls(error):
            return TargetError(f"TLS failed: {_text(error)}", where=where, hint=_TLS)
        return TargetUnavailable(_text(error), where=where, hint=_REACH)
    if isinstance(error, BulkWriteError):
        return from_failure(first_failure(error.details), where)
    if isinstance(error, OperationFailure):
        transient = any(map(error.has_error_label, _TRANSIENT_LABELS))
        return _made(error.code or 0, _text(error), where, error.details or {}, transient=transient)
    if isinstance(error, ConfigurationError):
        return TargetError(_text(error), where=where, hint="Check the target URL's host and options.")
    return TargetError(sentence(0, _text(error)), where=where, said=own_words(_text(error)))


def from_failure(failure: Mapping[str, Any], where: str) -> TargetError:
    """The error for an element of a bulk write's `writeErrors` or `writeConcernErrors`."""
    return _made(failure.get("code", 0), failure.get("errmsg", ""), where, failure, transient=False)


def first_failure(details: Mapping[str, Any]) -> Mapping[str, Any]:
    """What went wrong first in a bulk write."""
    failures = (*details.get("writeErrors", ()), *details.get("writeConcernErrors", ()))
    return next(iter(failures), {"code": 0, "errmsg": "a write failed"})


def _made(code: int, text: str, where: str, details: Mapping[str, Any], *, transient: bool) -> TargetError:
    kind = TargetUnavailable if transient or is_transient(code) else TargetError
    what = sentence(code, text, list(details.get("keyPattern") or ()), details.get("errInfo"))
    return kind(what, where=where, hint=_hint(code, text), said=own_words(text))


def _hint(code: int, text: str) -> str:
    if code != UNAUTHORIZED:
        return _HINTS.get(code, "")
    role = "dbAdmin" if action(text) in _COMMANDS_OF_ADMINS else "readWrite"
    why = ", which setting a validator takes" if role == "dbAdmin" else ""
    return (
        f"Grant the account {role} on this database{why}: "
        f'db.grantRolesToUser("<user>", [{{role: "{role}", db: "<database>"}}])'
    )


def _is_tls(error: ConnectionFailure) -> bool:
    if not isinstance(error, ServerSelectionTimeoutError):
        return isinstance(error.__cause__, ssl.SSLError)
    topology = error.details
    if not isinstance(topology, TopologyDescription):
        return False
    failures = (server.error for server in topology.server_descriptions().values())
    return any(isinstance(each.__cause__, ssl.SSLError) for each in failures if each is not None)


def _text(error: PyMongoError | BSONError) -> str:
    if isinstance(error, OperationFailure) and error.details:
        return str(error.details.get("errmsg") or error)
    # The driver appends what it knows of every server, or the whole answer of one.
    text = str(error).split(", Timeout: ")[0].split(" (configured timeouts: ")[0]
    return text.split(", full error: ")[0][:500]
