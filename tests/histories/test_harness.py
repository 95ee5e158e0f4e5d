"""The histories themselves: replayable, free of slips, and judged by a judge that does find differences."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tests.histories import campaign, toy
from tests.histories.history import History, Spec
from tests.histories.judge import judge
from tests.histories.pen import Cells, Pen
from tests.histories.shape import Table, read_shape
from tests.histories.transactions import Mix, transaction
from tests.histories.worlds import NASTY, WORLDS
from tests.oracle.documents import Oracle
from tests.oracle.load import connect, run_script
from tests.sync import running


class Empty:
    """A database without rows."""

    def count(self, table: str) -> int:
        return 0

    def row(self, table: Table, columns: Sequence[str], number: int) -> Cells | None:
        raise AssertionError("there is no row")


@pytest.mark.slow
@pytest.mark.parametrize("world", sorted(WORLDS))
def test_copy_after_a_history_equals_the_oracle(mysql_url: str, mongodb_url: str, world: str) -> None:
    """So the mapping, the oracle and the copy agree: what differs after a sync, sync did."""
    history = History(Spec(7, world, writers=2, transactions=60), mysql_url)
    history.write()
    history.close()
    # With the columns that were added since, which this copy sees.
    history.oracle = Oracle(mysql_url, history.world.mappings)
    run = running.apply(mysql_url, mongodb_url, history.world.mappings, history.collections)
    assert judge(history, mongodb_url, [run]) > 20


@pytest.mark.slow
def test_one_writer_is_replayed_exactly(mysql_url: str) -> None:
    database = mysql_url.rpartition("/")[2]
    logs = []
    for _ in range(2):
        with connect(mysql_url) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE `{database}`")
            cursor.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        history = History(Spec(11, "nasty", transactions=80), mysql_url)
        history.write()
        history.close()
        logs.append(list(map(str, history.log.done)))
    assert logs[0] == logs[1]
    assert len(logs[0]) > 300


@pytest.mark.slow
def test_a_wrong_sync_is_found(mysql_url: str, mongodb_url: str) -> None:
    with pytest.raises(AssertionError, match="documents differ") as found:
        campaign.play(Spec(3, "nasty", rounds=1), mysql_url, mongodb_url, campaign.Tally(), toy.roots_only)
    assert "python -m tests.histories.replay 3 --world nasty" in str(found.value)
    assert "UPDATE" in str(found.value)


def test_a_right_sync_passes(mysql_url: str, mongodb_url: str) -> None:
    tally = campaign.Tally()
    campaign.play(Spec(3, "nasty", writers=2, rounds=1), mysql_url, mongodb_url, tally, toy.everything)
    assert tally.histories == 1
    assert tally.documents > 50


@pytest.mark.slow
def test_rejected_documents_are_judged(mysql_url: str, mongodb_url: str) -> None:
    history = History(Spec(6, "shop", rounds=1, transactions=1), mysql_url)
    history.close()
    run = running.apply(mysql_url, mongodb_url, history.world.mappings, history.collections)
    judge(history, mongodb_url, [run])
    run_script(mysql_url, "UPDATE customers SET preferences = 'not json', deleted_at = NULL ORDER BY id LIMIT 1")
    toy.everything(history, mongodb_url)
    with pytest.raises(AssertionError, match=r"customers: not rejected"):
        judge(history, mongodb_url, [run])


def test_nothing_to_work_on_is_no_mistake(mysql_url: str) -> None:
    run_script(mysql_url, NASTY.schema)
    shape = read_shape(mysql_url, Oracle(mysql_url, NASTY.mappings))
    for seed in range(200):
        for statement in transaction(Pen(random.Random(seed), shape, NASTY.hints, Empty()), Mix()):
            assert " WHERE " not in statement


def test_parents_come_first(mysql_url: str) -> None:
    run_script(mysql_url, NASTY.schema)
    shape = read_shape(mysql_url, Oracle(mysql_url, NASTY.mappings))
    names = list(shape.tables)
    for link in shape.links:
        assert not link.guarded or names.index(link.parent) <= names.index(link.table)
    unguarded = {(link.table, link.parent) for link in shape.links if not link.guarded}
    assert unguarded >= {
        ("stocks", "products"),
        ("aliases", "customers"),
        ("remarks", "boards"),
        ("journals", "boards"),
    }
