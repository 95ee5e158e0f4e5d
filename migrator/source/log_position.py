"""The position of the change log, taken so that every later snapshot contains all events before it (premise A)."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from migrator.model.change.position import Position, ServerIdentity
from migrator.source.connection.connect import connected
from migrator.source.connection.failure import error_code
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import SourceUrl

_FIRST_EVENT = 4  # a log file begins with four bytes of magic
_DENIED = (1045, 1227)


def position(url: SourceUrl) -> Position | None:
    """A position that every later snapshot contains; None when the server writes no log.

    Also None when the account may not see where the log stands (MySQL without GTID asks for REPLICATION CLIENT):
    a copy needs no position, and what sync needs is checked beforehand.

    Raises:
        SourceError, SourceUnavailable: when the server can't be asked.
    """
    with connected(url) as connection:
        server = read_identity(connection)
        if not connection.exec_driver_sql("SELECT @@GLOBAL.log_bin").scalar():
            return None
        if server.flavor == "mariadb":
            return _mariadb(connection, server)
        if connection.exec_driver_sql("SELECT @@GLOBAL.gtid_mode").scalar() == "ON":
            return _mysql_gtid(connection, server)
        return _mysql_file(connection, server)


def _mariadb(connection: Connection, server: ServerIdentity) -> Position | None:
    """Premise A on MariaDB: an event can be read from the log before the engine has committed it, so the log's end is
    too late a place. A consistent snapshot knows the place that belongs to it (Binlog_snapshot_*)."""
    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT")
    status = {str(name).lower(): str(value) for name, value in connection.exec_driver_sql(SNAPSHOT_STATUS)}
    connection.exec_driver_sql("ROLLBACK")
    file = status.get("binlog_snapshot_file", "")
    if not file:
        return None
    offset = int(status["binlog_snapshot_position"])
    gtid = connection.exec_driver_sql("SELECT BINLOG_GTID_POS(%s, %s)", (file, offset)).scalar()
    return Position(server, str(gtid or ""), file, offset, "mariadb-snapshot")


# How often a place and its GTID are asked for together on a server that writes all the time.
_TRIES = 20

SNAPSHOT_STATUS = "SHOW STATUS WHERE Variable_name IN ('Binlog_snapshot_file', 'Binlog_snapshot_position')"


def _mysql_gtid(connection: Connection, server: ServerIdentity) -> Position:
    """Premise A on MySQL: gtid_executed takes a transaction in when the engine has committed it, the log's end runs
    ahead of that. So file and offset are the beginning of the file that was current before gtid_executed was read:
    whichever of the two a reader starts from, it misses nothing."""
    file = _current_file(connection, server)
    gtid = connection.exec_driver_sql("SELECT @@GLOBAL.gtid_executed").scalar()
    return Position(server, _one_line(gtid), file, _FIRST_EVENT if file else 0, "gtid-executed")


def _mysql_file(connection: Connection, server: ServerIdentity) -> Position | None:
    """Premise A on MySQL without GTID: a new log file is begun only after all transactions of the one before are
    committed, so its beginning is a safe place; its end is not."""
    file = _current_file(connection, server)
    return Position(server, "", file, _FIRST_EVENT, "log-file-start") if file else None


def _current_file(connection: Connection, server: ServerIdentity) -> str:
    try:
        return log_end(connection, server)[0]
    except DBAPIError as error:
        if error_code(error) in _DENIED:
            return ""
        raise


def log_end(connection: Connection, server: ServerIdentity) -> tuple[str, int, str]:
    """File, offset and GTID set where the log ends now; a safe position only while nothing can commit."""
    # MySQL 8.4 dropped SHOW MASTER STATUS, MySQL 8.2 brought its other name; MariaDB keeps the old one.
    renamed = server.flavor == "mysql" and version_tuple(server) >= (8, 2)
    statement = "SHOW BINARY LOG STATUS" if renamed else "SHOW MASTER STATUS"
    row = connection.exec_driver_sql(statement).mappings().first()
    if row is None:
        return "", 0, ""
    if server.flavor == "mariadb":
        return _mariadb_end(connection, statement)
    return str(row["File"]), int(row["Position"]), _one_line(row.get("Executed_Gtid_Set"))


def _mariadb_end(connection: Connection, statement: str) -> tuple[str, int, str]:
    """MariaDB tells place and GTID by two statements: a commit in between would make a pair that the log never had."""

    def place() -> tuple[str, int]:
        row = connection.exec_driver_sql(statement).mappings().one()
        return str(row["File"]), int(row["Position"])

    before = place()
    for _ in range(_TRIES):
        gtid = connection.exec_driver_sql("SELECT @@GLOBAL.gtid_binlog_pos").scalar()
        after = place()
        if before == after:
            return *after, _one_line(gtid)
        before = after
    # Exact, but the server reads the log file from its beginning.
    gtid = connection.exec_driver_sql("SELECT BINLOG_GTID_POS(%s, %s)", before).scalar()
    return *before, _one_line(gtid)


def version_tuple(server: ServerIdentity) -> tuple[int, ...]:
    """`10.11.19` as (10, 11, 19)."""
    return tuple(int(part) for part in server.version.split(".") if part.isdigit())


def _one_line(gtid: object) -> str:
    return str(gtid or "").replace("\n", "").replace(" ", "")
