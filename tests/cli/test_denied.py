"""Tables that the account may not read: the check says so, and suggests no other name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from tests.cli.conftest import Shop


@pytest.fixture
def limited(shop: Shop) -> Iterator[Shop]:
    """An account that may read one of the tables only."""
    url = make_url(shop.source)
    with connect_mysql(shop.source) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE USER 'limited'@'%' IDENTIFIED BY 'pw'")
        cursor.execute(f"GRANT SELECT ON `{url.database}`.customers TO 'limited'@'%'")
    own = url.set(username="limited", password="pw").render_as_string(hide_password=False)
    yield Shop(own, shop.target, shop.folder, shop.database)
    shop.sql("DROP USER 'limited'@'%'")


def test_it_is_not_called_a_mistyped_name(limited: Shop) -> None:
    result = limited.run("check")
    assert result.exit_code == 3
    assert "orders.yaml:2: the account may not read `orders`" in result.stderr
    assert "grant the account SELECT" in result.stderr
    assert "did you mean" not in result.stderr
    assert "command denied" in result.stderr
