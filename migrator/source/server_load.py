"""How busy the source is, so that a copy can pause."""

from __future__ import annotations

import math

from sqlalchemy import Connection

from migrator.errors import SourceError
from migrator.model.change.position import Load
from migrator.source.connection.connect import connected
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import SourceUrl
from migrator.source.log_position import version_tuple

_LAG = ("Seconds_Behind_Source", "Seconds_Behind_Master")


def read_load(url: SourceUrl) -> Load:
    """Threads_running of the source, and the lag of the URL's `replica`, if any.

    The lag of a replica that doesn't replicate is infinite.

    Raises:
        SourceError: when the replica is none, or the account may not see its state (REPLICATION CLIENT, on MariaDB
            REPLICA MONITOR).
    """
    with connected(url) as connection:
        row = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Threads_running'").one()
    lag = None
    if url.replica is not None:
        with connected(url.replica) as connection:
            lag = _lag(connection, url.replica)
    return Load(threads_running=int(row[1]), replica_lag=lag)


def _lag(connection: Connection, url: SourceUrl) -> float:
    server = read_identity(connection)
    # MySQL 8.0.22 and MariaDB 10.5.1 brought the new name, MySQL 8.4 dropped the old one.
    renamed = version_tuple(server) >= ((10, 5, 1) if server.flavor == "mariadb" else (8, 0, 22))
    # MariaDB shows only the default one of several connections unless asked for all.
    everything = "ALL " if server.flavor == "mariadb" else ""
    noun = {True: "REPLICAS" if everything else "REPLICA", False: "SLAVES" if everything else "SLAVE"}[renamed]
    channels = connection.exec_driver_sql(f"SHOW {everything}{noun} STATUS").mappings().all()
    if not channels:
        raise SourceError(
            "the watched server is not a replica",
            where=url.place,
            hint="Remove replica= from the source URL, or name a replica of the source.",
        )
    found = [next((channel[name] for name in _LAG if name in channel), None) for channel in channels]
    return max(math.inf if seconds is None else float(seconds) for seconds in found)
