"""An application that goes on writing to the shop."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql

from tests.verify.conftest import Shop


def write_once(connection: pymysql.Connection[pymysql.cursors.Cursor], chance: random.Random) -> None:
    """One transaction: orders and items change, come and go, items move, customers and tags get other names."""
    with connection.cursor() as cursor:
        order = chance.randint(1, 220)
        item = chance.randint(1, 2100)
        statements = (
            f"UPDATE orders SET total = total + 1, comment = {chance.randint(1, 3)} WHERE id = {order}",
            f"UPDATE items SET quantity = {chance.randint(1, 9)} WHERE id = {item}",
            f"UPDATE customers SET name = 'name {chance.randint(1, 99)}' WHERE id = {chance.randint(1, 30)}",
            f"UPDATE items SET order_id = {chance.randint(1, 200)} WHERE id = {item}",
            f"DELETE FROM items WHERE id = {item}",
            f"INSERT IGNORE INTO items VALUES ({item}, {chance.randint(1, 200)}, 'new', 1, 1.00)",
            f"UPDATE tags SET name = 'tag {chance.randint(1, 9)}' WHERE id = 3",
            f"INSERT IGNORE INTO orders VALUES ({order}, {1000 + order}, NULL, 1.00, NULL, NULL)",
            f"DELETE FROM orders WHERE id = {chance.randint(201, 220)} AND NOT EXISTS"
            " (SELECT 1 FROM items WHERE order_id = orders.id)",
        )
        for statement in chance.sample(statements, chance.randint(1, 3)):
            cursor.execute(statement)
    connection.rollback() if chance.random() < 0.1 else connection.commit()


@contextmanager
def writing(shop: Shop, seed: int, pause: float = 0.02) -> Iterator[threading.Event]:
    """Writes until the block ends, or the event it gives is set; fails with what the server refused."""
    ended = threading.Event()
    faults: list[BaseException] = []

    def work() -> None:
        chance = random.Random(seed)
        try:
            with shop.connect() as connection:
                connection.autocommit(False)
                while not ended.is_set():
                    write_once(connection, chance)
                    time.sleep(pause)
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield ended
    finally:
        ended.set()
        thread.join()
    assert not faults, faults
