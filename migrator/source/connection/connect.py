"""Connections to the source. Each new session is set up as `session_settings` says."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import asyncmy
import pymysql
from asyncmy.errors import OperationalError
from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from migrator.errors import SettingsError
from migrator.source.connection.driver import DriverConnection, unverified_context
from migrator.source.connection.failure import is_tls_failure, translated, translated_login
from migrator.source.connection.session import set_up, set_up_stream
from migrator.source.connection.url import SourceUrl

CONNECT_TIMEOUT = 10  # seconds for each of: the TCP connection, the login


def engine(url: SourceUrl) -> Engine:
    """An engine without a pool: a connection is a new session, set up as of `session_settings`.

    A transaction begins with an explicit START TRANSACTION. Whoever uses it wraps the work in `failure.translated`,
    or takes `connected`.
    """
    address = URL.create("mysql+pymysql", username=url.user, database=url.database)
    return create_engine(
        address,
        creator=lambda: open_blocking(url),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        # A statement without parameters is sent as it is: a % in it stays a %.
        execution_options={"no_parameters": True},
    )


@contextmanager
def connected(url: SourceUrl) -> Iterator[Connection]:
    """One connection of `engine(url)`, closed at the end.

    Raises:
        SourceError, SourceUnavailable: for whatever the driver raises inside the block.
    """
    with translated_login(url):
        connection = engine(url).connect()
    with translated(url), connection:
        yield connection


@contextmanager
def connected_raw(url: SourceUrl) -> Iterator[pymysql.Connection[Any]]:
    """A blocking connection whose values are bytes as the server prints them, or None; errors as of `connected`."""
    with translated_login(url):
        connection = open_blocking(url, use_unicode=False, conv={})
    with translated(url), connection:
        yield connection


def open_blocking(url: SourceUrl, **more: Any) -> DriverConnection:
    """A blocking connection as the driver makes it, for whoever closes it by itself; `more` are the driver's arguments.

    Raises:
        SessionRefused: when the session keeps a setting that changes what is read.
        Also whatever the driver raises: see `failure.translated_login`.
    """
    connection = DriverConnection(**(_driver_arguments(url) | more))
    try:
        set_up(connection, url.place)
    except BaseException:
        force_close(connection)
        raise
    return connection


def force_close(connection: pymysql.Connection[Any]) -> None:
    """Ends a connection without a farewell, to a server that would not listen."""
    connection._force_close()  # type: ignore[attr-defined]


def interrupt(connection: pymysql.Connection[Any]) -> None:
    """Ends what another thread is reading from a connection: it sees the connection as lost."""
    # None when the connection was lost before.
    open_socket = getattr(connection, "_sock", None)
    if open_socket is not None:
        with suppress(OSError):
            open_socket.shutdown(socket.SHUT_RDWR)


async def open_stream(url: SourceUrl) -> asyncmy.Connection:
    """A connection for bulk reads: every value arrives as bytes as the server prints it, or None.

    Raises:
        SourceError, SourceUnavailable: when there is no way in.
        SessionRefused: when the session keeps a setting that changes what is read.
    """
    with translated_login(url):
        connection = await _log_in(url)
        try:
            await asyncio.wait_for(set_up_stream(connection, url.place), timeout=CONNECT_TIMEOUT)
        except BaseException:
            connection.close()
            raise
        return connection


async def _log_in(url: SourceUrl) -> asyncmy.Connection:
    context = tls_context(url)
    try:
        return await _open(url, context)
    except OperationalError as error:
        # PREFERRED: TLS when the server has it. The driver can't ask first, so the answer is in the failure.
        if url.ssl_mode != "PREFERRED" or context is None or not _refused_tls(error):
            raise
    return await _open(url, None)


async def _open(url: SourceUrl, context: ssl.SSLContext | None) -> asyncmy.Connection:
    arguments = _login(url) | {"ssl": context, "conv": {}, "use_unicode": False}
    # The driver's own timeout covers the TCP connection only, not a server that never answers the login.
    return await asyncio.wait_for(asyncmy.connect(**arguments), timeout=2 * CONNECT_TIMEOUT)


def _refused_tls(error: OperationalError) -> bool:
    return is_tls_failure(error) or (bool(error.args) and error.args[0] in (1043, 2013))


def tls_context(url: SourceUrl) -> ssl.SSLContext | None:
    """How TLS is done; None for none (ssl-mode=DISABLED, or a Unix socket).

    https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#option_general_ssl-mode

    Raises:
        SettingsError: when a file of certificates can't be read.
    """
    if url.ssl_mode == "DISABLED" or url.socket:
        return None
    context = unverified_context()
    verified = url.ssl_mode in ("VERIFY_CA", "VERIFY_IDENTITY")
    if verified:
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = url.ssl_mode == "VERIFY_IDENTITY"
    try:
        if verified and url.ssl_ca:
            context.load_verify_locations(cafile=url.ssl_ca)
        elif verified:
            context.load_default_certs()
        if url.ssl_cert:
            context.load_cert_chain(url.ssl_cert, keyfile=url.ssl_key)
    except OSError as error:
        files = ", ".join(filter(None, (url.ssl_ca, url.ssl_cert, url.ssl_key)))
        raise SettingsError(
            f"the certificates for TLS can't be read: {error}",
            where=files,
            hint="Check ssl-ca, ssl-cert and ssl-key in the source URL: PEM files that this user may read.",
        ) from error
    return context


def _login(url: SourceUrl) -> dict[str, Any]:
    """What both drivers take under the same names."""
    return {
        "host": url.host,
        "port": url.port,
        "unix_socket": url.socket,
        "user": url.user,
        # As bytes: the drivers would encode text as latin1, the server hashes what the client's terminal sent.
        "password": url.password.encode(),
        "database": url.database,
        "charset": "utf8mb4",
        "connect_timeout": CONNECT_TIMEOUT,
        # `session_settings` sets it: without converters the driver can't write the statement.
        "autocommit": None,
        "program_name": "migrator",
    }


def _driver_arguments(url: SourceUrl) -> dict[str, Any]:
    """For PyMySQL, which prefers TLS by itself when told nothing."""
    arguments = _login(url)
    if url.ssl_mode == "PREFERRED" and not url.ssl_cert and not url.socket:
        return arguments
    context = tls_context(url)
    return arguments | ({"ssl_disabled": True} if context is None else {"ssl": context})
