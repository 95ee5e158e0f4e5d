"""Changes made in MySQL, watched as they arrive in the documents while `migrator sync` runs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pymongo
import pymysql
from rich.console import Console
from rich.text import Text
from sqlalchemy.engine import make_url

from migrator import api

ROOT = Path(__file__).parents[1]
PATIENCE = 30.0

Document = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A statement, and what it makes of the order's document. `{order}` and `{customer}` are their ids."""

    story: str
    sql: str
    shows: Callable[[Document | None], str]
    arrived: Callable[[Document | None], bool]


def _customer(document: Document | None) -> str:
    return f"customer.name: {(document or {}).get('customer', {}).get('name')!r}"


def _items(document: Document | None) -> str:
    return f"items: {len((document or {}).get('items', []))}"


CHANGES = (
    Change(
        "A customer gets another name. Every order that embeds it changes:",
        "UPDATE customers SET name = 'Ada Lovelace' WHERE id = {customer}",
        _customer,
        lambda document: document is not None and document["customer"]["name"] == "Ada Lovelace",
    ),
    Change(
        "An item leaves the order, and the array closes up:",
        "DELETE FROM order_items WHERE order_id = {order} ORDER BY line_no LIMIT 1",
        _items,
        lambda document: document is not None and len(document["items"]) == 1,
    ),
    Change(
        "The order itself is deleted. Its other rows go by ON DELETE CASCADE, which many servers don't log:",
        "DELETE FROM orders WHERE id = {order}",
        lambda document: "the document is gone" if document is None else "the document is there",
        lambda document: document is None,
    ),
)


def show_live_changes(source: str, target: str, order: int, console: Console, ends: tuple[str, ...]) -> None:
    """Starts a sync, changes an order's rows one after the other, and shows what its document becomes."""
    url = make_url(source)
    with (
        _running(ends),
        pymongo.MongoClient[Document](target) as client,
        pymysql.connect(
            host=url.host,
            port=url.port or 3306,
            user=url.username,
            password=url.password or "",
            database=url.database,
            autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        _wait_for_sync(target)
        orders = client.get_default_database()["orders"]
        cursor.execute("SELECT customer_id FROM orders WHERE id = %s", [order])
        (customer,) = cursor.fetchone() or (None,)
        for change in CHANGES:
            console.print(change.story)
            before = change.shows(orders.find_one({"_id": order}))
            sql = change.sql.format(order=order, customer=customer)
            console.print(Text(f"mysql> {sql};", style="bold green"), soft_wrap=True)
            began = time.monotonic()
            cursor.execute(sql)
            while not change.arrived(document := orders.find_one({"_id": order})):
                if time.monotonic() - began > PATIENCE:
                    raise click.ClickException("the change did not arrive in the document")
                time.sleep(0.01)
            seconds = time.monotonic() - began
            console.print(f"  {before} -> {change.shows(document)}   after {seconds:.2f} s", highlight=False)


def _wait_for_sync(target: str) -> None:
    """Until the sync says of itself that it follows the log."""
    began = time.monotonic()
    while (report := api.status(target).sync) is None or report.state != "following":
        if time.monotonic() - began > PATIENCE:
            raise click.ClickException("the sync did not come to follow the log")
        time.sleep(0.1)


@contextmanager
def _running(ends: tuple[str, ...]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "migrator", "sync", *ends], cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
