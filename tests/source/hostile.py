"""Values of session variables that a server may begin its sessions with, each as far as can be from what is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pymysql
from sqlalchemy.engine import make_url

from dev.servers.model import Server
from migrator.source import open_source
from migrator.source.connection.url import SourceUrl
from migrator.source.preflight import checks as preflight
from tests.oracle.load import connect

# Variable by variable of migrator.source.connection.session_settings, as SQL. The order is that of a SET statement.
VALUES = {
    "completion_type": "'RELEASE'",
    "autocommit": "0",
    "transaction_isolation": "'READ-UNCOMMITTED'",
    "tx_isolation": "'READ-UNCOMMITTED'",
    "transaction_read_only": "1",
    "tx_read_only": "1",
    "sql_mode": "'ANSI,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH'",
    "time_zone": "'+13:00'",
    "timestamp": "1000000000",
    "character_set_client": "latin1",
    "character_set_results": "latin1",
    "character_set_connection": "latin1",
    "character_set_collations": "'utf8mb4=utf8mb4_bin'",
    "collation_connection": "latin1_general_cs",
    "sql_select_limit": "2",
    "sql_auto_is_null": "1",
    "max_sort_length": "64",
    "use_secondary_engine": "FORCED",
    "system_versioning_asof": "'2020-01-01 00:00:00'",
    "show_gipk_in_create_table_and_information_schema": "OFF",
    "sql_quote_show_create": "0",
    "old_mode": "'ZERO_DATE_TIME_CAST'",
    "group_concat_max_len": "4",
    "div_precision_increment": "0",
    "default_week_format": "7",
    "lc_time_names": "'de_DE'",
    "block_encryption_mode": "'aes-256-cbc'",
    "default_regex_flags": "'EXTENDED'",
    "windowing_use_high_precision": "OFF",
    "max_recursive_iterations": "1",
    "cte_max_recursion_depth": "1",
    "max_join_size": "1",
    "sql_big_selects": "0",
    "sql_buffer_result": "1",
    "max_execution_time": "1",
    "max_statement_time": "0.0001",
    "lock_wait_timeout": "1",
    "innodb_lock_wait_timeout": "1",
    "net_write_timeout": "1",
    "net_read_timeout": "1",
    "wait_timeout": "1",
    "idle_transaction_timeout": "1",
    "idle_readonly_transaction_timeout": "1",
    "idle_write_transaction_timeout": "1",
    "max_session_mem_used": "400000",
    "tmp_disk_table_size": "1024",
    "max_tmp_session_space_usage": "65536",
    "range_optimizer_max_mem_size": "1",
    "in_predicate_conversion_threshold": "2",
    "optimizer_switch": "'hypergraph_optimizer=on'",
    "information_schema_stats_expiry": "86400",
    "parser_max_mem_size": "10000000",
    "lc_messages": "'de_DE'",
}

# Left as they are by migrator, for they change no result.
HARMLESS = {
    "big_tables": "1",
    "end_markers_in_json": "1",
    "eq_range_index_dive_limit": "1",
    "explain_format": "'TREE'",
    "foreign_key_checks": "0",
    "join_buffer_size": "128",
    "max_error_count": "0",
    "max_heap_table_size": "16384",
    "max_length_for_sort_data": "4",
    "max_seeks_for_key": "1",
    "optimizer_max_sel_args": "1",
    "optimizer_prune_level": "0",
    "optimizer_search_depth": "1",
    "query_cache_type": "0",
    "read_rnd_buffer_size": "1",
    "sort_buffer_size": "32768",
    "sql_notes": "0",
    "sql_safe_updates": "1",
    "tmp_table_size": "1024",
    "tmp_memory_table_size": "1024",
    "unique_checks": "0",
    "updatable_views_with_limit": "'NO'",
}

SESSION_ONLY = ("timestamp", "use_secondary_engine")  # have no global value

# As a global value, the first leaves the server's own sessions too little; the second can't be raised by an account.
NOT_GLOBAL = ("max_session_mem_used", "parser_max_mem_size")


@dataclass(frozen=True)
class HostileServer:
    """A private server whose sessions begin with bad values, for a while.

    Attributes:
        admin: a session that began before.
    """

    url: str
    admin: pymysql.Connection[Any]

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """The rows of the last one."""
        with self.admin.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def existing(self, values: Mapping[str, str]) -> dict[str, str]:
        """Those that this server has."""
        return {name: value for name, value in values.items() if self._has(name)}

    def _has(self, name: str) -> bool:
        if name == "optimizer_switch":
            return "hypergraph_optimizer" in self.sql("SELECT @@optimizer_switch")[0][0]
        with suppress(pymysql.err.OperationalError):
            return bool(self.sql(f"SELECT @@SESSION.{name} IS NOT NULL"))
        return False

    @contextmanager
    def globals(self, values: Mapping[str, str]) -> Iterator[None]:
        """New sessions of every account begin with these."""
        before = {name: self.sql(f"SELECT @@GLOBAL.{name}")[0][0] for name in values}
        try:
            for name in before:
                self.sql(f"SET GLOBAL {name} = {values[name]}")
            yield
        finally:
            with self.admin.cursor() as cursor:
                for name, value in before.items():
                    if value == "DEFAULT":  # a word, not a string
                        cursor.execute(f"SET GLOBAL {name} = DEFAULT")
                    else:
                        cursor.execute(f"SET GLOBAL {name} = %s", [value])

    @contextmanager
    def init_connect(self, statements: str) -> Iterator[None]:
        """New sessions of accounts without special privileges begin with these statements."""
        with self.admin.cursor() as cursor:
            cursor.execute("SET GLOBAL init_connect = %s", [statements])
            try:
                yield
            finally:
                cursor.execute("SET GLOBAL init_connect = ''")

    @contextmanager
    def account(self, database: str) -> Iterator[SourceUrl]:
        """A database, empty, for an account that was given what `doctor` prints and no more."""
        self.sql(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4", f"USE `{database}`")
        self.sql(f"CREATE USER '{database}'@'%' IDENTIFIED BY 'secret-word'")
        url = open_source(make_url(self.url).set(database=database).render_as_string(hide_password=False)).url
        least = replace(url, user=database, password="secret-word")
        try:
            for _ in range(2):  # the first time, all that it can say is how to get in
                for check in preflight.checks(least):
                    if "GRANT" in check.fix:
                        self.sql(*check.fix.splitlines())
            yield least
        finally:
            self.sql(f"DROP DATABASE `{database}`", f"DROP USER '{database}'@'%'")


def assignments(values: Mapping[str, str]) -> str:
    """One SET statement."""
    return "SET " + ", ".join(f"SESSION {name} = {value}" for name, value in values.items())


@contextmanager
def hostile(server: Server) -> Iterator[HostileServer]:
    """`server` with a session of its own."""
    with closing(connect(server.url)) as admin, admin.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = '', time_zone = '+00:00', wait_timeout = 28800")
        yield HostileServer(server.url, admin)
