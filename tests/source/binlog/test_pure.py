"""What needs no server: sets of GTIDs, the role of statements, events nobody knows."""

from __future__ import annotations

import random
import struct

import pytest

from migrator.errors import SyncBlocked
from migrator.model.change.coordinates import log_coordinates
from migrator.model.change.events import CaughtUp
from migrator.source.binlog.events.packets import IGNORABLE, Kind, Query
from migrator.source.binlog.positions.gtids import MariaDBGtids, MySQLGtids, has_reached
from migrator.source.binlog.statements import statement_kinds
from migrator.source.binlog.statements.statement_kinds import Role
from tests.source.binlog.scripted import reader

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
B = "4e11fa47-71ca-11e1-9e33-c80aa9429562"


def test_gtids_in_any_order_are_the_set() -> None:
    r = random.Random(1)
    for _ in range(200):
        numbers = r.sample(range(1, 40), r.randint(1, 39))
        grown = MySQLGtids(f"{B}:1-3")
        for number in numbers:
            grown.add(f"{A.upper()}:{number}")
            grown.add(f"{A}:blue:{number}")
        listed = f"{A}:{':'.join(map(str, numbers))}:blue:{':'.join(map(str, numbers))},\n{B}:1-2:3"
        assert grown.text == MySQLGtids(listed).text
        assert grown.has_tags
        assert grown.contains(MySQLGtids(f"{A}:{numbers[0]}"))
        assert not grown.contains(MySQLGtids(f"{A}:50"))
        assert grown.count_beyond(MySQLGtids(f"{B}:2")) == 2 * len(numbers) + 2
    assert MySQLGtids(f"{A}:1-3:5").text == f"{A}:1-3:5"


def test_mariadbs_last_of_each_domain() -> None:
    found = MariaDBGtids("1-5-10,0-1-7")
    found.add("0-2-8")
    assert found.text == "0-2-8,1-5-10"
    assert has_reached("0-2-8,1-5-10", "0-1-8")
    assert not has_reached("0-2-8", "0-1-7,1-1-1")


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("BEGIN", Role.BEGIN),
        ("COMMIT", Role.COMMIT),
        ("ROLLBACK /* added by mysqlbinlog */", Role.ROLLBACK),
        ("ROLLBACK TO `a`", Role.ROLLBACK_TO),
        ("SAVEPOINT `a`", Role.SAVEPOINT),
        ("/*!40000 INSERT */ INTO t VALUES (1)", Role.ROWS),
        ("# hello\n-- you\n/* a */ /* b */ (select f())", Role.CALL),
        ("WITH q AS (SELECT 1) UPDATE t SET a = 1", Role.ROWS),
        ("XA COMMIT X'61',X'',1", Role.XA_DECIDED),
        ("TRUNCATE t", Role.TRUNCATE),
        ("ALTER TABLE t ADD b INT", Role.OTHER),
    ],
)
def test_roles(text: str, role: Role) -> None:
    assert statement_kinds.role(statement_kinds.bare(text)) == role


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("INSERT INTO t VALUES (1)", ["t"]),
        ("INSERT INTO `t` SELECT * FROM d.`odd``name`", ["odd`name", "t"]),
        ("INSERT INTO tt VALUES (1)", []),
        ('DELETE FROM "quo""ted"', ['quo"ted']),
        ("UPDATE T SET a = 1", ["t"]),
    ],
)
def test_mentioned_tables(text: str, tables: list[str]) -> None:
    watched = [("d", "t"), ("d", "odd`name"), ("d", 'quo"ted')]
    assert sorted(name for _, name in statement_kinds.mentioned(Query("d", text), watched)) == tables


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("DROP TABLE `a`, d.t", True),
        ("DROP TABLE e.t", False),
        ("RENAME TABLE d.t TO d.old, d._t_gho TO d.t", True),
        ("ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u", True),
        ("ALTER TABLE u EXCHANGE PARTITION p WITH TABLE t", True),
        ("CREATE OR REPLACE TABLE t (id INT)", True),
        ("ALTER TABLE u RENAME TO t", True),
        ("ALTER TABLE t RENAME COLUMN a TO b", False),
        ("ALTER TABLE t ADD INDEX (a)", False),
    ],
)
def test_statements_that_exchange_rows(text: str, found: bool) -> None:
    assert (statement_kinds.exchanged(Query("d", text), [("d", "t")]) == [("d", "t")]) == found


@pytest.mark.parametrize(
    ("text", "removes", "keeps"),
    [
        ("DROP TRIGGER g", True, False),
        ("/* x */ drop/* y */trigger g", True, False),
        ("DROP TABLES a, b", True, False),
        ("DROP DATABASE d", True, False),
        ("ALTER TABLE t DROP FOREIGN KEY k", True, False),
        ("RENAME TABLE a TO b", True, False),
        ("CREATE /* x */ OR REPLACE VIEW v AS SELECT 1", True, False),
        ("CREATE TABLE t (id INT)", False, False),
        ("CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW DELETE FROM u", False, False),
        ("CREATE OR REPLACE TEMPORARY TABLE t (id INT)", False, True),
        ("CREATE TEMPORARY TABLE t (id INT)", False, True),
        ("DROP TEMPORARY TABLE IF EXISTS t", False, True),
        ("DROP USER u", False, True),
        ("GRANT SELECT ON *.* TO u", False, True),
        ("FLUSH TABLES", False, True),
        ("DROP INDEX i ON t", False, False),
    ],
)
def test_statements_that_remove_definitions(text: str, removes: bool, keeps: bool) -> None:
    assert (statement_kinds.removes_definitions(text), statement_kinds.keeps_definitions(text)) == (removes, keeps)


def test_files_sort_by_their_number() -> None:
    assert log_coordinates("binlog.999999", 9) < log_coordinates("binlog.1000000", 4)


def event(kind: int, flags: int) -> bytes:
    return struct.pack("<IBIIIH", 1, kind, 1, 23, 500, flags) + bytes(4)


def test_an_event_that_nobody_knows_stops() -> None:
    """Edge case 34."""
    with pytest.raises(SyncBlocked, match="unknown type 99") as caught:
        next(reader(event(99, 0)).events())
    assert "migrator apply" in caught.value.hint


def test_an_event_that_may_be_ignored_is() -> None:
    assert isinstance(next(reader(event(99, IGNORABLE), event(Kind.HEARTBEAT, 0)).events()), CaughtUp)


@pytest.mark.parametrize("kind", [Kind.INCIDENT, Kind.PARTIAL_UPDATE_ROWS])
def test_events_that_hide_rows_stop(kind: Kind) -> None:
    with pytest.raises(SyncBlocked):
        next(reader(event(kind, 0)).events())
