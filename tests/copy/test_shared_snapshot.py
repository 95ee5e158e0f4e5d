"""Into files: everything is of one moment, whoever writes to the source meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy.engine import make_url

from tests.project import Project

pytestmark = pytest.mark.slow
TRANSFER = (
    "START TRANSACTION",
    "UPDATE accounts SET balance = balance - 1 WHERE id = 1",
    "UPDATE accounts SET balance = balance + 1 WHERE id = 600",
    "UPDATE vault SET balance = balance - 1 WHERE id = 1",
    "UPDATE accounts SET balance = balance + 1 WHERE id = 2",
    "COMMIT",
)


@contextmanager
def moving_money(project: Project) -> Iterator[list[int]]:
    """Moves money between rows and tables all the time; counts the transfers."""
    stop, transfers = threading.Event(), [0]

    def work() -> None:
        with project.connect() as connection, connection.cursor() as cursor:
            while not stop.is_set():
                for statement in TRANSFER:
                    cursor.execute(statement)
                transfers[0] += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield transfers
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def vaulted(project: Project) -> Project:
    project.mapping("vault", "collection: vault\nfrom: vault\n")
    project.sql("CREATE TABLE vault (id INT PRIMARY KEY, balance INT NOT NULL)", "INSERT INTO vault VALUES (1, 100000)")
    return project.into(f"file:{project.folder / 'dump'}")


def total(project: Project) -> int:
    documents = [*project.documents().values(), *project.documents("vault").values()]
    return sum(int(str(each["balance"])) for each in documents)


def test_the_sums_agree(vaulted: Project) -> None:
    with moving_money(vaulted) as transfers:
        running = vaulted.start_copying()
        before = transfers[0]
        ended = running.end()
        assert ended.code == 0, ended
        assert transfers[0] > before, "nothing was written while it copied"
    assert total(vaulted) == 160000


def test_an_account_that_may_not_lock(vaulted: Project) -> None:
    url = make_url(vaulted.source)
    name = f"u{url.database}"
    vaulted.sql(
        f"CREATE USER {name}@'%' IDENTIFIED BY 'pw'", f"GRANT SELECT, SHOW VIEW ON {url.database}.* TO {name}@'%'"
    )
    poor = replace(vaulted, source=url.set(username=name, password="pw").render_as_string(hide_password=False))
    try:
        with moving_money(vaulted):
            ended = poor.apply()
        assert ended.code == 0, ended
        assert "one reader only" in ended.err
        assert total(poor) == 160000
    finally:
        vaulted.sql(f"DROP USER {name}@'%'")
