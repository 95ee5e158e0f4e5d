"""Values that fit nowhere: each is recorded with place and reason, and corrected rows come with the next apply."""

from __future__ import annotations

import pytest
from pymongo import MongoClient

from tests.printed import action_of
from tests.project import Project

REJECTED = 5
MIXED = (
    "SET sql_mode = ''",
    "CREATE TABLE odd (id INT PRIMARY KEY, day DATE NULL, big DECIMAL(50,2) NULL, words BLOB NULL)",
    "INSERT INTO odd VALUES (1, '2024-02-29', 1.50, 'fine'), (2, '0000-00-00', 1, 'x'),"
    f" (3, NULL, {'9' * 40}, 'x'), (4, NULL, NULL, X'C328')",
)
MAPPING = "collection: odd\nfrom: odd\nfields:\n  words: {column: words, type: string}\n"


def reasons(project: Project) -> dict[str, dict[str, object]]:
    with MongoClient[dict[str, dict[str, object]]](project.target) as client:
        found = client.get_default_database()["_migrator_rejected"].find()
        return {str(each["rejected"]["document"]): each["rejected"] for each in found}


@pytest.fixture
def odd(either: Project) -> Project:
    either.mapping("odd", MAPPING)
    either.sql(*MIXED)
    return either


@pytest.mark.slow
def test_every_reason_has_its_place(odd: Project) -> None:
    ended = odd.apply_here("--collection", "odd")
    assert ended.code == REJECTED, ended
    assert set(odd.documents("odd")) == {1}
    values = "day = '0000-00-00'", f"big = '{'9' * 40}.00'", "words = "
    for expected in ("odd 2", " day: ", "odd 3", " big: ", "odd 4", " words: "):
        assert expected in ended.out, ended
    assert not any(value in ended.out for value in (*values, "9" * 40)), ended
    shown = odd.apply_here("--collection", "odd", "--replace", "odd", "--show-values")
    assert all(value in shown.out for value in values), shown
    if odd.files.name != "dump":
        found = reasons(odd)
        assert sorted(found) == ["2", "3", "4"]
        assert (found["2"]["column"], found["2"]["value"], found["2"]["key"]) == ("day", "0000-00-00", "2")
        assert str(found["2"]["table"]).endswith(".odd")
        assert all(each["reason"] for each in found.values())


@pytest.mark.slow
def test_fixed_rows_come_with_the_next_apply(odd: Project) -> None:
    assert odd.apply_here().code == REJECTED
    odd.sql(
        "UPDATE odd SET day = NULL WHERE id = 2", "UPDATE odd SET big = 3 WHERE id = 3", "DELETE FROM odd WHERE id = 4"
    )
    plan = odd.here("plan")
    assert action_of("odd", plan.out) == "rebuild", plan
    assert "3 reasons for rejected documents" in plan.out
    assert "unchanged: accounts" in plan.out
    ended = odd.apply_here()
    assert ended.code == 0, ended
    assert set(odd.documents("odd")) == {1, 2, 3}
    assert "Nothing to do." in odd.here("apply").out


@pytest.mark.slow
def test_documents_beyond_the_limit(either: Project) -> None:
    """One that just fits, two rows that together are too much, and an array far beyond any document."""
    either.mapping("accounts", ACCOUNTS_WITH_NOTES)
    either.sql(
        "CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, account_id INT NOT NULL, text LONGTEXT NOT NULL,"
        " KEY (account_id))",
        "INSERT INTO notes (account_id, text) VALUES (5, REPEAT('x', 15900000)), (6, REPEAT('x', 8000000))",
        "INSERT INTO notes (account_id, text) SELECT 8, REPEAT('z', 1000000) FROM accounts LIMIT 60",
        "INSERT INTO notes (account_id, text) VALUES (6, REPEAT('x', 9000000))",
    )
    ended = either.apply_here()
    assert ended.code == REJECTED, ended
    documents = either.documents()
    assert set(range(1, 601)) - set(documents) == {6, 8}
    assert "accounts 6" in ended.out
    assert "accounts 8" in ended.out


ACCOUNTS_WITH_NOTES = (
    "collection: accounts\nfrom: accounts\nembed:\n  notes: {from: notes, many: true, on: {id: account_id}}\n"
)
