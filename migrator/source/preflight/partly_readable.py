"""Tables of which an account may read some columns only (GRANT SELECT (a, b)): information_schema hides all others."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from migrator.source.connection.failure import error_code
from migrator.source.connection.identity import read_identity
from migrator.source.preflight.grants import quoted_account
from migrator.source.preflight.server_facts import read_grants

# ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR
_DENIED = (1142, 1143)


def partly_readable(connection: Connection, databases: Sequence[str]) -> dict[tuple[str, str], str]:
    """(database, table) of each, with the account, quoted for a GRANT.

    The account's grants say which tables to ask about; a role that they do not show may allow more.
    """
    grants = read_grants(connection, read_identity(connection), literal=False)
    tables = [(database, table) for database in databases for table in grants.partly_readable_tables(database)]
    denied = [table for table in tables if not _may_read_all(connection, table)]
    if not denied:
        return {}
    account = quoted_account(str(connection.exec_driver_sql("SELECT CURRENT_USER()").scalar()))
    return dict.fromkeys(denied, account)


def _may_read_all(connection: Connection, table: tuple[str, str]) -> bool:
    quote = connection.dialect.identifier_preparer.quote_identifier
    try:
        connection.exec_driver_sql(f"SELECT * FROM {quote(table[0])}.{quote(table[1])} LIMIT 0").all()
    except DBAPIError as error:
        return error_code(error) not in _DENIED
    return True
