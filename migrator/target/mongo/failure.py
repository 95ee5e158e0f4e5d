"""The driver's errors in migrator's words: passing faults are TargetUnavailable, the rest is TargetError."""

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
    DocumentTooLarge,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.topology_description import TopologyDescription
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from migrator.errors import Retryable, TargetError, TargetUnavailable

T = TypeVar("T")

_RETRY_SECONDS = 40.0

# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_PASSING = frozenset(
    (
        6,  # HostUnreachable
        7,  # HostNotFound
        24,  # LockTimeout
        43,  # CursorNotFound
        46,  # LockBusy
        50,  # MaxTimeMSExpired
        64,  # WriteConcernTimeout: written, but not yet by a majority
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        112,  # WriteConflict
        133,  # FailedToSatisfyReadPreference
        134,  # ReadConcernMajorityNotAvailableYet
        175,  # QueryPlanKilled
        189,  # PrimarySteppedDown
        262,  # ExceededTimeLimit
        462,  # IngressRequestRateLimitExceeded
        9001,  # SocketException
        10058,  # LegacyNotPrimary
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11601,  # Interrupted
        11602,  # InterruptedDueToReplStateChange
        12586,  # BackgroundOperationInProgressForDatabase
        12587,  # BackgroundOperationInProgressForNamespace
        13388,  # StaleConfig
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
        16500,  # TooManyRequests of services that limit the rate
    )
)
# The last: it may have been committed, so the whole of it is done again.
_PASSING_LABELS = ("RetryableWriteError", "TransientTransactionError", "UnknownTransactionCommitResult")
_GRANT = (
    "Grant the account readWrite and dbAdmin on this database: "
    'db.grantRolesToUser("<user>", [{role: "readWrite", db: "<database>"}, {role: "dbAdmin", db: "<database>"}])'
)
_HINTS = {
    13: _GRANT,
    18: "Check user and password in the target URL, and authSource: the database that holds the account, often admin.",
    100: "The replica set has too few members that hold data for a majority to acknowledge a write.",
    8000: "Atlas refused it: check the account, its access list and the cluster's storage quota.",
    14031: "The server's disk is full: free space there, then run the same command again.",
}
_REACH = "Is the server running, are host and port in the target URL right, and may this machine connect?"
_TLS = "Check tls, tlsCAFile and tlsCertificateKeyFile in the target URL, and whether the server offers TLS."


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turns what the driver raises inside the block into TargetError or TargetUnavailable."""
    try:
        yield
    except (PyMongoError, BSONError) as error:
        raise translate(error, where) from error


def steadily(work: Callable[[], T], seconds: float | None = None, more_seconds: float = 0.0) -> T:
    """`work`'s result; TargetUnavailable is tried again with growing pauses, then raised. `work` must be repeatable."""
    seconds = _RETRY_SECONDS if seconds is None else seconds
    retrying = Retrying(
        retry=retry_if_exception_type(Retryable),
        wait=wait_random_exponential(multiplier=0.2, max=5),
        stop=stop_after_delay(seconds + more_seconds),
        reraise=True,
    )
    return retrying(work)


def translate(error: PyMongoError | BSONError, where: str) -> TargetError:
    """A driver's error as one of migrator's, without credentials."""
    if isinstance(error, ConnectionFailure):
        if _is_tls(error):
            return TargetError(f"TLS failed: {_text(error)}", where=where, hint=_TLS)
        return TargetUnavailable(_text(error), where=where, hint=_REACH)
    if isinstance(error, BulkWriteError):
        return from_code(*first_failure(error.details), where)
    if isinstance(error, OperationFailure):
        if any(map(error.has_error_label, _PASSING_LABELS)):
            return TargetUnavailable(_text(error), where=where)
        return from_code(error.code or 0, _text(error), where)
    if isinstance(error, ConfigurationError):
        return TargetError(_text(error), where=where, hint="Check the target URL's host and options.")
    if isinstance(error, DocumentTooLarge):
        return TargetError(_text(error), where=where)
    return TargetError(_text(error), where=where)


def from_code(code: int, text: str, where: str) -> TargetError:
    """The error for a code of the server."""
    kind = TargetUnavailable if code in _PASSING else TargetError
    return kind(f"{text} ({code})" if code else text, where=where, hint=_HINTS.get(code, ""))


def is_passing(code: int) -> bool:
    return code in _PASSING


def first_failure(details: Mapping[str, Any]) -> tuple[int, str]:
    """Code and text of what went wrong first in a bulk write."""
    for failure in (*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())):
        return failure.get("code", 0), failure.get("errmsg", "")
    return 0, "a write failed"


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
        return str(error.details.get("errmsg") or error)[:500]
    # The driver appends what it knows of every server.
    return str(error).split(", Timeout: ")[0].split(" (configured timeouts: ")[0][:500]
