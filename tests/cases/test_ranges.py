"""Ranges and keys: two halves of a table make the whole, and the bytes of a key decide which document it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.model.mapping.policies import Policies
from migrator.model.plan.chunk import KeyRange
from tests.cases.case import Case, all_cases
from tests.oracle.load import run_script
from tests.oracle.migrated import migrate, migrate_keys, resolved

NAMES = {
    "binaries_retyped",
    "collation_joins",
    "composite_keys",
    "declared_key_of_several_columns",
    "embed_many",
    "generated_invisible_primary_key",
    "join_zerofill",
    "key_of_two_columns_retyped",
    "many_key_types",
    "mariadb_uuid_and_inet",
    "text_keys",
    "unsigned_overflow_decimal",
    "unsigned_overflow_rejected",
}


@pytest.mark.parametrize("case", [case for case in all_cases() if case.name in NAMES], ids=lambda case: case.name)
def test_ranges_split_at_every_key(case: Case, mappings: Path, mysql_url: str) -> None:
    (collection,) = resolved(mysql_url, mappings, Policies(**case.policies))
    whole = migrate(mysql_url, collection)
    for key in whole.keys:
        before = migrate(mysql_url, collection, KeyRange(None, key))
        later = migrate(mysql_url, collection, KeyRange(key, None))
        assert not before.documents.keys() & later.documents.keys()
        assert before.documents | later.documents == whole.documents
        assert before.rejected | later.rejected == whole.rejected
        assert key in before.keys
        assert key not in later.keys


def test_keys_equal_only_by_collation_name_no_document(mysql_url: str, tmp_path: Path) -> None:
    run_script(
        mysql_url,
        "CREATE TABLE codes (code VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, n INT);"
        "INSERT INTO codes VALUES ('abc', 1), ('É', 2);",
    )
    (tmp_path / "codes.yaml").write_text("collection: codes\nfrom: codes\n", encoding="utf-8")
    (collection,) = resolved(mysql_url, tmp_path)
    found = migrate_keys(mysql_url, collection, [(b"ABC",), ("é".encode(),), (b"abc",), (b"abc ",), (b"missing",)])
    assert found.keys == [(b"abc",)]
    assert found.rejected == set()
    both = migrate_keys(mysql_url, collection, [(b"ABC",), (b"abc",), ("É".encode(),), (b"e",)])
    assert sorted(both.keys) == [(b"abc",), ("É".encode(),)]
