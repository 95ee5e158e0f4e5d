"""The switch, with an application that goes on writing until it is kept out, and with one that slips through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pymysql
import pytest
from sqlalchemy.engine import make_url

from dev.servers.model import Server
from dev.servers.probe import connect_mysql
from tests.project import Running
from tests.verify.conftest import CUSTOMERS, ORDERS, TABLES, Shop
from tests.verify.test_races import started_sync
from tests.verify.writer import writing
from tests.waiting import until

pytestmark = pytest.mark.slow


class AsApplication(Shop):
    """The shop as the application's own account sees it, which read_only keeps out."""

    def connect(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        url = make_url(self.source)
        return pymysql.connect(
            host=url.host or "", port=url.port or 0, user="application", password="secret", database=url.database
        )


@pytest.fixture
def shop(mysql_server_factory: Callable[[], Server], mongodb_url: str, tmp_path: Path) -> Iterator[Shop]:
    """On a server of its own, which is made read-only."""
    server = mysql_server_factory().url
    with connect_mysql(server) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
        cursor.execute("CREATE USER application IDENTIFIED BY 'secret'")
        cursor.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO application")
    source = make_url(server).set(database="shop").render_as_string(hide_password=False)
    shop = Shop(tmp_path, source, mongodb_url)
    shop.mapping("orders", f"{ORDERS}ids: sequence\n")
    shop.mapping("customers", CUSTOMERS)
    shop.settings("chunk_rows: 40\nretry_seconds: 10\n")
    shop.sql(*TABLES)
    yield shop
    for running in shop.started:
        running.kill()


def application(shop: Shop) -> AsApplication:
    return AsApplication(shop.folder, shop.source, shop.target)


def started_cutover(shop: Shop, *arguments: str) -> Running:
    return shop.start("cutover", "--yes", "--workers", "1", "--wait", "60", *arguments)


def handed_over(shop: Shop) -> set[str]:
    return {each["_id"] for each in shop.mongo("_migrator_cutover").find()}


def test_a_writer_that_is_kept_out(shop: Shop) -> None:
    assert shop.apply_here().code == 0
    sync = started_sync(shop)
    with writing(application(shop), 1) as ended:
        rehearsed = shop.run("cutover", "--rehearse", "--workers", "1", seconds=120)
        assert rehearsed.code == 0, rehearsed
        assert "nothing was recorded" in rehearsed.out
        assert not handed_over(shop)
        cutover = started_cutover(shop)
        cutover.says("now make the source read-only", 120)
        ended.set()
        shop.sql("SET GLOBAL read_only = ON")
        done = cutover.end(120)
    assert done.code == 0, done
    assert handed_over(shop) == {"orders", "customers"}
    with pytest.raises(pymysql.err.MySQLError), application(shop).connect() as connection:
        connection.cursor().execute("UPDATE orders SET total = 1")
    # New ids start after the highest that MySQL ever gave out.
    with shop.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT MAX(id) FROM orders")
        ((highest,),) = cursor.fetchall()
    assert shop.mongo("sequences").find_one({"_id": "orders"})["last"] >= highest  # type: ignore[index]
    # From now on the documents are the application's.
    sync.says("is left alone: the application has it")
    assert shop.mongo("orders").find_one({"_id": 7}) is not None
    shop.sql("SET GLOBAL read_only = OFF")
    shop.sql("UPDATE orders SET total = 77 WHERE id = 7")
    total = shop.mongo("orders").find_one({"_id": 7})["total"]  # type: ignore[index]
    for arguments in (("apply", "--yes", "--replace", "orders"), ("verify", "--repair")):
        refused = shop.run(*arguments)
        assert refused.code == 4, refused
    assert shop.mongo("orders").find_one({"_id": 7})["total"] == total  # type: ignore[index]


def test_a_writer_that_slips_through(shop: Shop) -> None:
    assert shop.apply_here().code == 0
    started_sync(shop)
    cutover = started_cutover(shop)
    cutover.says("now make the source read-only", 120)
    shop.sql("SET GLOBAL read_only = ON")
    cutover.says("ok  catch-up", 60)
    # root may write all the same.
    shop.sql("UPDATE customers SET name = 'late' WHERE id = 3")
    done = cutover.end(120)
    assert done.code == 10, done
    assert "written after the fence" in done.err
    assert not handed_over(shop)
    assert shop.mongo("sequences").find_one() is None


def test_gates_that_do_not_hold(shop: Shop) -> None:
    assert shop.apply_here().code == 0
    ended = shop.run("cutover", "--yes", "--wait", "1")
    assert (ended.code, "no sync is running" in ended.err) == (10, True), ended
    started_sync(shop)
    ended = shop.run("cutover", "--yes", "--wait", "5")
    assert (ended.code, "still accepts writes" in ended.err) == (10, True), ended
    shop.change("orders", 9, lambda document: {**document, "number": 1})
    ended = shop.run("cutover", "--yes", "--wait", "5")
    assert (ended.code, "differs from its rows" in ended.err) == (11, True), ended
    assert not handed_over(shop)


def test_one_collection(shop: Shop) -> None:
    assert shop.apply_here().code == 0
    sync = started_sync(shop)
    done = shop.run("cutover", "--yes", "--fenced", "--collection", "orders", "--workers", "1", seconds=120)
    assert done.code == 0, done
    text = " ".join(done.out.split())
    assert "warning customers stays with MySQL and shows" in text
    assert handed_over(shop) == {"orders"}
    sync.says("orders is left alone")
    # The other one is kept in step.
    shop.sql("UPDATE customers SET name = 'still followed' WHERE id = 3")
    until(lambda: shop.mongo("customers").find_one({"_id": 3})["name"] == "still followed", "the change")  # type: ignore[index]
    assert shop.mongo("orders").count_documents({"customer.name": "still followed"}) == 0


def test_after_a_table_was_altered(shop: Shop) -> None:
    """The documents have the new types, and the gates compare with these."""
    assert shop.apply_here().code == 0
    started_sync(shop)
    shop.sql("ALTER TABLE items MODIFY quantity BIGINT", "UPDATE items SET quantity = 5000000000 WHERE id = 71")
    until(lambda: shop.mongo("orders").count_documents({"items.quantity": {"$type": "int"}}) == 0, "the new type")
    until(lambda: shop.mongo("orders").find_one({"items.quantity": 5_000_000_000}) is not None, "the new value")
    done = shop.run("cutover", "--yes", "--fenced", "--workers", "1", seconds=120)
    assert done.code == 0, done
    assert handed_over(shop) == {"orders", "customers"}
    assert shop.mongo("orders").count_documents({"items.quantity": {"$type": "long"}}) > 0
