"""How far a position is from the log's end, and how long its log will last."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from migrator.model.change.events import LogStatus
from migrator.model.change.position import Position, ServerIdentity
from migrator.source.binlog.events.packets import Kind, parse_event
from migrator.source.binlog.events.stream import open_stream
from migrator.source.binlog.positions.gtids import MySQLGtids
from migrator.source.binlog.positions.log_start import (
    FIRST_EVENT,
    LogStart,
    bytes_between,
    log_files,
    read_end,
    require_position_server,
    uses_gtids,
)
from migrator.source.connection.connect import connected
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import SourceUrl
from migrator.source.preflight.log_settings import expiry_seconds

_EXPIRY = "'binlog_expire_logs_seconds', 'binlog_expire_logs_auto_purge', 'expire_logs_days'"


def log_status(url: SourceUrl, position: Position) -> LogStatus:
    """Raises SyncBlocked when the position is of another server."""
    with connected(url) as connection:
        server = read_identity(connection)
        require_position_server(server, position.server, url)
        # First the end: what is read after it may only be further.
        end = read_end(connection, server)
        files = log_files(connection)
        return LogStatus(
            end=end,
            transactions=_transactions(connection, position, end),
            bytes=bytes_between(files, position, end),
            expires_in=_expires_in(connection, url, position, files),
            clock=_clock(connection),
        )


def _transactions(connection: Connection, position: Position, end: Position) -> int | None:
    """MySQL counts them by the sets; MariaDB's numbers run on within a domain, where one server writes."""
    if position.server.flavor == "mariadb":
        return _mariadb_transactions(position.gtid, end.gtid)
    if not uses_gtids(connection, position.server):
        return None
    return MySQLGtids(end.gtid).count_beyond(MySQLGtids(position.gtid))


def _mariadb_transactions(here: str, end: str) -> int | None:
    ours = {gtid.split("-")[0]: gtid.split("-") for gtid in here.split(",") if gtid}
    count = 0
    for gtid in filter(None, end.split(",")):
        domain, server, number = gtid.split("-")
        _, our_server, our_number = ours.get(domain, (domain, server, "0"))
        if our_server != server:
            return None
        count += max(0, int(number) - int(our_number))
    return count


def _expires_in(connection: Connection, url: SourceUrl, position: Position, files: Mapping[str, int]) -> float | None:
    """A file may go when it was written last so long ago; the one that is being written never does.

    When it was, the server doesn't say. The next file was begun at that moment, and its first event says when.
    """
    rows = connection.exec_driver_sql(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({_EXPIRY})")
    kept = expiry_seconds({str(name).lower(): str(value) for name, value in rows})
    names = list(files)
    if kept is None:
        return None
    if position.file not in files:
        return 0.0
    if position.file == names[-1]:
        return float(kept)
    now = _clock(connection)
    ended = _begun(url, position.server, names[names.index(position.file) + 1])
    return max(0.0, ended + kept - now)


def _clock(connection: Connection) -> float:
    """SYSDATE, since NOW may be what the session has set."""
    return float(str(connection.exec_driver_sql("SELECT UNIX_TIMESTAMP(SYSDATE(6))").scalar()))


def _begun(url: SourceUrl, server: ServerIdentity, file: str) -> int:
    """When a log file was begun, seconds since 1970."""
    with open_stream(url, server, LogStart(None, file, FIRST_EVENT)) as stream:
        while True:
            event = parse_event(stream.next(), 0)
            if event.kind == Kind.FORMAT_DESCRIPTION:
                return event.at
