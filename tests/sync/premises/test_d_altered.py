"""Premise D: tables that are altered under a sync."""

from __future__ import annotations

import pytest

from tests.sync.premises.world import World

pytestmark = pytest.mark.slow


def test_smoke(world: World) -> None:
    world.sql(
        "create table a(id int primary key, n varchar(20)) character set utf8mb4",
        "create table b(id int primary key, a_id int, v varchar(20), key(a_id)) character set utf8mb4",
        "INSERT INTO a VALUES (1, 'x'), (2, 'y')",
        "INSERT INTO b VALUES (1, 1, 'x€😀'), (2, 2, 'y')",
    )
    world.mapping("""
collection: a
from: a
embed: {bs: {from: b, many: true, on: {id: a_id}, columns: [id, v]}}
""")
    world.apply()
    world.sql("SET SESSION sql_mode=''", "alter table b convert to character set utf8mb3")
    _, heard = world.sync()
    print(heard.notes)
    assert world.disagreements() == []
    world.sql("alter table b modify id bigint")
    _, heard = world.sync()
    print(heard.notes)
    assert world.disagreements() == []
    world.sql("alter table a modify id bigint")
    _, heard = world.sync()
    print(heard.notes, world.found("a"))
    assert world.disagreements() == []
    world.sql("alter table b convert to character set utf8mb4")
    _, heard = world.sync()
    print(heard.notes)
    assert world.disagreements() == []
