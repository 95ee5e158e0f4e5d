"""What preflight asks the server: variables, the account's privileges, the log's state. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from migrator.model.change.position import ServerIdentity
from migrator.source.connection.failure import error_code
from migrator.source.connection.identity import read_identity
from migrator.source.log_position import version_tuple
from migrator.source.preflight.grants import Grants, parse_grants, quoted_account
from migrator.source.preflight.log_settings import VARIABLES, is_on

# The account may not ask. 1401: MySQL's XA RECOVER without XA_RECOVER_ADMIN.
_DENIED = (1044, 1045, 1142, 1227, 1401)


@dataclass(frozen=True)
class ServerFacts:
    """The server and the account, as one connection sees them.

    Attributes:
        session_logs: whether what this account changes would be logged (sql_log_bin).
        account: quoted for a GRANT.
        is_replica: None when the account may not ask.
        prepared: XA transactions that are prepared and not decided; None when the account may not ask.
        filters: databases that the log is limited to, or leaves out (`only a, b`, `not c`); "" for none or unknown.
        log_files, log_bytes: of the log as it is now; None when the account may not ask.
    """

    server: ServerIdentity
    variables: Mapping[str, str]
    session_logs: bool
    account: str
    grants: Grants
    is_replica: bool | None
    prepared: int | None
    filters: str
    log_files: int | None
    log_bytes: int | None


def read_facts(connection: Connection) -> ServerFacts:
    """Asks all of it over one connection."""
    server = read_identity(connection)
    names = ", ".join(f"'{name}'" for name in VARIABLES)
    rows = connection.exec_driver_sql(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    variables = {str(name).lower(): str(value) for name, value in rows}
    files = _allowed(connection, "SHOW BINARY LOGS") if is_on(variables.get("log_bin", "OFF")) else None
    prepared = _allowed(connection, "XA RECOVER")
    replica = _allowed(connection, _replica_statement(server))
    return ServerFacts(
        server=server,
        variables=variables,
        session_logs=bool(connection.exec_driver_sql("SELECT @@SESSION.sql_log_bin").scalar()),
        account=quoted_account(str(connection.exec_driver_sql("SELECT CURRENT_USER()").scalar())),
        grants=read_grants(connection, server, literal=is_on(variables.get("partial_revokes", "OFF"))),
        is_replica=None if replica is None else bool(replica),
        prepared=None if prepared is None else len(prepared),
        filters=_filters(connection, server),
        log_files=None if files is None else len(files),
        log_bytes=None if files is None else sum(int(str(row["File_size"])) for row in files),
    )


def read_grants(connection: Connection, server: ServerIdentity, *, literal: bool) -> Grants:
    """The account's privileges with those of its active roles."""
    lines = [str(row[0]) for row in connection.exec_driver_sql("SHOW GRANTS")]
    active = str(connection.exec_driver_sql("SELECT CURRENT_ROLE()").scalar() or "NONE")
    if active.upper() != "NONE":
        which = "CURRENT_ROLE" if server.flavor == "mariadb" else f"CURRENT_USER() USING {active}"
        lines += [str(row[0]) for row in connection.exec_driver_sql(f"SHOW GRANTS FOR {which}")]
    return parse_grants(lines, literal=literal)


def _replica_statement(server: ServerIdentity) -> str:
    # MySQL 8.4 dropped the old name; MariaDB shows one of several connections unless asked for all.
    return "SHOW ALL REPLICAS STATUS" if server.flavor == "mariadb" else "SHOW REPLICA STATUS"


def _filters(connection: Connection, server: ServerIdentity) -> str:
    renamed = server.flavor == "mysql" and version_tuple(server) >= (8, 2)
    rows = _allowed(connection, "SHOW BINARY LOG STATUS" if renamed else "SHOW MASTER STATUS")
    if not rows:
        return ""
    found = (("only ", rows[0]["Binlog_Do_DB"]), ("not ", rows[0]["Binlog_Ignore_DB"]))
    return ", ".join(f"{word}{databases}" for word, databases in found if databases)


def _allowed(connection: Connection, statement: str) -> list[Mapping[str, object]] | None:
    """The rows of a statement, None when the account may not ask."""
    try:
        return [dict(row) for row in connection.exec_driver_sql(statement).mappings()]
    except DBAPIError as error:
        if error_code(error) in _DENIED:
            return None
        raise
