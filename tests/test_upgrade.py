"""What an earlier version has begun, this one goes on with: plans in files, killed applies and syncs."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pymongo import MongoClient
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from tests.waiting import SECONDS, until

ROOT = Path(__file__).parent.parent
# The last commit before modules were moved and renamed.
EARLIER = "af329387eec17b37d09fc5cb45b956fa72c0744c"
# The last commit before sync renewed the columns of its mappings after ALTER TABLE.
BEFORE_RENEWALS = "71ed2f671303232d7f073a6aede173e4dd4420d8"
ROWS = 400
MAPPING = """\
collection: accounts
from: accounts
embed:
  entries: {from: entries, many: true, columns: [id, text]}
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The earlier version's code."""
    return unpacked(EARLIER, tmp_path_factory.mktemp("earlier"))


@pytest.fixture(scope="module")
def before_renewals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the version that knew no renewals."""
    return unpacked(BEFORE_RENEWALS, tmp_path_factory.mktemp("before_renewals"))


def unpacked(commit: str, folder: Path) -> Path:
    packed = subprocess.run(["git", "archive", commit, "migrator"], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        pytest.skip("the repository's history is not here")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@dataclass(frozen=True)
class Project:
    """Two tables, a mapping, and both versions of the command."""

    source: str
    target: str
    folder: Path
    earlier: Path

    def sql(self, *statements: str) -> None:
        with connect_mysql(self.source) as connection, connection.cursor() as cursor:
            for statement in (f"USE `{make_url(self.source).database}`", *statements):
                cursor.execute(statement)

    def _environment(self, *, old: bool) -> dict[str, str]:
        more = {"PYTHONPATH": str(self.earlier)} if old else {}
        return {**os.environ, "MIGRATOR_SOURCE": self.source, "MIGRATOR_TARGET": self.target, **more}

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """The earlier command, killed with all its workers when the block ends."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "migrator", *arguments],
                cwd=self.folder,
                env=self._environment(old=True),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def run(self, *arguments: str, old: bool = False) -> str:
        """Both outputs of a command that must end well."""
        done = subprocess.run(
            [sys.executable, "-m", "migrator", *arguments],
            cwd=self.folder,
            env=self._environment(old=old),
            capture_output=True,
            text=True,
            timeout=4 * SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def project(mysql_url: str, mongodb_url: str, tmp_path: Path, earlier: Path) -> Project:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "accounts.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "migrator.yaml").write_text("chunk_rows: 2\n", encoding="utf-8")
    made = Project(mysql_url, mongodb_url, tmp_path, earlier)
    accounts = ", ".join(f"({each}, 'name {each}')" for each in range(1, ROWS + 1))
    entries = ", ".join(f"({each}, {each}, 'text {each}')" for each in range(1, ROWS + 1))
    made.sql(
        "CREATE TABLE accounts (id INT PRIMARY KEY, name VARCHAR(20))",
        "CREATE TABLE entries (id INT PRIMARY KEY, account_id INT, text VARCHAR(20), "
        "FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE)",
        f"INSERT INTO accounts VALUES {accounts}",
        f"INSERT INTO entries VALUES {entries}",
    )
    return made


def chunks_done(project: Project) -> int:
    with MongoClient[dict[str, object]](project.target) as client:
        return client.get_default_database()["_migrator_chunks"].count_documents({"done": True})


def test_the_earlier_code_is_what_runs(project: Project) -> None:
    code = "import migrator; print(migrator.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(project.earlier)},
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(project.earlier))


def test_a_plan_in_a_file_is_carried_out(project: Project) -> None:
    project.run("plan", "--out", "plan.json", old=True)
    project.run("apply", "plan.json", "--yes")
    project.run("verify")


def test_an_apply_that_was_killed_is_gone_on_with(project: Project) -> None:
    with project.started("apply", "--yes", "--workers", "1"):
        until(lambda: chunks_done(project) > 3, "some chunks")
    assert chunks_done(project) < ROWS // 2
    assert "resuming run" in project.run("apply", "--yes")
    project.run("verify")


def test_a_sync_that_was_killed_is_gone_on_with(project: Project) -> None:
    project.run("apply", "--yes", old=True)
    with project.started("sync"), MongoClient[dict[str, object]](project.target) as client:
        documents = client.get_default_database()["accounts"]
        project.sql("UPDATE accounts SET name = 'changed' WHERE id = 1")
        until(lambda: (documents.find_one({"_id": 1}) or {}).get("name") == "changed", "sync to follow")
        for each in range(2, 50):
            project.sql(
                f"UPDATE entries SET text = 'changed' WHERE id = {each}",
                f"DELETE FROM accounts WHERE id = {each + 100}",
            )
            time.sleep(0.01)
    project.sql("DELETE FROM accounts WHERE id = 60")
    project.run("sync", "--until-caught-up")
    project.run("verify")
    project.run("status")


@pytest.mark.parametrize(
    "alter",
    [
        # Documents of another type; values that are cut without row events; a column that no document has.
        "ALTER TABLE entries MODIFY id BIGINT",
        "ALTER TABLE entries MODIFY text VARCHAR(6)",
        "ALTER TABLE accounts ADD COLUMN more INT",
    ],
)
@pytest.mark.parametrize("when", ["while the earlier one runs", "between", "while the later one runs"])
def test_an_alter_next_to_a_sync_from_before_renewals(
    project: Project, before_renewals: Path, alter: str, when: str
) -> None:
    """The state that it left says nothing of the tables as they were."""
    project = replace(project, earlier=before_renewals)
    (project.folder / "migrator.yaml").write_text("chunk_rows: 200\n", encoding="utf-8")
    changed = "UPDATE accounts SET name = 'changed' WHERE id = {}"

    def altered() -> None:
        project.sql("SET SESSION sql_mode = ''", alter)

    def has_arrived(number: int) -> bool:
        return (documents.find_one({"_id": number}) or {}).get("name") == "changed"

    with MongoClient[dict[str, object]](project.target) as client:
        documents = client.get_default_database()["accounts"]
        project.run("apply", "--yes", "--workers", "1", old=True)
        with project.started("sync") as earlier:
            project.sql(changed.format(1))
            until(lambda: has_arrived(1), "sync to follow")
            if when == "while the earlier one runs":
                altered()
                project.sql(changed.format(2))
                # It stops at what the mapping uses.
                until(lambda: has_arrived(2) or earlier.poll() is not None, "sync to follow, or to stop")
        if when == "between":
            altered()
        project.sql(changed.format(3))
        project.run("sync", "--until-caught-up")
        if when == "while the later one runs":
            altered()
            project.sql(changed.format(4))
            project.run("sync", "--until-caught-up")
    project.run("verify")
    project.run("plan")
    with connect_mysql(project.source) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT id, text FROM `{make_url(project.source).database}`.entries ORDER BY id")
        expected = [tuple(row) for row in cursor.fetchall()]
    with MongoClient[dict[str, object]](project.target) as client:
        entries = [entry for each in client.get_default_database()["accounts"].find() for entry in each["entries"]]  # type: ignore[attr-defined]
    assert sorted((entry["id"], entry["text"]) for entry in entries) == expected
