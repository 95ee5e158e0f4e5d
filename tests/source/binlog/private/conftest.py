"""A server of its own for tests that change global settings, purge or reset the log: other tests would notice.

Fixtures as elsewhere, `source` and `execute` among them, are of this server. Where a server is given by its URL, this
one may be another product; the tests that mind say so.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dev.servers import discover
from dev.servers.model import Server
from dev.servers.probe import identify_mysql
from dev.servers.session import Session


@pytest.fixture(scope="package")
def private_server(servers: Session) -> Iterator[Server]:
    server = discover.private_mysql(servers.say)
    yield server
    server.stop()


@pytest.fixture(scope="package")
def mysql_server(private_server: Server) -> str:
    return private_server.url


@pytest.fixture(scope="package")
def mysql_product(mysql_server: str) -> str:
    return identify_mysql(mysql_server).product


@pytest.fixture
def mariadb(mysql_product: str) -> None:
    if mysql_product != "MariaDB":
        pytest.skip("the private server is MySQL, which can't do this")


@pytest.fixture
def mysql(mysql_product: str) -> None:
    if mysql_product != "MySQL":
        pytest.skip("the private server is MariaDB, which can't do this")
