from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cases.case import Case
from tests.oracle.load import flavor_of, run_script


@pytest.fixture(scope="session")
def flavor(mysql_server: str) -> str:
    return flavor_of(mysql_server)


@pytest.fixture
def mappings(case: Case, flavor: str, mysql_url: str, tmp_path: Path) -> Path:
    """The case's mappings folder; its tables are in the database of `mysql_url`."""
    if case.flavor not in (None, flavor):
        pytest.skip(f"needs {case.flavor}")
    run_script(mysql_url, case.schema)
    shutil.copy(case.mapping, tmp_path)
    return tmp_path
