"""Which session variables every connection to the source sets, and why. Pure: no connection is used here.

A session begins with the server's global values, and with what `init_connect` sets after them. Some of these change
what a statement returns without any error. So each is given an explicit value: DEFAULT would be the global value again.

Left as they are: variables that only choose between plans or sizes of buffers, and those of statements that write.

https://dev.mysql.com/doc/refman/9.7/en/server-system-variables.html
https://mariadb.com/docs/server/server-management/variables-and-modes/server-system-variables
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from migrator.errors import SourceError

Flavor = Literal["mysql", "mariadb"]
Version = tuple[int, ...]

EVERY: Version = (0,)
_MOST = "18446744073709551615"  # the largest value of a BIGINT UNSIGNED: no limit


@dataclass(frozen=True, slots=True)
class SessionSetting:
    """One variable.

    Attributes:
        name: the variable's.
        value: SQL of the value that it is set to; None for a variable that plain accounts may not set, which `doctor`
            looks at only.
        shown: how SHOW SESSION VARIABLES prints that value; of `optimizer_switch` the part that matters; None where
            the printed value says nothing.
        purpose: what another value would do.
        changes_results: another value gives other rows or values without an error, so nothing may be read with it.
            Otherwise statements fail, are slow, or print something else.
        mysql, mariadb: the first version that has it; None for a server that never had it.
        mariadb_until: the first version of MariaDB that has it under another name.
    """

    name: str
    value: str | None
    shown: str | None
    purpose: str
    changes_results: bool = True
    mysql: Version | None = EVERY
    mariadb: Version | None = EVERY
    mariadb_until: Version | None = None

    def belongs_to(self, flavor: Flavor, version: Version) -> bool:
        """Whether such a server has the variable."""
        since = self.mysql if flavor == "mysql" else self.mariadb
        if since is None or version < since:
            return False
        return flavor == "mysql" or self.mariadb_until is None or version < self.mariadb_until

    def accepts(self, shown: str) -> bool:
        """Whether a value, as SHOW SESSION VARIABLES prints it, is the one that is wanted."""
        if self.shown is None:
            return True
        if self.name == "optimizer_switch":
            return self.shown in shown.split(",")
        return _normal(shown) == _normal(self.shown)


@dataclass(frozen=True, slots=True)
class Deviation:
    """A variable whose value is not the wanted one.

    Attributes:
        shown: the value that the session has.
        refusal: the server's words when it was to be changed, "" where nobody tried.
    """

    setting: SessionSetting
    shown: str
    refusal: str = ""

    def __str__(self) -> str:
        refused = f" and can't be set ({self.refusal})" if self.refusal else ""
        return f"{self.setting.name} is {self.shown!r}{refused}: {self.setting.purpose}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said to a statement of `setting_up`.

    Attributes:
        refusal: the error's text, "" when the statement was carried out.
    """

    rows: tuple[tuple[str, str], ...] = ()
    refusal: str = ""


class SessionRefused(SourceError):
    """The session keeps a value that would change what is read."""


# The order is that of the statement: max_join_size resets sql_big_selects, and character_set_connection resets
# collation_connection.
SETTINGS = (
    SessionSetting("completion_type", "'NO_CHAIN'", "NO_CHAIN", "COMMIT and ROLLBACK begin a new transaction"),
    SessionSetting("autocommit", "1", "ON", "all reads of a connection are of the moment of its first one"),
    SessionSetting(
        "transaction_isolation",
        "'REPEATABLE-READ'",
        "REPEATABLE-READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT takes no snapshot",
        mariadb=(11, 1, 1),
    ),
    SessionSetting(
        "tx_isolation",
        "'REPEATABLE-READ'",
        "REPEATABLE-READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT takes no snapshot",
        mysql=None,
        mariadb_until=(11, 1, 1),
    ),
    SessionSetting(
        "transaction_read_only", "0", "OFF", "locking reads and FLUSH may be refused", False, mariadb=(11, 1, 1)
    ),
    SessionSetting(
        "tx_read_only",
        "0",
        "OFF",
        "locking reads and FLUSH may be refused",
        False,
        mysql=None,
        mariadb_until=(11, 1, 1),
    ),
    SessionSetting(
        "sql_mode",
        "''",
        "",
        "quotes, backslashes, zero dates and the padding of CHAR are read in another way, and || is another operator",
    ),
    SessionSetting("time_zone", "'+00:00'", "+00:00", "TIMESTAMP columns come in another zone"),
    SessionSetting("timestamp", "DEFAULT", None, "NOW() in a mapping's expression is a fixed time"),
    SessionSetting("character_set_client", "utf8mb4", "utf8mb4", "statements are read in another character set"),
    SessionSetting("character_set_results", "utf8mb4", "utf8mb4", "text comes in another character set, or damaged"),
    SessionSetting(
        "character_set_connection", "utf8mb4", "utf8mb4", "text in statements is converted, and may lose characters"
    ),
    SessionSetting(
        "character_set_collations",
        "''",
        "",
        "converted text is compared by other rules",
        mysql=None,
        mariadb=(11, 2, 1),
    ),
    SessionSetting(
        "collation_connection",
        "utf8mb4_0900_ai_ci",
        "utf8mb4_0900_ai_ci",
        "text that is no column's is compared by other rules",
        mariadb=None,
    ),
    SessionSetting(
        "collation_connection",
        "utf8mb4_general_ci",
        "utf8mb4_general_ci",
        "text that is no column's is compared by other rules",
        mysql=None,
    ),
    SessionSetting("sql_select_limit", _MOST, _MOST, "every SELECT ends after so many rows"),
    SessionSetting("sql_auto_is_null", "0", "OFF", "`id IS NULL` finds the row that was inserted last"),
    SessionSetting("max_sort_length", "1024", "1024", "ORDER BY compares only so many bytes"),
    SessionSetting(
        "use_secondary_engine",
        "OFF",
        "OFF",
        "rows come from another engine than the snapshot's",
        mysql=(8, 0, 13),
        mariadb=None,
    ),
    SessionSetting(
        "system_versioning_asof", "DEFAULT", "DEFAULT", "versioned tables are read as of another time", mysql=None
    ),
    SessionSetting(
        "show_gipk_in_create_table_and_information_schema",
        "ON",
        "ON",
        "generated primary keys are hidden",
        mysql=(8, 0, 30),
        mariadb=None,
    ),
    SessionSetting("sql_quote_show_create", "1", "ON", "names in SHOW CREATE TABLE come without quotes"),
    SessionSetting("old_mode", "'UTF8_IS_UTF8MB3'", "UTF8_IS_UTF8MB3", "TIME is cast to dates otherwise", mysql=None),
    SessionSetting("group_concat_max_len", "1073741824", "1073741824", "GROUP_CONCAT in an expression is cut short"),
    SessionSetting("div_precision_increment", "4", "4", "quotients in an expression have another number of digits"),
    SessionSetting("default_week_format", "0", "0", "WEEK() in an expression counts otherwise"),
    SessionSetting("lc_time_names", "'en_US'", "en_US", "names of days and months in an expression are translated"),
    SessionSetting(
        "block_encryption_mode",
        "'aes-128-ecb'",
        "aes-128-ecb",
        "AES_DECRYPT() in an expression gives NULL or other bytes",
        mariadb=(11, 2),
    ),
    SessionSetting("default_regex_flags", "''", "", "REGEXP in an expression matches otherwise", mysql=None),
    SessionSetting(
        "windowing_use_high_precision", "ON", "ON", "sums over windows in an expression are rounded", mariadb=None
    ),
    SessionSetting(
        "max_recursive_iterations", "1000000", "1000000", "WITH RECURSIVE in an expression is cut short", mysql=None
    ),
    SessionSetting(
        "cte_max_recursion_depth", "1000000", "1000000", "WITH RECURSIVE in an expression fails", False, mariadb=None
    ),
    SessionSetting("max_join_size", _MOST, _MOST, "a SELECT that may look at more rows fails (1104)", False),
    SessionSetting("sql_big_selects", "1", "ON", "a SELECT that may look at many rows fails (1104)", False),
    SessionSetting("sql_buffer_result", "0", "OFF", "every result is copied into a temporary table first", False),
    SessionSetting("max_execution_time", "0", "0", "a long SELECT is ended", False, mariadb=None),
    SessionSetting("max_statement_time", "0", "0.000000", "a long statement is ended", False, mysql=None),
    SessionSetting("lock_wait_timeout", "60", "60", "a lock on a table's definition is waited for too long", False),
    SessionSetting("innodb_lock_wait_timeout", "60", "60", "a lock on a row is not waited for", False),
    SessionSetting("net_write_timeout", "3600", "3600", "a result that is read slowly is ended", False),
    SessionSetting("net_read_timeout", "600", "600", "a connection that is slow to send is ended", False),
    SessionSetting("wait_timeout", "28800", "28800", "a connection that has a pause is ended", False),
    SessionSetting(
        "idle_transaction_timeout", "0", "0", "a snapshot that has a pause between reads is ended", False, mysql=None
    ),
    SessionSetting(
        "idle_readonly_transaction_timeout",
        "0",
        "0",
        "a snapshot that has a pause between reads is ended",
        False,
        mysql=None,
    ),
    SessionSetting(
        "idle_write_transaction_timeout",
        "0",
        "0",
        "a transaction that has a pause is ended",
        False,
        mysql=None,
    ),
    SessionSetting(
        "max_session_mem_used",
        "9223372036854775807",
        "9223372036854775807",
        "a statement that needs more memory fails",
        False,
        mysql=None,
    ),
    SessionSetting(
        "tmp_disk_table_size", _MOST, _MOST, "a statement that needs a larger temporary table fails", False, mysql=None
    ),
    SessionSetting(
        "max_tmp_session_space_usage",
        "0",
        "0",
        "a statement that needs more temporary space fails",
        False,
        mysql=None,
        mariadb=(11, 5, 1),
    ),
    # Long lists after IN stay ranges on an index. MySQL would give up on the index for lack of memory, MariaDB would
    # turn the list into a join with a temporary table.
    SessionSetting(
        "range_optimizer_max_mem_size", "0", "0", "long lists of keys are read without an index", False, mariadb=None
    ),
    SessionSetting(
        "in_predicate_conversion_threshold", "0", "0", "long lists of keys become temporary tables", False, mysql=None
    ),
    SessionSetting(
        "optimizer_switch",
        "'hypergraph_optimizer=off'",
        "hypergraph_optimizer=off",
        "EXPLAIN prints no table of estimates",
        False,
        mysql=(8, 0, 23),
        mariadb=None,
    ),
    SessionSetting(
        "information_schema_stats_expiry", "0", "0", "sizes of tables are as old as that", False, mariadb=None
    ),
    SessionSetting(
        "parser_max_mem_size",
        _MOST,
        _MOST,
        "a long statement fails, as no account without privileges may have more",
        False,
        mysql=(8, 0, 12),
        mariadb=None,
    ),
    SessionSetting(
        "connection_memory_limit",
        None,
        _MOST,
        "a statement that needs more memory fails",
        False,
        mysql=(8, 0, 28),
        mariadb=None,
    ),
    SessionSetting("lc_messages", "'en_US'", "en_US", "the server's errors come in another language", False),
    SessionSetting(
        "default_collation_for_utf8mb4",
        None,
        "utf8mb4_0900_ai_ci",
        "converted text is compared by other rules when duplicates are counted",
        False,
        mysql=(8, 0, 11),
        mariadb=None,
    ),
)

# What a server says to a variable or value that it does not know, or that the account may not set. MaxScale, ProxySQL
# and secure_timestamp answer so, too.
REFUSED = frozenset(
    (
        1064,  # ER_PARSE_ERROR: a proxy's own parser
        1193,  # ER_UNKNOWN_SYSTEM_VARIABLE
        1227,  # ER_SPECIFIC_ACCESS_DENIED_ERROR
        1229,  # ER_GLOBAL_VARIABLE
        1231,  # ER_WRONG_VALUE_FOR_VAR
        1232,  # ER_WRONG_TYPE_FOR_VAR
        1235,  # ER_NOT_SUPPORTED_YET
        1238,  # ER_INCORRECT_GLOBAL_LOCAL_VAR
        1273,  # ER_UNKNOWN_COLLATION
        1290,  # ER_OPTION_PREVENTS_STATEMENT
        1621,  # ER_VARIABLE_IS_READONLY
    )
)


def server_of(handshake: str) -> tuple[Flavor, Version]:
    """Flavor and version from the text in a server's greeting: `8.4.3`, `5.5.5-10.11.19-MariaDB-log`."""
    flavor: Flavor = "mariadb" if "mariadb" in handshake.lower() else "mysql"
    # MariaDB before 11 begins with a version that old replicas of MySQL can compare with.
    number = re.match(r"[0-9.]+", handshake.removeprefix("5.5.5-"))
    return flavor, tuple(int(part) for part in (number[0] if number else "0").split(".") if part)


def settings_of(flavor: Flavor, version: Version) -> tuple[SessionSetting, ...]:
    """The rows of the table that such a server has."""
    return tuple(setting for setting in SETTINGS if setting.belongs_to(flavor, version))


def setting_up(handshake: str) -> Generator[str, Reply, tuple[Deviation, ...]]:
    """The statements that set up a session, one at a time; whoever has the connection sends the replies in.

    One statement sets everything. When the server refuses it, its halves are tried, down to single variables.

    Returns:
        What was refused and has another value than the wanted one.
    """
    if not (yield set_statement(_settable(handshake))).refusal:
        return ()
    # The greeting may be a proxy's.
    said = (yield "SELECT @@version, @@version_comment LIMIT 1").rows
    refused = yield from _set(_settable(" ".join(said[0]) if said else handshake))
    left = []
    for setting, refusal in refused.items():
        # LIMIT, for sql_select_limit may be what was refused.
        rows = (yield f"SELECT '{setting.name}', @@SESSION.{setting.name} LIMIT 1").rows
        left += [Deviation(setting, one.shown, refusal) for one in deviations([setting], dict(rows))]
    return tuple(left)


def _settable(greeting: str) -> list[SessionSetting]:
    return [setting for setting in settings_of(*server_of(greeting)) if setting.value is not None]


def _set(settings: Sequence[SessionSetting]) -> Generator[str, Reply, dict[SessionSetting, str]]:
    """Returns what was refused, with the server's words."""
    refusal = (yield set_statement(settings)).refusal
    if not refusal:
        return {}
    if len(settings) == 1:
        return {settings[0]: refusal}
    middle = len(settings) // 2
    first = yield from _set(settings[:middle])
    return first | (yield from _set(settings[middle:]))


def require_results(left: Iterable[Deviation], place: str) -> None:
    """Raises:
    SessionRefused: when one of what `setting_up` could not set would change what is read.
    """
    worst = [deviation for deviation in left if deviation.setting.changes_results]
    if worst:
        raise SessionRefused(
            f"the session keeps settings that change what is read: {'; '.join(map(str, worst))}",
            where=place,
            hint="Change them in the server's configuration or init_connect, or let the account set them.",
        )


def set_statement(settings: Sequence[SessionSetting]) -> str:
    """The statement that sets these variables, all of which have a value."""
    return "SET " + ", ".join(f"SESSION {setting.name} = {setting.value}" for setting in settings)


def inquiry(settings: Iterable[SessionSetting]) -> str:
    """The statement that asks for the session's values."""
    names = ", ".join(f"'{setting.name}'" for setting in settings)
    return f"SHOW SESSION VARIABLES WHERE Variable_name IN ({names})"


def deviations(settings: Iterable[SessionSetting], shown: Mapping[str, str]) -> tuple[Deviation, ...]:
    """Which of the settings have another value than the wanted one.

    Args:
        shown: the rows of SHOW SESSION VARIABLES; a variable that is not in there is one that the server does not have.
    """
    values = {name.lower(): value for name, value in shown.items()}
    return tuple(
        Deviation(setting, values[setting.name])
        for setting in settings
        if setting.name in values and not setting.accepts(values[setting.name])
    )


def _normal(shown: str) -> str:
    """ON is 1, OFF is 0, and 0.000000 is 0."""
    text = shown.strip().upper()
    text = {"ON": "1", "OFF": "0"}.get(text, text)
    return text.rstrip("0").rstrip(".") or "0" if "." in text and text.replace(".", "").isdigit() else text
