"""The dump ends up in the database it is told to, complete."""

from __future__ import annotations

from sample_schema.database import connect
from tests.chinook.load import ROWS, load, statements


def test_no_statement_chooses_a_database() -> None:
    assert statements()[0].startswith("CREATE TABLE `Album`")
    assert not [text for text in statements() if "DATABASE" in text[:40] or text.startswith("USE")]


def test_every_row_arrives(mysql_url: str) -> None:
    load(mysql_url)
    with connect(mysql_url) as connection, connection.cursor() as cursor:
        found = {}
        for table in ROWS:
            cursor.execute(f"SELECT COUNT(*) FROM `{table}`")
            found[table] = cursor.fetchone()[0]
        assert found == ROWS
        cursor.execute("SELECT Name FROM Artist WHERE ArtistId = 6")
        assert cursor.fetchone() == ("Antônio Carlos Jobim",)
