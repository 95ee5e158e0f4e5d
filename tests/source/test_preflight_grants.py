from __future__ import annotations

import pytest

from migrator.model.change.position import ServerIdentity
from migrator.source.preflight.grants import (
    files_need,
    grant_global,
    grant_reading,
    parse_grants,
    quoted_account,
    sync_need,
)

MYSQL = ServerIdentity("mysql", "8.4.0", "uuid", 1)
MARIADB = ServerIdentity("mariadb", "10.11.1", "uuid", 1)


@pytest.mark.parametrize(
    ("line", "database", "reads"),
    [
        ("GRANT SELECT ON `shop`.* TO `u`@`%`", "shop", True),
        ("GRANT SELECT ON `shop`.* TO `u`@`%`", "shop2", False),
        ("GRANT INSERT, SELECT, UPDATE ON `shop`.* TO `u`@`%` WITH GRANT OPTION", "shop", True),
        ("GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`", "shop", True),
        ("GRANT ALL PRIVILEGES ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*ABC'", "shop", True),
        ("GRANT SELECT ON *.* TO `u`@`%` REQUIRE SSL", "shop", True),
        ("GRANT USAGE ON *.* TO `u`@`%`", "shop", False),
        ("GRANT SELECT ON `my\\_shop`.* TO `u`@`%`", "my_shop", True),
        ("GRANT SELECT ON `my\\_shop`.* TO `u`@`%`", "myxshop", False),
        ("GRANT SELECT ON `my_shop`.* TO `u`@`%`", "myxshop", True),
        ("GRANT SELECT ON `sh%`.* TO `u`@`%`", "shop", True),
        ("GRANT SELECT ON `a ``b`` ON c`.* TO `u`@`%`", "a `b` ON c", True),
        ("GRANT SELECT (`id`, `name`), INSERT ON `shop`.* TO `u`@`%`", "shop", False),
        ("GRANT SELECT ON `shop`.`orders` TO `u`@`%`", "shop", False),
        ("GRANT SHOW VIEW ON `shop`.* TO `u`@`%`", "shop", False),
        ("GRANT EXECUTE ON FUNCTION `shop`.`f` TO `u`@`%`", "shop", False),
        ("GRANT PROXY ON ``@`%` TO `u`@`%` WITH GRANT OPTION", "shop", False),
    ],
)
def test_which_grants_let_a_database_be_read(line: str, database: str, reads: bool) -> None:
    assert parse_grants([line]).may_read(database) is reads


def test_a_partial_revoke_takes_a_database_out() -> None:
    grants = parse_grants(["GRANT SELECT ON *.* TO `u`@`%`", "REVOKE SELECT ON `mysql`.* FROM `u`@`%`"], literal=True)
    assert grants.may_read("shop")
    assert not grants.may_read("mysql")


def test_single_tables_are_told() -> None:
    grants = parse_grants(["GRANT SELECT ON `shop`.`orders` TO `u`@`%`", "GRANT INSERT ON `shop`.`log` TO `u`@`%`"])
    assert grants.readable_tables("shop") == ("orders",)


def test_roles_are_told() -> None:
    lines = ["GRANT `reader`@`%`,`other`@`%` TO `u`@`%`", "GRANT `maria` TO `u`@`%`"]
    assert parse_grants(lines).roles == ("`reader`@`%`", "`other`@`%`", "`maria`")


@pytest.mark.parametrize(
    ("server", "line", "missing"),
    [
        (MYSQL, "GRANT USAGE ON *.* TO `u`@`%`", ("REPLICATION CLIENT", "REPLICATION SLAVE", "XA_RECOVER_ADMIN")),
        (MYSQL, "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `u`@`%`", ("XA_RECOVER_ADMIN",)),
        (MYSQL, "GRANT REPLICATION SLAVE, REPLICATION CLIENT,XA_RECOVER_ADMIN ON *.* TO `u`@`%`", ()),
        (MARIADB, "GRANT USAGE ON *.* TO `u`@`%`", ("BINLOG MONITOR", "REPLICATION SLAVE")),
        (MARIADB, "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `u`@`%`", ()),
        (MARIADB, "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION", ()),
        (MARIADB, "GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`", ("BINLOG MONITOR", "REPLICATION SLAVE")),
    ],
)
def test_what_sync_lacks(server: ServerIdentity, line: str, missing: tuple[str, ...]) -> None:
    assert sync_need(server).missing(parse_grants([line])) == missing


def test_files_take_either_privilege_and_ask_for_the_smaller() -> None:
    assert files_need(MYSQL).missing(parse_grants([])) == ("FLUSH_TABLES",)
    assert files_need(MYSQL).missing(parse_grants(["GRANT RELOAD ON *.* TO `u`@`%`"])) == ()
    assert files_need(MARIADB).missing(parse_grants([])) == ("RELOAD",)


def test_statements_to_run() -> None:
    account = quoted_account("o'neil@10.0.%")
    assert account == "'o''neil'@'10.0.%'"
    assert grant_reading(["my_shop", "a`b"], account) == (
        "GRANT SELECT ON `my\\_shop`.* TO 'o''neil'@'10.0.%';\nGRANT SELECT ON `a``b`.* TO 'o''neil'@'10.0.%';"
    )
    assert grant_reading(["my_shop"], "u", literal=True) == "GRANT SELECT ON `my_shop`.* TO u;"
    assert grant_global(["RELOAD", "SUPER"], "u") == "GRANT RELOAD, SUPER ON *.* TO u;"


@pytest.mark.parametrize(
    ("lines", "tables"),
    [
        (["GRANT SELECT (`id`, `na,m)e`), INSERT ON `shop`.`orders` TO `u`@`%`"], ("orders",)),
        (["GRANT INSERT (`id`) ON `shop`.`orders` TO `u`@`%`"], ()),
        (["GRANT SELECT, SELECT (`id`) ON `shop`.`orders` TO `u`@`%`"], ()),
        (["GRANT SELECT (`id`) ON `shop`.`orders` TO `u`@`%`", "GRANT SELECT ON `shop`.* TO `u`@`%`"], ()),
        (["GRANT SELECT (`id`) ON `other`.`orders` TO `u`@`%`"], ()),
    ],
)
def test_tables_of_which_some_columns_may_be_read(lines: list[str], tables: tuple[str, ...]) -> None:
    assert parse_grants(lines).partly_readable_tables("shop") == tables
