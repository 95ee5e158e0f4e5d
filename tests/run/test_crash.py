"""kill -9 in the middle of apply, again and again; what is there in the end equals the oracle document for document."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sample_schema.generate import load
from tests.oracle.target import assert_equal_to_the_oracle, in_files, in_mongodb

ROOT = Path(__file__).parent.parent.parent
MAPPINGS = ROOT / "mappings"
pytestmark = pytest.mark.slow


def migrator(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """A real migrator in a process of its own; standard error goes with standard output."""
    command = [sys.executable, "-m", "migrator", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def copying(process: subprocess.Popen[str]) -> str:
    """Waits until the first chunks are under way (or the end); returns what was printed until then."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("going on with run ") or (line.startswith("run ") and line.endswith("begun\n")):
            break
    return "".join(lines)


def kill_until_done(source: str, target: str, project: Path, chance: random.Random) -> tuple[int, int]:
    """Applies, kills while chunks are copied, applies again. Returns how often it was killed and gone on with."""
    settings = f"chunk_rows: 10\nsource: {source}\ntarget: {target}\nmappings: {MAPPINGS}\n"
    (project / "migrator.yaml").write_text(settings)
    planning = migrator(project, "plan", "--out", "plan.json")
    output, _ = planning.communicate(timeout=120)
    assert planning.returncode == 0, output
    kills = resumed = 0
    while True:
        process = migrator(project, "apply", "plan.json", "--yes", "--workers", "2")
        output = copying(process)
        resumed += "going on with run" in output
        try:
            output += process.communicate(timeout=chance.uniform(0.1, 1.2) if kills < 6 else 300)[0]
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0, output
        return kills, resumed


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_apply_into_mongodb(mysql_url: str, mongodb_url: str, tmp_path: Path, seed: int) -> None:
    load(mysql_url, scale=4, seed=seed)
    kills, resumed = kill_until_done(mysql_url, mongodb_url, tmp_path, random.Random(seed))
    assert kills > 1
    assert resumed > 0
    assert_equal_to_the_oracle(mysql_url, MAPPINGS, in_mongodb(mongodb_url))
    again = migrator(tmp_path, "apply", "plan.json", "--yes")
    output, _ = again.communicate(timeout=60)
    assert again.returncode == 0, output
    assert "applied already" in output


def test_killed_apply_into_files(mysql_url: str, tmp_path: Path) -> None:
    load(mysql_url, scale=4, seed=3)
    folder = tmp_path / "dump"
    kills, _ = kill_until_done(mysql_url, f"file:{folder}", tmp_path, random.Random(3))
    assert kills > 1
    assert_equal_to_the_oracle(mysql_url, MAPPINGS, in_files(folder))
