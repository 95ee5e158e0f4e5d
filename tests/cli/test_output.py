"""What comes out: into files and pipes, in 80 columns, and never a password."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bson.json_util import dumps
from pymongo import MongoClient
from sqlalchemy.engine import make_url

from tests.project import ROOT, Project

pytestmark = pytest.mark.slow
SECRET = "Se:cr@et/99%"


def test_plain_lines_of_80_columns(project: Project) -> None:
    ended = project.apply()
    assert ended.code == 0, ended
    assert "\x1b" not in ended.out + ended.err
    assert "\r" not in ended.out + ended.err
    assert [line for line in ended.out.splitlines() if len(line) > 80] == []
    assert all(line == line.rstrip() for line in ended.out.splitlines())
    assert ended.out.count("Done in") == 1
    assert ended.err.splitlines()[-1] == "accounts is live"


@pytest.mark.parametrize("both", [False, True], ids=["stdout", "stdout and stderr"])
def test_a_reader_that_went_away(project: Project, both: bool) -> None:
    """Whatever becomes of this apply, the next one ends right."""
    command = f"{sys.executable} -m migrator apply --yes --workers 2 {'2>&1' if both else '2>/dev/null'} | head -1"
    environment = {
        **os.environ,
        "MIGRATOR_SOURCE": project.source,
        "MIGRATOR_TARGET": project.target,
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        ["bash", "-c", command], cwd=project.folder, env=environment, capture_output=True, text=True, check=False
    )
    # Which settings are used is said on stderr, first of all.
    assert done.stdout.startswith("settings: " if both else "Plan  ")
    assert "Traceback" not in done.stdout + done.stderr
    again = project.apply()
    assert again.code == 0, again
    assert len(project.documents()) == 600


def test_no_password_anywhere(either: Project, tmp_path: Path) -> None:
    url = make_url(either.source)
    name = f"u{url.database}"
    with either.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE USER {name}@'%%' IDENTIFIED BY %s", (SECRET,))
    either.sql(f"GRANT SELECT, SHOW VIEW, RELOAD ON *.* TO {name}@'%'")
    source = url.set(username=name, password=SECRET).render_as_string(hide_password=False)
    theirs = replace(either, source=source)
    try:
        plan = theirs.run("plan", "--out", "plan.json")
        assert plan.code == 0, plan
        running = theirs.start_copying("plan.json")
        running.kill()
        ended = theirs.apply()
        assert ended.code == 0, ended
        wrong = replace(theirs, source=url.set(username=name, password="wr0ng:pass").render_as_string(False))
        failed = wrong.run("apply", "--yes", "--debug")
        assert failed.code == 6, failed
    finally:
        either.sql(f"DROP USER {name}@'%'")
    said = "".join(file.read_text() for file in tmp_path.glob("*.out")) + failed.out + failed.err + ended.err
    kept = (tmp_path / "plan.json").read_text() + said + state(either)
    for part in (SECRET, "Se:cr", "Se%3Acr", "cr%40et", "wr0ng"):
        assert part not in kept


def state(project: Project) -> str:
    if project.files.name == "dump":
        return (project.files / ".migrator" / "state.sqlite3").read_bytes().decode("latin-1")
    with MongoClient[dict[str, object]](project.target) as client:
        database = client.get_default_database()
        return "".join(
            dumps(list(database[name].find())) for name in database.list_collection_names() if name.startswith("_")
        )
