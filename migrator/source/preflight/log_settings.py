"""Whether the server's settings let its change log be followed. Pure: variables in, problems out.

A copy needs none of this; sync needs all of it.
https://dev.mysql.com/doc/refman/8.4/en/replication-options-binary-log.html
https://mariadb.com/kb/en/replication-and-binary-log-system-variables/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from migrator.model.change.position import ServerIdentity

DAY = 86_400

# Asked for in one statement; a server leaves out what it doesn't have.
VARIABLES = (
    "log_bin",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_value_options",
    "binlog_transaction_compression",
    "log_bin_compress",
    "binlog_expire_logs_seconds",
    "binlog_expire_logs_auto_purge",
    "expire_logs_days",
    "read_only",
    "log_slave_updates",
    "log_replica_updates",
    "innodb_native_foreign_keys",
    "enable_cascade_triggers",
    "max_allowed_packet",
    "time_zone",
    "system_time_zone",
    "partial_revokes",
)

Variables = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the change log.

    Attributes:
        name: the variable's.
        good: sync can work with it.
        text: what it is, and what that means.
        fix: SQL or whatever else fixes it, "" when good.
    """

    name: str
    good: bool
    text: str
    fix: str = ""


def has_log(variables: Variables) -> bool:
    return is_on(variables.get("log_bin", "OFF"))


def is_on(value: str) -> bool:
    return value.upper() in ("ON", "1", "TRUE", "YES")


def log_bin(variables: Variables) -> Setting:
    """Whether there is a change log at all."""
    if has_log(variables):
        return Setting("log_bin", True, "the server writes a change log")
    return Setting(
        "log_bin",
        False,
        "the server writes no change log: a copy works, but it can't be kept in sync later",
        "Set log_bin in the server's configuration and restart it; on a managed server, turn on backups "
        "(or, for Aurora, binlog_format = ROW in the cluster's parameter group).",
    )


def log_settings(server: ServerIdentity, variables: Variables) -> Iterator[Setting]:
    """The settings of a change log that there is, each in the order of importance."""
    yield _format(variables)
    yield _row_image(variables)
    if "binlog_row_value_options" in variables:
        yield _row_values(variables)
    yield _compression(server, variables)
    yield _expiry(server, variables)


def replica_log(variables: Variables, *, is_replica: bool) -> Setting | None:
    """A replica logs what it replicates only when told to; None for a server that is no replica."""
    if not is_replica:
        return None
    updates = variables.get("log_replica_updates") or variables.get("log_slave_updates", "OFF")
    if is_on(updates):
        return Setting("log_replica_updates", True, "the server is a replica and logs what it replicates")
    return Setting(
        "log_replica_updates",
        False,
        "the server is a replica that doesn't log what it replicates: its change log misses nearly everything",
        "Set log_replica_updates = ON (log_slave_updates on MariaDB) in its configuration and restart it, "
        "or use the primary as the source.",
    )


def expiry_seconds(variables: Variables) -> int | None:
    """How long log files are kept; None for ever."""
    if "binlog_expire_logs_auto_purge" in variables and not is_on(variables["binlog_expire_logs_auto_purge"]):
        return None
    seconds = round(float(variables.get("binlog_expire_logs_seconds") or 0))
    if not seconds:
        seconds = round(float(variables.get("expire_logs_days") or 0) * DAY)
    return seconds or None


def cascades_are_logged(server: ServerIdentity, variables: Variables) -> bool:
    """Whether ON DELETE CASCADE and SET NULL leave row events: MySQL since 9.6, unless told to let InnoDB do them."""
    if server.flavor == "mariadb":
        return False
    native = variables.get("innodb_native_foreign_keys")
    return native is not None and not is_on(native)


def _format(variables: Variables) -> Setting:
    value = variables.get("binlog_format", "ROW").upper()
    if value == "ROW":
        return Setting("binlog_format", True, "ROW")
    return Setting(
        "binlog_format",
        False,
        f"{value}: the log holds statements, not the rows they changed",
        "SET GLOBAL binlog_format = 'ROW'; then have the applications reconnect, since sessions keep the old value.",
    )


def _row_image(variables: Variables) -> Setting:
    value = variables.get("binlog_row_image", "FULL").upper()
    if value in ("FULL", "NOBLOB"):
        return Setting("binlog_row_image", True, value)
    return Setting(
        "binlog_row_image",
        False,
        f"{value}: row events lack columns by which documents are found",
        "SET GLOBAL binlog_row_image = 'FULL'; then have the applications reconnect.",
    )


def _row_values(variables: Variables) -> Setting:
    value = variables["binlog_row_value_options"]
    if not value:
        return Setting("binlog_row_value_options", True, "empty: whole values")
    return Setting(
        "binlog_row_value_options",
        False,
        f"{value}: JSON columns are logged as differences, in events that can't be read",
        "SET GLOBAL binlog_row_value_options = ''; then have the applications reconnect.",
    )


def _compression(server: ServerIdentity, variables: Variables) -> Setting:
    name = "log_bin_compress" if server.flavor == "mariadb" else "binlog_transaction_compression"
    return Setting(name, True, "ON: compressed events are read" if is_on(variables.get(name, "OFF")) else "OFF")


def _expiry(server: ServerIdentity, variables: Variables) -> Setting:
    name = "binlog_expire_logs_seconds"
    seconds = expiry_seconds(variables)
    if seconds is None:
        return Setting(name, True, "log files are kept until they are purged by hand")
    if seconds >= DAY:
        return Setting(name, True, f"log files are kept for {duration(seconds)}")
    if server.flavor == "mariadb" and "binlog_expire_logs_seconds" not in variables:
        fix = "SET GLOBAL expire_logs_days = 7;"
    else:
        fix = f"SET GLOBAL binlog_expire_logs_seconds = {7 * DAY};"
    return Setting(
        name,
        False,
        f"log files are kept for {duration(seconds)} only: a copy or a pause longer than that can't be caught up with",
        fix,
    )


def duration(seconds: int) -> str:
    """`30 days`, `1 hour`, `90 seconds`."""
    for unit, length in (("day", DAY), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length or seconds == length:
            count = seconds / length
            return f"{count:.3g} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
