"""PyMySQL's connection, for many short sessions."""

from __future__ import annotations

import ssl
from typing import Any

import pymysql.connections


class DriverConnection(pymysql.connections.Connection):
    """As PyMySQL's in everything but the time it takes to open one.

    Told nothing about TLS, PyMySQL encrypts where the server can and verifies no certificate, as the mysql client does.
    Yet it reads all certificates that the system trusts for every such connection: longer than all of the login.
    """

    def _create_ssl_ctx(self, sslp: ssl.SSLContext | dict[str, Any]) -> ssl.SSLContext:
        if isinstance(sslp, ssl.SSLContext):
            return sslp
        return unverified_context()


def unverified_context() -> ssl.SSLContext:
    """TLS that asks the server for no proof of who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
