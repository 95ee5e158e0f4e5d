"""What random histories and hard looks found: each a small history of its own."""

from __future__ import annotations

from pathlib import Path

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
