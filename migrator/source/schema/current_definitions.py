"""Tables as they are now, after what a statement did to them that was read from the log."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from migrator.model.change.events import Definitions, TableName
from migrator.model.change.position import Position
from migrator.source.binlog.positions.log_start import read_end
from migrator.source.connection.connect import connected
from migrator.source.connection.failure import error_code
from migrator.source.connection.identity import read_identity
from migrator.source.connection.url import SourceUrl
from migrator.source.schema.read import read_schema

# A table that is gone, or a view of such a one.
_GONE = (1146, 1356)
_DENIED = (1045, 1227)


def read_definitions(url: SourceUrl, tables: Iterable[TableName], settled: Iterable[TableName] = ()) -> Definitions:
    """See migrator.ports.sync.FollowedSource.definitions.

    Raises:
        SourceError, SourceUnavailable: when the server can't be asked.
    """
    with connected(url) as connection:
        for name in settled:
            _wait_for_statements(connection, name)
    schema = read_schema(url, tables)
    with connected(url) as connection:
        return Definitions(schema, _end(connection))


def _wait_for_statements(connection: Connection, table: TableName) -> None:
    """Premise A, for definitions: the log can be read before they are changed. A statement keeps everybody from
    the table's name until it is done altogether. What information_schema tells of a table waits for that, too, where it
    opens the table; when it does is the server's own business.

    https://dev.mysql.com/doc/refman/8.4/en/metadata-locking.html
    """
    quote = connection.dialect.identifier_preparer.quote_identifier
    try:
        connection.exec_driver_sql(f"SELECT 1 FROM {quote(table[0])}.{quote(table[1])} LIMIT 0").all()
    except DBAPIError as error:
        if error_code(error) not in _GONE:
            raise


def _end(connection: Connection) -> Position | None:
    try:
        return read_end(connection, read_identity(connection))
    except DBAPIError as error:
        if error_code(error) in _DENIED:
            return None
        raise
