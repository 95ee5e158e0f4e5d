"""Every folder of cases/: a mapping with mistakes, and the whole error that a user sees."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from migrator.errors import MappingError
from migrator.mapping.file.load import load_text
from tests.mapping.check import create_tables, resolve_folder

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases").glob("*/mapping.yaml"))


def error_text(url: str, case: Path) -> str:
    """What the user reads, with the folder and the database under stable names."""
    with pytest.raises(MappingError) as caught:
        resolve_folder(url, case)
    database = make_url(url).database
    assert database is not None
    return str(caught.value).replace(f"{case}/", "").replace(database, "shop") + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_error(case: Path, shop_url: str, request: pytest.FixtureRequest) -> None:
    url = shop_url
    if (case / "schema.sql").exists():
        url = request.getfixturevalue("mysql_url")
        create_tables(url, case / "schema.sql")
    assert error_text(url, case) == (case / "expect_error.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["_migrator_runs", "orders__migrator_1f2e3d4c", "orders__sample", "sequences", "outbox"]
)
def test_names_of_migrators_own_are_refused(name: str) -> None:
    with pytest.raises(MappingError) as caught:
        load_text("mapping.yaml", f"collection: {name}\nfrom: orders\n".encode())
    assert "choose another name for the collection" in str(caught.value)
    assert f"collection: {name}" in str(caught.value)
