"""What random histories and hard looks found: each a small history of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.small import Small

TICKETS = """
CREATE TABLE users (id INT PRIMARY KEY);
CREATE TABLE tickets (id INT PRIMARY KEY, locked_by INT NULL,
    FOREIGN KEY (locked_by) REFERENCES users (id) ON DELETE SET NULL);
INSERT INTO users VALUES (1);
INSERT INTO tickets VALUES (1, 1);
"""


def test_a_parent_that_went_without_its_cascade_goes_again_with_it(
    mysql_url: str, mongodb_url: str, tmp_path: Path
) -> None:
    """With foreign_key_checks = 0 nothing cascades, and the rows must not be forgotten."""
    mappings = {"tickets": "collection: tickets\nfrom: tickets\nwhere: locked_by IS NULL\n"}
    small = Small(mysql_url, mongodb_url, tmp_path, TICKETS, mappings)
    assert small.synced("SET foreign_key_checks = 0", "DELETE FROM users") == []
    assert small.synced("INSERT INTO users VALUES (1)") == []
    assert small.synced("DELETE FROM users") == []


ORDERS = """
CREATE TABLE orders (id INT PRIMARY KEY, number VARCHAR(10) NOT NULL UNIQUE);
INSERT INTO orders VALUES (1, 'a'), (2, 'b'), (3, 'c');
"""
UNIQUE = {"orders": "collection: orders\nfrom: orders\nindexes:\n  - {keys: {number: 1}, unique: true}\n"}


@pytest.mark.needs_mongodb("a changed unique value is free again")
def test_unique_values_are_swapped_and_swapped_again(mysql_url: str, mongodb_url: str, tmp_path: Path) -> None:
    small = Small(mysql_url, mongodb_url, tmp_path, ORDERS, UNIQUE)
    swap = [
        "BEGIN",
        "UPDATE orders SET number = '~' WHERE id = 1",
        "UPDATE orders SET number = 'a' WHERE id = 2",
        "UPDATE orders SET number = 'b' WHERE id = 1",
        "COMMIT",
    ]
    assert small.synced(*swap) == []
    back = [statement.replace("'a'", "'x'").replace("'b'", "'a'").replace("'x'", "'b'") for statement in swap]
    assert small.synced(*back, "UPDATE orders SET number = 'd' WHERE id = 3") == []
    assert small.synced(*swap, *back, "INSERT INTO orders VALUES (4, 'c')") == []
