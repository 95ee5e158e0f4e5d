"""migrator against every case: load, resolve, read, assemble."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.errors import MappingError
from migrator.model.mapping.policies import Policies
from tests.cases.case import Case, all_cases
from tests.cases.check import check
from tests.oracle.migrated import migrate, migrate_keys, resolved

CASES = all_cases()


@pytest.mark.parametrize("case", [case for case in CASES if not case.error()], ids=lambda case: case.name)
def test_documents(case: Case, mappings: Path, mysql_url: str, flavor: str) -> None:
    (collection,) = resolved(mysql_url, mappings, Policies(**case.policies))
    found = migrate(mysql_url, collection)
    check(case, flavor, found.documents, found.rejected)
    assert bool(found.reasons) == bool(case.rejected)
    if not case.keyless:
        again = migrate_keys(mysql_url, collection, found.keys)
        assert again.documents == found.documents
        assert again.rejected == found.rejected


@pytest.mark.parametrize("case", [case for case in CASES if case.error()], ids=lambda case: case.name)
def test_mapping_errors(case: Case, mappings: Path, mysql_url: str) -> None:
    with pytest.raises(MappingError) as caught:
        resolved(mysql_url, mappings, Policies(**case.policies))
    text = str(caught.value)
    assert [line for line in case.error() if line not in text] == [], text
