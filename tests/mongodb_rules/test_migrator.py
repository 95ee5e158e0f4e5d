"""migrator meets what MongoDB refuses: the sample shop has none of it, and sync rejects such documents and goes on.

Without the checker in front of the stand-in these tests would prove nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from migrator.errors import ExitCode
from sample_schema.generate import load
from tests.project import Project

pytestmark = pytest.mark.slow

MAPPINGS = Path(__file__).parents[2] / "mappings"
PLACES = """
collection: places
from: places
embed:
  spots: {from: spots, many: true}
indexes:
  - keys: {spots.at: 2dsphere}
"""


@pytest.fixture
def project(mysql_url: str, mongodb_url: str, tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path, mysql_url, mongodb_url)
    project.settings("retry_seconds: 4\n")
    yield project
    for running in project.started:
        running.kill()


def rejected(project: Project) -> set[str]:
    with MongoClient[dict[str, dict[str, str]]](project.target) as client:
        found = client.get_default_database()["_migrator_rejected"].find()
        return {each["rejected"]["document"] for each in found}


def test_the_sample_shop_has_all_its_indexes(project: Project) -> None:
    load(project.source, scale=1)
    ended = project.run("apply", "--yes", "--workers", "1", "--mappings", str(MAPPINGS), seconds=400)
    assert ended.code == ExitCode.OK, ended


def test_sync_rejects_what_an_index_refuses_and_goes_on(project: Project) -> None:
    project.mapping("places", PLACES)
    project.sql(
        "CREATE TABLE places (id INT PRIMARY KEY, name VARCHAR(20))",
        "CREATE TABLE spots (id INT PRIMARY KEY, place_id INT NOT NULL, at POINT NOT NULL,"
        " FOREIGN KEY (place_id) REFERENCES places (id))",
        "INSERT INTO places VALUES (1, 'one'), (2, 'two')",
        "INSERT INTO spots VALUES (1, 1, ST_GeomFromText('POINT(13 52)')), (2, 2, ST_GeomFromText('POINT(8 50)'))",
    )
    assert project.apply_here().code == ExitCode.OK
    project.sql("UPDATE spots SET at = ST_GeomFromText('POINT(13 95)') WHERE id = 1", "UPDATE places SET name = 'x'")
    ended = project.here("sync", "--until-caught-up")
    assert ended.code == ExitCode.OK, ended
    assert rejected(project) == {"1"}
    assert {key: each["name"] for key, each in project.documents("places").items()} == {2: "x"}
    project.sql("UPDATE spots SET at = ST_GeomFromText('POINT(13 51)') WHERE id = 1")
    assert project.here("sync", "--until-caught-up").code == ExitCode.OK
    assert (rejected(project), set(project.documents("places"))) == (set(), {1, 2})


def test_a_document_with_dollar_names_is_there_or_rejected_before_and_after_an_update(project: Project) -> None:
    project.mapping("notes", "collection: notes\nfrom: notes\n")
    project.sql(
        "CREATE TABLE notes (id INT PRIMARY KEY, facts JSON NOT NULL, name VARCHAR(20))",
        """INSERT INTO notes VALUES (1, '{"deep": {"$x": 1}}', 'one'), (2, '{"deep": 1}', 'two')""",
    )
    project.apply_here()
    before = (set(project.documents("notes")), rejected(project))
    project.sql("UPDATE notes SET name = 'new'")
    assert project.here("sync", "--until-caught-up").code == ExitCode.OK
    assert (set(project.documents("notes")), rejected(project)) == before
