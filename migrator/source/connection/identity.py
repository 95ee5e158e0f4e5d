"""Which server a connection has reached."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b

from sqlalchemy import Connection

from migrator.errors import SourceError
from migrator.model.change.position import ServerIdentity
from migrator.same_server import ONE_ADDRESS
from migrator.source.connection.url import SourceUrl

# One statement that every version and flavor answers; a server leaves out what it doesn't have.
IDENTITY_QUERY = (
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN "
    "('version', 'version_comment', 'server_id', 'server_uuid', 'server_uid', 'hostname', 'port', 'datadir')"
)


def read_identity(connection: Connection) -> ServerIdentity:
    """The server that `connection` has reached."""
    return identity_of((str(name), str(value)) for name, value in connection.exec_driver_sql(IDENTITY_QUERY))


def identity_of(variables: Iterable[tuple[str, str]]) -> ServerIdentity:
    """The identity from the rows of IDENTITY_QUERY.

    MariaDB has no server_uuid: server_uid (a hash of network card and port, 10.3+) or place and data directory name it.
    """
    found = dict(variables)
    number = re.match(r"[0-9.]+", found["version"])
    version = number[0].rstrip(".") if number else found["version"]
    server_id = int(found.get("server_id", "0"))
    if "mariadb" not in f"{found['version']} {found.get('version_comment', '')}".lower():
        return ServerIdentity("mysql", version, found.get("server_uuid", ""), server_id)
    own = found.get("server_uid") or _digest(found.get("hostname", ""), found.get("port", ""), found.get("datadir", ""))
    return ServerIdentity("mariadb", version, f"mariadb-{server_id}-{own}", server_id)


def require_same_server(found: ServerIdentity, wanted: ServerIdentity, url: SourceUrl) -> None:
    """Premise A: rows read from another server than the position's are rows lost.

    Raises:
        SourceError: when a proxy or a changed address led elsewhere.
    """
    if found.uuid != wanted.uuid:
        raise SourceError(
            f"this connection reached server {found.uuid}, an earlier one server {wanted.uuid}",
            where=url.place,
            hint=ONE_ADDRESS,
        )


def _digest(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
