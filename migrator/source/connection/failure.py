"""The drivers' errors in migrator's words: transient ones are SourceUnavailable, the rest is SourceError."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncmy.errors
import pymysql.err
from sqlalchemy.exc import DBAPIError

from migrator.errors import AccessDenied, ExpressionFailed, SourceError, SourceUnavailable
from migrator.source.connection.url import SourceUrl

# Server errors below 2000 and above 3000: MySQL error reference; 1900..1999: MariaDB's. Client errors: 2000..2999.
_PASSING = frozenset(
    (
        1020,  # ER_CHECKREAD: record changed since the snapshot (MariaDB innodb_snapshot_isolation)
        1040,  # ER_CON_COUNT_ERROR
        1053,  # ER_SERVER_SHUTDOWN
        1152,  # ER_ABORTING_CONNECTION
        1158,  # ER_NET_READ_ERROR
        1159,  # ER_NET_READ_INTERRUPTED
        1160,  # ER_NET_ERROR_ON_WRITE
        1161,  # ER_NET_WRITE_INTERRUPTED
        1203,  # ER_TOO_MANY_USER_CONNECTIONS
        1205,  # ER_LOCK_WAIT_TIMEOUT
        1213,  # ER_LOCK_DEADLOCK
        1317,  # ER_QUERY_INTERRUPTED
        1412,  # ER_TABLE_DEF_CHANGED: the snapshot is older than the table's definition; a new one works
        1927,  # ER_CONNECTION_KILLED
        1969,  # ER_STATEMENT_TIMEOUT
        2002,  # CR_CONNECTION_ERROR
        2003,  # CR_CONN_HOST_ERROR
        2006,  # CR_SERVER_GONE_ERROR
        2013,  # CR_SERVER_LOST
        2014,  # CR_COMMANDS_OUT_OF_SYNC: the connection broke in the middle of a result
        2055,  # CR_SERVER_LOST_EXTENDED
        3024,  # ER_QUERY_TIMEOUT
        3169,  # ER_SESSION_WAS_KILLED
        4031,  # ER_CLIENT_INTERACTION_TIMEOUT
    )
)

# ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR, ER_SPECIFIC_ACCESS_DENIED_ERROR,
# ER_PROCACCESS_DENIED_ERROR
_DENIED = frozenset((1044, 1142, 1143, 1227, 1370))

# What only some values of an expression's columns lead to.
_COMPUTED = frozenset(
    (
        1139,  # ER_REGEXP_ERROR
        1292,  # ER_TRUNCATED_WRONG_VALUE
        1365,  # ER_DIVISION_BY_ZERO
        1411,  # ER_WRONG_VALUE_FOR_TYPE
        1690,  # ER_DATA_OUT_OF_RANGE
        3037,  # ER_GIS_INVALID_DATA
        3055,  # ER_GIS_UNKNOWN_EXCEPTION
        *range(3140, 3158),  # ER_INVALID_JSON_TEXT to ER_JSON_DOCUMENT_TOO_DEEP
        3516,  # ER_GIS_DATA_WRONG_ENDIANESS
        *range(3685, 3700),  # ER_REGEXP_ILLEGAL_ARGUMENT to ER_REGEXP_TIME_OUT
        3719,  # ER_JSON_VALUE_OUT_OF_RANGE_FOR_FUNC_INDEX
        3903,  # ER_INVALID_JSON_VALUE_FOR_FUNC_INDEX
        *range(4037, 4043),  # MariaDB: ER_JSON_BAD_CHR to ER_JSON_PATH_SYNTAX
        4079,  # MariaDB: ER_ILLEGAL_PARAMETER_DATA_TYPE_FOR_OPERATION
    )
)

_LOGIN = "Check user and password in the source URL, and that the account may log in from this host."
_GRANT = "Grant the account what it lacks: GRANT SELECT ON <database>.* TO <account>; see `migrator doctor`."
_GRANT_COLUMN = (
    "Grant the account SELECT on the column, or on its whole table: "
    "GRANT SELECT (<column>) ON <database>.<table> TO <account>; see `migrator doctor`."
)
_METHOD = "The account logs in by a method this client doesn't know; use caching_sha2_password."
_HINTS = {
    1040: "The server has no connection left: lower --workers or raise max_connections.",
    1044: _GRANT,
    1045: _LOGIN,
    1049: "The source URL names a database that doesn't exist (names may be case-sensitive).",
    1129: "The server blocks this host after failed logins: run FLUSH HOSTS there.",
    1142: _GRANT,
    1143: _GRANT_COLUMN,
    1203: "The account has no connection left: lower --workers or raise max_user_connections.",
    1205: "Another session holds a lock for long; look at SHOW FULL PROCESSLIST.",
    1227: _GRANT,
    1251: _METHOD,
    1370: _GRANT,
    1698: _LOGIN,
    1820: "The account's password has expired; set a new one.",
    1862: "The account's password has expired; set a new one.",
    2002: "Is the server running, and is the socket's path right?",
    2003: "Is the server running, and are host and port in the source URL right?",
    2026: "The server offers no TLS: set ssl-mode=DISABLED in the source URL, or turn TLS on in the server.",
    2059: _METHOD,
    3118: "The account is locked; unlock it with ALTER USER ... ACCOUNT UNLOCK.",
    3159: "The server accepts only TLS connections: set ssl-mode=REQUIRED in the source URL.",
}
_TLS = "Check ssl-ca, ssl-cert, ssl-key and ssl-mode in the source URL; ssl-mode=DISABLED disables TLS."

# Raised without a number on a connection that is gone.
_NOT_CONNECTED = (pymysql.err.InterfaceError, asyncmy.errors.InterfaceError)
_DRIVERS = (pymysql.err.MySQLError, asyncmy.errors.MySQLError)
DRIVER_ERRORS = (*_DRIVERS, DBAPIError)


@contextmanager
def translated(url: SourceUrl) -> Iterator[None]:
    """Turns what a driver raises inside the block into SourceError or SourceUnavailable; other errors pass."""
    try:
        yield
    except DRIVER_ERRORS as error:
        raise translate(error, url) from _original(error)


@contextmanager
def translated_login(url: SourceUrl) -> Iterator[None]:
    """As `translated`, for opening a connection, where drivers also let through the network's errors, and RuntimeError
    for a login method whose optional package is missing."""
    try:
        with translated(url):
            yield
    except (OSError, RuntimeError) as error:
        raise translate(error, url) from error


def translate(error: Exception, url: SourceUrl) -> SourceError:
    """`error` of a driver as an error of migrator, with the server's place and a hint, without credentials."""
    original = _original(error)
    if is_tls_failure(original):
        return SourceError(f"TLS failed: {_text(original)}", where=url.place, hint=_TLS)
    code = error_code(original)
    hint = _HINTS.get(code, "")
    if code in _PASSING or isinstance(original, (OSError, *_NOT_CONNECTED)):
        return SourceUnavailable(_text(original), where=url.place, hint=hint)
    if code in _DENIED:
        return AccessDenied(_text(original), where=url.place, hint=hint)
    if code in _COMPUTED:
        return ExpressionFailed(_text(original), where=url.place)
    return SourceError(_text(original), where=url.place, hint=hint)


def error_code(error: BaseException) -> int:
    """The server's or client library's error number, 0 when there is none."""
    original = _original(error)
    if isinstance(original, _DRIVERS) and original.args:
        return original.args[0] if isinstance(original.args[0], int) else 0
    return 0


def is_tls_failure(error: BaseException) -> bool:
    """Whether TLS itself failed. Both drivers hide ssl.SSLError in a "can't connect"."""
    hidden = getattr(error, "original_exception", None)
    return any(isinstance(one, ssl.SSLError) for one in (error, error.__cause__, hidden))


def _original(error: BaseException) -> BaseException:
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig
    return error


def _text(error: BaseException) -> str:
    if isinstance(error, _DRIVERS) and len(error.args) > 1:
        return f"{error.args[1]} ({error.args[0]})" if error.args[0] else str(error.args[1])
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    return str(error) or type(error).__name__
