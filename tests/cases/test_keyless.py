"""The `_id` of tables without a key, by value: what docs/documents.md says in words, said once more in code."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import bson
import pytest

from tests.oracle.load import run_script
from tests.oracle.migrated import migrate, resolved


def hash_of(values: list[str | None], identical_before: int = 0) -> bytes:
    text = b""
    for value in values:
        if value is None:
            text += b"\xff\xff\xff\xff"
        else:
            text += len(value.encode()).to_bytes(4, "little") + value.encode()
    return blake2b(text + identical_before.to_bytes(4, "little"), digest_size=16).digest()


def ids(url: str, folder: Path, mapping: str) -> set[bytes]:
    (folder / "log.yaml").write_text(f"collection: log\nfrom: log\nkey: none\n{mapping}", encoding="utf-8")
    (collection,) = resolved(url, folder)
    documents = [bson.decode(document) for document in migrate(url, collection).documents.values()]
    # Python's bytes stand for subtype 0; any other would be a Binary.
    assert all(type(document["_id"]) is bytes for document in documents)
    return {document["_id"] for document in documents}


@pytest.fixture
def log(mysql_url: str) -> str:
    run_script(
        mysql_url,
        "CREATE TABLE log (at DATETIME, message VARCHAR(20), n INT);"
        "INSERT INTO log VALUES ('2024-01-01 00:00:00', 'é', 1), ('2024-01-01 00:00:00', 'é', 1),"
        " ('2024-01-01 00:00:00', 'É', 1), (NULL, NULL, NULL), (NULL, '', NULL), (NULL, '', NULL), (NULL, '', NULL)",
    )
    return mysql_url


def test_every_value_after_its_length_and_the_count_last(log: str, tmp_path: Path) -> None:
    moment = "2024-01-01 00:00:00"
    assert ids(log, tmp_path, "") == {
        hash_of([moment, "é", "1"]),
        hash_of([moment, "é", "1"], 1),
        hash_of([moment, "É", "1"]),
        hash_of([None, None, None]),
        *(hash_of([None, "", None], before) for before in range(3)),
    }


def test_only_what_is_mapped_counts_in_the_order_of_the_fields(log: str, tmp_path: Path) -> None:
    found = ids(log, tmp_path, "columns: [n]\nfields: {twice: {sql: n * 2}, again: n}\nwhere: n = 1\n")
    assert found == {hash_of(["1", "2"], before) for before in range(3)}
