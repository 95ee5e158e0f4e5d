"""Everything MySQL and MariaDB. The rest of migrator sees it through `migrator.ports.copy.Source`.

binlog: the change log of MySQL and MariaDB, followed for sync.
connection: connections to MySQL and MariaDB.
cutover_queries: what must be known of the source when an application leaves it.
log_position: the position of the change log.
measuring: what the source holds for a collection.
mysql: the source as the rest of migrator sees it.
preflight: what the server must allow.
rows: reading rows.
schema: what tables and expressions are.
server_load: how busy the source is, so that a copy can pause.
sql: the text of SQL statements.
"""

from __future__ import annotations

from migrator.source.connection.url import SourceUrl, parse_source_url
from migrator.source.mysql import MySQLSource

__all__ = ["MySQLSource", "SourceUrl", "open_source", "parse_source_url"]


def open_source(url: str | SourceUrl) -> MySQLSource:
    """The source at `url` (see `parse_source_url`); connects only when asked for something.

    Raises:
        SettingsError: when the URL can't be read.
    """
    return MySQLSource(parse_source_url(url) if isinstance(url, str) else url)
