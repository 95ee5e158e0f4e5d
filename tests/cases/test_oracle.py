"""The oracle itself against every case, asking row by row and grouped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.case import Case, all_cases
from tests.cases.check import check
from tests.oracle.documents import Oracle

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", [case for case in all_cases() if not case.error()], ids=lambda case: case.name)
def test_oracle(case: Case, mappings: Path, mysql_url: str, flavor: str) -> None:
    oracle = Oracle(mysql_url, mappings, case.policies)
    (name,) = oracle.collections
    for found in (oracle.all_row_by_row(name), oracle.all_grouped(name)):
        check(case, flavor, found.documents, found.rejected)
