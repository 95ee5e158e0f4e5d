"""Premise D: documents depend on rows only, whatever way the rows took (edge cases 12, 20, 26, 48, 51, 53)."""

from __future__ import annotations

import pytest

from migrator.changes import document_refs
from migrator.errors import SyncBlocked
from migrator.model.change.events import RowChange
from migrator.sync import rebuild
from migrator.sync.log_queue import LogQueue, QueuedEvent
from tests.sync.premises.world import World

pytestmark = pytest.mark.slow

FAMILY = (
    "CREATE TABLE parents (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE children (id INT PRIMARY KEY, parent_id INT, name VARCHAR(20))",
    "INSERT INTO parents VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    "INSERT INTO children VALUES (10, 1, 'x')",
)
PARENTS = """
collection: parents
from: parents
embed:
  children: {from: children, many: true, on: {id: parent_id}}
"""


def family(world: World) -> World:
    world.sql(*FAMILY)
    world.mapping(PARENTS)
    world.apply()
    return world


def moves(world: World) -> World:
    """From 1 over 2 to 3, when the target saw it in 2 (edge case 48)."""
    family(world)
    world.sql("UPDATE children SET parent_id = 2 WHERE id = 10")
    world.sync()
    world.sql("UPDATE children SET parent_id = 1 WHERE id = 10", "UPDATE children SET parent_id = 3 WHERE id = 10")
    return world


def test_a_child_that_moves_twice_in_one_batch(world: World) -> None:
    moves(world).sync()
    assert world.disagreements() == []


def test_a_mutant_that_collapses_row_images_leaves_old_documents(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    follow = document_refs._changed_values

    def last_only(way: document_refs._WatchedUse, change: RowChange) -> object:
        return list(follow(way, RowChange(None, change.after or change.before)))

    monkeypatch.setattr(document_refs, "_changed_values", last_only)
    moves(world).sync()
    assert world.disagreements() != []


def test_a_key_that_changes_its_case_only(world: World) -> None:
    world.sql(
        "CREATE TABLE codes (code VARCHAR(9) COLLATE utf8mb4_general_ci PRIMARY KEY, n INT)",
        "INSERT INTO codes VALUES ('abc', 1), ('def', 2)",
    )
    world.mapping("collection: codes\nfrom: codes\n")
    world.apply()
    world.sql("UPDATE codes SET code = 'ABC' WHERE code = 'abc'")
    world.sync()
    assert set(world.found("codes")) == {"ABC", "def"}
    assert world.disagreements() == []


def seats(world: World) -> World:
    world.sql(
        "CREATE TABLE seats (id INT PRIMARY KEY, guest VARCHAR(9) NOT NULL, UNIQUE (guest))",
        "INSERT INTO seats VALUES (1, 'ann'), (2, 'bob'), (3, 'cid')",
    )
    world.mapping("collection: seats\nfrom: seats\nindexes:\n  - {keys: {guest: 1}, unique: true}\n")
    world.apply()
    return world


def swapped(world: World) -> World:
    seats(world).sql(
        "START TRANSACTION",
        "UPDATE seats SET guest = '-' WHERE id = 1",
        "UPDATE seats SET guest = 'ann' WHERE id = 2",
        "UPDATE seats SET guest = 'bob' WHERE id = 1",
        "COMMIT",
    )
    return world


def test_two_unique_values_swapped_in_one_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    take = LogQueue.take

    def patiently(self: LogQueue, seconds: float) -> QueuedEvent | None:
        """The whole transaction in one batch: the stand-in keeps values taken that a replaced document gave up."""
        return take(self, max(seconds, 0.4))

    monkeypatch.setattr(LogQueue, "take", patiently)
    swapped(world).sync()
    assert world.disagreements() == []


@pytest.mark.needs_mongodb("unique values that a replaced document gives up at once")
def test_unique_values_handed_round_over_many_transactions(world: World) -> None:
    swapped(world)
    for number in range(20):
        one, other = number % 3 + 1, (number + 1) % 3 + 1
        world.sql(
            "START TRANSACTION",
            f"SELECT guest FROM seats WHERE id = {one} INTO @one",
            f"SELECT guest FROM seats WHERE id = {other} INTO @other",
            f"UPDATE seats SET guest = '-' WHERE id = {one}",
            f"UPDATE seats SET guest = @one WHERE id = {other}",
            f"UPDATE seats SET guest = @other WHERE id = {one}",
            "COMMIT",
        )
        if number % 7 == 3:
            world.sync()
    world.sync()
    assert world.disagreements() == []


def test_a_unique_value_freed_by_a_deleted_row(world: World) -> None:
    seats(world).sql("DELETE FROM seats WHERE id = 1", "INSERT INTO seats VALUES (9, 'ann')")
    world.sync()
    assert world.disagreements() == []


def test_a_primary_key_that_changes(world: World) -> None:
    family(world).sql("UPDATE parents SET id = 7 WHERE id = 1", "UPDATE children SET parent_id = 7")
    world.sync()
    assert set(world.found("parents")) == {2, 3, 7}
    assert world.disagreements() == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE children ADD COLUMN note VARCHAR(9) DEFAULT 'n' FIRST",
        "ALTER TABLE children ADD INDEX by_name (name)",
        "ALTER TABLE children MODIFY name VARCHAR(40)",
        "ALTER TABLE parents ADD COLUMN extra INT NOT NULL DEFAULT 5 AFTER id",
    ],
)
def test_tables_altered_between_an_event_and_its_rebuild(world: World, statement: str) -> None:
    family(world).sql(
        "UPDATE children SET name = 'before'", statement, "UPDATE children SET name = 'after', parent_id = 2"
    )
    world.sync()
    assert world.found("parents")[2]["children"] == [{"id": 10, "parent_id": 2, "name": "after"}]


def test_values_that_a_statement_changed_without_an_event(world: World) -> None:
    world.sql("CREATE TABLE t (id INT PRIMARY KEY, a INT NULL)", "INSERT INTO t VALUES (1, NULL), (2, 5)")
    world.mapping("collection: t\nfrom: t\n")
    world.apply()
    world.sql("SET SESSION sql_mode = ''", "ALTER TABLE t MODIFY a INT NOT NULL")
    world.sql("SET SESSION sql_mode = ''", "UPDATE t SET a = 0 WHERE a IS NULL")
    world.sync()
    assert world.disagreements() == []


def test_tables_swapped_by_an_online_schema_change(world: World) -> None:
    """As gh-ost and pt-online-schema-change do it: the rows of the new table were never events of this one."""
    family(world).sql(
        "CREATE TABLE _children_new LIKE children",
        "INSERT INTO _children_new VALUES (10, 1, 'x'), (11, 2, 'y')",
        "RENAME TABLE children TO _children_old, _children_new TO children",
    )
    world.sync()
    assert [each["name"] for each in world.found("parents")[2]["children"]] == ["y"]
    assert world.disagreements() == []


@pytest.mark.parametrize("table", ["parents", "children"])
def test_an_emptied_table(world: World, table: str) -> None:
    family(world).sql(f"TRUNCATE TABLE {table}")
    world.sync()
    assert world.disagreements() == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE children DROP COLUMN name",
        "ALTER TABLE children MODIFY parent_id VARCHAR(20)",
        "DROP TABLE children",
    ],
)
def test_what_breaks_the_mapping_stops(world: World, statement: str) -> None:
    family(world).sql("UPDATE children SET name = '5'", statement)
    with pytest.raises(SyncBlocked, match="children") as stopped:
        world.sync()
    assert stopped.value.where
    assert "apply" in stopped.value.hint


def test_a_mutant_that_trusts_the_sources_comparison_keeps_the_old_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes of the key decide (Identity in docs/invariants.md); here another key is taken for a deleted one."""
    put = rebuild.Rebuilder._put

    async def nothing_gone(self: rebuild.Rebuilder, snapshot: object, batch: object, gone: object) -> object:
        return await put(self, snapshot, batch, ())  # type: ignore[arg-type]

    monkeypatch.setattr(rebuild.Rebuilder, "_put", nothing_gone)
    world.sql(
        "CREATE TABLE codes (code VARCHAR(9) COLLATE utf8mb4_general_ci PRIMARY KEY, n INT)",
        "INSERT INTO codes VALUES ('abc', 1)",
    )
    world.mapping("collection: codes\nfrom: codes\n")
    world.apply()
    world.sql("UPDATE codes SET code = 'ABC'")
    world.sync()
    assert set(world.found("codes")) == {"abc", "ABC"}


def test_an_emptied_table_whose_ids_do_not_tell_its_keys(world: World) -> None:
    """A UUID that was written in another way than it is printed: what came after TRUNCATE stays."""
    world.sql(
        "CREATE TABLE things (id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, n INT)",
        "INSERT INTO things VALUES ('00000000-0000-0000-0000-0000000000aB', 1)",
    )
    world.mapping("collection: things\nfrom: things\nfields:\n  id: {column: id, type: uuid}\n")
    world.apply()
    world.sql("TRUNCATE TABLE things", "INSERT INTO things VALUES ('00000000-0000-0000-0000-0000000000Cd', 2)")
    world.sync()
    assert [each["n"] for each in world.found("things").values()] == [2]
