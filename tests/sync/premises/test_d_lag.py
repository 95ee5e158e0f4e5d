"""Premise D with lag: a sync reads events of rows as they were, and the tables have changed since."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from migrator.errors import LogLost, SourceUnavailable
from migrator.sync.follower import Follower
from migrator.sync.known_tables import KnownDefinitions
from migrator.sync.log_queue import LogQueue, QueuedEvent
from migrator.sync.schema_watch import SchemaWatch
from tests.sync.premises.world import World

pytestmark = pytest.mark.slow

FAMILY = (
    "CREATE TABLE parents (id INT PRIMARY KEY, name VARCHAR(20))",
    "CREATE TABLE children (id INT PRIMARY KEY, parent_id INT UNSIGNED, kind ENUM('a', 'b') NOT NULL, n INT NOT NULL)",
    "CREATE TABLE kinds (kind ENUM('a', 'b') PRIMARY KEY, word VARCHAR(9))",
    "INSERT INTO parents VALUES (1, 'x'), (2, 'y'), (3, 'z')",
    "INSERT INTO children VALUES (10, 1, 'a', 1), (11, 1, 'b', 2), (12, 2, 'a', 3)",
    "INSERT INTO kinds VALUES ('a', 'first'), ('b', 'second')",
)
PARENTS = """
collection: parents
from: parents
columns: [name]
validator: true
embed:
  children:
    from: children
    many: true
    on: {id: parent_id}
    columns: [id, kind, n]
    embed:
      kind_of: {from: kinds, on: {kind: kind}, columns: [word]}
"""


@pytest.fixture(params=["FULL", "less"])
def metadata(request: pytest.FixtureRequest, world: World, mysql_product: str) -> Iterator[str]:
    """How much the log says of columns: their names, or not even those."""
    less = "MINIMAL" if mysql_product == "MySQL" else "NO_LOG"
    value = "FULL" if request.param == "FULL" else less
    world.sql(f"SET GLOBAL binlog_row_metadata = '{value}'")
    yield value
    world.sql("SET GLOBAL binlog_row_metadata = 'FULL'")


@pytest.fixture
def family(world: World, metadata: str) -> World:
    world.sql(*FAMILY)
    world.mapping(PARENTS)
    world.apply()
    world.sync()
    return world


ALTERS = {
    "a column in front": "ALTER TABLE children ADD COLUMN first_one VARCHAR(9) DEFAULT 'f' FIRST",
    "a column of no mapping": "ALTER TABLE parents ADD COLUMN later INT NULL AFTER id, ADD COLUMN last_one INT",
    "a column in another place": "ALTER TABLE children MODIFY n INT NOT NULL FIRST",
    "the join's type": "ALTER TABLE children MODIFY parent_id BIGINT",
    "the key's type": "ALTER TABLE children MODIFY id BIGINT UNSIGNED",
    "the root's key": "ALTER TABLE parents MODIFY id BIGINT",
    "a value's type": "ALTER TABLE children MODIFY n BIGINT NULL",
    "members": "ALTER TABLE children MODIFY kind ENUM('a', 'b', 'c') NOT NULL",
    "another table": "RENAME TABLE children TO gone, next_children TO children",
}


@pytest.mark.parametrize("name", ALTERS)
def test_events_from_before_a_statement(family: World, name: str) -> None:
    """All of it is logged, and done, before the sync reads the first of it."""
    family.sql(
        "UPDATE children SET parent_id = 3 WHERE id = 11",
        "INSERT INTO children VALUES (13, 2, 'b', 5)",
        "DELETE FROM children WHERE id = 12",
        "UPDATE parents SET name = 'w' WHERE id = 1",
        "CREATE TABLE next_children (n BIGINT, id BIGINT PRIMARY KEY, kind ENUM('a', 'b') NOT NULL, parent_id INT)",
        "INSERT INTO next_children SELECT n, id, kind, parent_id FROM children",
        ALTERS[name],
        "UPDATE children SET parent_id = 2 WHERE id = 11",
        "INSERT INTO children (id, parent_id, kind, n) VALUES (14, 3, 'a', 7)",
        "DELETE FROM children WHERE id = 13",
        "INSERT INTO parents (id, name) VALUES (4, 'v')",
    )
    family.sync()
    assert differences(family) == []
    family.sql("UPDATE children SET parent_id = 4 WHERE id = 14", "UPDATE parents SET name = 'u' WHERE id = 2")
    family.sync()
    assert differences(family) == []


def differences(world: World) -> list[str]:
    """Fields keep the order that their columns had when the mapping was applied."""
    return [line for line in world.disagreements() if "fields in the order" not in line]


def test_without_what_was_known_of_the_tables_the_events_are_lost(
    family: World, metadata: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule taken out: what the log doesn't name is told by the table's columns as they were."""
    if metadata == "FULL":
        pytest.skip("the log names the columns")

    def as_now(self: KnownDefinitions, positions: object) -> None:
        self.schema = self.now.schema
        self._ends = dict.fromkeys(self.schema.by_name, self.now.end)
        self._unkept, self._kept = set(), {}

    family.sql("UPDATE children SET parent_id = 3 WHERE id = 11", ALTERS["a column in front"])
    monkeypatch.setattr(KnownDefinitions, "rewind", as_now)
    with pytest.raises(LogLost, match="4 columns, the table 5"):
        family.sync()


VALUES = {
    "a number": ("ALTER TABLE children MODIFY n BIGINT NOT NULL", "3000000000"),
    "NULL": ("ALTER TABLE children MODIFY n INT NULL", "NULL"),
    "text": ("ALTER TABLE children MODIFY n VARCHAR(20) NOT NULL", "'many'"),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_that_the_column_could_not_have_before(
    family: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document is built again for an event from before the statement, and has values from after it."""
    statement, value = VALUES[name]
    renewed = SchemaWatch.renew
    times = iter(range(10))

    def not_at_first(self: SchemaWatch, *arguments: object) -> None:
        """As if the statement came right after the tables were looked at."""
        if next(times):
            renewed(self, *arguments)  # type: ignore[arg-type]

    family.sql(
        "UPDATE parents SET name = 'w' WHERE id = 1", statement, f"UPDATE children SET n = {value} WHERE parent_id = 1"
    )
    monkeypatch.setattr(SchemaWatch, "renew", not_at_first)
    family.sync()
    assert family.disagreements() == []


def test_a_connection_that_is_lost_after_a_statement(family: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the position after the statement is saved: what is read again is of the tables from before."""
    take = LogQueue.take
    redefine = Follower._redefine
    lose: list[bool] = []

    def losing(self: LogQueue, seconds: float) -> QueuedEvent | None:
        if lose and lose.pop():
            raise SourceUnavailable("the connection is gone")
        return take(self, seconds)

    def redefined(self: Follower, event: object) -> None:
        redefine(self, event)  # type: ignore[arg-type]
        if not done:
            done.append(True)
            lose.append(True)

    done: list[bool] = []
    monkeypatch.setattr(LogQueue, "take", losing)
    monkeypatch.setattr(Follower, "_redefine", redefined)
    family.sql(
        "UPDATE children SET parent_id = 3 WHERE id = 11",
        ALTERS["a column in front"],
        "UPDATE children SET parent_id = 2 WHERE id = 10",
    )
    family.sync()
    assert done
    assert family.disagreements() == []
