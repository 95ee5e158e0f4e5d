"""Places in the change log: whether a position can be followed, from where a reader starts, and how far the end is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from migrator.errors import LogLost, SyncBlocked
from migrator.model.change.coordinates import log_coordinates
from migrator.model.change.position import Position, ServerIdentity
from migrator.source.binlog.positions.gtids import MySQLGtids, has_reached
from migrator.source.connection.failure import error_code
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import SourceUrl
from migrator.source.log_position import log_end

AGAIN = "`migrator apply` again: it copies what the log no longer contains, and records a new position."
FIRST_EVENT = 4  # a log file begins with four bytes of magic
_ENGINE_WAIT = 10  # seconds that the engine may lag the log when a reader starts
LONGEST_OFFSET = (1 << 32) - 1  # the protocol has 32 bits


@dataclass(frozen=True, slots=True)
class LogStart:
    """From where a server is asked for its log: after `gtids`, or by place where that is None.

    Attributes:
        skip: up to this offset of `file` events are read for what they say of commits only (see `log_start`).
    """

    gtids: str | None
    file: str
    offset: int
    skip: int = 0


def require_position_server(found: ServerIdentity, wanted: ServerIdentity, url: SourceUrl) -> None:
    """Edge case 41: the same file name, or GTID of MariaDB, means other content on another server.

    Raises:
        SyncBlocked: when `found` is not the server of the position.
    """
    if found.uuid != wanted.uuid:
        raise SyncBlocked(
            f"the position is of server {wanted.uuid}, and this is server {found.uuid}",
            where=url.place,
            hint=f"Give the address of the server that was copied, or {AGAIN}",
        )


def uses_gtids(connection: Connection, server: ServerIdentity) -> bool:
    """Whether the server numbers every transaction."""
    if server.flavor == "mariadb":
        return True
    return str(connection.exec_driver_sql("SELECT @@GLOBAL.gtid_mode").scalar()) == "ON"


def log_start(connection: Connection, position: Position, url: SourceUrl) -> LogStart:
    """How to continue after `position`.

    MySQL without GTIDs: from the beginning of the file, which tells the last row that was changed before the position;
    a snapshot waits for that row's lock (see snapshots).

    Raises:
        SyncBlocked: when the position is of another server, or its log was purged, reset or restored.
    """
    require_position_server(read_identity(connection), position.server, url)
    files = log_files(connection)
    if not files:
        raise SyncBlocked("the server writes no change log", where=url.place, hint="Turn on log_bin.")
    if position.server.flavor == "mariadb":
        _require_mariadb(connection, position, files, url)
        return LogStart(position.gtid, "", FIRST_EVENT)
    if uses_gtids(connection, position.server) and position.gtid:
        gtids = MySQLGtids(position.gtid)
        _require_mysql(connection, gtids, url)
        _require_no_reset(position, files, url)
        _require_boundary(connection, position, files, gtids, url)
        # The library writes sets without tags only. From the place more is read than is needed, never less.
        if not gtids.has_tags:
            return LogStart(position.gtid, position.file, position.offset)
        _require_place(position, files, url)
        return LogStart(None, position.file, position.offset)
    _require_place(position, files, url)
    if uses_gtids(connection, position.server):
        return LogStart(None, position.file, position.offset)
    return LogStart(None, position.file, FIRST_EVENT, skip=position.offset)


def log_files(connection: Connection) -> dict[str, int]:
    """The log's files and their sizes, the oldest first."""
    try:
        rows = connection.exec_driver_sql("SHOW BINARY LOGS").mappings().all()
    except DBAPIError as error:
        if error.orig is not None and error.orig.args[:1] == (1381,):  # ER_NO_BINARY_LOGGING
            return {}
        raise
    return {str(row["Log_name"]): int(row["File_size"]) for row in rows}


def bytes_between(files: Mapping[str, int], position: Position, end: Position) -> int | None:
    """How much log is from one place to another; None when the first is no longer there."""
    if position.file not in files or end.file not in files:
        return None
    names = list(files)
    first, last = names.index(position.file), names.index(end.file)
    if first > last:
        return 0
    between = sum(files[name] for name in names[first:last])
    return max(0, between - position.offset + end.offset)


def read_end(connection: Connection, server: ServerIdentity) -> Position:
    file, offset, gtid = log_end(connection, server)
    return Position(server, gtid, file, offset, "log")


_NEXT_GTID = re.compile(r"GTID_NEXT\s*=\s*'([0-9a-fA-F-]{36}:[^']+)'")
_NO_EVENT = (1220,)  # ER_ERROR_WHEN_EXECUTING_COMMAND: a wrong offset


def _require_place(position: Position, files: Mapping[str, int], url: SourceUrl) -> None:
    if position.file not in files:
        raise _blocked(f"the server's log no longer has the file {position.file}: it was purged or reset", url)
    if position.offset > files[position.file]:
        what = f"{position.file} ends at {files[position.file]}, before the position {position.offset}"
        raise _blocked(f"{what}: the log was reset or restored", url)
    if position.offset > LONGEST_OFFSET:
        raise _blocked(
            f"the position {position.offset} in {position.file} is beyond 4 GB, which can't be asked for", url
        )


def _require_mysql(connection: Connection, gtids: MySQLGtids, url: SourceUrl) -> None:
    purged = MySQLGtids(str(connection.exec_driver_sql("SELECT @@GLOBAL.gtid_purged").scalar() or ""))
    if not gtids.contains(purged):
        raise _blocked("transactions after the position were purged from the server's log", url)
    # The engine may lag the log for a moment: a position from the log is then later than gtid_executed.
    statement = f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{gtids.text}', {_ENGINE_WAIT})"
    if connection.exec_driver_sql(statement).scalar() != 0:
        raise _blocked("the server lacks transactions that were read from it: its log was reset or restored", url)


def _require_mariadb(connection: Connection, position: Position, files: Mapping[str, int], url: SourceUrl) -> None:
    """The GTID alone would do, were it not that after a RESET MASTER the same numbers come again."""
    _require_no_reset(position, files, url)
    if position.file not in files:
        # The server knows whether the GTIDs after it are all there; it would take fewer than ours for a new beginning.
        end = str(connection.exec_driver_sql("SELECT @@GLOBAL.gtid_binlog_pos").scalar() or "")
        if not has_reached(end, position.gtid):
            raise _blocked(f"the server is at GTID {end or 'none'}, before {position.gtid}: its log was reset", url)
        return
    _require_place(position, files, url)
    found = connection.exec_driver_sql("SELECT BINLOG_GTID_POS(%s, %s)", (position.file, position.offset)).scalar()
    if set(filter(None, str(found or "").split(","))) != set(filter(None, position.gtid.split(","))):
        what = f"at {position.offset} in {position.file} the log is at GTID {found or 'none'}, not {position.gtid}"
        raise _blocked(f"{what}: it was reset or restored", url)


def _require_no_reset(position: Position, files: Mapping[str, int], url: SourceUrl) -> None:
    last = list(files)[-1]
    if position.file and log_coordinates(position.file, 0) > log_coordinates(last, 0):
        raise _blocked(f"the server's log ends with the file {last}, before {position.file}: it was reset", url)


def _require_boundary(
    connection: Connection, position: Position, files: Mapping[str, int], gtids: MySQLGtids, url: SourceUrl
) -> None:
    """After a RESET the same GTIDs come again, and may be as many as before: they don't lie at the same offsets."""
    if position.how != "log" or position.file not in files or position.offset == files[position.file]:
        return
    _require_place(position, files, url)
    statement = f"SHOW BINLOG EVENTS IN '{position.file}' FROM {position.offset} LIMIT 1"
    try:
        row = connection.exec_driver_sql(statement).mappings().first()
    except DBAPIError as error:
        if error_code(error) not in _NO_EVENT:
            raise
        row = None
    found = _NEXT_GTID.search(str(row["Info"])) if row is not None else None
    if row is None or (found is not None and gtids.contains(MySQLGtids(found[1]))):
        raise _blocked(f"no transaction begins at {position.offset} in {position.file}: the log was reset", url)


def _blocked(what: str, url: SourceUrl) -> SyncBlocked:
    return LogLost(what, where=url.place, hint=AGAIN)
