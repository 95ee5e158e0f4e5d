"""Everything MySQL and MariaDB. The rest of migrator sees it through `migrator.ports.copy.Source`."""

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
