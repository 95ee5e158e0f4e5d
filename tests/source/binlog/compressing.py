"""Turning compression of the change log on and off."""

from __future__ import annotations

from sqlalchemy import Connection


def compress(connection: Connection, product: str, *, on: bool = True) -> None:
    """For what this session does from now on; on MariaDB for what all do, of events of ten bytes or more."""
    value = "ON" if on else "OFF"
    if product == "MariaDB":
        connection.exec_driver_sql(f"SET GLOBAL log_bin_compress_min_len = {10 if on else 256}")
        connection.exec_driver_sql(f"SET GLOBAL log_bin_compress = {value}")
    else:
        connection.exec_driver_sql(f"SET SESSION binlog_transaction_compression = {value}")
