"""What random histories and hard looks found: each a small history of its own."""

from __future__ import annotations

from pathlib import Path
from threading import Timer

import pytest

from migrator.errors import LeaseInDoubt
from migrator.target.mongo.leases.store import MongoLease
from tests.oracle.load import run_script
from tests.sync.small import Small

pytestmark = pytest.mark.slow

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


def test_letters_that_differ_in_the_collation_are_kept_apart(mysql_url: str, mongodb_url: str, tmp_path: Path) -> None:
    """In Swedish ä is no a: what becomes of the one says nothing of the other."""
    schema = """
    CREATE TABLE places (name VARCHAR(8) CHARACTER SET latin1 COLLATE latin1_swedish_ci PRIMARY KEY);
    CREATE TABLE boards (id INT PRIMARY KEY, place VARCHAR(8) CHARACTER SET latin1 COLLATE latin1_swedish_ci NULL,
        FOREIGN KEY (place) REFERENCES places (name) ON DELETE SET NULL);
    INSERT INTO places VALUES ('a'), ('ä'), ('y'), ('é');
    INSERT INTO boards VALUES (1, 'a'), (2, 'ä'), (3, 'ü'), (4, 'e');
    """
    mappings = {"boards": "collection: boards\nfrom: boards\nembed:\n  where: {from: places, on: {place: name}}\n"}
    small = Small(mysql_url, mongodb_url, tmp_path, schema, mappings)
    assert small.synced("DELETE FROM places WHERE name = 'a'") == []
    assert small.synced("DELETE FROM places WHERE name = 'ä'") == []
    assert small.synced("DELETE FROM places") == []


@pytest.mark.parametrize("collation", ["utf8mb4_bin", "utf8mb4_unicode_ci"])
def test_spaces_at_the_end_of_a_key_do_not_count(
    mysql_url: str, mongodb_url: str, tmp_path: Path, collation: str
) -> None:
    """Most collations that compare characters by their codes pad with spaces all the same, and foreign keys do as they
    do."""
    schema = f"""
    CREATE TABLE places (name VARCHAR(8) CHARACTER SET utf8mb4 COLLATE {collation} PRIMARY KEY);
    CREATE TABLE boards (id INT PRIMARY KEY, place VARCHAR(8) CHARACTER SET utf8mb4 COLLATE {collation} NULL,
        FOREIGN KEY (place) REFERENCES places (name) ON DELETE SET NULL ON UPDATE CASCADE);
    INSERT INTO places VALUES ('a'), ('b  '), ('é ');
    INSERT INTO boards VALUES (1, 'a'), (2, 'a '), (3, 'b'), (4, 'b '), (5, 'é'), (6, 'é  ');
    """
    mappings = {"boards": "collection: boards\nfrom: boards\n"}
    small = Small(mysql_url, mongodb_url, tmp_path, schema, mappings)
    assert small.synced("DELETE FROM places WHERE name = 'a'") == []
    assert small.synced("UPDATE places SET name = 'c' WHERE name = 'b'") == []
    assert small.synced("DELETE FROM places WHERE name IN ('c', 'é')") == []


def test_rows_of_one_collection_outlast_a_doubt_about_another_ones(
    mysql_url: str, mongodb_url: str, tmp_path: Path
) -> None:
    """Which boards an 'é' held only the source knows: they are read again. Tickets of the same batch stay known."""
    schema = f"""{TICKETS}
    CREATE TABLE places (name VARCHAR(8) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY);
    CREATE TABLE boards (id INT PRIMARY KEY, place VARCHAR(8) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NULL,
        FOREIGN KEY (place) REFERENCES places (name) ON DELETE SET NULL ON UPDATE CASCADE);
    INSERT INTO places VALUES ('a'), ('é');
    INSERT INTO boards VALUES (1, 'a'), (2, 'é');
    """
    mappings = {
        "boards": "collection: boards\nfrom: boards\n",
        "tickets": "collection: tickets\nfrom: tickets\n",
    }
    small = Small(mysql_url, mongodb_url, tmp_path, schema, mappings)
    assert small.synced("INSERT INTO tickets VALUES (2, 1)", "DELETE FROM places WHERE name = 'é'") == []
    assert small.synced("DELETE FROM users") == []
    # A statement that has not been read yet has altered the tables.
    assert (
        small.synced(
            "INSERT INTO users VALUES (1)",
            "INSERT INTO tickets VALUES (3, 1)",
            "INSERT INTO places VALUES ('é')",
            "DELETE FROM places WHERE name = 'é'",
            "ALTER TABLE tickets ADD COLUMN note INT NULL",
            "INSERT INTO tickets VALUES (4, 1, 7)",
        )
        == []
    )
    assert small.synced("DELETE FROM users") == []


def test_rows_of_a_table_that_took_another_ones_place(mysql_url: str, mongodb_url: str, tmp_path: Path) -> None:
    """Loaded aside and renamed: its rows had no events under the name they have now."""
    mappings = {"tickets": "collection: tickets\nfrom: tickets\nwhere: locked_by IS NULL\n"}
    small = Small(mysql_url, mongodb_url, tmp_path, TICKETS, mappings)
    fresh = [
        "CREATE TABLE fresh (id INT PRIMARY KEY, locked_by INT NULL,"
        " FOREIGN KEY (locked_by) REFERENCES users (id) ON DELETE SET NULL)",
        "INSERT INTO fresh VALUES (2, 1), (3, NULL)",
        "RENAME TABLE tickets TO old, fresh TO tickets",
        "DROP TABLE old",
    ]
    assert small.synced(*fresh) == []
    assert small.synced("DELETE FROM users") == []


def test_a_rejected_document_whose_spoilt_row_was_truncated_away(
    mysql_url: str, mongodb_url: str, tmp_path: Path
) -> None:
    """It is no document that the target has, and comes back all the same."""
    schema = """
    CREATE TABLE rates (id INT PRIMARY KEY);
    CREATE TABLE uses (id INT PRIMARY KEY, rate_id INT NULL, used_on DATE NOT NULL);
    INSERT INTO rates VALUES (1), (2);
    INSERT INTO uses VALUES (1, 1, '0000-00-00'), (2, 2, '2024-01-01');
    """
    mappings = {
        "rates": "collection: rates\nfrom: rates\nembed:\n  uses: {from: uses, many: true, on: {id: rate_id}}\n"
    }
    small = Small(mysql_url, mongodb_url, tmp_path, schema, mappings)
    assert small.synced("TRUNCATE uses") == []


def test_a_rejected_document_whose_own_row_was_truncated_away(mysql_url: str, mongodb_url: str, tmp_path: Path) -> None:
    """Neither the target's documents nor the table's rows name it any more, and still nobody shall look for it."""
    schema = """
    CREATE TABLE uses (id INT PRIMARY KEY, used_on DATE NOT NULL);
    INSERT INTO uses VALUES (1, '0000-00-00'), (2, '2024-01-01'), (3, '2024-00-01'), (4, '2024-01-02');
    """
    small = Small(mysql_url, mongodb_url, tmp_path, schema, {"uses": "collection: uses\nfrom: uses\n"})
    assert small.synced("UPDATE uses SET used_on = '0000-00-00' WHERE id = 4") == []
    assert small.synced("TRUNCATE uses", "INSERT INTO uses VALUES (3, '2024-00-02'), (5, '2024-01-01')") == []


def test_a_doubt_about_the_lease_that_passes_ends_no_sync(
    mysql_url: str, mongodb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after some seconds without the target, when the next renewal is still under way."""
    small = Small(mysql_url, mongodb_url, tmp_path, TICKETS, {"tickets": "collection: tickets\nfrom: tickets\n"})
    check, doubts = MongoLease.check, iter(range(3))

    def doubtful(lease: MongoLease) -> None:
        if next(doubts, None) is not None:
            raise LeaseInDoubt("could not renew the lease for 10 seconds")
        check(lease)

    monkeypatch.setattr(MongoLease, "check", doubtful)
    assert small.synced("INSERT INTO tickets VALUES (7, NULL)") == []
    assert next(doubts, None) is None


def test_a_join_by_what_the_server_computes_from_a_key_that_cascades(
    mysql_url: str, mongodb_url: str, tmp_path: Path
) -> None:
    schema = """
    CREATE TABLE owners (id INT PRIMARY KEY);
    CREATE TABLE parts (id INT PRIMARY KEY, owner INT NULL, bucket INT AS (IFNULL(owner, 0)) VIRTUAL, KEY (bucket),
        FOREIGN KEY (owner) REFERENCES owners (id) ON DELETE SET NULL ON UPDATE CASCADE);
    CREATE TABLE buckets (id INT PRIMARY KEY);
    INSERT INTO owners VALUES (1), (2), (3);
    INSERT INTO buckets VALUES (0), (1), (2), (3), (33);
    INSERT INTO parts (id, owner) VALUES (1, 1), (2, 2), (3, 3), (4, NULL);
    """
    embed = "{from: parts, many: true, on: {id: bucket}, columns: [id]}"
    mappings = {"buckets": f"collection: buckets\nfrom: buckets\nembed:\n  parts: {embed}\n"}
    small = Small(mysql_url, mongodb_url, tmp_path, schema, mappings)
    assert small.synced("UPDATE owners SET id = 33 WHERE id = 3") == []
    assert small.synced("DELETE FROM owners WHERE id = 33", "DELETE FROM owners WHERE id = 1") == []
    assert small.synced("UPDATE parts SET owner = 2 WHERE id = 4", "DELETE FROM owners") == []


def test_text_keys_with_characters_that_collations_pass_over(mysql_url: str, mongodb_url: str, tmp_path: Path) -> None:
    text = "VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
    schema = f"""
    CREATE TABLE drinks (k {text} PRIMARY KEY);
    CREATE TABLE gone (id INT PRIMARY KEY, k {text}, FOREIGN KEY (k) REFERENCES drinks (k) ON DELETE CASCADE);
    CREATE TABLE kept (id INT PRIMARY KEY, k {text} NULL, FOREIGN KEY (k) REFERENCES drinks (k) ON DELETE SET NULL);
    INSERT INTO drinks VALUES ('ab'), ('c');
    INSERT INTO gone VALUES (1, CONCAT('a', CHAR(1), 'b')), (2, 'c');
    INSERT INTO kept VALUES (1, CONCAT('a', CHAR(1), 'b')), (2, 'c');
    """
    mappings = {
        "gone": "collection: gone\nfrom: gone\n",
        "free": "collection: free\nfrom: kept\nwhere: k IS NULL\n",
    }
    small = Small(mysql_url, mongodb_url, tmp_path, schema, mappings)
    assert small.synced("DELETE FROM drinks WHERE k = 'ab'") == []


def test_a_table_that_is_gone_for_a_moment(mysql_url: str, mongodb_url: str, tmp_path: Path) -> None:
    """Tools for schema changes drop or rename a table and put another one in its place."""
    made = "CREATE TABLE labels (id INT PRIMARY KEY, name VARCHAR(9))"
    mappings = {"labels": "collection: labels\nfrom: labels\n"}
    small = Small(mysql_url, mongodb_url, tmp_path, f"{made}; INSERT INTO labels VALUES (1, 'a'), (2, 'b');", mappings)
    again = Timer(0.8, run_script, (mysql_url, f"{made}; INSERT INTO labels VALUES (2, 'c'), (3, 'd')"))
    again.start()
    try:
        small.synced("DROP TABLE labels")
    finally:
        again.join()
    assert small.synced("UPDATE labels SET name = 'e' WHERE id = 3") == []
