"""Loads the Chinook dump (data/chinook.sql) into a database of one's own: `python -m tests.chinook.load mysql://…/name`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sample_schema.database import connect

DUMP = Path(__file__).parent / "data" / "chinook.sql"
MAPPINGS = Path(__file__).parent / "mappings"

# Rows by table, counted in the dump.
ROWS = {
    "Album": 347,
    "Artist": 275,
    "Customer": 59,
    "Employee": 8,
    "Genre": 25,
    "Invoice": 412,
    "InvoiceLine": 2240,
    "MediaType": 5,
    "Playlist": 18,
    "PlaylistTrack": 8715,
    "Track": 3503,
}


def statements() -> list[str]:
    """The dump's statements without those that choose a database of their own."""
    text = re.sub(r"/\*.*?\*/", "", DUMP.read_text(encoding="utf-8-sig"), flags=re.DOTALL)
    parts = (part.strip() for part in re.split(r";[ \t\r]*\n", text))
    return [part for part in parts if part and not re.match(r"(DROP|CREATE) DATABASE|USE ", part)]


def load(url: str) -> None:
    """Makes Chinook's tables in the empty database of `url` and fills them, 15,607 rows in all."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'STRICT_ALL_TABLES'")
        for statement in statements():
            cursor.execute(statement)


if __name__ == "__main__":
    load(sys.argv[1])
