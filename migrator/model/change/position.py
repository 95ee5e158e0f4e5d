"""The identity of the source, and positions in its change log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Names a server whatever address it answers at (premise A: all connections must reach the same one).

    Attributes:
        flavor: which server software.
        version: `10.11.19` or `9.7.0`.
        uuid: MySQL's server_uuid; on MariaDB, which has none, `mariadb-<server_id>-<datadir hash or server_uid>`.
        server_id: the replication id.
    """

    flavor: Literal["mysql", "mariadb"]
    version: str
    uuid: str
    server_id: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a change log from which replaying misses nothing that later snapshots lack.

    Attributes:
        server: whose log it is.
        gtid: MySQL gtid_executed or MariaDB gtid_binlog_pos style set, "" where the server has no GTID.
        file: log file.
        offset: byte offset in `file`.
        how: where it was taken, one of the ways of premise A; `log`: after a transaction that was read from the
            log, whose changes are in the documents.
    """

    server: ServerIdentity
    gtid: str
    file: str
    offset: int
    how: Literal["mariadb-snapshot", "gtid-executed", "log-file-start", "global-lock", "log"]


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the source is.

    Attributes:
        threads_running: of the server read from.
        replica_lag: lag of the watched replica in seconds, None when none is watched.
    """

    threads_running: int
    replica_lag: float | None
